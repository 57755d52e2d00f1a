# ./dev run [--once]: the gateway with examples/support, a scene, then it keeps serving.
need_build
build_in build
doorward=$PWD/build/doorward
work=$PWD/build/support
config=$PWD/examples/support/doorward.yaml
mkdir -p "$work"
chmod 700 "$work"
export DOORWARD_DATA=$work/data DOORWARD_KEYS=$work/audit-keys

"$doorward" serve -c "$config" 2>"$work/doorward.log" &
daemon=$!
stop() {
    kill -TERM "$daemon" 2>/dev/null || true
    wait "$daemon" 2>/dev/null || true
}
trap stop EXIT
trap 'exit 130' INT TERM
for _ in $(seq 100); do
    kill -0 "$daemon" 2>/dev/null || { cat "$work/doorward.log" >&2; echo "dev: Doorward did not start; its log stands above." >&2; exit 1; }
    "$doorward" status -c "$config" --ready >/dev/null 2>&1 && break
    sleep 0.1
done

bash examples/support/scene.sh "$doorward" "$config" "$work"
if [ "${1:-}" = --once ]; then
    exit 0
fi
agent=$(cat "$work/agent") key=$(cat "$work/key")
"$doorward" people add you -c "$config" >/dev/null 2>&1 || true # is there from the last time
link=$("$doorward" people link you -c "$config" 2>/dev/null | head -n 1)
cat <<EOF

Doorward serves. Stop it with Ctrl-C. Log: ${work#"$PWD"/}/doorward.log

  MCP endpoint      http://127.0.0.1:8420/mcp      (one server alone: /mcp/desk)
  operators' API    http://127.0.0.1:8421          (token: ${work#"$PWD"/}/data/operator.token)
  console           $link
                    (good once, within ten minutes; again: $doorward people link you -c $config)

Connect Claude Code (the token lives 15 minutes; the second form renews it by itself):

  claude mcp add --transport http doorward http://127.0.0.1:8420/mcp \\
    --header "Authorization: Bearer \$($doorward token --url http://127.0.0.1:8420 --agent $agent --key $key)"

EOF
"$doorward" connect claude-code --url http://127.0.0.1:8420 --agent "$agent" --key "$key" 2>/dev/null | sed 's/^/  /'
cat <<EOF

Other clients: doorward connect claude-desktop|cursor|vscode|json; the servers they have now: doorward import.
EOF
wait "$daemon"
