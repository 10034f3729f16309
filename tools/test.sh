#!/bin/sh
# Runs every Go test of the repository, and fails when one of them fails, when
# too little of the hand-written code is covered, or when something is left
# behind (make test).
set -eu
cd "$(dirname "$0")/.."

module=github.com/accord-api/accord
minimum=85

# Everything that the tests write goes into one folder, so that what they leave
# behind can be seen. Others may enter it: PostgreSQL refuses to run as root,
# and then runs as another user.
scratch=$(mktemp -d "${TMPDIR:-/tmp}/accord-test.XXXXXX")
scratch=$(cd "$scratch" && pwd -P)
chmod 755 "$scratch"
mkdir "$scratch/profiles" "$scratch/tmp"
chmod 1777 "$scratch/tmp"
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# What no test of the product is meant to reach is not counted: generated code
# (the generator's own tests see to it), and the kits that only tests import.
hand_written() {
	go list "$@" ./... | grep -v -e "^$module/gen/" -e '/pgtest$' -e '/redistest$' -e '/servertest$' | paste -s -d , -
}

echo 'Running all tests of four modules. It takes a few minutes; each package says a line when it is done.'

# The race detector needs cgo, and so a C compiler that works.
if go build -race runtime/cgo 2>/dev/null; then
	# The insides of what only computes are left out of it, since they would take a third of
	# all the time: hashes, texts for patterns, and the compiler of the SQL parser.
	race=-race
	for computes in golang.org/x/crypto/blowfish "$module/contract/pattern" github.com/tetratelabs/wazero/...; do
		race="$race -gcflags=$computes=-race=false"
	done
	echo "Race detector: on ($(go env CC))."
else
	race=
	echo 'Race detector: OFF, because no C compiler works here.'
fi
command -v redis-server >/dev/null || echo 'Redis: NONE, so that what needs a redis-server is skipped.'

# Each package's own line about coverage is dropped: it is the share of all
# packages that its tests alone reach, and names them all.
test_module() { # directory
	status=0
	# shellcheck disable=SC2086 # $race is options without spaces in them, or none
	TMPDIR="$scratch/tmp" go test -C "$1" $race -shuffle=on -timeout=20m -covermode=atomic \
		-coverpkg="$(hand_written -C "$1")" -coverprofile="$scratch/profiles/profile-$(echo "$1" | tr / -)" ./... 2>&1 || status=$?
	echo "$status" >"$scratch/status"
}

run() { # directory
	printf '\nTests in %s\n' "$1"
	test_module "$1" | awk '{sub(/\t*coverage: [0-9.]+% of statements.*/, ""); if (NF) print; fflush()}'
	[ "$(cat "$scratch/status")" -eq 0 ] || failed="$failed $1"
}

failed=
run .
run cmd/gen
run tools
run tools/changes

# A server that was told to stop may take a moment.
seconds=0
while [ -n "$(sh tools/left.sh "$scratch")" ] && [ "$seconds" -lt 10 ]; do
	sleep 1
	seconds=$((seconds + 1))
done
processes=$(sh tools/left.sh "$scratch")
# golang.org/x/tools makes goimports/ in every test that links it (cmd/gen's).
files=$(find "$scratch/tmp" -mindepth 1 -maxdepth 1 ! -name goimports)
elsewhere=$(sh tools/elsewhere.sh "$scratch")

echo
if [ -n "$failed" ]; then
	echo "Tests failed in:$failed" >&2
	exit 1
fi
if [ -n "$processes$files$elsewhere" ]; then
	printf 'The tests left behind:\n%s\n%s\n%s\n' "$processes" "$files" "$elsewhere" >&2
	exit 1
fi
# go test shows nothing of what a package prints that passes; its tests hold the list
# to what they have seen.
# grep -c prints 0 and fails where the list is empty, as it should be.
echo "Declared responses that no test produces: $(grep -c . server/testdata/unproduced.txt || true)"
cat server/testdata/unproduced.txt
go run -C tools ./coverage -module="$module" -min="$minimum" "$scratch/profiles"/*
