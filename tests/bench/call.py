#!/usr/bin/env python3
"""./dev bench call: what a tool call through Doorward costs, as a ratio to nginx in the same run.

wrk, keep-alive connections, 1 KB tools/call (MCP 2026-07-28); an nginx stub plays the MCP server; nginx as a plain reverse
proxy to the same stub is the yardstick. Rounds of both alternate, and the median of each is reported: machines are noisy.

    call.py BUILD [--connections 64] [--seconds 5] [--rounds 3] [--durability full|async]
"""
import argparse
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port, seconds=10):
    end = time.time() + seconds
    while time.time() < end:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit("bench: nothing listens on port %d" % port)


RESULT = {"content": [{"type": "text", "text": "x" * 800}], "isError": False, "resultType": "complete"}
TOOL = {"name": "lookup", "description": "Look something up",
        "inputSchema": {"type": "object", "additionalProperties": False, "required": ["orderId", "note"],
                        "properties": {"orderId": {"type": "string", "pattern": "^ORD-[A-Z0-9]{8}$"},
                                       "note": {"type": "string", "maxLength": 4000},
                                       "limit": {"type": "integer", "minimum": 1, "maximum": 100}}}}
DISCOVER = {"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}},
            "serverInfo": {"name": "stub", "version": "1"}, "ttlMs": 60000, "cacheScope": "public"}


def nginx_config(folder, stub, proxy):
    def answer(result, id="@ID@"): # nginx sees headers only: a call's id is its span, a probe's its number
        body = json.dumps({"jsonrpc": "2.0", "id": id, "result": result}, separators=(",", ":"))
        return body.replace("$", "${dollar}").replace('"@ID@"', '"$span"').replace("'", "\\'")
    temp = "\n".join("  %s_temp_path %s/%s;" % (k, folder, k) for k in
                     ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return """
worker_processes 1; daemon off; pid %(folder)s/%(name)s.pid; error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 100000000; client_max_body_size 8m; client_body_buffer_size 64k;
%(temp)s
  geo $dollar { default "$"; }
  map $http_traceparent $span { default "1"; "~^..-.{32}-(?<s>.{16})-" $s; }
  map $http_mcp_method $answer {
    default '%(call)s'; "server/discover" '%(discover)s'; "tools/list" '%(list)s'; }
  %(server)s
}
""", temp, answer


def start_nginx(folder, name, port, server):
    template, temp, answer = nginx_config(folder, 0, 0)
    text = template % {"folder": folder, "name": name, "temp": temp, "server": server,
                       "call": answer(RESULT), "discover": answer(DISCOVER, "probe-1"),
                       "list": answer({"resultType": "complete", "tools": [TOOL], "ttlMs": 60000, "cacheScope": "public"},
                                      "probe-2")}
    path = os.path.join(folder, name + ".conf")
    with open(path, "w") as f:
        f.write(text)
    process = subprocess.Popen([shutil.which("nginx") or "/usr/sbin/nginx", "-c", path, "-p", folder])
    wait_port(port)
    return process


def cpu_seconds(pid):
    """User and system time of a process and its children, from /proc."""
    total, todo = 0, [pid]
    while todo:
        p = todo.pop()
        try:
            fields = open("/proc/%d/stat" % p).read().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
            todo += [int(c) for c in open("/proc/%d/task/%d/children" % (p, p)).read().split()]
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total / os.sysconf("SC_CLK_TCK")


def wrk(url, lua, connections, seconds):
    out = subprocess.run(["wrk", "-t1", "-c%d" % connections, "-d%ds" % seconds, "--latency", "-s", lua, url],
                         capture_output=True, text=True, check=True).stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))

    def latency(percent):
        value, unit = re.search(r"%d%%\s+([\d.]+)(us|ms|s)" % percent, out).groups()
        return float(value) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    count = int(re.search(r"(\d+) requests in", out).group(1))
    return {"rate": rate, "p50": latency(50), "p99": latency(99), "bad": int(bad.group(1)) if bad else 0, "count": count}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--durability", default="full", choices=["full", "async"])
    o = parser.parse_args()
    doorward = os.path.join(os.path.abspath(o.build), "doorward")
    # Beside the build, not in a memory file system: the flush is part of the measure.
    folder = tempfile.mkdtemp(prefix="bench-", dir=os.path.abspath(o.build))
    started = []
    try:
        run(o, doorward, folder, started)
    finally:
        for p in started:
            p.send_signal(signal.SIGTERM)
        for p in started:
            try:
                p.wait(15)
            except subprocess.TimeoutExpired:
                p.kill()
        shutil.rmtree(folder, ignore_errors=True)


def run(o, doorward, folder, started):
    stub, proxy, gate, admin = (free_port() for _ in range(4))
    started.append(start_nginx(folder, "stub", stub, """
  server { listen 127.0.0.1:%d reuseport; location / { default_type application/json; return 200 $answer; } }""" % stub))
    started.append(start_nginx(folder, "proxy", proxy, """
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
    wait_port(gate)
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
    lua = os.path.join(folder, "call.lua")
    with open(lua, "w") as f:
        f.write("wrk.method = 'POST'\nwrk.body = [==[%s]==]\n" % body)
        for name, value in headers.items():
            f.write("wrk.headers[%r] = %r\n" % (name, value))
    request = urllib.request.Request("http://127.0.0.1:%d/mcp" % gate, body.encode(), headers)
    first = json.load(urllib.request.urlopen(request))
    if first.get("result", {}).get("content") != RESULT["content"]:
        sys.exit("bench: the call does not work: %s" % json.dumps(first)[:400])

    rounds = {"nginx": [], "doorward": []}
    for _ in range(o.rounds):
        for name, port, process in (("nginx", proxy, started[1]), ("doorward", gate, daemon)):
            before = cpu_seconds(process.pid)
            r = wrk("http://127.0.0.1:%d/mcp" % port, lua, o.connections, o.seconds)
            r["cpu"] = (cpu_seconds(process.pid) - before) / max(r["count"], 1) * 1e6
            rounds[name].append(r)
    print("1 KB tools/call, %d connections, one worker, durability %s, %d rounds of %d s, body %d bytes"
          % (o.connections, o.durability, o.rounds, o.seconds, len(body)))
    print("%-10s %12s %10s %10s %14s %6s" % ("", "requests/s", "p50 ms", "p99 ms", "CPU us/call", "bad"))
    median = {}
    for name, rs in rounds.items():
        median[name] = {k: statistics.median(r[k] for r in rs) for k in ("rate", "p50", "p99", "cpu")}
        m = median[name]
        print("%-10s %12.0f %10.3f %10.3f %14.1f %6d" % (name, m["rate"], m["p50"], m["p99"], m["cpu"],
                                                        sum(r["bad"] for r in rs)))
    rss = int(re.search(r"VmRSS:\s+(\d+)", open("/proc/%d/status" % daemon.pid).read()).group(1)) / 1024
    print("resident memory of doorward: %.1f MB" % rss)
    print("ratio_nginx: %.2f" % (median["doorward"]["rate"] / median["nginx"]["rate"]))


if __name__ == "__main__":
    main()
