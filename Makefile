# What a newcomer types: `make demo`, `make test`. Everything else is for those who stay.
SHELL := /bin/bash
SWIFT_FLAGS := --explicit-target-dependency-import-check error

.PHONY: help bootstrap build demo test check sanitize bench load fuzz format clean

help:            ## list these targets
	@sed -n 's/^\([a-z]*\): .*## /  make \1\t/p' Makefile | expand -t 18

bootstrap:       ## install with apt what this machine lacks
	@scripts/bootstrap

build: bootstrap ## build for release: .build/release/aibackend and its plugins
	@scripts/build

demo: build      ## run the whole system once, without a key, and show what happens
	@.build/release/aibackend demo

test: bootstrap  ## run every test; needs no server, key or network
	@scripts/test

check: bootstrap ## what must hold besides the tests: format, imports, warnings, sizes, shell
	@scripts/check

bench: build     ## our figures beside pgbench, nginx, FastAPI, DBOS, LiteLLM, Prefect
	@scripts/bootstrap bench
	@benchmarks/run

load: build      ## 200 runs, 1,000 log streams and 10,000 GETs a second at once: what becomes of them
	@scripts/bootstrap bench
	@benchmarks/load

sanitize: bootstrap ## every test under AddressSanitizer, then under ThreadSanitizer
	@scripts/sanitize

fuzz: bootstrap  ## mutate templates for ten minutes and compile each
	@AIBACKEND_FUZZ_SECONDS=$${AIBACKEND_FUZZ_SECONDS:-600} scripts/test --filter CompilerFuzzTests

format:          ## rewrite the Swift sources in the house's format
	@swift format format --in-place --parallel --recursive Package.swift Sources Plugins Tests

clean:           ## remove what building made
	@rm -rf .build .build-*
