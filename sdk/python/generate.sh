#!/bin/sh
# Makes what is generated of this package from the published document: the sources in
# src/accord_api/gen, and the licence, which has to be inside of a package.
set -eu
cd "$(dirname "$0")"

tools/venv.sh
.tools/bin/python tools/generate.py ../../gen/api/openapi.json src/accord_api/gen
.tools/bin/ruff check --quiet --fix --select F401,I,RUF022 src/accord_api/gen
.tools/bin/ruff format --quiet src/accord_api/gen
cp ../../LICENSE LICENSE
