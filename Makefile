# Two commands matter: `make run` and `make test`. Both install or build what they need.

GO ?= go
BIN := bin/tocsin
WEB := web/public/dist/index.html
WEB_SOURCES := $(shell find web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/.built/*' -not -path '*/.before/*' 2>/dev/null)

# What "tocsin version" says; empty where there is no repository.
REVISION := $(shell git describe --always --dirty --abbrev=12 --exclude '*' 2>/dev/null)

.PHONY: run build web test test-go test-web setup bench bench-track scorecard fuzz fuzz-long histories scenarios clean

run: build
	$(BIN) demo

build: web
	$(GO) build -trimpath -ldflags "-X main.revision=$(REVISION)" -o $(BIN) ./cmd/tocsin

web: $(WEB)

web/node_modules/.package-lock.json: web/package-lock.json
	cd web && npm ci --no-audit --no-fund

$(WEB): web/node_modules/.package-lock.json $(WEB_SOURCES)
	cd web && npm run build
	@touch $@

# What the tests judge themselves by: tshark, xmllint, xmlsec1, a real browser.
setup:
	sh scripts/setup.sh

test: setup test-web test-go

# The core starts no goroutine (purity_test.go holds that), so the race detector is for the edges.
CONCURRENT := ./board ./channel/... ./desk ./gateway ./health ./journal/... ./node/... ./sensor/... ./web

test-go: build
	$(GO) vet ./...
	$(GO) test -race -timeout 15m $(CONCURRENT)
	$(GO) test -timeout 15m ./...

test-web: build
	cd web && npm test

# The figures of docs/figures.md that a benchmark gives.
bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...

# Forecast and decision on simulated raids with their truth (docs/scorecard.md); about half an hour on two free cores.
SEEDS ?= 1-200
scorecard: build
	nice $(BIN) scorecard --country ua --seeds $(SEEDS) --html bin/scorecard-ua.html
	nice $(BIN) scorecard --country il --seeds $(SEEDS) --html bin/scorecard-il.html

# Both histories whole, at full speed: at every moment the board is what the file says. Takes long.
histories:
	TOCSIN_WHOLE_HISTORIES=1 $(GO) test -timeout 6h -run TestBoardIsTheFile -v ./cmd/tocsin

# Our rows beside the peers' on every tracking scenario, printed and written to docs/figures.md.
bench-track:
	TOCSIN_FIGURES=$(CURDIR)/docs/figures.md $(GO) test -count=1 -v -timeout 30m -run TestBenchTrack ./sim/tracking

# A page left open in Chromium through a recorded month, and through a month's beats: what it holds does not grow.
.PHONY: month
month: build
	cd web/public && TOCSIN_MONTH=1 npx vitest run --config vitest.browser.config.ts test/memory.browser.test.ts

# Draws docs/night.webp: a recorded morning on the page, from `tocsin replay --speed 60`. Six minutes.
.PHONY: pictures
pictures: build
	cd web/public && npx vitest run --config vitest.pictures.config.ts

# Rewrites the traces of the scenarios; read the difference before you commit it.
scenarios: build
	$(BIN) sim --update scenarios/*.txt

# Each fuzz target, by coverage, for FUZZTIME; fuzz-long is the ten million mutated inputs a
# decoder of goals, with a table (MUTATIONS=1000000 for a tenth of it).
MUTATIONS ?= 10000000
FUZZTIME ?= 20s
# The forecast against raids that another physics made: reliability, skill, arrivals. Minutes.
.PHONY: bench-forecast
RAIDS ?= 40
bench-forecast:
	$(GO) test ./core/threat -run "TestCalibration$$" -flights 300 -v
	$(GO) test ./sim/forecast -run "TestBench" -raids $(RAIDS) -v -timeout 2h

fuzz:
	sh scripts/fuzz.sh $(FUZZTIME)

fuzz-long:
	sh scripts/mutations.sh $(MUTATIONS)
	$(GO) test -timeout 24h -run 'TestKill|TestPowerCut' ./journal -kills 1000 -powercuts 1000

clean:
	rm -rf bin web/public/dist/assets $(WEB) web/client/dist
