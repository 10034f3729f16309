#!/bin/sh
# Writes gen/ anew from openapi.yaml, schema/ and queries/ (make gen).
#
# gen/ is put aside first, so that no file of a former run survives, and put
# back when a generator fails: a slip in the contract must not leave a tree
# that does not even compile.
set -eu
cd "$(dirname "$0")/.."

bin=$(mktemp -d "${TMPDIR:-/tmp}/accord-gen.XXXXXX")
aside=.gen-before

finish() {
	status=$?
	trap - EXIT
	rm -rf "$bin"
	if [ -d "$aside" ]; then
		rm -rf gen
		mv "$aside" gen
		echo 'gen/ is as it was before.' >&2
	fi
	exit "$status"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Both generators are built, and all sources are checked, before anything is
# touched.
go build -C cmd/gen -o "$bin/gen" .
"$bin/gen" -root . -check
go tool -modfile=tools/go.mod sqlc vet

if [ -d "$aside" ]; then # a run that was killed
	rm -rf gen
	mv "$aside" gen
fi
if [ -d gen ]; then
	mv gen "$aside"
fi

go tool -modfile=tools/go.mod sqlc generate
"$bin/gen" -root . # reads what sqlc has written

rm -rf "$aside"
