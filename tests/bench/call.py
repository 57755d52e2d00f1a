#!/usr/bin/env python3
"""./dev bench call: what a tool call through Doorward costs, as a ratio to nginx in the same run.

wrk, keep-alive connections, 1 KB tools/call (MCP 2026-07-28); an nginx stub plays the MCP server; nginx as a plain reverse
proxy to the same stub is the yardstick. Rounds of both alternate, and the median of each is reported: machines are noisy.

    call.py BUILD [--connections 64] [--workers 1] [--seconds 5] [--rounds 3] [--durability full|group|async]
                  [--result BYTES] [--sse] [--tls]
    call.py BUILD --all       each of these in turn, a line each
"""
import argparse
import json
import os
import re
import ssl
import subprocess
import sys
import urllib.request

import bench

TOOL = {"name": "lookup", "description": "Look something up",
        "inputSchema": {"type": "object", "additionalProperties": False, "required": ["orderId", "note"],
                        "properties": {"orderId": {"type": "string", "pattern": "^ORD-[A-Z0-9]{8}$"},
                                       "note": {"type": "string", "maxLength": 4000},
                                       "limit": {"type": "integer", "minimum": 1, "maximum": 100}}}}
DISCOVER = {"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}},
            "serverInfo": {"name": "stub", "version": "1"}, "ttlMs": 60000, "cacheScope": "public"}


PAD = 4000  # nginx takes no longer word in its configuration


def result(size):
    return {"content": [{"type": "text", "text": "x" * size}], "isError": False, "resultType": "complete"}


def stub_answers(o):
    """What the MCP server of nginx says: nginx sees headers only, so that a call's id is its span, and a probe's its number."""
    def answer(result, id="@ID@", sse=False):
        body = json.dumps({"jsonrpc": "2.0", "id": id, "result": result}, separators=(",", ":"))
        body = body.replace("$", "${dollar}").replace('"@ID@"', '"$span"').replace("'", "\\'").replace("x" * PAD, "${pad}")
        return "event: message\\ndata: %s\\n\\n" % body if sse else body
    tools = {"resultType": "complete", "tools": [TOOL], "ttlMs": 60000, "cacheScope": "public"}
    return """
  geo $dollar { default "$"; }
  geo $pad { default "%s"; }
  map $http_traceparent $span { default "1"; "~^..-.{32}-(?<s>.{16})-" $s; }
  map $http_mcp_method $type { default "%s"; "~^(server/discover|tools/list)$" "application/json"; }
  map $http_mcp_method $answer {
    default '%s'; "server/discover" '%s'; "tools/list" '%s'; }""" % (
        "x" * PAD, "text/event-stream" if o.sse else "application/json", answer(result(o.result), sse=o.sse),
        answer(DISCOVER, "probe-1"), answer(tools, "probe-2"))


# What --all measures: a name, and what differs from the plain case.
CASES = [("1 KB, durability full", {}), ("durability group", {"durability": "group"}), ("durability async", {"durability": "async"}),
         ("1 connection", {"connections": 1}), ("4 connections", {"connections": 4}), ("16 connections", {"connections": 16}),
         ("512 connections", {"connections": 512}), ("2 workers", {"workers": 2}), ("100 KB results", {"result": 100000}),
         ("answers as SSE", {"sse": True}), ("TLS", {"tls": True})]


def main():
    parser = bench.options(seconds=5)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--durability", default="full", choices=["full", "group", "async"])
    parser.add_argument("--result", type=int, default=800, metavar="BYTES")
    parser.add_argument("--sse", action="store_true")
    parser.add_argument("--tls", action="store_true", help="wrk speaks https, with the same certificate on both sides")
    parser.add_argument("--all", action="store_true")
    o = parser.parse_args()
    if o.all:
        every(o)
        return
    m, memory, sent = one(o)
    print("1 KB tools/call, %d connections, %d worker(s), durability %s, %d rounds of %d s, body %d bytes"
          % (o.connections, o.workers, o.durability, o.rounds, o.seconds, sent))
    bench.print_table(m)
    print("resident memory of doorward: %.1f MB" % memory)
    print("CPU us/request of its threads: " + ", ".join("%s %.1f" % (t, us) for t, us in sorted(m["doorward"]["threads"].items(), key=lambda x: -x[1])
                                                        if us >= 0.05))
    bench.print_ratio(m)


