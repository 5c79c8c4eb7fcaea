#!/usr/bin/env bash
# Builds a release for its six platforms into dist/ and writes checksums.txt: scripts/release.sh VERSION
#
# Who releases commits checksums.txt and tags that commit; the release workflow runs this again and stops where anything
# differs. So the sums that users pin were there before the tag, and anybody can make the same bytes.
set -euo pipefail

version=${1:-}
[[ $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || { echo "usage: scripts/release.sh VERSION, such as v1.2.3" >&2; exit 2; }
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export LC_ALL=C GOTOOLCHAIN=go1.26.8 # the order of the names, and the Go whose bytes the sums are of
rm -rf dist
scripts/build.sh "$version" dist linux_amd64 linux_arm64 darwin_amd64 darwin_arm64 windows_amd64 windows_arm64

cd dist
if command -v sha256sum > /dev/null; then sha256sum taglast_*; else shasum -a 256 taglast_*; fi > ../checksums.txt
cat ../checksums.txt
