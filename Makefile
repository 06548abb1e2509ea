# `make` alone lists the targets. The environment .venv is made when it is first needed.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help

.PHONY: help
help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 16

.PHONY: setup
setup: $(READY)  ## make .venv with everything in it

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"onethread needs Python 3.11 or newer; %s is %s: make setup PYTHON=python3.12" % (sys.executable, sys.version.split()[0]))'
	@echo "making .venv (about 1 GB, once)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install -q --disable-pip-version-check -e '.[dev]' -c constraints.txt
	@touch $@

.PHONY: fmt
fmt: $(READY)  ## put imports in order and mend what ruff can mend by itself
	$(BIN)/ruff check --fix .

.PHONY: check
check: $(READY)  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/mypy

.PHONY: test
test: check  ## check, then every test; what CI runs
	$(BIN)/pytest --numprocesses 3 --no-loadscope-reorder  # they wait a lot; files that share services come early

.PHONY: docs
docs: $(READY)  ## write what is made from code: docs/metrics.md, rules of objectives, dashboards
	$(BIN)/python -m streams.metrics_page
	$(BIN)/python -m deploy.prometheus.slo
	$(BIN)/python -m deploy.prometheus.kubernetes
	$(BIN)/python -m deploy.grafana

.PHONY: simulate
simulate: $(READY)  ## random worlds, simulated: make simulate SEED=7 CASES=1000 WORLD=agents (or core)
	PYTHONHASHSEED=0 $(BIN)/python -m tests.simulation.run --world $(or $(WORLD),core) \
		--seed $(or $(SEED),0) --cases $(or $(CASES),1000) --events $(or $(EVENTS),40) --with rules,policies,erasures

.PHONY: halves
halves: $(READY)  ## every order in which two workers can work the halves of a merge: make halves SEED=7 CASES=150
	PYTHONHASHSEED=0 $(BIN)/python -m tests.simulation.halves --seed $(or $(SEED),0) --cases $(or $(CASES),150) \
		--states $(or $(STATES),5000)

.PHONY: integration
integration: $(READY)  ## the tests on real Kafka and ClickHouse only
	$(BIN)/pytest tests/integration

.PHONY: bench
bench: $(READY)  ## measure events per second and CPU per event on this machine
	$(BIN)/onethread bench

.PHONY: scale
scale: $(READY)  ## what each view costs over ten million touchpoints: make scale PERSONS=1000000 DIR=where-data-stay
	$(BIN)/python -m deploy.bench.scale --persons $(or $(PERSONS),1000000) $(if $(DIR),--path $(DIR))

.PHONY: check-large
check-large: $(READY)  ## every row of every view, and the oracle's: make check-large EVENTS=100000 SEED=7 CONTACTS=100000
	$(BIN)/python -m tests.large.run --events $(or $(EVENTS),100000) --contacts $(or $(CONTACTS),100000) \
		--seed $(or $(SEED),2026)

.PHONY: check-cluster
check-cluster: $(READY)  ## every view, asked of ClickHouse's tables as of one server and as of two shards
	@DIR=$$(mktemp -d) && $(BIN)/python -m tests.unit.sinks.clickhouse.two_shards $$DIR 150 && rm -r $$DIR

.PHONY: fuzz
fuzz: $(READY)  ## requests of all kinds at a collector, and by its document: make fuzz REQUESTS=50000 SEED=7
	$(BIN)/python -m tests.fuzz.run --requests $(or $(REQUESTS),20000) --seed $(or $(SEED),1)
	$(BIN)/python -m tests.fuzz.documented --seed $(or $(SEED),1)

.PHONY: promtool
promtool:  ## fetch Debian's promtool and Prometheus into .tools, for the tests of the rules and `make alarms`
	sh deploy/prometheus/fetch.sh

.PHONY: alarms
alarms: $(READY) promtool  ## stop, starve and cut off parts of a stack, and see which alerts a real Prometheus fires
	$(BIN)/python -m tests.large.alarms

.PHONY: operations
operations: $(READY)  ## partitions added, a backup under load, a restore elsewhere: every row the same
	$(BIN)/python -m tests.large.operations --people $(or $(PEOPLE),30)

.PHONY: upgrade-check
upgrade-check: $(READY)  ## a home filled by an older commit, taken over by this one: make upgrade-check FROM=a0ada77
	$(BIN)/python -m tests.large.upgrade --from $(FROM) --people $(or $(PEOPLE),30)

.PHONY: soak
soak: $(READY)  ## a steady load for long, and whether memory or files grow: make soak MINUTES=30 RATE=1650
	$(BIN)/python -m tests.large.soak --minutes $(or $(MINUTES),30) --rate $(or $(RATE),1650) \
		--workers $(or $(WORKERS),1)

.PHONY: capacity
capacity: $(READY)  ## bytes a touchpoint in each store: make capacity EVENTS=60000
	$(BIN)/python -m deploy.bench.capacity --events $(or $(EVENTS),60000)

.PHONY: rolling
rolling: $(READY)  ## what a stream of events notices of restarts, scaling, killed workers: make rolling WORKERS=2 STANDBYS=1
	$(BIN)/python -m tests.large.rolling --workers $(or $(WORKERS),2) --standbys $(or $(STANDBYS),1)

.PHONY: outage
outage: $(READY)  ## Kafka stands still under load, on a small disk as well: make outage MINUTES=10 DISK=100
	$(BIN)/python -m tests.large.outage --minutes $(or $(MINUTES),10) --rate $(or $(RATE),100) --disk $(or $(DISK),0)

.PHONY: chaos
chaos: $(READY) promtool  ## kill, pause, cut off and damage every part under load; all must be right: make chaos FAULTS=200 SEED=7
	$(BIN)/python -m tests.chaos.run --faults $(or $(FAULTS),200) --minutes $(or $(MINUTES),100) \
		--seed $(or $(SEED),2026) --workers $(or $(WORKERS),3) --standbys $(or $(STANDBYS),0)

.PHONY: bench-lookups
bench-lookups: $(READY)  ## look-ups at 200 a second on the running stack, beside an empty handler
	$(BIN)/python -m deploy.bench.lookups

.PHONY: demo
demo: $(READY)  ## sample data through the whole stack, and what it tells
	$(BIN)/onethread demo

AUDIT := .audit/bin

.PHONY: audit
audit: $(READY)  ## licences and known weaknesses of all we depend on; needs PyPI's advisories
	@$(PYTHON) -m venv .audit
	@$(AUDIT)/pip install -q --disable-pip-version-check 'pip-audit>=2.9,<3' 'pip-licenses>=5,<6'
	$(AUDIT)/pip-licenses --python $(BIN)/python --summary --order count
	$(AUDIT)/pip-audit --strict --requirement constraints.txt --no-deps --disable-pip

.PHONY: up
up: $(READY)  ## start a stack and come back
	$(BIN)/onethread up --detach

.PHONY: down
down: $(READY)  ## stop it
	$(BIN)/onethread down
