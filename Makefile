# run and test install what is missing, and ask for nothing first.
.PHONY: run test build demo
run:
	@.ci/need postgres
	go run ./cmd/chatnow
test:
	@.ci/need postgres
	go vet ./...
	go test -race ./...
build:
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o bin/chatnow ./cmd/chatnow
