# make shows all targets.

GO ?= go

# The folder with the specification, when one is known or next to the project: tests that compare with it are skipped otherwise.
LICENSOR_SPEC ?= $(patsubst %/spec/licensing.md,%,$(firstword $(wildcard ../*/spec/licensing.md)))
ifneq ($(LICENSOR_SPEC),)
export LICENSOR_SPEC := $(abspath $(LICENSOR_SPEC))
endif

# The race detector needs a C compiler on Linux; without one the tests run all the same.
RACE := $(if $(shell command -v cc || command -v gcc || command -v clang),-race)

# Linters have a module of their own, so that they are not dependencies of the product.
TOOL := $(GO) tool -modfile=tools/go.mod

# Graph's client for Go is one package with every type of Graph: optimized and vetted it takes a long time and more memory than small
# machines have. Compiled without all that, only for these tests, it takes three minutes on two cores the first time.
SDK_FLAGS := -vet=off -gcflags=all='-N -l' -ldflags='-s -w'

# The browser that the sign-in pages are tried in.
CHROMIUM ?= $(firstword $(foreach name,chromium chromium-browser google-chrome,$(shell command -v $(name))))

# How many simulations of a tenant test-long plays, how often it kills the program on each database, and for how long it moves 10,000 tenants in and out of memory.
LICENSOR_SEEDS ?= 100000
LICENSOR_KILLS ?= 500
LICENSOR_SOAK  ?= 10m

FUZZTIME  ?= 20s
BENCH     ?= .
GO_NEEDED := $(shell sed -n 's/^go //p' go.mod)

.DEFAULT_GOAL := help

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: go ## start a server with an invented tenant to look around in
	$(GO) run ./cmd/licensor demo

.PHONY: build
build: go ## build bin/licensor
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=auto -o bin/licensor ./cmd/licensor

.PHONY: man
man: go ## write the manual pages of all commands into bin/man/man1
	$(GO) run ./cmd/licensor man bin/man/man1

.PHONY: test
test: go postgres ## run all tests
	$(if $(RACE),,@echo 'No C compiler: the race detector is off. Install gcc to have it.')
	$(GO) test $(RACE) -timeout=30m -shuffle=on ./...
	cd test/embed && $(GO) test $(RACE) ./...

# The race detector takes memory itself, so what looks at memory runs without it. With other work on the machine, garbage is collected too late, and figures are too high.
.PHONY: test-memory
test-memory: go ## look at the memory that every operation takes with its largest inputs (Linux)
	LICENSOR_MEMORY=1 $(GO) test -timeout=20m -count=1 -run 'TakesMuchMemory' ./internal/graph ./internal/identity/oauth

.PHONY: test-long
test-long: go postgres ## run what takes hours: a million users in 2 GB (Linux), simulations (LICENSOR_SEEDS=100000), crashes (LICENSOR_KILLS=500), many tenants (LICENSOR_SOAK=10m)
	LICENSOR_LONG=1 $(GO) test -timeout=60m -count=1 -v -run 'TestAMillionUsers' ./cmd/licensor
	LICENSOR_KILLS=$(LICENSOR_KILLS) $(GO) test -timeout=6h -count=1 -run 'TestKilledServerKeepsWhatItAnswered' ./cmd/licensor
	LICENSOR_SOAK=$(LICENSOR_SOAK) $(GO) test -timeout=2h -count=1 -v -run 'TestManyTenantsComeAndGo' ./internal/engine
	LICENSOR_SEEDS=$(LICENSOR_SEEDS) $(GO) test -timeout=8h -count=1 -run 'TestSimulation' ./internal/engine

# Clients that others write, against the real program; they have dependencies of their own.
.PHONY: test-sdk
test-sdk: build ## run Graph's own clients against the program (needs Node.js, npm, openssl and Chromium)
	@for tool in node npm openssl $(or $(CHROMIUM),chromium); do command -v "$$tool" >/dev/null || { \
		echo "make test-sdk needs $$tool: install it (apt-get install nodejs npm openssl chromium), or say where Chromium is with CHROMIUM=/path."; exit 1; \
	} >&2; done
	cd test/sdk-go && LICENSOR=$(CURDIR)/bin/licensor $(GO) test -count=1 $(SDK_FLAGS) ./...
	cd test/sdk-js && npm ci --no-audit --no-fund && LICENSOR=$(CURDIR)/bin/licensor CHROMIUM=$(CHROMIUM) npm test

.PHONY: test-clients
test-clients: build ## run other clients against the program: openid-client, passport-azure-ad, Auth.js, oauth2-proxy, CLI for Microsoft 365, MSAL for Go, the requests of az and az itself (needs Node.js and npm; az when installed)
	@for tool in node npm; do command -v "$$tool" >/dev/null || { echo "make test-clients needs $$tool: install it (apt-get install nodejs npm)."; exit 1; } >&2; done
	cd test/clients && npm ci --no-audit --no-fund --ignore-scripts && LICENSOR=$(CURDIR)/bin/licensor npm test

.PHONY: test-openapi
test-openapi: build ## compare the program's answers with the OpenAPI document that it serves
	cd test/openapi && LICENSOR=$(CURDIR)/bin/licensor $(GO) test -count=1 ./...

# An example without output is compiled and not run, so nothing reaches it.
.PHONY: lint
lint: go ## check format (gofumpt), go vet, staticcheck, doc comments (revive), the width of code and comments, plain words in comments, texts and documents, the size of files and functions, names that mislead, dead code, go.mod
	@unformatted="$$($(TOOL) gofumpt -l .)" || exit 1; \
	if [ -n "$$unformatted" ]; then \
		echo "Not formatted; run \`make format\`:"; echo "$$unformatted"; exit 1; \
	fi
	$(GO) mod tidy -diff
	$(GO) -C test/embed mod tidy -diff
	$(GO) -C bench/compare mod tidy -diff
	$(GO) vet ./...
	$(TOOL) staticcheck ./...
	$(TOOL) revive -config tools/revive.toml -set_exit_status ./...
	@git ls-files '*.go' | grep -v /testdata/ | $(GO) -C tools run ./columns ..
	@git ls-files '*.go' '*.md' Makefile | grep -v -e /testdata/ -e ^tools/words/phrases.go | $(GO) -C tools run ./words ..
	@git ls-files '*.go' | grep -v /testdata/ | $(GO) -C tools run ./sizes ..
	@$(GO) -C tools test ./...
	@git ls-files '*.go' | grep -v /testdata/ | $(GO) -C tools run ./names ..
	@dead="$$($(TOOL) deadcode -test ./...)" || exit 1; \
	dead="$$(echo "$$dead" | grep -v ': unreachable func: Example')"; \
	if [ -n "$$dead" ]; then echo "Not used by anything:"; echo "$$dead"; exit 1; fi

# The server that tests start for themselves, and the pooler that they put before it. Debian would start one of each with the packages,
# which is not needed: it is told not to.
.PHONY: postgres
postgres:
	@if ! { ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null; } || \
		! PATH="$$PATH:/usr/sbin" command -v pgbouncer >/dev/null; then \
		if ! command -v apt-get >/dev/null || [ "$$(id -u)" != 0 ]; then \
			echo "The tests need PostgreSQL and PgBouncer: install them (apt-get install postgresql pgbouncer)."; exit 1; \
		fi >&2; \
		mkdir -p /etc/postgresql-common && { [ -e /etc/postgresql-common/createcluster.conf ] || \
			echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf; }; \
		apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql pgbouncer; \
	fi

.PHONY: format
format: go ## format all Go files
	$(TOOL) gofumpt -w .

.PHONY: bench
bench: go ## run the benchmarks (BENCH=pattern chooses)
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem ./...

.PHONY: fuzz
fuzz: go ## fuzz every target for a short time (FUZZTIME=20s)
	@grep -rl --include='*_test.go' '^func Fuzz' . | while read -r file; do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$file"); do \
			echo "$$target in $$(dirname "$$file")"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")" || exit 1; \
		done; \
	done

# Go from 1.21 on fetches the version that go.mod asks for by itself; older ones do not even read the file.
.PHONY: go
go:
	@have="$$($(GO) env GOVERSION 2>/dev/null | sed 's/^go//')"; \
	if [ "$$(printf '%s\n' "$(GO_NEEDED)" "$${have:-0}" | sort -V | head -n 1)" != "$(GO_NEEDED)" ]; then \
		echo "Licensor needs Go $(GO_NEEDED) or newer; found: $${have:-none}."; \
		echo "Get it from https://go.dev/dl/ (unpack it and put its bin folder into PATH)."; \
		echo "The golang package of apt-get is too old."; \
		exit 1; \
	fi >&2
