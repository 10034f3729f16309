#!/bin/sh
# Writes gen/ anew from openapi.yaml, schema/ and queries/ (make gen).
#
# gen/ is put aside first, so that no file of a former run survives, and put
# back when a generator fails: a slip in the contract must not leave a tree
# that does not even compile.
set -eu
cd "$(dirname "$0")/.."

aside=.gen-before

finish() {
	status=$?
	trap - EXIT
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

# All sources are checked before anything is touched. sqlc's part is run by the
# generator in between.
go build -C cmd/gen -o ../../bin/gen .
go tool -modfile=tools/go.mod sqlc vet
# shellcheck disable=SC2016 # they are the inner shell's
bin/gen -root . sh -euc '
	if [ -d "$1" ]; then # a run that was killed
		rm -rf gen
		mv "$1" gen
	fi
	if [ -d gen ]; then
		mv gen "$1"
	fi
	go tool -modfile=tools/go.mod sqlc generate' gen.sh "$aside"

rm -rf "$aside"
