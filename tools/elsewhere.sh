#!/bin/sh
# Prints the folders in /var/tmp in which a private PostgreSQL has its data
# because its user cannot enter the folder that it was started in (pg/devpg).
#
#   sh tools/elsewhere.sh FOLDER
#
# Only those are printed that take the place of a folder below FOLDER, which has
# to be a path without symbolic links.
set -eu

find /var/tmp -mindepth 2 -maxdepth 2 -path '/var/tmp/accord-*/folder' -type f -user "$(id -u)" 2>/dev/null |
	while read -r name; do
		case $(cat "$name") in
		"$1"/*) dirname "$name" ;;
		esac
	done
