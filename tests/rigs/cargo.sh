#!/bin/bash
# Runs the first cargo of this machine that is new enough, with the rustc beside it. `cargo.sh --find` only prints its path;
# exit code 127: there is none. The oldest that will do stands in Cargo.toml as rust-version.
set -u
root="$(cd "$(dirname "$0")/../.." && pwd)"
wanted="$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root/Cargo.toml")"

new_enough() {
    local version
    version="$("$1" --version 2>/dev/null | cut -d' ' -f2)"
    [ -n "$version" ] && [ "$(printf '%s\n' "$wanted" "$version" | sort -V | head -n 1)" = "$wanted" ]
}

find_cargo() {
    local candidate
    while read -r candidate; do
        if [ -x "$candidate" ] && new_enough "$candidate"; then
            echo "$candidate"
            return 0
        fi
    done < <(type -ap cargo; echo "${CARGO_HOME:-${HOME:-/nonexistent}/.cargo}/bin/cargo"; echo /usr/bin/cargo)
    return 1
}

if ! cargo="$(find_cargo)"; then
    echo "no cargo of version $wanted or later on this machine: tests/rigs/install.sh build" >&2
    exit 127
fi
if [ "${1:-}" = --find ]; then
    echo "$cargo"
    exit 0
fi
PATH="$(dirname "$cargo"):$PATH" exec "$cargo" "$@"
