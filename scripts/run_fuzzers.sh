#!/bin/sh
# Runs each fuzzer of a build tree for some seconds, from the checked-in corpus. New inputs stay in the build tree.
#   scripts/run_fuzzers.sh build/fuzz 30
set -eu
build=$(realpath "$1")
seconds=$2
cd "$(dirname "$0")/.."
for fuzzer in "$build"/tests/fuzz/fuzz_*; do
  [ -f "$fuzzer" ] && [ -x "$fuzzer" ] || continue
  name=$(basename "$fuzzer")
  case $name in *_replay) continue ;; esac
  echo "== $name, $seconds s"
  mkdir -p "$build/new_inputs/$name"
  (cd "$build" && "$fuzzer" -max_total_time="$seconds" -print_final_stats=1 "$build/new_inputs/$name" \
    "$OLDPWD/tests/fuzz/corpus/${name#fuzz_}")
done
