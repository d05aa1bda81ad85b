#!/usr/bin/env bash
# Everything that has to hold before a change goes in: format, lints, documentation, dependencies, every test, the release
# build and its demo. What a fresh machine lacks is installed where that is possible, and said where it is not.
#
#   bash tests/run.sh                 all of it, for people and for CI (CI=true: no colours, no bars)
#   HOPGATE_FULL=1 bash tests/run.sh  the long forms of the crash, kill, journal and fuzz tests
#
# Ends with a line "N passed, 0 failed" and status 0, or at the first thing that fails.
set -euo pipefail
cd "$(dirname "$0")/.."

export INSTA_UPDATE=no # a snapshot that differs is a failure, never a new file
export CARGO_TERM_PROGRESS_WHEN=never
if [[ -n "${CI:-}" || ! -t 1 ]]; then
    export CARGO_TERM_COLOR=never NO_COLOR=1
fi
if [[ -n "${CI:-}" ]]; then
    export CARGO_INCREMENTAL=0 # a fresh checkout builds everything once, so caches for the next time only cost room
fi
exec </dev/null # nothing here asks a person

# The demo has to stay within what it promises.
DEMO_LIMIT_S=60
# Old releases do not read this workspace's lock file (0.14 of 2023 panics on it).
CARGO_DENY_VERSION=0.20.2

target="${CARGO_TARGET_DIR:-target}"
log="$(mktemp)"
demo="$(mktemp -d)"
trap 'rm -rf "$log" "$demo"' EXIT
passed=0
began=$SECONDS

heading() { printf '\n== %s\n' "$*"; }

# Runs a step under its heading and says how long it took.
step() { # inside a step `set -e` does not hold: each command in it says itself what its failure means
    local title="$1" start=$SECONDS
    shift
    heading "$title"
    if ! "$@"; then
        printf '\nFAILED: %s (after %d s)\n' "$title" "$((SECONDS - start))"
        exit 1
    fi
    printf -- '-- %s: %d s\n' "$title" "$((SECONDS - start))"
}

# What the tests use of the machine. Without it they skip a part and say so.
tools() {
    local missing=()
    command -v cc >/dev/null || missing+=(gcc libc6-dev)
    command -v c++ >/dev/null || missing+=(g++)
    command -v make >/dev/null || missing+=(make)
    command -v strace >/dev/null || missing+=(strace)
    command -v mkfs.ext4 >/dev/null || missing+=(e2fsprogs)
    command -v python3 >/dev/null || missing+=(python3)
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
    if ((${#missing[@]} == 0)); then
        echo "nothing is missing"
    elif [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null; then
        echo "installing: ${missing[*]}"
        if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}"; } >"$log" 2>&1; then
            tail -n 5 "$log"
            echo "SKIPPED: ${missing[*]} cannot be installed; tests that need them say what they leave out"
        fi
    else
        echo "SKIPPED: ${missing[*]} cannot be installed without root and apt; tests that need them say what they leave out"
    fi
    if ! command -v cargo-clippy >/dev/null || ! command -v rustfmt >/dev/null; then
        rustup component add clippy rustfmt || return 1
    fi
    command -v cc >/dev/null || { echo "a C compiler is needed: install gcc"; return 1; }
}

docs() { RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet; }

# cargo-deny is built once and kept beside what else is built here.
dependencies() {
    local root="$target/tools/cargo-deny-$CARGO_DENY_VERSION" deny
    if command -v cargo-deny >/dev/null && [[ "$(cargo-deny --version)" == *" $CARGO_DENY_VERSION" ]]; then
        deny=cargo-deny
    else
        deny="$root/bin/cargo-deny"
        if [[ ! -x "$deny" ]]; then
            echo "building cargo-deny $CARGO_DENY_VERSION, once"
            if ! CARGO_TARGET_DIR="$root/build" cargo install cargo-deny --version "$CARGO_DENY_VERSION" --locked --quiet \
                --root "$root" >"$log" 2>&1; then
                tail -n 20 "$log"
                return 1
            fi
            rm -rf "$root/build"
        fi
    fi
    "$deny" --locked --log-level error --config .deny.toml check bans licenses sources
}

# Runs tests and adds what passed. Every line is shown; the sum comes from cargo's own results.
tests() {
    if ! cargo test --locked --no-fail-fast "$@" 2>&1 | tee "$log"; then
        printf '\n%s\n' "$(grep -E '^test .* FAILED$|^error: test failed|panicked at' "$log" || true)"
        return 1
    fi
    local counted
    counted="$(sed -n 's/^test result: ok\. \([0-9]*\) passed; 0 failed.*/\1/p' "$log" | paste -sd+)"
    if [[ -z "$counted" ]]; then
        echo "no test ran"
        return 1
    fi
    passed=$((passed + counted))
}

# What reads foreign text, under libFuzzer for some seconds. Without a C++ compiler only the seeds ran, with the tests before.
fuzz() {
    if ! command -v c++ >/dev/null; then
        echo "SKIPPED: libFuzzer takes a C++ compiler"
        return 0
    fi
    if ! bash tests/fuzz/run.sh 2>&1 | tee "$log"; then
        return 1
    fi
    passed=$((passed + $(grep -c '^fuzz .* ok$' "$log")))
}

# The binary that is shipped. The tests that start processes use it too, so that it is built once and tested as it is.
release() {
    cargo build --release --locked --quiet || return 1
    HOPGATE_BINARY="$(cd "$target" && pwd)/release/hopgate"
    export HOPGATE_BINARY
    "$HOPGATE_BINARY" --version
}

# The whole story, against the clock on the wall.
release_demo() {
    local start=$SECONDS
    "$HOPGATE_BINARY" demo --dir "$demo/demo" >"$log" 2>&1 || { tail -n 40 "$log"; return 1; }
    local took=$((SECONDS - start))
    tail -n 8 "$log"
    [[ -s "$demo/demo/report.html" && -s "$demo/demo/page.json" ]] || { echo "the demo left no report or no page"; return 1; }
    "$HOPGATE_BINARY" --state "$demo/demo/state" journal check || return 1
    if ((took >= DEMO_LIMIT_S)); then
        echo "the demo took $took s, at most $DEMO_LIMIT_S are promised"
        return 1
    fi
    echo "the demo took $took s"
    passed=$((passed + 1))
}

step "tools" tools
step "format" cargo fmt --all --check
# All targets: benches are compiled here too.
step "lints" cargo clippy --workspace --all-targets --locked --quiet -- -D warnings
step "documentation" docs
step "dependencies" dependencies
# Every step names the whole workspace: with other packages selected, cargo would choose other features and build the
# libraries again. Test programs run one after the other, so those with processes and real time have the machine to themselves.
step "tests: rooms" tests --workspace --lib --bins --test behaviour --test library --test seeds
step "tests: layout" tests --workspace --test layout
step "tests: campaigns, crashes, wire, pager" tests --workspace --test campaign --test crash --test wire --test pager
step "tests: journal" tests --workspace --test journal
# Python clients of others; without a package index each says that it is skipped. Shown, because it says so there.
step "tests: clients" tests --workspace --test clients -- --show-output
step "release build" release
step "release demo" release_demo
# After the release build, whose libraries it uses.
step "fuzz" fuzz
step "tests: command line" tests --workspace --test cli
step "tests: demo" tests --workspace --test demo
step "tests: kill" tests --workspace --test kill

heading "all of it: $((SECONDS - began)) s"
echo "$passed passed, 0 failed"
