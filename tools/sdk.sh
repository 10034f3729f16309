#!/bin/sh
# Writes the generated parts of the TypeScript and the Python client anew from
# gen/api/openapi.json, and the table of scenarios (make sdk). The Go client is written by make gen.
set -eu
cd "$(dirname "$0")/.."

for tool in node npm python3; do
	command -v "$tool" >/dev/null || { echo "make sdk needs Node.js 20 or newer and Python 3.10 or newer: $tool is missing." >&2 && exit 1; }
done
python3 tools/scenarios.py
npm --prefix sdk/ts ci --ignore-scripts --no-audit --no-fund
npm --prefix sdk/ts run generate
sh sdk/python/generate.sh
