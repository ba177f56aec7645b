#!/bin/bash
# rustc for the targets: cargo calls it as RUSTC_WRAPPER with the compiler and its arguments. Instruments the crates whose
# branches the fuzzer is to follow, Zea's own and the parsers below them; the others (and all build scripts) are compiled as
# ever, which halves the time of the build and keeps their branches out of the figures.
rustc="$1"
shift
previous=""
crate=""
for argument in "$@"; do
    [ "$previous" = --crate-name ] && crate="$argument"
    previous="$argument"
done
case "$crate" in
    zea | serde_json | serde_path_to_error | toml | toml_parser | toml_datetime | winnow | percent_encoding) ;;
    *) [ "${CARGO_PKG_NAME:-}" = zea-fuzz ] || exec "$rustc" "$@" ;;
esac
exec "$rustc" "$@" --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=3 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares
