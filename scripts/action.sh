#!/usr/bin/env bash
# The step of action.yml: it finds the program and becomes it.
#
# A checkout of a release has checksums.txt: the release's binary is downloaded and must have the sum that stands there, so
# that whoever pins the action by commit has pinned the program's bytes. A checkout without (a branch, a fork, a commit
# before the first release) is built with the Go that is there. The input `version` takes another release, whose
# attestation that program verifies before anything of it runs.
#
# PATH, GOROOT, GOTOOLCHAIN, … stay for the program as the job has set them. The build has module and build caches of its own
# below RUNNER_TEMP: Actions caches hold the job's, and nothing that runs here comes out of one or goes into one.
#
# Runs with bash 3.2 (macOS) and Git's bash (Windows), curl or wget, and sha256sum, shasum or certutil.
set -euo pipefail

readonly repository=taglast/taglast
readonly go_version=1.26 # of go.mod

# fail ends the step as the program does: in its log, as an annotation and in the job summary. Neither the message nor the
# hint holds text of anybody else.
fail() { # message hint [exit code]
  local first="no tag was changed. $1" title
  [ "${3:-1}" != 2 ] || first="nothing was sent. $1"
  title=${first//:/%3A}
  printf '::error title=%s::%s\n' "${title//,/%2C}" "$2"
  printf 'error: %s\nhint:  %s\n' "$first" "$2" >&2
  if [ -n "${GITHUB_STEP_SUMMARY:-}" ] && [ "${INPUT_SHOW_SUMMARY:-true}" != false ]; then
    # shellcheck disable=SC2016 # a fence, not a command
    printf '## Not published: no tag was changed\n\n%s\n\nWhat to do:\n\n```text\n%s\n```\n' "$1" "$2" >> "$GITHUB_STEP_SUMMARY"
  fi
  exit "${3:-1}"
}

# forget takes out of this (sub)shell's environment the inputs, and everything with which one could sign or write as this job.
# What is run so can still read its parents' in /proc, on Linux: it is curl, Go and our own program, and nothing else.
forget() {
  local name
  for name in "${!INPUT_@}" "${!ACTIONS_ID_TOKEN_@}" "${!ACTIONS_RUNTIME_@}" GITHUB_TOKEN GH_TOKEN TAGLAST_REGISTRY_AUTH; do
    unset "$name"
  done
}

# apart runs a command without these.
apart() { (forget && exec "$@"); }

has() { command -v "$1" > /dev/null 2>&1; }

# sum prints the sha256 of a file. The file is standard input: where a name has a backslash, GNU's tools escape it.
sum() {
  if has sha256sum; then
    sha256sum < "$1" | cut -c 1-64
  elif has shasum; then
    shasum -a 256 < "$1" | cut -c 1-64
  else # Windows' own: three lines, the second is the sum; old ones put blanks between its bytes
    certutil -hashfile "$1" SHA256 | sed -n 2p | tr -d ' \r' | tr 'A-F' 'a-f'
  fi
}

# download writes a URL to a file, in five attempts. It fails with 4 where the server says that there is no such file.
download() { # url file
  local attempt=1 status code
  while :; do
    status=0
    if has curl; then
      # https alone, for redirects too. --fail makes an HTTP error 22.
      code=$(apart curl --fail --silent --show-error --location --proto '=https' --proto-redir '=https' \
        --connect-timeout 20 --max-time 300 --write-out '%{http_code}' --output "$2" "$1") || status=$?
      case "$code" in 404 | 410) status=4 ;; esac
    elif has wget; then
      apart wget -q -T 60 -O "$2" "$1" || status=1
    else
      fail "There is neither curl nor wget to download taglast with." "Install one of them on the runner."
    fi
    case "$status" in 0 | 4) return "$status" ;; esac
    [ "$attempt" -lt 5 ] || return 1
    echo "Download of $1: attempt $attempt failed, again in $((attempt * 3)) s."
    sleep $((attempt * 3))
    attempt=$((attempt + 1))
  done
}

# identify sets $platform, GOOS_GOARCH of this runner, and $exe. RUNNER_OS and RUNNER_ARCH say it best: on Windows for Arm,
# Git's bash is an x64 program and takes the machine for one.
identify() {
  local os arch
  case "${RUNNER_OS:-$(uname -s)}" in
    Linux) os=linux ;;
    macOS | Darwin) os=darwin ;;
    Windows | MINGW* | MSYS* | CYGWIN*) os=windows ;;
    *) os='' ;;
  esac
  case "${RUNNER_ARCH:-$(uname -m)}" in
    X64 | x86_64 | amd64) arch=amd64 ;;
    ARM64 | arm64 | aarch64) arch=arm64 ;;
    *) arch='' ;;
  esac
  if [ -z "$os" ] || [ -z "$arch" ]; then
    fail "There is no taglast for this runner: it is for Linux, macOS and Windows, on x64 and arm64." "Use another runner (\`runs-on\`)."
  fi
  platform=${os}_$arch exe=''
  [ "$os" != windows ] || exe=.exe
}

