#!/bin/sh
# Tries the three clients on a running server: the scenarios of sdk/scenarios.json and
# the examples of their READMEs, each with the package as it is installed (make sdk-test).
set -eu
cd "$(dirname "$0")/.."

go='sh sdk/go/test.sh'
ts='npm --prefix sdk/ts ci --ignore-scripts --no-audit --no-fund && npm --prefix sdk/ts test'
python='sh sdk/python/test.sh'
case "${1:-}" in
go) command=$go ;;
ts) command=$ts ;;
python) command=$python ;;
'') command="$go && $ts && $python" ;;
*)
	echo 'say go, ts, python, or nothing for all three' >&2
	exit 2
	;;
esac
go run -C tools ./sdktest -- sh -c "$command"
