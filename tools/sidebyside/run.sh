#!/bin/sh
# Holds one Accord server to the same mutants of its document by two tools: accord
# contract, and schemathesis from PyPI, each with the same seconds for a mutant.
#
#   sh tools/sidebyside/run.sh [EVERY [FLOOR]]
#
# EVERY takes each n-th mutant (default 10); FLOOR is the least seconds that
# schemathesis gets for one (default 10), since it needs a few to start. Needs Go
# and Python 3.10 or later; schemathesis goes to a venv in ~/.cache.
set -eu
cd "$(dirname "$0")/../.."
every=${1:-10} floor=${2:-10}
tool=$PWD/tools/sidebyside
accord=$PWD/bin/accord
venv=${XDG_CACHE_HOME:-$HOME/.cache}/accord-sidebyside
dir=$(cd "$(mktemp -d)" && pwd -P)
server= database=
stop() {
	for pid in $server $database; do
		# Ended by a signal, it gives that as its status; it may have ended before.
		{ kill "$pid" && wait "$pid"; } || true
	done
	sh tools/elsewhere.sh "$dir" | while read -r data; do rm -rf "$data"; done
	rm -rf "$dir"
}
trap stop EXIT
trap 'exit 1' INT TERM

go build -o bin/accord ./cmd/accord
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$tool/requirements.txt"

# The first server is there for its private PostgreSQL. The second one, in the test
# environment, is what both tools ask: hashing passwords would take most of the time.
free() { "$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
export LOG_LEVEL=error
(cd "$dir" && PORT=$(free) exec "$accord" serve >development.log 2>&1) &
database=$!
tries=300
until grep -q 'is ready on' "$dir/development.log" 2>/dev/null; do
	tries=$((tries - 1))
	[ $tries -gt 0 ] || { cat "$dir/development.log" >&2; exit 1; }
	sleep 1
done
data=$(sh tools/elsewhere.sh "$dir")
data=${data:-$dir/.accord/postgres}
DATABASE_URL=postgres://accord:$(cat "$data/password")@127.0.0.1:$(cat "$data/port")/accord?sslmode=disable
export DATABASE_URL ENVIRONMENT=test BCRYPT_COST=4

# It believes X-Forwarded-For, so that both tools can ask from many addresses: limits
# by address are met where they are looked for only.
PORT=$(free)
export PORT TRUSTED_PROXIES=127.0.0.1 ACCESS_TOKEN_TTL=30m
url=http://127.0.0.1:$PORT
(cd "$dir" && exec "$accord" serve >server.log 2>&1) &
server=$!
tries=300
until "$venv/bin/python" -c "import urllib.request; urllib.request.urlopen('$url/api/openapi.json')" 2>/dev/null; do
	tries=$((tries - 1))
	[ $tries -gt 0 ] || { cat "$dir/server.log" >&2; exit 1; }
	sleep 1
done

# Both have the same people, so that limits by user are shared out.
echo 'making accounts' >&2
logins=
i=0
while [ $i -lt 30 ]; do
	(cd "$dir" && echo Admin-demo-1 | "$accord" user create --email "side$i@example.com" --username "side$i" --role admin --verified >>server.log 2>&1)
	logins="$logins --login side$i=side$i:Admin-demo-1"
	i=$((i + 1))
done

echo 'accord contract mutate' >&2
# shellcheck disable=SC2086 # words of a list
"$accord" contract mutate --url "$url" --client-ip-header X-Forwarded-For --every "$every" --write "$dir/mutants" $logins >"$dir/accord.txt" || [ -s "$dir/mutants/mutants.json" ] # it fails below 100 %
tail -n 1 "$dir/accord.txt"
"$venv/bin/python" "$tool/drive.py" --url "$url" --mutants "$dir/mutants" --floor "$floor" --accord "$accord" --dir "$dir"
