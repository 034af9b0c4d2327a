# What a person runs. Each target installs what it needs first (ci/setup) and says so; a second run starts at once.

# The demo's knobs. STORY is kill, freeze, rolling, scaling, broker, coordinator, partitions or sev2 (docs/stories.md); BROKER is
# embedded or kafka, and every story but kill needs kafka; FAULT is none, drop-delivery, commit-early or no-hold; RATE, DURATION (in seconds) and
# CONSUMERS have a default for each story.
INCIDENT  ?=
STORY     ?= $(or $(INCIDENT),kill)
BROKER    ?= $(if $(filter kill,$(STORY)),embedded,kafka)
FAULT     ?= none
# Seconds.
SOAK      ?= 1200
# x86_64, arm64 or both; CONFIG is a TOML file that goes into the packages.
ARCH      ?= x86_64 arm64
CONFIG    ?=

BIN := $(or $(CARGO_TARGET_DIR),target)/debug
MEASURE := $(or $(CARGO_TARGET_DIR),target)/measure
export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)
KAFKA := $(if $(filter kafka,$(BROKER)),kafka)

.DEFAULT_GOAL := help
.PHONY: help demo test prove-producer bench-producer bench-consumer soak-consumer package-dispatcher audit

help: ## Show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 28

demo: ## Real processes from producer to collector, faults on the way, and the ledger that proves what arrived
	@ci/setup build $(KAFKA)
	@echo "demo: building (some minutes the first time)" >&2
	@cargo build --workspace --bins
	@$(BIN)/comboio-demo --story $(STORY) --broker $(BROKER) --fault $(FAULT) \
	  $(if $(RATE),--rate $(RATE)) $(if $(DURATION),--duration $(DURATION)) $(if $(CONSUMERS),--consumers $(CONSUMERS))

test: ## All checks from cheap to dear, on the embedded broker and on real Kafka with mTLS
	@ci/setup build kafka aws lambda check
	@ci/validate

prove-producer: ## What must hold of the producer when Kafka fails: a minute of outage, a minute of rotations, and the rest, on three brokers
	@ci/setup build kafka
	@echo "prove-producer: building, then six minutes" >&2
	@ci/prove-producer

bench-producer: ## The producer against C, Java and futures on three brokers with mutual TLS, then 13,000 events/s (BENCH="--rounds 9")
	@ci/setup build kafka
	@echo "bench: building (some minutes the first time)" >&2
	@cargo build --workspace --bins
	@$(BIN)/comboio-bench-producer $(BENCH)

bench-consumer: ## The consumer against rdkafka_performance and Java, against slow functions, then 13,000 records/s (BENCH="--rounds 9")
	@ci/setup build kafka
	@echo "bench: building for release (a quarter of an hour the first time)" >&2
	@cargo build --profile measure --workspace --bin comboio-bench-consumer --bin comboio-consumer --bin comboio-producer
	@$(MEASURE)/comboio-bench-consumer $(BENCH)

soak-consumer: ## The consumer's memory for 20 minutes at 13,000 events/s with one record stuck (SOAK=60 is a minute)
	@ci/setup build kafka
	@cargo build --workspace --bins
	@COMBOIO_SOAK_SECONDS=$(SOAK) cargo test --workspace --test faults one_stuck_record -- --nocapture

package-dispatcher: ## The dispatcher's zips for Lambda, deployed to an emulator of AWS; size, cold start, memory (ARCH=arm64, CONFIG=FILE, BENCH="--json FILE")
	@ci/setup build lambda aws $(if $(filter arm64,$(ARCH)),arm64)
	@echo "package-dispatcher: building for release (a quarter of an hour the first time)" >&2
	@zips=$$(ARCH="$(ARCH)" CONFIG="$(CONFIG)" ci/package-dispatcher) && cargo build --workspace --bins && $(BIN)/comboio-bench-dispatcher $(BENCH) $$zips

audit: ## Licences, advisories and sources of the dependencies (builds cargo-deny once)
	@ci/setup build
	@ci/audit
