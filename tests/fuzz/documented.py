"""`python -m tests.fuzz.documented`: requests drawn from the OpenAPI document; none may be answered as our fault."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.local.ports import HOST
from tests.conftest import free_base
from tests.fuzz.run import Site

CHECKS = "not_a_server_error,unsupported_method"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", type=int, default=100, help="of each operation")
    options = parser.parse_args()
    site = Site(Path(tempfile.mkdtemp(prefix="onethread-documented-")), free_base())
    tool = Path(sys.executable).with_name("schemathesis")
    try:
        return subprocess.call([
            tool, "run", f"http://{HOST}:{site.port}/openapi.json", "--checks", CHECKS, "--seed", str(options.seed),
            "--max-examples", str(options.examples), "--header", f"Authorization: Bearer {site.write_key}",
            "--exclude-path", "/v1/persons/{kind}/{value}", "--phases", "fuzzing",
            "--suppress-health-check", "all", "--continue-on-failure",
        ], cwd=site.home)
    finally:
        site.stop()


if __name__ == "__main__":
    sys.exit(main())
