#!/bin/bash
# Feeds foreign bytes to Zea's parsers (fuzz/): `fuzz.sh SECONDS [TARGET]` runs every target, or one, for so long each, and
# prints what it ran: executions, coverage, inputs. `fuzz.sh build` only builds. Inputs that once found something
# (fuzz/regressions/) are run first, with the seeds (fuzz/corpus/). JOBS=n: so many targets at a time, one for each
# processor by default. SEED=n: begin from the seeds alone, with that seed; otherwise go on from what earlier runs gathered
# in target/fuzz/corpus. A stable toolchain does: rustc itself instruments the code, without a sanitizer.
set -u
cd "$(dirname "$0")/../.."
root="$PWD"
seconds="${1:-10}"
only="${2:-}"
jobs="${JOBS:-$(nproc)}"
seed="${SEED:-0}"
cargo="$root/tests/rigs/cargo.sh"
folder="$root/target/fuzz"
# Most memory that a run may hold, in MiB. A target with what it gathered takes 60 to 200; what one input may hold is counted
# by the targets themselves, to the byte.
rss_mb=1024
# Longest that one input may take, in seconds: the slowest target needs some milliseconds.
input_seconds=10

# Longest input of a target, in bytes: room for its grammar, and short enough to be quick.
max_len() {
    case "$1" in
        rest_command | store_raw | record_body) echo 4096 ;;
        link_frame) echo 20000 ;; # a frame above the limit of a hello fits in
        names | cli_words) echo 512 ;;
        *) echo 2048 ;;
    esac
}

targets() { sed -n 's/^path = "targets\/\(.*\)\.rs"/\1/p' fuzz/Cargo.toml; }

build() {
    RUSTC_WRAPPER="$root/fuzz/rustc.sh" \
        "$cargo" build --quiet --locked --manifest-path fuzz/Cargo.toml --target-dir "$folder"
}

# Words that no mutation would find by chance: fields, kinds and flags, keys of properties and of the configuration, tables
# of routes and shapes. Read from the sources, so that they are today's.
words() {
    {
        sed -n 's/^ *\(pub \)\?\([a-z][a-z0-9_]*\): .*,$/"\2":/p' src/protocols/rest/*.rs src/protocols/wire.rs src/model/*.rs
        sed -n 's/^ *\([A-Z][A-Za-z]*\) \(modifies [A-Za-z]* \)\?{$/\1/p' src/protocols/rest/*.rs
        grep -ohE '"[A-Z][A-Z_]{2,}"|"/v1/[^"{}]*' src/protocols/rest/routes/*.rs src/protocols/rest/command/*.rs src/model/kinds.rs \
            | tr -d '"'
        grep -v '^#' src/model/props/catalogue.tsv | cut -f 2
        sed -n 's/.*path: "\([a-z]*\)\.\([a-z_]*\)".*/[\1]\n\2 = /p' src/config/keys.rs
    } | sort -u | sed 's/["\\]/\\&/g; s/.*/"&"/'
}

# run TARGET: its line goes to $work/TARGET.line, everything else to $work/TARGET.log.
run() {
    local target="$1" gathered="$folder/corpus/$1" found="$folder/found/$1/"
    [ "$seed" -eq 0 ] || gathered="$work/$1"
    mkdir -p "$gathered" "$found"
    local folders=("$gathered" "fuzz/corpus/$target")
    [ -d "fuzz/regressions/$target" ] && folders+=("fuzz/regressions/$target")
    "$folder/debug/$target" -max_total_time="$seconds" -max_len="$(max_len "$target")" -rss_limit_mb="$rss_mb" \
        -timeout="$input_seconds" -dict="$work/words" -artifact_prefix="$found" -seed="$seed" -print_final_stats=1 \
        "${folders[@]}" >"$work/$target.log" 2>&1 </dev/null
    local code=$? runs last
    runs="$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$target.log")"
    last="$(grep -E '^#[0-9]+' "$work/$target.log" | tail -n 1)"
    last="$(sed -n 's/.* cov: \([0-9]*\) .*corp: \([0-9]*\).*/\1 branches, \2 inputs/p' <<<"$last")"
    if [ "$code" -eq 0 ]; then
        printf 'ok      %-13s %9s runs, %s\n' "$target" "$runs" "$last" >"$work/$target.line"
    else
        printf 'FAILED  %-13s %9s runs, %s\n' "$target" "${runs:-?}" "$last" >"$work/$target.line"
        cp "$work/$target.log" "$folder/$target.log"
    fi
}

build || exit 1
[ "$seconds" = build ] && exit 0
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
words >"$work/words"
ran=()
for target in $(targets); do
    [ -z "$only" ] || [ "$only" = "$target" ] || continue
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
    ran+=("$target")
    run "$target" &
done
wait
[ "${#ran[@]}" -gt 0 ] || { echo "fuzz: there is no target $only; there are: $(targets | tr '\n' ' ')" >&2; exit 1; }
failed=0
for target in "${ran[@]}"; do
    cat "$work/$target.line"
    grep -q '^ok' "$work/$target.line" && continue
    failed=1
    grep -vE '^(#[0-9]|INFO: |stat::|MS: |NEW_FUNC)' "$work/$target.log" | head -n 40
    echo "The input lies in target/fuzz/found/$target/. Mended, keep it as fuzz/regressions/$target/<what it was>."
done
exit "$failed"
