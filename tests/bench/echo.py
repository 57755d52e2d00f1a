#!/usr/bin/env python3
"""./dev bench echo: requests/s of the HTTP server with nothing behind it, as a ratio to nginx `return 200` in the same run.

wrk, keep-alive connections, a small GET and a 1 KB POST; one worker each. Rounds of both alternate, and the median of each is
reported: machines are noisy.

    echo.py BUILD [--connections 64] [--seconds 3] [--rounds 3]
"""
import argparse
import os
import shutil
import signal
import statistics
import subprocess
import tempfile

from call import cpu_seconds, free_port, start_nginx, wait_port, wrk

BODY = '{"jsonrpc":"2.0","id":1,"result":{}}'


def scripts(folder):
    made = {"GET": os.path.join(folder, "get.lua"), "POST 1 KB": os.path.join(folder, "post.lua")}
    with open(made["GET"], "w") as f:
        f.write("wrk.method = 'GET'\n")
    with open(made["POST 1 KB"], "w") as f:
        f.write("wrk.method = 'POST'\nwrk.body = string.rep('x', 1024)\nwrk.headers['Content-Type'] = 'application/json'\n")
    return made


def measure(o, ports, pids, lua):
    rounds = {name: [] for name in ports}
    for _ in range(o.rounds):
        for name, port in ports.items():
            before = cpu_seconds(pids[name])
            r = wrk("http://127.0.0.1:%d/" % port, lua, o.connections, o.seconds)
            r["cpu"] = (cpu_seconds(pids[name]) - before) / max(r["count"], 1) * 1e6
            rounds[name].append(r)
    return {name: {k: statistics.median(r[k] for r in rs) for k in ("rate", "p50", "p99", "cpu", "bad")}
            for name, rs in rounds.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    o = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="bench-")
    started = []
    try:
        ports = {"nginx": free_port(), "doorward": free_port()}
        started.append(start_nginx(folder, "echo", ports["nginx"], """
  server { listen 127.0.0.1:%d reuseport; location / { default_type application/json; return 200 '%s'; } }"""
                                   % (ports["nginx"], BODY)))
        started.append(subprocess.Popen([os.path.join(o.build, "tests/bench/bench_echo"), str(ports["doorward"])]))
        wait_port(ports["doorward"])
        pids = {"nginx": started[0].pid, "doorward": started[1].pid}
        for what, lua in scripts(folder).items():
            m = measure(o, ports, pids, lua)
            print("%s, %d connections, one worker, %d rounds of %d s" % (what, o.connections, o.rounds, o.seconds))
            print("%-10s %12s %10s %10s %16s %6s" % ("", "requests/s", "p50 ms", "p99 ms", "CPU us/request", "bad"))
            for name, r in m.items():
                print("%-10s %12.0f %10.3f %10.3f %16.1f %6d" % (name, r["rate"], r["p50"], r["p99"], r["cpu"], r["bad"]))
            print("ratio_nginx: %.2f" % (m["doorward"]["rate"] / m["nginx"]["rate"]))
    finally:
        for p in started:
            p.send_signal(signal.SIGTERM)
        for p in started:
            try:
                p.wait(5)
            except subprocess.TimeoutExpired:
                p.kill()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