# fetch downloads a release's binary to a file.
fetch() { # version file
  local status=0
  download "https://github.com/$repository/releases/download/$1/taglast_$1_$platform$exe" "$2" || status=$?
  case "$status" in
    0) ;;
    4) fail "github.com/$repository has no release $1 with a program for $platform." "Look at github.com/$repository/releases for the versions that there are." ;;
    *) fail "The download of taglast $1 from github.com/$repository/releases failed five times." "Run the job again; the runner must reach github.com and its release assets, by HTTPS_PROXY where it has a proxy." ;;
  esac
}

# pinned makes $program the binary of the release that this checkout is.
pinned() {
  local line want got
  has sha256sum || has shasum || has certutil ||
    fail "There is no sha256sum, shasum or certutil to check the download with." "Install one of them on the runner."
  line=$(tr -d '\r' < "$checkout/checksums.txt" | grep -E "^[0-9a-f]{64}  taglast_v[0-9A-Za-z.-]+_$platform$exe\$" || true)
  want=${line%% *}
  version=${line##*  taglast_}
  version=${version%"_$platform$exe"}
  case "$line" in
    '' | *$'\n'*) fail "checksums.txt of this checkout of taglast does not have exactly one program for $platform." "Pin a release: github.com/$repository/releases." ;;
  esac
  program=$temp/taglast-$version$exe
  # An earlier step of the job may have left it, and others may have changed it since.
  if [ -f "$program" ] && [ "$(sum "$program")" = "$want" ]; then
    return
  fi
  fetch "$version" "$program.part"
  got=$(sum "$program.part")
  if [ "$got" != "$want" ]; then
    rm -f "$program.part"
    fail "taglast $version for $platform came with the sha256 $got, and checksums.txt of this checkout says $want. It was not started." "Run the job again. If it stays so, somebody changed the release: please report it at github.com/$repository/security."
  fi
  chmod +x "$program.part"
  mv -f "$program.part" "$program"
}

# built makes $program what this checkout builds.
built() {
  local os arch
  has go ||
    fail "This checkout of taglast is no release, so that it is built from source, and there is no Go here." "Pin a release (github.com/$repository/releases), or put actions/setup-go with go-version $go_version before this step."
  echo "Building taglast from source: this checkout is no release."
  program=$temp/taglast-source$exe
  (
    cd "$checkout" || exit
    # Whatever the job builds for, this runs here.
    # Neither the job nor Go's own file of settings chooses which code is compiled, and by what: a flag can name a program.
    export GOFLAGS=-mod=readonly GOENV=off GOEXPERIMENT='' GOFIPS140=off
    os=$(apart go env GOHOSTOS) && arch=$(apart go env GOHOSTARCH) || exit
    export GOOS=$os GOARCH=$arch CGO_ENABLED=0 GOWORK=off GOCACHE=$temp/go-build GOMODCACHE=$temp/go-mod
    apart go build -mod=readonly -modcacherw -trimpath -buildvcs=false -o "$program" ./cmd/taglast
  ) ||
    fail "taglast does not build here; the lines above say why." "It needs Go $go_version or later (actions/setup-go before this step), and modules from where GOPROXY says. A release needs neither: github.com/$repository/releases."
}

# other makes $program another release, which the one that is there verifies first.
other() { # version
  local file=$temp/taglast-$1$exe token=${INPUT_GITHUB_TOKEN:-}
  fetch "$1" "$file"
  if ! (
    forget
    export GITHUB_TOKEN="$token" # which the verifier gives to github.com alone
    exec "$program" verify "$file" --hostname github.com --repo "$repository" --source-ref "refs/tags/$1" \
      --signer-workflow "$repository/.github/workflows/release.yml" --deny-self-hosted-runners
  ); then
    rm -f "$file"
    fail "taglast $1 has no attestation by the release workflow of github.com/$repository that passes. It was not started." "Leave \`version\` away to run the release that the action's own version names."
  fi
  chmod +x "$file"
  program=$file
}

# A cancel (SIGINT, and SIGTERM later) while something is fetched or built must not start the program afterwards: without this
# bash goes on when its child ends by itself. The program, in this process, has its own handlers.
trap 'fail "stopped before taglast was started" "Run the job again: nothing was begun."' INT

wanted=${INPUT_VERSION:-}
wanted=${wanted#v}
if [ -n "$wanted" ]; then
  [[ $wanted =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] ||
    fail "The input \`version\` is not a version of taglast, such as v1.2.3." "It is the release of taglast to run. For the version of your release there is \`release-version\`." 2
fi
[ -n "${RUNNER_TEMP:-}" ] ||
  fail "RUNNER_TEMP is not set." "This script is the step of an action. Elsewhere use the command: go install github.com/$repository/cmd/taglast@VERSION"
identify

# Git's bash is given C:\a by the runner, and gives paths to programs of Windows: C:/a is understood by both.
temp=$RUNNER_TEMP
if has cygpath; then temp=$(cygpath -m "$temp"); fi
temp=$temp/taglast
mkdir -p "$temp"
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

version=source # of $program
if [ -f "$checkout/checksums.txt" ]; then pinned; else built; fi
if [ -n "$wanted" ] && [ "v$wanted" != "$version" ]; then other "v$wanted"; fi

# The program takes this shell's place, too.
exec "$program" action
