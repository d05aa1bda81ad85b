#!/usr/bin/env bash
# Runs the fuzz targets one after another, two at a time, each from its seeds and from what earlier runs found.
#
#   bash tests/fuzz/run.sh [TARGET..]                 some seconds a target, which finds what is near the seeds
#   HOPGATE_FULL=1 bash tests/fuzz/run.sh [TARGET..]  minutes a target
#
# Stops at the first input that breaks a promise, and says how to run that input again. What to do with it: make it a test
# of the crate that reads it, then mend the reader. Takes a C++ compiler, for libFuzzer.
set -euo pipefail
cd "$(dirname "$0")/../.."

target="$(mkdir -p "${CARGO_TARGET_DIR:-target}" && cd "${CARGO_TARGET_DIR:-target}" && pwd)"
# The short form tries the same inputs in the same order each time, as far as it gets: it tells what a change broke. Finding
# what nobody broke is for the long one, which begins somewhere else every time.
seconds=3
seed=1
if [[ -n "${HOPGATE_FULL:-}" ]]; then
    seconds=120
    seed=0
fi

RUSTC_WORKSPACE_WRAPPER="$PWD/tests/fuzz/instrumented.sh" CARGO_INCREMENTAL=0 \
    cargo build --release --locked --quiet -p hopgate-fuzz --features libfuzzer
fuzz="$target/release/fuzz"
work="$target/fuzz"
mkdir -p "$work/found"

# Four kilobytes hold every rule of every grammar here. An input that takes ten seconds or a gigabyte is a finding.
one() {
    local name="$1" corpus="$work/$1" log="$work/$1.log"
    mkdir -p "$corpus"
    if ! HOPGATE_FUZZ="$name" "$fuzz" -seed="$seed" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=4096 \
        -artifact_prefix="$work/found/$name-" "$corpus" >"$log" 2>&1; then
        grep -a -v '^#' "$log" | tail -n 20
        printf 'FAILED: %s. Again: HOPGATE_FUZZ=%s %s FILE, with the file named above\n' "$name" "$name" "$fuzz"
        return 255 # xargs starts nothing more
    fi
    printf 'fuzz %s: %s ... ok\n' "$name" "$(grep -a -o 'Done [0-9]* runs' "$log" | tail -n 1)"
}
export -f one
export work fuzz seconds seed

if (($# > 0)); then names=("$@"); else mapfile -t names < <("$fuzz" 2>/dev/null); fi
printf '%s\n' "${names[@]}" | xargs -n 1 -P 2 bash -c 'one "$0"'
