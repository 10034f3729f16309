#!/bin/sh
# Tries the Go client on the server at ACCORD_URL (tools/sdktest): its tests, and the
# examples of its README by the module as a proxy would serve it, in an empty folder.
set -eu
cd "$(dirname "$0")"
: "${ACCORD_URL:?is the server, see tools/sdktest}"

go vet -tags scenarios ./...
go test -race -count=1 -tags scenarios ./...

dir=$(mktemp -d "${TMPDIR:-/tmp}/accord-sdk-go.XXXXXX")
trap 'rm -rf "$dir"' EXIT
version=v$(sed -n 's/^const Version = "\(.*\)"$/\1/p' api.gen.go)
go run -C ../../tools ./modzip ../sdk/go "$version" "$dir/proxy"

mkdir -p "$dir/app/first"
sed "s|http://localhost:8080|$ACCORD_URL|" README.md >"$dir/README.md"
# The first example is a program. The others go on from it, in a function that has a ctx.
awk '/^```go$/ {inside = 1; next} /^```$/ && inside {exit} inside' "$dir/README.md" >"$dir/app/first/main.go"
{
	cat <<-'GO'
		package main

		import (
			"context"
			"errors"
			"fmt"
			"io"
			"log"
			"net/http"
			"os"
			"strings"
			"time"

			accord "github.com/accord-api/accord/sdk/go"
		)

		func main() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if err := run(ctx); err != nil {
				log.Fatal(err)
			}
			fmt.Println("\nAll examples ran.")
		}

		func run(ctx context.Context) error {
	GO
	sed -n '/^func main() {$/,/^}$/p' "$dir/app/first/main.go" |
		sed '1d; $d; s/log\.Fatal(err)/return err/; s/context\.Background()/ctx/'
	awk '/^```go$/ {inside = 1; block++; next} /^```$/ {inside = 0} inside && block > 1' "$dir/README.md"
	printf 'return nil\n}\n'
} >"$dir/app/main.go"
cd "$dir/app"
# Only this module comes from the folder, into a cache that goes with it.
GOPROXY="file://$dir/proxy,$(go env GOPROXY)"
GONOSUMDB='github.com/accord-api/accord/*'
export GOPROXY GONOSUMDB GOMODCACHE="$dir/cache" GOFLAGS='-mod=mod -modcacherw'
go mod init example.com/app
go get "github.com/accord-api/accord/sdk/go@$version"
go list -m github.com/accord-api/accord/sdk/go
go vet ./...
go run ./first
go run . | tee "$dir/said"
grep -q '^All examples ran\.$' "$dir/said"
