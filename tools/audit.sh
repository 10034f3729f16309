#!/bin/sh
# Looks for known vulnerabilities in what the repository depends on (make audit).
#
# Exit status: 0 when every lock file was checked and nothing was found, 1 when
# something was found or a check broke, 2 when nothing was found but an advisory
# database was out of reach. AUDIT_ALLOW_UNREACHABLE=1 turns the 2 into a 0, for
# machines without the internet; the summary says NOT CHECKED all the same.
set -eu
cd "$(dirname "$0")/.."

output=$(mktemp "${TMPDIR:-/tmp}/accord-audit.XXXXXX")
trap 'rm -f "$output"' EXIT

summary=
found=0
unreachable=0
report() { # lock file, result
	summary="$summary$(printf '  %-32s %s' "$1" "$2")
"
}

# What a client says when it cannot get at its database, in Go's words and npm's.
out_of_reach() {
	grep -q -i -e 'no such host' -e 'dial tcp' -e 'i/o timeout' -e 'connection refused' -e 'TLS handshake' \
		-e 'unexpected status code' -e 'fetching vulnerabilities' -e 'HTTP GET' \
		-e 'ENOTFOUND' -e 'EAI_AGAIN' -e 'ECONNREFUSED' -e 'ETIMEDOUT' -e 'ENETUNREACH' \
		-e 'audit endpoint returned an error' -e 'Method Not Allowed' "$output"
}

# Status 3 means findings, as it does for govulncheck.
judge() { # lock file, exit status
	case $2 in
	0) report "$1" 'checked: nothing found' ;;
	3)
		report "$1" 'FINDINGS, see above'
		found=1
		;;
	*)
		if out_of_reach; then
			report "$1" 'NOT CHECKED: the advisory database is out of reach'
			unreachable=1
		else
			report "$1" "NOT CHECKED: the check itself failed (status $2), see above"
			found=1
		fi
		;;
	esac
}

# The package pattern "tool" stands for the programs that a module pins.
go_module() { # directory, pattern
	echo "== govulncheck $2 in $1"
	status=0
	"$govulncheck" -C "$1" "$2" >"$output" 2>&1 || status=$?
	cat "$output"
	judge "$1/go.mod" "$status"
}

npm_lock() { # directory
	echo "== npm audit in $1"
	if ! command -v npm >/dev/null; then
		report "$1/package-lock.json" 'NOT CHECKED: npm is not installed'
		unreachable=1
		return
	fi
	status=0
	npm --prefix "$1" audit >"$output" 2>&1 || status=$?
	cat "$output"
	# npm ends with 1 in both cases, but calls only the second an error.
	if [ "$status" -ne 0 ] && ! grep -q '^npm error' "$output"; then
		status=3
	fi
	judge "$1/package-lock.json" "$status"
}

govulncheck=$PWD/bin/govulncheck
go build -C tools -o "$govulncheck" golang.org/x/vuln/cmd/govulncheck
go_module . ./...
go_module cmd/gen ./...
go_module tools tool
go_module tools/changes ./...
go_module tools/deploy ./...
go_module tools/golangci tool
go_module tools/workflows tool
npm_lock tools
npm_lock tools/browser

printf '\nAudit of dependencies:\n%s' "$summary"
if [ "$found" -ne 0 ]; then
	exit 1
fi
if [ "$unreachable" -ne 0 ]; then
	echo 'INCOMPLETE: this is no clean bill. Run make audit again where the databases can be reached.'
	[ "${AUDIT_ALLOW_UNREACHABLE:-}" = 1 ] || exit 2
fi
