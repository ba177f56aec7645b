# Zea. On a bare Debian 12 with root, `make run` and `make test` install what they need and say so.
# make run [DATA=folder] [PORT=n] [ROLE=standalone|controller|…] [SIMULATED=n] [PROFILE=dev|release]

PORT ?= 3370
ROLE ?= standalone
SIMULATED ?= 0
# A simulation has a folder of its own: a cluster is either simulated or real.
DATA ?= $(if $(filter-out 0,$(SIMULATED)),data-simulated,data)
PROFILE ?= dev
SECONDS ?= 3600
TARGET ?=
PLACES ?=
SHARD ?=
SEEDS ?= 200
SERIES ?= processes:: storage::lvm disks::
FROM ?= 0

SHELL := /bin/bash
CARGO := tests/rigs/cargo.sh

.PHONY: help run build test fmt lint sim fuzz mutants bench docs soak clean tools test-tools soak-tools

help:
	@echo 'make run    build and start zead: DATA=$(DATA) PORT=$(PORT) ROLE=$(ROLE) SIMULATED=$(SIMULATED) PROFILE=$(PROFILE)'
	@echo '            ROLE=standalone, controller or satellite: docs/how-to/two-processes.md'
	@echo 'make test   all checks and tests, with real volumes; says what it ran, and how far series were shortened'
	@echo 'make fmt    format the sources           make lint   clippy, warnings are errors'
	@echo 'make docs   the API documentation        make bench  the figures of docs/performance.md'
	@echo 'make sim    simulated clusters: SEEDS=$(SEEDS) FROM=$(FROM)    make soak   the long series whole: SERIES="$(SERIES)"'
	@echo 'make fuzz   foreign bytes for every parser, SECONDS=$(SECONDS) for each, or for TARGET=name alone'
	@echo 'make mutants   changes of the decisions that no unit test notices, hours: PLACES="plan placement decide" SHARD=k/n'
	@echo 'make clean  remove what was built (not the data folders)'

run: tools
	$(CARGO) build --locked --profile '$(PROFILE)' --bins
	mkdir -p '$(DATA)'
	ZEA_NODE__DATA="$$(realpath '$(DATA)')" ZEA_REST__LISTEN='127.0.0.1:$(PORT)' \
	ZEA_STANDALONE__SIMULATED_NODES='$(SIMULATED)' \
	exec $(CARGO) run --locked --profile '$(PROFILE)' --bin zead -- $(ROLE)

build: tools
	$(CARGO) build --locked --profile '$(PROFILE)'

test: test-tools
	tests/rigs/test.sh

fmt: tools
	$(CARGO) fmt
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml

lint: tools
	$(CARGO) clippy --locked --all-targets -- -D warnings

docs: tools
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --no-deps --document-private-items

# QUICK=1: a short run; PARTS=writes,restart,satellite,volumes: only those
bench: tools
	$(CARGO) bench --locked --bench rest

soak: soak-tools
	ZEA_SOAK=1 $(CARGO) test --locked --test zea-tests -- $(SERIES) --nocapture --test-threads=1

fuzz: test-tools
	tests/rigs/fuzz.sh '$(SECONDS)' '$(TARGET)'

# SEEDS=n FROM=s: so many clusters, each from its seed; what fails prints the shortest script that shows it.
# From SIM_FAST seeds on, an optimised build with all assertions (some minutes to build) is the faster way.
SIM_FAST := 3000
SIM_PROFILE ?= $(shell test '$(SEEDS)' -ge $(SIM_FAST) && echo sim || echo dev)
sim: test-tools
	ZEA_SIM_SEEDS='$(SEEDS)' ZEA_SIM_FROM='$(FROM)' \
	$(CARGO) test --locked --profile '$(SIM_PROFILE)' --test zea-tests simulation::seeds::seeds_keep_all_oracles -- --exact --nocapture

# Every change of the decisions that could be made at one place: does a unit test of the model fail?
mutants: tools
	SHARD='$(SHARD)' tests/rigs/mutants.sh $(PLACES)

clean:
	-$(CARGO) clean
	rm -rf .venv

tools:
	@tests/rigs/install.sh build

test-tools:
	@tests/rigs/install.sh test

soak-tools:
	@tests/rigs/install.sh soak
