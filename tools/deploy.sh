#!/bin/sh
# Tries what deploy/ holds, as far as that goes without an engine or a cluster (make
# deploy-check): the image is built and looked into, files for others are read as these
# read them, and what compose.yaml describes is run as processes.
set -eu
cd "$(dirname "$0")/.."

failed=
check() { # name function
	echo "== $1"
	if ! "$2"; then
		failed="$failed
  $1"
	fi
}

# What is not checked is said aloud; CI has to check it.
have() { # program
	command -v "$1" >/dev/null && return
	echo "NOT CHECKED: it needs $1; install it and run make deploy-check again."
	return 1
}

image() {
	make -s image
}

files() {
	go test -C tools/deploy -count=1 ./...
}

balancer() {
	have haproxy || { [ -z "${CI:-}" ] && return; }
	command -v openssl >/dev/null || { echo 'it needs openssl' && return 1; }
	openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -keyout "$scratch/key" -out "$scratch/certificate" 2>/dev/null || return 1
	cat "$scratch/certificate" "$scratch/key" >"$scratch/tls.pem"
	# A warning is an error here (-dW).
	TLS_PEM=$scratch/tls.pem SERVER_1=127.0.0.1:1 SERVER_2=127.0.0.1:2 haproxy -c -dW -f deploy/haproxy/haproxy.cfg
}

# The units name a program that is not installed here.
units() {
	have systemd-analyze || { [ -z "${CI:-}" ] && return; }
	mkdir "$scratch/units"
	for unit in deploy/systemd/*.service; do
		sed "s|/usr/local/bin/accord|$PWD/bin/image/accord|" "$unit" >"$scratch/units/${unit##*/}"
	done
	told=$(systemd-analyze verify --man=no "$scratch"/units/*.service 2>&1) || { echo "$told" && return 1; }
	if echo "$told" | grep "$scratch"; then
		return 1
	fi
	status=0
	for unit in "$scratch"/units/*.service; do
		# From 0 to 100, what a service could do to the machine; 25 is 2.5 of 10.
		told=$(systemd-analyze security --offline=true --threshold=25 --no-pager "$unit") || status=1
		echo "$told" | tail -n 1
	done
	return $status
}

dockerfile() {
	if ! python3 -m venv "$scratch/hadolint" >/dev/null ||
		! "$scratch/hadolint/bin/pip" install -q --disable-pip-version-check --no-deps -r tools/deploy/requirements.txt; then
		echo 'NOT CHECKED: hadolint cannot be installed; it needs Python with venv.'
		[ -z "${CI:-}" ]
		return
	fi
	"$scratch/hadolint/bin/hadolint" deploy/Dockerfile && echo 'No findings.'
}

processes() {
	have haproxy || { [ -z "${CI:-}" ] && return; }
	go test -tags deploy -count=1 ./deploy
}

scratch=$(mktemp -d "${TMPDIR:-/tmp}/accord-deploy.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

check 'the image' image
if [ -n "$failed" ]; then
	exit 1 # all else needs it
fi
check 'Dockerfile' dockerfile
check 'haproxy.cfg' balancer
check 'units of systemd' units
check 'image, compose.yaml and manifests' files
check 'two servers, a worker and a balancer' processes

if [ -n "$failed" ]; then
	echo "FAILED:$failed" >&2
	exit 1
fi
echo 'NOT TRIED, for want of an engine and a cluster: building the Dockerfile, docker compose up, kubectl apply, and the units under systemd itself.'
