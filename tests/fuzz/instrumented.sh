#!/usr/bin/env bash
# Compiles a crate of this workspace for libFuzzer: cargo calls it in place of rustc (RUSTC_WORKSPACE_WRAPPER), and so leaves
# every other crate as the release build made it. The same pass of LLVM that cargo-fuzz asks for, which stable rustc has too.
# Overflow and wrong states stop the program, as in tests.
set -euo pipefail
rustc="$1"
shift
flags=(--cfg fuzzing -Cdebug-assertions=yes -Coverflow-checks=yes)
case " $* " in
    # Large, and hardly anything in them reads text: not to be waited for.
    *" --crate-name hopgate_core "* | *" --crate-name panos_simulator "*) flags+=(-Copt-level=0) ;;
    *" --crate-name hopgate "*) flags+=(-Copt-level=0 -Cpasses=sancov-module) ;;
    *" --crate-name hopgate_"* | *" --crate-name fuzz "*) flags+=(-Copt-level=1 -Cpasses=sancov-module) ;;
    # Cargo asks what the compiler can do: another answer than without this would make it build everything again.
    *) exec "$rustc" "$@" ;;
esac
# Without the pass these say nothing.
for option in level=4 inline-8bit-counters pc-table trace-compares; do
    flags+=("-Cllvm-args=-sanitizer-coverage-$option")
done
exec "$rustc" "$@" "${flags[@]}"
