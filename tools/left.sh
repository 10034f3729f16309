#!/bin/sh
# Prints the processes that still live in a folder: that have it in their
# command or environment, work in it, or were started from it.
#
#   sh tools/left.sh FOLDER
#
# Only Linux tells; elsewhere nothing is printed.
set -eu

for process in /proc/[0-9]*; do
	pid=${process#/proc/}
	if [ "$pid" -ne $$ ] && {
		readlink "$process/cwd" "$process/exe" | grep -q "^$1" ||
			grep -q -a -F -e "$1" "$process/cmdline" "$process/environ"
	} 2>/dev/null; then
		printf '  %s %s\n' "$pid" "$(tr '\0' ' ' <"$process/cmdline" 2>/dev/null)"
	fi
done
