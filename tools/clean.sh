#!/bin/sh
# Removes what was built, and what the private PostgreSQL of this folder keeps
# outside of it (make clean). What is in .accord stays.
set -eu
cd "$(dirname "$0")/.."

rm -rf bin tools/node_modules tools/browser/node_modules sdk/ts/node_modules sdk/ts/dist sdk/python/.tools sdk/python/dist

for folder in $(sh tools/elsewhere.sh "$(pwd -P)/.accord"); do
	if [ -n "$(sh tools/left.sh "$folder")" ]; then
		echo "$folder is in use: end what runs on it first." >&2
		exit 1
	fi
	rm -rf "$folder"
	echo "Removed $folder, the development database of this folder."
done
