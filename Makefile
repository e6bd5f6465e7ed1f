# Short verbs over the CMake presets. `make` leaves build/release/rmq; `make help` lists the rest.
JOBS ?= $(shell nproc)
CONFIGURE = cmake --preset $(1) >/dev/null
BUILD = $(CONFIGURE) && cmake --build --preset $(1) -j $(JOBS)
CTEST = ctest --test-dir build/$(1) --output-on-failure -j $(JOBS)
SOURCES = $(shell git ls-files '*.h' '*.cpp' '*.def')

.PHONY: release static debug test asan tsan clang demo soak tidy fuzz format config cli-docs coverage check ci clean help

release: ## build/release/rmq, with the system's shared libraries (the default)
	$(call BUILD,release) --target rmq

static: ## build/static/rmq, one file that runs anywhere; the release artifact
	$(call BUILD,static) --target rmq

debug: ## everything, unoptimised, in build/debug
	$(call BUILD,debug)

test: ## unit, golden and tidy tests
	$(call BUILD,release)
	$(call CTEST,release)

asan: ## the same tests by clang 14 under AddressSanitizer and UndefinedBehaviorSanitizer
	$(call BUILD,asan)
	ASAN_OPTIONS=detect_stack_use_after_return=1 $(call CTEST,asan) -E '^tidy'

tsan: ## the same tests by clang 14 under ThreadSanitizer
	$(call BUILD,tsan)
	$(call CTEST,tsan) -E '^tidy'

clang: ## everything, unoptimised, by clang 14, in build/clang
	$(call BUILD,clang)

demo: release ## two masters on this machine with traffic, for ten seconds
	scripts/demo.sh

soak: ## bench/results/soak.md and failover.md: 100 million messages, loads, kills; SOAK: options of bench/soak.py
	$(call BUILD,release) --target rmq rmq_crash_test
	bench/soak.py --crash-test build/release/tests/rmq_crash_test $(SOAK)
	bench/failover.py

tidy: ## checks on the code itself
	python3 scripts/tidy.py

fuzz: ## build the fuzzers in build/fuzz and run each for FUZZ_SECONDS (30)
	$(call BUILD,fuzz)
	scripts/run_fuzzers.sh build/fuzz $(or $(FUZZ_SECONDS),30)

format: ## clang-format, in place
	clang-format-14 -i $(SOURCES)

config: release ## write docs/config.md anew
	build/release/rmq config reference > docs/config.md

cli-docs: release ## write docs/cli.md anew
	build/release/rmq __reference > docs/cli.md

coverage: ## write docs/protocol-coverage.md anew
	scripts/protocol_coverage.py

check: ## build and test everything, as .ci/run does; one part of it: scripts/check.py SECTION
	JOBS=$(JOBS) scripts/check.py

ci: check

clean: ## remove build/
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18
