#!/bin/bash
# All checks and tests, each whether or not one before it failed; then what ran, what could not run here and why, and the count.
# Tests add a line to the file $ZEA_NOT_RUN for what they leave out, and to $ZEA_SERIES for how long their series were
# (tests/rigs/mod.rs).
set -u
cd "$(dirname "$0")/../.."
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
cargo=tests/rigs/cargo.sh
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export ZEA_NOT_RUN="$work/not-run"
export ZEA_SERIES="$work/series"
: >"$ZEA_NOT_RUN"
: >"$ZEA_SERIES"
: >"$work/ran"
: >"$work/failed"
: >"$work/log"

# step NAME COMMAND...
step() {
    local name="$1" began=$SECONDS
    shift
    echo "== $name: $*"
    "$@" 2>&1 </dev/null | tee -a "$work/log"
    if [ "${PIPESTATUS[0]}" -eq 0 ]; then
        echo "ok      $name ($((SECONDS - began)) s)" >>"$work/ran"
    else
        echo "FAILED  $name ($((SECONDS - began)) s): $*" >>"$work/ran"
        echo "$name" >>"$work/failed"
    fi
}

# optional NAME REASON PROBE COMMAND...: a step where the probe succeeds, else a line that says why not.
optional() {
    local name="$1" reason="$2" probe="$3"
    shift 3
    if $probe >/dev/null 2>&1 </dev/null; then
        step "$name" "$@"
    else
        echo "$name: $reason" >>"$ZEA_NOT_RUN"
    fi
}

optional format "no rustfmt for this cargo" "$cargo fmt --version" $cargo fmt --check
optional clippy "no clippy for this cargo" "$cargo clippy --version" $cargo clippy --locked --all-targets -- -D warnings
# Advisories need a database from elsewhere: a machine that has it adds them.
optional deny "cargo-deny is not installed: licences and duplicates were not checked" "$cargo deny --version" \
    $cargo deny check licenses bans sources
# The seeds get both cores for themselves: their rate is a figure.
step tests $cargo test --locked --no-fail-fast -- --skip simulation::seeds::seeds_keep_all_oracles
step simulation make --no-print-directory sim SEEDS=200

# sum WORD: over all closing lines of the test runner.
sum() { sed -n "s/^test result: .* \([0-9]*\) $1.*/\1/p" "$work/log" | awk '{ n += $1 } END { print n + 0 }'; }
broken="$(grep -cv '^tests$' "$work/failed")"
failed=$(($(sum failed) + broken))
if [ "$failed" -eq 0 ] && [ -s "$work/failed" ]; then
    failed=1
fi

echo
echo "== what ran"
cat "$work/ran"
echo "== the long series, shortened (make soak runs the whole of them)"
sort -u "$ZEA_SERIES"
echo "== what this machine could not run"
if [ -s "$ZEA_NOT_RUN" ]; then sort -u "$ZEA_NOT_RUN"; else echo "nothing: all of it ran"; fi
echo
echo "$(sum passed) passed, $failed failed, $(sum ignored) skipped"
[ "$failed" -eq 0 ]
