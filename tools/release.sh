#!/bin/sh
# Makes the work tree that of a release (make release VERSION=1.2.3): the version in
# contract and clients, the changelogs, and the document that later changes are held
# against. It commits nothing; its last lines say what is left to do.
set -eu
cd "$(dirname "$0")/.."

version=${1:-}
echo "$version" | grep -q -x '[0-9]\{1,\}\.[0-9]\{1,\}\.[0-9]\{1,\}' || { echo 'say the version: make release VERSION=1.2.3' >&2 && exit 2; }
[ -z "$(git status --porcelain)" ] || { echo 'there are changes that are not committed: commit or stash them first' >&2 && exit 1; }
before=$(awk '/^info:/ {inside = 1} inside && /^  version:/ {print $2; exit}' openapi.yaml)
newest=$(printf '%s\n%s\n' "$before" "$version" | sort -V | tail -n 1)
# The first release may be of the version that the document has from the beginning.
if { [ "$version" = "$before" ] && [ -e docs/api/released.json ]; } || [ "$newest" != "$version" ]; then
	echo "$version is not after $before" >&2
	exit 1
fi
# A tag v2.0.0 of a module whose path does not end in /v2 is one that Go takes for none
# (https://go.dev/ref/mod#major-version-suffixes). The path is in what callers import, so
# it is changed by who releases, in a commit of its own.
major=${version%%.*}
client=$(go -C sdk/go list -m)
case $major:$client in
0:* | 1:* | *:*/"v$major") ;;
*)
	cat >&2 <<END
Go could not take the client $client from a tag v$version: its path has to end in /v$major.
Change it, and whatever names it, and commit that first:
  new=${client%/v[0-9]*}/v$major
  go -C sdk/go mod edit -module "\$new"
  git grep -l -F '$client' -- '*.go' '*.go.txt' '*.sh' '*.md' | xargs sed -i "s|$client\b|\$new|g"
The server's own path, $(go list -m), matters to who installs the command with Go or imports
a package: they stay at the version before until it ends in /v$major as well (docs/development.md).
END
	exit 1
	;;
esac
grep -q '^## Unreleased$' CHANGELOG.md || { echo 'CHANGELOG.md has no heading Unreleased' >&2 && exit 1; }

sed -i.before "s/^  version: $before\$/  version: $version/" openapi.yaml
sed -i.before "s/^## Unreleased\$/## Unreleased\n\n## $version ($(date -u +%Y-%m-%d))/" CHANGELOG.md
rm openapi.yaml.before CHANGELOG.md.before
make gen
make sdk
go run -C tools/changes . release

cat <<END
This is $version. Look through it (git diff), then:
  git add -A && git commit -m 'Release $version' && git tag v$version && git tag sdk/go/v$version
  git push origin HEAD v$version sdk/go/v$version
The other two clients go to their registries by hand:
  (cd sdk/ts && npm publish --access public)
  (cd sdk/python && python -m build && twine upload dist/*)
END
