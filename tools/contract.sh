#!/bin/sh
# Holds the server to its document, and counts which changes of the document the
# cases notice (make contract). Fails below 100 %, and when a case fails.
set -eu
cd "$(dirname "$0")/.."

told=$(mktemp "${TMPDIR:-/tmp}/accord-contract.XXXXXX")
trap 'rm -f "$told"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

echo 'Running the cases of the document and of each change of it. It takes some minutes.'
status=0
go test -tags mutation -count=1 -timeout 30m -v -run '^TestMutationScore$' ./server >"$told" 2>&1 || status=$?
# Nothing is left to tell where the test did not even build; then the status says so.
grep -v -e '^ *--- PASS' -e '^=== ' -e '^PASS$' -e '^ok ' -e '^contract mutation score:' "$told" || true
grep '^contract mutation score:' "$told" || status=1
exit "$status"
