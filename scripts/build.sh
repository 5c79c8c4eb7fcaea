#!/usr/bin/env bash
# Builds the program for the platforms named, into a folder: scripts/build.sh VERSION FOLDER GOOS_GOARCH...
#
# The same source, version and Go give the same bytes, wherever and by whomever this is run: no path, no time, no user and no
# commit goes in, and what of the environment would change the code that is generated is set here.
set -euo pipefail

[ "$#" -ge 3 ] || { echo "usage: scripts/build.sh VERSION FOLDER GOOS_GOARCH..." >&2; exit 2; }
version=$1
mkdir -p "$2"
folder=$(cd "$2" && pwd)
shift 2
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export GOFLAGS=-mod=readonly GOWORK=off GOENV=off GOEXPERIMENT='' GOFIPS140=off CGO_ENABLED=0 GOAMD64=v1 GOARM64=v8.0
for platform; do
  exe=''
  case "$platform" in windows_*) exe=.exe ;; esac
  GOOS=${platform%_*} GOARCH=${platform#*_} go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$version" \
    -o "$folder/taglast_${version}_$platform$exe" ./cmd/taglast
done
