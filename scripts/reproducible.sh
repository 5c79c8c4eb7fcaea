#!/usr/bin/env bash
# Builds the program twice and compares the bytes: scripts/reproducible.sh [GOOS_GOARCH...], default this machine's platform.
#
# The two builds share nothing that could end up in a binary: each has a copy of the source in a folder of its own, the second
# an empty build cache, another home, another user name, another language and another time zone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[ "$#" -gt 0 ] || set -- "$(go env GOHOSTOS)_$(go env GOHOSTARCH)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for copy in "$work/first" "$work/the second, elsewhere/source"; do
  mkdir -p "$copy"
  git ls-files -z --cached --others --exclude-standard -- go.mod go.sum cmd internal pkg scripts | tar --null -T - -cf - | tar -xf - -C "$copy"
done

"$work/first/scripts/build.sh" v0.0.0-reproducible "$work/one" "$@"
GOMODCACHE=$(go env GOMODCACHE) GOCACHE=$work/cache GOPATH=$work/go HOME=$work/home USER=somebody LC_ALL=C TZ=Asia/Tokyo \
  "$work/the second, elsewhere/source/scripts/build.sh" v0.0.0-reproducible "$work/two" "$@"

for file in "$work"/one/*; do
  cmp "$file" "$work/two/${file##*/}"
  echo "the same bytes twice: ${file##*/}, $(wc -c < "$file") bytes"
done
