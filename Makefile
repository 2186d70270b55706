# run and test install what is missing, and ask for nothing first.
.PHONY: run test lint build shots
run:
	@.ci/need postgres
	go run ./cmd/chatnow
test:
	@.ci/need postgres chromium node curl
	@cd internal/e2e && npm ci --silent --no-audit --no-fund
	@cd static && npm ci --silent --no-audit --no-fund && npm run --silent check
	go vet ./...
	go test -race -timeout 15m ./...
# The linter is built from source the first time, in two minutes or so.
lint:
	@unformatted=$$(git ls-files "*.go" | xargs gofmt -l); [ -z "$$unformatted" ] || { echo "gofmt: $$unformatted"; exit 1; }
	go tool -modfile=.ci/tools/go.mod golangci-lint run --timeout 10m ./...
build:
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o bin/chatnow ./cmd/chatnow
# The pictures of the README, taken on the way through the browser journeys.
shots:
	@.ci/need postgres chromium node
	@cd internal/e2e && npm ci --silent --no-audit --no-fund
	SHOTS=$(CURDIR)/docs/pictures SHOTS_ONLY="help console convert chat ticket queue-dark-390 form customer-ticket settings-hours board reports-light macro-picker" go test -count=1 -run Journeys ./internal/e2e
