# ./dev fuzz [TARGET] [SECONDS]: libFuzzer with address and undefined-behaviour sanitizers; new inputs go to build-fuzz/corpus.
need clang libclang-rt-14-dev
CC=clang CXX=clang++ build_with_tests build-fuzz -Dfuzz=true -Db_lundef=false --buildtype=debugoptimized
target=${1:-} seconds=${2:-60}
found=0
for program in build-fuzz/tests/fuzz/fuzz_*; do
    if [ ! -f "$program" ] || [ ! -x "$program" ]; then
        continue
    fi
    name=${program##*/fuzz_}
    [ -z "$target" ] || [ "$target" = "$name" ] || continue
    found=1
    mkdir -p "build-fuzz/corpus/$name"
    say "fuzzing $name for $seconds s"
    "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="build-fuzz/$name-" "build-fuzz/corpus/$name" "tests/fuzz/$name/corpus"
done
[ "$found" = 1 ] || { echo "dev: there is no fuzz target '$target'" >&2; exit 2; }
