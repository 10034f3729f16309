#!/bin/sh
# Tries the three clients on a running server: the scenarios of sdk/scenarios.json and
# the examples of their READMEs, each with the package as it is installed (make sdk-test).
set -eu
cd "$(dirname "$0")/.."

case "${1:-}" in
go | ts | python)
	command="sh sdk/$1/test.sh"
	;;
'')
	command='sh sdk/go/test.sh && sh sdk/ts/test.sh && sh sdk/python/test.sh'
	;;
*)
	echo 'say go, ts, python, or nothing for all three' >&2
	exit 2
	;;
esac
go run -C tools ./sdktest -- sh -c "$command"
