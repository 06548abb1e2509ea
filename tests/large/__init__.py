"""The whole stack at the size of a shop, held against the oracle: `make check-large`, apart from `make test`."""
