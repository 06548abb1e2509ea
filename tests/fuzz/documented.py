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
PERSONS = "/v1/persons/{kind}/{value}"
"""Asked with a key of its own: who may write may not read."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", type=int, default=100, help="of each operation")
    options = parser.parse_args()
    site = Site(Path(tempfile.mkdtemp(prefix="onethread-documented-")), free_base())
    try:
        told = [_run(site, site.access.write, "--exclude-path", PERSONS, *_of(options)),
                _run(site, site.access.read, "--include-path", PERSONS, *_of(options))]
        return max(told)
    finally:
        site.stop()


def _of(options: argparse.Namespace) -> tuple[str, ...]:
    return "--seed", str(options.seed), "--max-examples", str(options.examples)


def _run(site: Site, key: str, *options: str) -> int:
    return subprocess.call([
        Path(sys.executable).with_name("schemathesis"), "run", f"http://{HOST}:{site.port}/openapi.json",
        "--checks", CHECKS, "--header", f"Authorization: Bearer {key}", "--phases", "fuzzing",
        "--suppress-health-check", "all", "--continue-on-failure", *options,
    ], cwd=site.home)


if __name__ == "__main__":
    sys.exit(main())
