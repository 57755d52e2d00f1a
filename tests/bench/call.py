#!/usr/bin/env python3
"""./dev bench call: what a tool call through Doorward costs, as a ratio to nginx in the same run.

wrk, keep-alive connections, 1 KB tools/call (MCP 2026-07-28); an nginx stub plays the MCP server; nginx as a plain reverse
proxy to the same stub is the yardstick. Rounds of both alternate, and the median of each is reported: machines are noisy.

    call.py BUILD [--connections 64] [--seconds 5] [--rounds 3] [--durability full|async]
"""
import json
import os
import re
import subprocess
import sys
import urllib.request

import bench

RESULT = {"content": [{"type": "text", "text": "x" * 800}], "isError": False, "resultType": "complete"}
TOOL = {"name": "lookup", "description": "Look something up",
        "inputSchema": {"type": "object", "additionalProperties": False, "required": ["orderId", "note"],
                        "properties": {"orderId": {"type": "string", "pattern": "^ORD-[A-Z0-9]{8}$"},
                                       "note": {"type": "string", "maxLength": 4000},
                                       "limit": {"type": "integer", "minimum": 1, "maximum": 100}}}}
DISCOVER = {"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}},
            "serverInfo": {"name": "stub", "version": "1"}, "ttlMs": 60000, "cacheScope": "public"}


def stub_answers():
    """What the MCP server of nginx says: nginx sees headers only, so that a call's id is its span, and a probe's its number."""
    def answer(result, id="@ID@"):
        body = json.dumps({"jsonrpc": "2.0", "id": id, "result": result}, separators=(",", ":"))
        return body.replace("$", "${dollar}").replace('"@ID@"', '"$span"').replace("'", "\\'")
    tools = {"resultType": "complete", "tools": [TOOL], "ttlMs": 60000, "cacheScope": "public"}
    return """
  geo $dollar { default "$"; }
  map $http_traceparent $span { default "1"; "~^..-.{32}-(?<s>.{16})-" $s; }
  map $http_mcp_method $answer {
    default '%s'; "server/discover" '%s'; "tools/list" '%s'; }""" % (
        answer(RESULT), answer(DISCOVER, "probe-1"), answer(tools, "probe-2"))


def main():
    parser = bench.options(seconds=5)
    parser.add_argument("--durability", default="full", choices=["full", "async"])
    o = parser.parse_args()
    # Beside the build, not in a memory file system: the flush is part of the measure.
    with bench.stage(o.build) as (folder, started):
        run(o, os.path.join(o.build, "doorward"), folder, started)


def run(o, doorward, folder, started):
    stub, proxy, gate, admin = (bench.free_port() for _ in range(4))
    started.append(bench.start_nginx(folder, "stub", stub, stub_answers() + """
  server { listen 127.0.0.1:%d reuseport; location / { default_type application/json; return 200 $answer; } }""" % stub))
    started.append(bench.start_nginx(folder, "proxy", proxy, """
  upstream stub { server 127.0.0.1:%d; keepalive 256; keepalive_requests 100000000; }
  server { listen 127.0.0.1:%d reuseport; location / { proxy_pass http://stub; proxy_http_version 1.1;
           proxy_set_header Connection ""; } }""" % (stub, proxy)))
    config = os.path.join(folder, "doorward.yaml")
    with open(config, "w") as f:
        f.write("""listen: 127.0.0.1:%d
admin: { listen: 127.0.0.1:%d }
data_dir: %s/data
workers: 1
session: { max_tool_calls: 1000000000, rate: none }
audit: { durability: %s }
log: { level: warn }
servers:
  stub: { url: "http://127.0.0.1:%d/mcp" }
""" % (gate, admin, folder, o.durability, stub))
    daemon = subprocess.Popen([doorward, "serve", "-c", config])
    started.append(daemon)
    bench.wait_port(gate)
    key = os.path.join(folder, "agent.jwk")

    def cli(*a):
        r = subprocess.run([doorward, *a], capture_output=True, text=True, cwd=folder)
        if r.returncode:
            sys.exit("bench: doorward %s: %s" % (" ".join(a), r.stderr))
        return r.stdout
    made = json.loads(cli("agent", "create", "-c", config, "--json", "--type", "bench", "--version", "1", "--env", "production", "--owner", "bench", "--allow",
                          "stub/lookup", "--generate", "--key-file", key))
    agent = made.get("agentId") or made["agent"]["agentId"]
    token = cli("token", "--agent", agent, "--key", key, "--url", "http://127.0.0.1:%d" % gate).strip()
    body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {
        "name": "stub__lookup", "arguments": {"limit": 10, "orderId": "ORD-A1B2C3D4", "note": "n" * 640},
        "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28",
                  "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
                  "io.modelcontextprotocol/clientCapabilities": {}}}}, separators=(",", ":"))
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
               "Authorization": "Bearer " + token, "MCP-Protocol-Version": "2026-07-28",
               "Mcp-Method": "tools/call", "Mcp-Name": "stub__lookup"}
    lua = bench.write_lua(folder, "call", "POST", "[==[%s]==]" % body, headers)
    request = urllib.request.Request("http://127.0.0.1:%d/mcp" % gate, body.encode(), headers)
    first = json.load(urllib.request.urlopen(request))
    if first.get("result", {}).get("content") != RESULT["content"]:
        sys.exit("bench: the call does not work: %s" % json.dumps(first)[:400])

    m = bench.measure(o, {"nginx": (proxy, started[1]), "doorward": (gate, daemon)}, "/mcp", lua)
    print("1 KB tools/call, %d connections, one worker, durability %s, %d rounds of %d s, body %d bytes"
          % (o.connections, o.durability, o.rounds, o.seconds, len(body)))
    bench.print_table(m)
    rss = int(re.search(r"VmRSS:\s+(\d+)", open("/proc/%d/status" % daemon.pid).read()).group(1)) / 1024
    print("resident memory of doorward: %.1f MB" % rss)
    bench.print_ratio(m)


if __name__ == "__main__":
    main()
