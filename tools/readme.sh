#!/bin/sh
# Prints the commands of README.md's code blocks, one a line, so that .ci/run
# can run each of them (sh tools/readme.sh README.md).
#
# Commands are the lines of blocks marked sh, and in blocks marked console those
# after "$ ". A block without a mark is refused: nobody could tell what it is.
set -eu

awk '
	/^ *```/ {
		mark = $0
		sub(/^ *```/, "", mark)
		if (inside) { inside = 0; next }
		inside = 1
		kind = mark
		if (mark == "") {
			print FILENAME ":" FNR ": a code block without a mark; use sh, console, text, go, ..." > "/dev/stderr"
			bad = 1
		}
		next
	}
	!inside || (kind != "sh" && kind != "console") { next }
	kind == "console" && !more { if (!sub(/^\$ /, "")) next }
	!more && /^ *(#|$)/ { next }
	{
		sub(/ +# .*$/, "")
		more = sub(/ *\\$/, " ")
		sub(/^ +/, "")
		line = line $0
		if (!more) { print line; line = "" }
	}
	END { exit bad }
' "$1"
