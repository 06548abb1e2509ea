"""`python -m deploy.grafana`: writes the dashboards that Grafana provisions (`make docs`)."""

import json

from deploy.grafana.boards import BOARDS, DASHBOARDS
from deploy.grafana.panels import board


def main() -> None:
    for name, chosen in BOARDS.items():
        DASHBOARDS.joinpath(f"{name}.json").write_text(json.dumps(board(chosen), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
