#!/bin/bash
# Changes one thing at a time in Zea's decisions and looks whether a unit test of the model fails: `mutants.sh [PLACE]...`, each
# a folder or a file of src/model, by default those of PLACES below. Prints what no test noticed (MISSED), then the counts.
# LIST=1: only names what would be changed. SHARD=k/n: every n-th, from the k-th on. ITERATE=1: without what an earlier run
# saw caught, to look at new tests. BUILD=folder: builds there, for instance in memory.
# The model imports nothing else of the crate, so it is copied and built alone: seconds for each change, not minutes. Sources
# of this folder are never touched. Lists and logs: target/mutants/mutants.out. Exit code 1: something was missed.
set -u
cd "$(dirname "$0")/../.."
root="$PWD"
version=27.1.0
PLACES=(plan placement decide)
# Shortest time after which a run counts as endless, in seconds: all tests take two on an idle machine.
seconds_min=30
tools="$root/target/tools"
folder="$root/target/mutants"
crate="$folder/crate"

PATH="$(dirname "$("$root/tests/rigs/cargo.sh" --find)"):$PATH"
export CARGO_TARGET_DIR="${BUILD:-$folder/build}"

install() {
    "$tools/bin/cargo-mutants" mutants --version 2>/dev/null | grep -qF " $version" && return
    echo "mutants: cargo-mutants $version into target/tools"
    CARGO_TARGET_DIR="$folder/install" cargo install --quiet --locked --root "$tools" --version "$version" cargo-mutants || exit 1
}

# Lines of [dependencies] whose crate the model names.
dependencies() {
    local line name
    sed -n '/^\[dependencies\]/,/^\[[^d]/s/^[a-z].* = .*/&/p' Cargo.toml | while read -r line; do
        name="${line%% *}"
        if grep -rqE "\b${name//-/_}::" src/model; then echo "$line"; fi
    done
}

# The files are new ones at each run: an interrupted one may have left a change in them.
make_crate() {
    rm -rf "$crate"
    mkdir -p "$crate/src"
    cp -r src/model "$crate/src/"
    cp Cargo.lock "$crate/"
    echo 'pub mod model;' >"$crate/src/lib.rs"
    {
        printf '[package]\nname = "zea-model"\nversion = "0.0.0"\n'
        sed -n '/^\(edition\|rust-version\) =/p' Cargo.toml
        printf '\n[lib]\ndoctest = false\n\n[workspace]\n\n[dependencies]\n'
        dependencies
        printf '\n[profile.dev]\ndebug = false\n\n[profile.dev.package."*"]\nopt-level = 1\n'
    } >"$crate/Cargo.toml"
}

globs() {
    local place
    for place in "$@"; do
        [ -e "src/model/$place" ] || { echo "mutants: there is no src/model/$place" >&2; exit 1; }
        [ -d "src/model/$place" ] && place="$place/**"
        printf -- '--file\nsrc/model/%s\n' "$place"
    done
}

counts() {
    local place kind
    printf '%-28s %9s %7s %7s %9s %9s\n' place mutants caught missed timeouts unviable
    for place in "$@"; do
        local all=0 row=()
        for kind in caught missed timeout unviable; do
            n="$(cat "$folder/mutants.out/$kind.txt" 2>/dev/null | grep -cE "^src/model/$place[/:]")"
            row+=("$n")
            all=$((all + n))
        done
        printf '%-28s %9s %7s %7s %9s %9s\n' "$place" "$all" "${row[@]}"
    done
}

[ $# -gt 0 ] || set -- "${PLACES[@]}"
files="$(globs "$@")" || exit 1
mapfile -t arguments <<<"$files"
# Text for people and for logs is no decision.
arguments+=(--exclude-re 'impl (fmt::)?(Display|Debug) for')
[ -z "${SHARD:-}" ] || arguments+=(--shard "$SHARD" --sharding round-robin)
install
make_crate
cd "$crate" || exit 1
if [ -n "${LIST:-}" ]; then
    exec "$tools/bin/cargo-mutants" mutants --list "${arguments[@]}"
fi
[ -z "${ITERATE:-}" ] || arguments+=(--iterate)
"$tools/bin/cargo-mutants" mutants --in-place --colors never --no-times --minimum-test-timeout "$seconds_min" \
    --output "$folder" "${arguments[@]}"
code=$?
counts "$@"
# 0: all noticed; 2: some were not; 3: a run was endless, which is noticed too. Everything else is no result.
[[ "$code" =~ ^[023]$ ]] && [ ! -s "$folder/mutants.out/missed.txt" ]
