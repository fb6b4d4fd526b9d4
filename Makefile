# make demo and make test are all that a fresh Debian 12 needs; `make help` lists the rest.
PRESET ?= release
BUILD := build/$(PRESET)
VENV := build/venv
PYTHON := $(VENV)/bin/python
JOBS ?= $(shell nproc)

TOOLCHAIN := gcc libc6-dev cmake ninja-build ccache clang-22 lld-22 llvm-22-dev llvm-22-tools libmlir-22-dev mlir-22-tools pkg-config \
  libprotobuf-dev protobuf-compiler libzip-dev flatbuffers-compiler libflatbuffers-dev libgtest-dev libgmock-dev \
  nlohmann-json3-dev python3 python3-venv python3-pip
TESTING := g++ libclang-rt-22-dev qemu-user qemu-system-arm gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-arm-linux-gnueabihf \
  libc6-dev-armhf-cross gcc-arm-none-eabi libnewlib-arm-none-eabi
LINTING := clang-format-22 clang-tidy-22
PACKAGING := dpkg-dev file binutils
PREFIX ?= /usr/local
# Made by ../shared/bench/setup.sh.
PEERS_VENV ?= build/peers
BENCH_FLAGS ?=

.PHONY: all build configure install deb demo test test-long planner fuzz lint tidy format docs boards bench bench-operators conformance asan clean distclean deps deps-test deps-lint deps-deb help
all: build

help:
	@echo 'make build      leafc and leaf-opt in $(BUILD)/bin'
	@echo 'make demo       compiles two trained models and runs them on real inputs'
	@echo 'make test       all tests; ends with N passed, N failed, N skipped'
	@echo 'make test-long  all models of ../shared, and those of the onnx wheel; half an hour'
	@echo 'make planner    arena placement of the 11 hard cases of ../shared/planner, at most a minute each'
	@echo 'make fuzz       each fuzz target for FUZZ_SECONDS (600); findings go to build/fuzz/found'
	@echo 'make lint       format and structure of the sources, clang-tidy on changed ones; make format rewrites them'
	@echo 'make tidy       clang-tidy on all sources: a quarter of an hour'
	@echo 'make docs       docs/Passes.md, Dialects.md and TourOfThePasses.md from the definitions and from leafc itself'
	@echo 'make conformance  the ONNX backend suite; writes docs/SupportedOps.md'
	@echo 'make boards     the output of the commands in docs/boards'
	@echo 'make bench      other runtimes and leafc by ../shared/bench; writes docs/Benchmarks.md (PEERS_VENV=VENV, BENCH_FLAGS=--models=a,b)'
	@echo 'make bench-operators  each operator of ../shared/models and ONNX Runtime; writes docs/OperatorBench.md'
	@echo 'make install    leafc, runtime, CMake package in $(PREFIX) (PREFIX=DIR, DESTDIR=DIR)'
	@echo 'make deb        a Debian package in $(BUILD)/package'
	@echo 'make asan       the tests on a build with AddressSanitizer and UBSan'
	@echo 'make clean      removes $(BUILD)'

# Installs what is missing and nothing else. Needs root, or sudo.
define install
	@missing=; for p in $(1); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
	  echo "Installing$$missing"; sudo=; [ $$(id -u) = 0 ] || sudo=sudo; \
	  $$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi
endef

deps:
	$(call install,$(TOOLCHAIN))

deps-test: deps deps-deb $(VENV)/.done
	$(call install,$(TESTING))

deps-lint:
	$(call install,$(LINTING))

deps-deb:
	$(call install,$(PACKAGING))

$(VENV)/.done: test/requirements.txt | deps
	@test -x $(PYTHON) || python3 -m venv $(VENV)
	@$(PYTHON) -m pip install -q --disable-pip-version-check -r $<
	@touch $@

configure: deps
	@test -f $(BUILD)/build.ninja || cmake --preset $(PRESET) >$(PRESET).configure.log 2>&1 || { cat $(PRESET).configure.log; exit 1; }
	@rm -f $(PRESET).configure.log

build: configure
	cmake --build --preset $(PRESET) -j $(JOBS)

install: build
	cmake --install $(BUILD) --prefix $(PREFIX)

deb: build deps-deb
	cd $(BUILD) && cpack -G DEB -B package

demo: build $(VENV)/.done
	@$(PYTHON) demo/demo.py --leafc $(BUILD)/bin/leafc

test: deps-test build
	$(PYTHON) test/run_tests.py --build $(BUILD) --jobs $(JOBS)

# libFuzzer and AddressSanitizer, in the readers only, in a build folder of its own. What a run finds stays beside it.
FUZZ_SECONDS ?= 600
FUZZ_TARGETS := Import:import Npz:npz StageFile:stage WeightFile:weights
fuzz: deps-test
	@mkdir -p build/fuzz/found
	cmake --preset release -B build/fuzz -DLEAF_FUZZ=ON >build/fuzz/configure.log
	cmake --build build/fuzz -j $(JOBS) --target leaf-fuzz
	@printf '%s\n' $(FUZZ_TARGETS) | xargs -P $(JOBS) -I{} sh -c 'target={}; name=$${target%%:*}; corpus=$${target##*:}; \
	  found=build/fuzz/found; mkdir -p $$found/$$corpus; build/fuzz/test/fuzz/$${name}Fuzzer -timeout=20 -rss_limit_mb=4096 \
	  -max_total_time=$(FUZZ_SECONDS) -max_len=65536 -artifact_prefix=$$found/$$name- $$found/$$corpus \
	  test/fuzz/corpus/$$corpus >$$found/$$name.log 2>&1 || { tail -40 $$found/$$name.log; exit 1; }; \
	  tail -1 $$found/$$name.log'

test-long: deps-test build
	$(PYTHON) test/run_tests.py --build $(BUILD) --jobs $(JOBS) --long

planner: build
	python3 test/run_tests.py --build $(BUILD) planner

asan:
	$(MAKE) test PRESET=asan

lint: deps-lint build
	python3 scripts/lint.py
	git ls-files '*.cpp' '*.h' '*.c' | xargs clang-format-22 --dry-run -Werror
	python3 scripts/tidy.py --build $(BUILD) --jobs $(JOBS) --changed

tidy: deps-lint build
	python3 scripts/tidy.py --build $(BUILD) --jobs $(JOBS)

format: deps-lint
	git ls-files '*.cpp' '*.h' '*.c' | xargs clang-format-22 -i

docs: build
	python3 scripts/docs.py --build $(BUILD)
	python3 scripts/tour.py --build $(BUILD)

boards: deps-test build
	python3 scripts/console.py --build $(BUILD)

bench: build
	python3 scripts/benchmarks.py run --venv $(PEERS_VENV) --leafc $(BUILD)/bin/leafc $(BENCH_FLAGS)
	python3 scripts/benchmarks.py write

bench-operators: deps-test build
	$(PYTHON) test/Models/operator_bench.py --build $(BUILD) ../shared/models

conformance: deps-test build
	$(PYTHON) test/Conformance/conformance.py --build $(BUILD) --jobs $(JOBS) --suite all --table docs/SupportedOps.md

clean:
	rm -rf $(BUILD)

distclean:
	rm -rf build
