"""The views over ten million touchpoints: `python -m deploy.bench.scale`, or `make scale`."""
