"""The whole stack at the size of a shop, held against the oracle: `make large`. Takes minutes; not in `make test`."""
