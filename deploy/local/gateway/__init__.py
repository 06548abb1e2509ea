"""The embedded ClickHouse engine behind ClickHouse's HTTP interface: `python -m deploy.local.gateway --path DIR`."""
