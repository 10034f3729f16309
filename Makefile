# Needs Go, make and git; `make lint` and `make audit` use Node as well, the clients
# (`make sdk`, `make sdk-test`, `make release`) Node and Python, their tests Chromium.
# The longer recipes are POSIX sh scripts in tools/.

.DEFAULT_GOAL := help
.PHONY: help run dev test contract gen lint fmt sdk sdk-test audit bench build image deploy-check release clean

# The same bytes wherever it is built, with no need of a C library, and without the
# tables of a debugger; the commit is in it where there is one.
go_release := CGO_ENABLED=0 go build -trimpath -buildvcs=auto -ldflags='-s -w'

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## build and serve on HOST:PORT (127.0.0.1:8080), with a private PostgreSQL
	@test -x bin/accord || echo 'Building bin/accord; the first time takes some minutes.'
	@go build -o bin/accord ./cmd/accord && exec bin/accord serve

dev: ## run, and build and serve anew whatever is saved
	@go build -C tools -o ../bin/dev ./dev && cd tools && exec ../bin/dev

test: ## run all tests, print the coverage of hand-written code (at least 85 %)
	@sh tools/test.sh

contract: ## run the contract's cases, and count which changes of it they notice
	@sh tools/contract.sh

gen: ## write gen/ anew from openapi.yaml, schema/ and queries/
	@sh tools/gen.sh

lint: ## check format, code, contract and SQL
	@sh tools/lint.sh

fmt: ## format the hand-written Go code
	@find . \( -path ./gen -o -path ./.accord -o -name node_modules \) -prune -o -name '*.go' -exec gofmt -w {} +

sdk: ## write the TypeScript and the Python client anew (the Go client is from make gen)
	@sh tools/sdk.sh

sdk-test: ## try the three clients on a running server
	@sh tools/sdk-test.sh

audit: ## look for known vulnerabilities in all dependencies
	@sh tools/audit.sh

bench: ## run the Go benchmarks
	@go test -run='^$$' -bench=. -benchmem ./...

build: ## build bin/accord as it is released
	@$(go_release) -o bin/accord ./cmd/accord

image: ## build bin/image/accord.tar, the container image, and list what is in it
	@GOOS=linux $(go_release) -o bin/image/accord ./cmd/accord
	@GOOS= GOARCH= go run -C tools/deploy ./image -root ../..

deploy-check: ## try what deploy/ holds: image, manifests, and all of it as processes
	@sh tools/deploy.sh

release: ## make this the release VERSION=1.2.3: contract, clients, changelogs
	@sh tools/release.sh "$(VERSION)"

clean: ## remove what was built, and data in /var/tmp/accord-*; .accord stays
	@sh tools/clean.sh
