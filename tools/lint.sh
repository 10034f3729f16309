#!/bin/sh
# Checks format, code, contract and SQL (make lint). Every check runs, and the
# end says which of them failed.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
modules='. cmd/gen sdk/go tools tools/changes tools/deploy'

failed=
check() { # name function
	echo "== $1"
	if ! "$2"; then
		failed="$failed
  $1"
	fi
}

# In a pipe, so that a check can list what it found: succeeds on no input.
none() {
	awk '{print; found = 1} END {exit found}'
}

go_files() {
	find . \( -path ./.git -o -path ./.accord -o -path ./.gen-before -o -name node_modules \) -prune -o -name '*.go' -print
}

format() {
	go_files | grep -v '^\./gen/' | xargs gofmt -l | none
}

# go vet is one of its linters. golangci-lint has a module of its own: what it requires and what sqlc
# requires exclude each other.
golangci() {
	[ -x bin/golangci-lint ] || echo 'The first time takes some minutes.'
	go build -C tools/golangci -o "$root/bin/golangci-lint" github.com/golangci/golangci-lint/v2/cmd/golangci-lint || return 1
	bin/golangci-lint config verify || return 1
	status=0
	for module in $modules; do
		(cd "$module" && "$root/bin/golangci-lint" run --allow-parallel-runners --config "$root/.golangci.yml") || status=1
	done
	return $status
}

tidy() {
	status=0
	for module in $modules tools/golangci tools/workflows; do
		(cd "$module" && go mod tidy -diff) || status=1
	done
	return $status
}

# gen/ holds generated files and nothing else; elsewhere there is only the Go
# client's, since who uses it wants to import one package. The form of the mark is
# Go's own: https://go.dev/s/generatedcode
generated() {
	go_files | xargs awk '
		FNR == 1 {marked = 0; done = 0}
		!done && /^\/\/ Code generated .* DO NOT EDIT\.$/ {marked = 1}
		!done && /^package / {
			done = 1
			in_gen = FILENAME ~ /^\.\/gen\// || FILENAME == "./sdk/go/api.gen.go"
			if (marked && !in_gen) print FILENAME ": generated, but not in gen/"
			if (!marked && in_gen) print FILENAME ": in gen/, but not generated"
		}' | none
}

# Whoever depends on the product must not get its generators and checks too.
dependencies() {
	grep -n -e oapi-codegen/oapi-codegen -e sqlc-dev/sqlc -e oasdiff -e golangci -e k8s.io -e compose-spec -e 'golang.org/x/vuln' go.mod | none
}

# The rules of sqlc.yaml; no database is needed.
queries() {
	go tool -modfile=tools/go.mod sqlc vet
}

# The lock files name no registry, so that they work behind a mirror.
locks() {
	grep -n -e '"resolved"' tools/package-lock.json tools/browser/package-lock.json sdk/ts/package-lock.json | none
}

# What is not checked is said aloud; CI has to check it.
shell() {
	if ! command -v shellcheck >/dev/null; then
		echo 'NOT CHECKED: the scripts need shellcheck; install it and run make lint again.'
		[ -z "${CI:-}" ]
		return
	fi
	shellcheck .ci/run tools/*.sh deploy/*.sh sdk/*/*.sh sdk/python/tools/*.sh
}

# What CI elsewhere runs; with shellcheck, its scripts too. actionlint has a module of
# its own, since it wants another version of go.yaml.in/yaml/v4 than Prometheus does.
workflows() {
	go tool -modfile=tools/workflows/go.mod actionlint
}

# promtool runs the rules' own tests, and reads the configuration for Compose (Debian's
# knows no clusters); that the rules ask for what there is, make test sees.
alerts() {
	if ! command -v promtool >/dev/null; then
		echo 'NOT CHECKED: the tests of the alert rules need promtool (Debian: prometheus); install it and run make lint again.'
		[ -z "${CI:-}" ]
		return
	fi
	(cd deploy/prometheus && promtool check rules alerts.yaml && promtool test rules alerts_test.yaml && promtool check config prometheus.yml)
}

contract() {
	if ! command -v npm >/dev/null; then
		echo 'NOT CHECKED: the linters of the contract need Node.js 20.19 or newer; install it and run make lint again.'
		return 1
	fi
	if [ -n "${CI:-}" ] || [ ! -e tools/node_modules/.package-lock.json ] ||
		[ -n "$(find tools/package-lock.json -newer tools/node_modules/.package-lock.json)" ]; then
		npm --prefix tools ci --ignore-scripts || return 1
	fi

	status=0
	export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
	tools/node_modules/.bin/redocly lint || status=1
	tools/node_modules/.bin/spectral lint --ruleset .spectral.yaml --fail-severity=warn --display-only-failures \
		gen/api/openapi.json || status=1
	return $status
}

# Of the published document, since what is derived binds clients as well.
breaking() {
	go run -C tools/changes . -root "$root" check
}

# Only here: an old checkout is built and generated as on its first day.
sunsets() {
	go run -C cmd/gen . -root "$root" -sunsets
}

# What OWASP's rules want of all schemas: make lint wants it of requests.
limits() {
	go run -C cmd/gen . -root "$root" -limits
}

check 'gofmt' format
check 'golangci-lint' golangci
check 'go mod tidy' tidy
check 'generated code is in gen/ only' generated
check 'the product depends on no generator' dependencies
check 'sqlc vet' queries
check 'npm lock files' locks
check 'shellcheck' shell
check 'alert rules' alerts
check 'workflows' workflows
check 'contract' contract
check 'breaking changes' breaking
check 'no sunset is past' sunsets
check 'requests have limits' limits

if [ -n "$failed" ]; then
	echo "FAILED:$failed" >&2
	exit 1
fi
echo 'No findings.'
