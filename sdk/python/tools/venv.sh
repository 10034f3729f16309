#!/bin/sh
# Makes the virtual environment of the tools, once for each state of requirements.txt,
# in .tools. PYTHON names another Python than python3.
set -eu
cd "$(dirname "$0")/.."

if cmp -s requirements.txt .tools/requirements.txt; then
	exit
fi
rm -rf .tools
"${PYTHON:-python3}" -m venv .tools
.tools/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
cp requirements.txt .tools/requirements.txt