def every(o):
    print("%-24s %10s %10s %8s %16s %16s %16s" % ("", "nginx/s", "doorward/s", "ratio", "p50 ms (nginx)", "p99 ms (nginx)", "CPU us (nginx)"))
    for name, changes in CASES:
        m, _, _ = one(argparse.Namespace(**{**vars(o), **changes}))
        n, d = m["nginx"], m["doorward"]
        print("%-24s %10.0f %10.0f %8.2f %8.2f (%5.2f) %8.2f (%5.2f) %8.1f (%5.1f)%s"
              % (name, n["rate"], d["rate"], d["rate"] / n["rate"], d["p50"], n["p50"], d["p99"], n["p99"], d["cpu"], n["cpu"],
                 "  %d bad" % d["bad"] if d["bad"] else ""), flush=True)


def one(o):
    # Beside the build, not in a memory file system: the flush is part of the measure.
    with bench.stage(o.build) as (folder, started):
        return run(o, os.path.join(o.build, "doorward"), folder, started)


def run(o, doorward, folder, started):
    scheme, secure, own, trust, context = "http", "", "", [], None
    if o.tls:
        pem, pem_key = bench.certificate(folder)
        secure = "ssl_certificate %s; ssl_certificate_key %s; ssl_protocols TLSv1.2 TLSv1.3;" % (pem, pem_key)
        own = "tls: { certificate: %s, key: %s }" % (pem, pem_key)
        scheme, trust, context = "https", ["--ca", pem], ssl.create_default_context(cafile=pem)
    stub, proxy, gate, admin = (bench.free_port() for _ in range(4))
    started.append(bench.start_nginx(folder, "stub", stub, stub_answers(o) + """
  server { listen 127.0.0.1:%d reuseport; location / { default_type ""; add_header Content-Type $type; return 200 $answer; } }"""
                                     % stub, o.workers))
    started.append(bench.start_nginx(folder, "proxy", proxy, """
  upstream stub { server 127.0.0.1:%d; keepalive 256; keepalive_requests 100000000; }
  server { listen 127.0.0.1:%d reuseport%s; %s location / { proxy_pass http://stub; proxy_http_version 1.1;
           proxy_set_header Connection ""; } }""" % (stub, proxy, " ssl" if o.tls else "", secure), o.workers))
    config = os.path.join(folder, "doorward.yaml")
    with open(config, "w") as f:
        f.write("""listen: 127.0.0.1:%d
admin: { listen: 127.0.0.1:%d }
data_dir: %s/data
workers: %d
session: { max_tool_calls: 1000000000, rate: none }
audit: { durability: %s }
log: { level: warn }
tools: { "*/*": { risk: low } }
servers:
  stub: { url: "http://127.0.0.1:%d/mcp" }
%s
""" % (gate, admin, folder, o.workers, o.durability, stub, own))
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
    token = cli("token", "--agent", agent, "--key", key, "--url", "%s://127.0.0.1:%d" % (scheme, gate), *trust).strip()
    body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {
        "name": "stub__lookup", "arguments": {"limit": 10, "orderId": "ORD-A1B2C3D4", "note": "n" * 640},
        "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28",
                  "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
                  "io.modelcontextprotocol/clientCapabilities": {}}}}, separators=(",", ":"))
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
               "Authorization": "Bearer " + token, "MCP-Protocol-Version": "2026-07-28",
               "Mcp-Method": "tools/call", "Mcp-Name": "stub__lookup"}
    lua = bench.write_lua(folder, "call", "POST", "[==[%s]==]" % body, headers)
    request = urllib.request.Request("%s://127.0.0.1:%d/mcp" % (scheme, gate), body.encode(), headers)
    first = json.load(urllib.request.urlopen(request, context=context))
    if first.get("result", {}).get("content") != result(o.result)["content"]:
        sys.exit("bench: the call does not work: %s" % json.dumps(first)[:400])

    m = bench.measure(o, {"nginx": (proxy, started[1]), "doorward": (gate, daemon)}, "/mcp", lua)
    memory = int(re.search(r"VmRSS:\s+(\d+)", open("/proc/%d/status" % daemon.pid).read()).group(1)) / 1024
    return m, memory, len(body)


if __name__ == "__main__":
    main()
