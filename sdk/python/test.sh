#!/bin/sh
# Builds the package and tries what a user would install: in virtual environments outside
# of the repository, with the dependencies of requirements.txt, and on the oldest Python with the oldest
# ones. It needs a running server, which ACCORD_URL and so on name:
#
#	go run -C tools ./sdktest -- sdk/python/test.sh
set -eu
cd "$(dirname "$0")"
: "${ACCORD_URL:?run this by go run -C tools ./sdktest -- sdk/python/test.sh}"

tools/venv.sh
tools=$PWD/.tools/bin
tests=$PWD/tests
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# quietly COMMAND: shows what it says only if it fails
quietly() {
	"$@" >"$work/said" 2>&1 || {
		cat "$work/said"
		return 1
	}
}

echo "== format and types"
"$tools/ruff" format --check --quiet .
"$tools/ruff" check --quiet .
"$tools/mypy" --no-error-summary src tools

echo "== build"
rm -rf dist
quietly "$tools/python" -m build --no-isolation --outdir dist .
"$tools/twine" check --strict dist/*
wheel=$(echo "$PWD"/dist/*.whl)

# install NAME PYTHON VERSIONS: the wheel, in an environment of this name
install() {
	"$2" -m venv "$work/$1"
	"$work/$1/bin/python" -m pip install --quiet --disable-pip-version-check \
		--constraint "$3" pytest "$wheel"
}

# try NAME: the tests, by the installed package
try() {
	(cd "$work" && ACCORD_WHEEL=$wheel "$work/$1/bin/python" -X dev -m pytest -q -p no:cacheprovider "$tests")
}

echo "== a user's code on $("$tools/python" --version)"
install newest "$tools/python" requirements.txt
# Away from the sources, so that what is installed is what is looked at.
cp tests/consumer*.py "$work"
(cd "$work" && "$tools/mypy" --no-error-summary --strict --python-executable "$work/newest/bin/python" consumer*.py)
if command -v node >/dev/null; then
	# The second finds the package by PATH only.
	"$tools/pyright" --pythonpath "$work/newest/bin/python" "$work"/consumer*.py
	quietly env PATH="$work/newest/bin:$PATH" "$tools/pyright" --ignoreexternal --verifytypes accord_api
else
	echo "== NOT CHECKED by pyright: it needs Node"
fi
try newest

oldest=$(sed -n 's/^requires-python = ">=\(.*\)"/\1/p' pyproject.toml)
python=
for candidate in "python$oldest" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$oldest".*/bin/python; do
	if "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$oldest')" 2>/dev/null; then
		python=$candidate
		break
	fi
done
if [ -z "$python" ]; then
	echo "== NOT TRIED on Python $oldest, the oldest that is supported: there is none here"
	exit
fi
echo "== Python $oldest, with the oldest dependencies"
sed -n '/^dependencies/s/[^"]*"\([a-z]*\)>=\([0-9.]*\)[^"]*"[^"]*/\1==\2\n/gp' pyproject.toml >"$work/oldest.txt"
grep '^pytest==' requirements.txt >>"$work/oldest.txt"
install oldest "$python" "$work/oldest.txt"
try oldest
