# Every target sets up what it needs; `make` alone lists them.
PYTHON ?= python3
BIN := .venv/bin
PROTO_BIN := build/proto-env/bin
PROTOS := proto/verifier/v1/verifier.proto proto/sandbox/v1/sandbox.proto

# Tests start hundreds of processes of this code, which is compiled once.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo train-demo r1-demo test test-alone test-together test-setup test-docker docker-image lint audit proto bench soak fuzz clean

help:
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/'

$(BIN)/.installed: pyproject.toml setup.py constraints.txt $(wildcard sandbox/jail/*.[ch])
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

# The compiler of the stubs is older than the library that reads them, so it
# has an environment of its own: its output works with protobuf 4.25 and later.
$(PROTO_BIN)/.installed: requirements-proto.txt
	$(PYTHON) -m venv build/proto-env
	$(PROTO_BIN)/pip install --quiet --disable-pip-version-check -r requirements-proto.txt
	touch $@

demo: $(BIN)/.installed ## verify real work with known verdicts, print agreement and rate
	$(BIN)/python examples/demo.py

train-demo: $(BIN)/.installed ## a model learns from rewards alone: from nothing, on two cores
	$(BIN)/python examples/train_demo/run.py

# SCALE=ci: everything runs, in minutes, and nothing is learnt.
SCALE ?= full
SEED ?= 1
r1-demo: $(BIN)/.installed ## DeepSeek-R1's whole pipeline in small: from nothing, on two cores
	$(BIN)/python examples/r1_demo/run.py build/r1-demo/$(SCALE)-$(SEED) --scale $(SCALE) --seed $(SEED)

# It is built where it is installed, by what is there: without its compiled parts, with our torch.
$(BIN)/.deepspeed: $(BIN)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt setuptools wheel ninja py-cpuinfo
	DS_BUILD_OPS=0 $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --no-build-isolation deepspeed
	touch $@

WORKERS ?= 2
test-setup: $(BIN)/.installed $(BIN)/.deepspeed $(PROTO_BIN)/.installed build/.toolchains

test: test-setup ## all tests, against a real server
	$(MAKE) test-alone
	$(MAKE) test-together

# These look at the whole machine or at the clock: two fork bombs at once are one too many.
test-alone: test-setup
	$(BIN)/python -m pytest -m alone tests/sandbox tests/verifier

test-together: test-setup
	$(BIN)/python -m pytest -m "not alone" -n $(WORKERS) --dist loadfile --no-loadscope-reorder

IMAGE ?= touchstone
BASE ?= touchstone-base:12
docker-image: ## the image with all toolchains, on a base made without an image registry
	scripts/docker-engine.sh
	scripts/docker-base.sh
	DOCKER_BUILDKIT=0 docker build --network host --build-arg BASE=$(BASE) -f sandbox/Dockerfile -t $(IMAGE) .

test-docker: $(BIN)/.installed docker-image ## tests on real containers
	TOUCHSTONE_IMAGE=$(IMAGE) $(BIN)/python -m pytest tests/docker

# The toolchains of the sandbox's languages, and a browser for the tests of a page; what cannot be
# installed is reported, and its tests skipped. Needs no Python, so it goes beside pip.
build/.packages: scripts/install-toolchains.sh scripts/install-browser.sh
	@mkdir -p build
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	sh scripts/install-toolchains.sh && { sh scripts/install-browser.sh || echo "no browser: its tests are skipped"; }; \
	else echo "not root on Debian: toolchains and browser are taken as they are (scripts/install-*.sh)"; fi
	touch $@

build/.toolchains: $(BIN)/.installed build/.packages
	$(BIN)/touchstone-sandbox prepare
	touch $@

lint: $(BIN)/.installed ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

audit: $(BIN)/.installed ## run-time dependencies: versions, pins, licences, known vulnerabilities
	$(BIN)/python scripts/audit_dependencies.py

PROTO_OUT ?= .
proto: $(PROTO_BIN)/.installed ## generate the committed stubs from proto/
	$(PROTO_BIN)/python -m grpc_tools.protoc -Iproto \
	  --plugin=protoc-gen-mypy=$(PROTO_BIN)/protoc-gen-mypy \
	  --plugin=protoc-gen-mypy_grpc=$(PROTO_BIN)/protoc-gen-mypy_grpc \
	  --python_out=$(PROTO_OUT) --grpc_python_out=$(PROTO_OUT) \
	  --mypy_out=quiet:$(PROTO_OUT) --mypy_grpc_out=quiet:$(PROTO_OUT) $(PROTOS)

$(BIN)/.bench: $(BIN)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[bench]"
	touch $@

# PARTS="noop storm overload beside bad_requests chaos": the service under load and faults.
bench: $(BIN)/.bench build/.toolchains ## benchmarks, with the peer or the bare floor in the same run
	$(BIN)/python -m tests.bench $(PARTS)

RUNS ?= 100000
FLIPS ?= 10000
ROUNDS ?= 20
soak: $(BIN)/.installed build/.toolchains ## RUNS sandboxed runs and what is left of them; on a crowd FLIPS runs near limits and ROUNDS of all verdicts
	$(BIN)/python -m tests.bench.endurance --runs $(RUNS) --flips $(FLIPS) --rounds $(ROUNDS)

SECONDS ?= 120
fuzz: $(BIN)/.fuzz ## coverage-guided fuzzing of answers; its corpus is kept in tests/fuzz/corpus
	$(BIN)/python -m tests.fuzz -max_total_time=$(SECONDS)

$(BIN)/.fuzz: $(BIN)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[fuzz]"
	touch $@

clean: ## remove what the other targets made
	rm -rf .venv build sandbox/jail/touchstone-jail
