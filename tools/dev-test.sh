# ./dev test [AREA]: unit tests, fuzz corpora, integration with real clients and servers, conformance.
area=${1:-}
build_with_tests build
need_npm
[ -x /usr/sbin/nginx ] || need nginx-light # the proxy in front of the gate
need_promtool build
export DOORWARD_BUILD=$PWD/build DOORWARD_SHARED=${DOORWARD_SHARED:-$PWD/../shared}
failed=0 passed=0
log=$(mktemp)

count() { # count PASSED FAILED
    passed=$((passed + $1))
    failed=$((failed + $2))
}

# The unit tests and the replay of the fuzz corpora. A room is a suite; `fuzz` is one too.
suites=$(meson introspect build --tests | python3 -c '
import json, sys
print("\n".join(sorted({s.split(":")[-1] for t in json.load(sys.stdin) for s in t["suite"]})))')
if [ -z "$area" ] || [ "$area" = unit ] || grep -qx "$area" <<<"$suites"; then
    say "unit tests and fuzz corpora"
    suite=()
    [ -n "$area" ] && [ "$area" != unit ] && suite=(--suite "$area")
    if ! meson test -C build --no-rebuild --print-errorlogs "${suite[@]}" >"$log" 2>&1; then
        cat "$log"
    fi
    ok=$(sed -n 's/^Ok: *//p' "$log")
    bad=$(awk -F': *' '/^(Fail|Timeout|Unexpected Pass):/ {n += $2} END {print n + 0}' "$log")
    sed -n '/^Ok:/,$p' "$log" | sed -n '1,/^$/p'
    count "${ok:-0}" "${bad:-1}"
fi

# Integration and browser: node's test runner. AREA is the folder, the start of a file's name, or one of the areas (rooms, stages) that a
# file says it tests.
scenes() { # scenes FOLDER TITLE
    local f name files=()
    for f in tests/"$1"/*.test.mjs; do
        name=$(basename "$f" .test.mjs)
        if [ -z "$area" ] || [ "$area" = "$1" ] || [[ "$name" == "$area"* || "$name" == *"_$area"* ]] || grep -qE "^// areas:.*\b$area\b" "$f"; then
            files+=("$f")
        fi
    done
    [ ${#files[@]} -gt 0 ] || return 0
    ! grep -lq chromium "${files[@]}" || need_chromium
    say "$2 (${#files[@]} files)"
    node22 --test --test-timeout 600000 --test-reporter spec --test-concurrency 2 "${files[@]}" 2>&1 | tee "$log" | grep -vE '^ℹ (cancelled|skipped|todo|suites)' || true
    count "$(sed -n 's/^ℹ pass //p' "$log")" "$(sed -n 's/^ℹ fail //p' "$log")"
    count 0 "$(sed -n 's/^ℹ cancelled //p' "$log")"
}
scenes integration "integration tests with real clients and servers"
scenes browser "the console in a browser"

# Conformance: outside material when it is there.
if [ -z "$area" ] || [ "$area" = conformance ]; then
    for what in json-schema jose cedar mcp; do
        say "conformance: $what"
        if bash "$PWD/dev" conformance "$what" >"$log" 2>&1; then
            tail -n 1 "$log"
        else
            cat "$log"
        fi
        line=$(tail -n 1 "$log")
        if [[ "$line" =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed ]]; then
            count "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
        elif [[ "$line" != skipped* ]]; then
            count 0 1
        fi
    done
fi

rm -f "$log"
if [ "$((passed + failed))" = 0 ]; then
    echo "dev: no test is named '$area'. Areas: $(tr '\n' ' ' <<<"$suites")" >&2
    exit 2
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
