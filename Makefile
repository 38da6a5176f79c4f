# The goals that people and .ci/run use. TESTFLAGS, FUZZTIME, CORPUS, SOAK, BENCHFLAGS and MINUTES are for
# the command line.
GO        ?= go
BIN       ?= bin
FUZZTIME  ?= 20s
MINUTES   ?= 10
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS   := -s -w -X main.version=$(VERSION)
# SQLite needs cgo; its extension loader and Go's resolver through libc would keep a static binary from being one.
STATIC    := -trimpath -tags sqlite_omit_load_extension,netgo,osusergo
STATICCHECK := $(firstword $(wildcard $(BIN)/staticcheck) $(shell command -v staticcheck 2>/dev/null) staticcheck)

.PHONY: build demo test race fuzz bench lint dist clean corpus soak conformance
build:                   ## the command, for this machine
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o hsimport ./cmd/hsimport
demo: build              ## a bundled sample into the embedded sandbox; leaves the work tree clean
	./hsimport demo
test:                    ## everything that can be tested without network and services
	$(GO) test $(TESTFLAGS) ./...
race:                    ## the rooms that have goroutines, under the race detector
	$(GO) test -race $(TESTFLAGS) ./sources/... ./checkpoint/... ./importer/... ./cmd/...
fuzz:                    ## each fuzz target for FUZZTIME
	@for pkg in $$($(GO) list ./...); do for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
	  echo "$$pkg $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg || exit 1; done; done
bench:                   ## benchmarks into bench.txt (for benchstat), whole commands beside other programs into bench.md
	$(GO) test -run '^$$' -bench . -skip '^BenchmarkFigures$$' -benchmem $(BENCHFLAGS) ./... >bench.txt || { cat bench.txt; exit 1; }
	FIGURES='$(CURDIR)/bench.md' MINUTES='$(MINUTES)' $(GO) test -run '^$$' -bench '^BenchmarkFigures$$' -benchtime 1x -timeout 3h ./cmd/hsimport >>bench.txt || { cat bench.txt; exit 1; }
	@cat bench.txt bench.md
lint:                    ## gofmt, go vet, staticcheck
	@unformatted=$$(gofmt -l cmd importer sources checkpoint mapping configs); test -z "$$unformatted" || { echo "not gofmt'd: $$unformatted"; exit 1; }
	$(GO) vet ./...
	$(STATICCHECK) ./...
dist:                    ## a static binary for each platform that can be built here, in dist/
	@for t in "linux amd64 x86_64-linux-gnu-gcc" "linux arm64 aarch64-linux-gnu-gcc" "windows amd64 x86_64-w64-mingw32-gcc"; do \
	  set -- $$t; out=dist/hsimport-$$1-$$2; test $$1 = windows && out=$$out.exe; \
	  if [ "$$1 $$2" = "$$($(GO) env GOHOSTOS) $$($(GO) env GOHOSTARCH)" ]; then set -- $$1 $$2 "$$($(GO) env CC)"; fi; \
	  if ! command -v $$3 >/dev/null; then echo "$$1/$$2: not built, there is no $$3 here"; continue; fi; \
	  CGO_ENABLED=1 GOOS=$$1 GOARCH=$$2 CC=$$3 $(GO) build $(STATIC) -ldflags '$(LDFLAGS) -linkmode external -extldflags "-static"' -o $$out ./cmd/hsimport || exit 1; \
	  echo "$$1/$$2: $$out"; done; echo "darwin: not built here: make build on a Mac"
clean:
	rm -rf hsimport dist $(BIN)
corpus:                  ## walk real files: make corpus CORPUS=folder
	@test -n "$(CORPUS)" || { echo "say where: make corpus CORPUS=folder"; exit 2; }
	CORPUS='$(CORPUS)' $(GO) test -count=1 -v -timeout 2h -run Corpus ./sources/... ./configs ./importer/helpscout/sandbox
soak:                    ## kills for SOAK (a duration) on end, a crash at every durable step, nights of NIGHT conversations
	NIGHT='$(or $(NIGHT),100000)' SOAK='$(or $(SOAK),10m)' $(GO) test -count=1 -v -timeout 24h -run 'TestNight|Soak|Crash|Interrupts|ManyExports' ./importer ./cmd/...
conformance:             ## the API suite against any server: make conformance BASE=http://127.0.0.1:8080 [WRITE=yes]
	CONFORMANCE_BASE='$(BASE)' CONFORMANCE_WRITE='$(WRITE)' $(GO) test -count=1 -v -run Conformance ./importer/helpscout/sandbox
