"""What the benches over HTTP share: ports, nginx, wrk, what a process costs, and the table of the two sides."""
import argparse
import contextlib
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


def options(seconds):
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=os.path.abspath)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=seconds)
    parser.add_argument("--rounds", type=int, default=3)
    return parser


@contextlib.contextmanager
def stage(where=None):
    """A folder, and a list of the processes to end with it."""
    folder, started = tempfile.mkdtemp(prefix="bench-", dir=where), []
    try:
        yield folder, started
    finally:
        for p in started:
            p.send_signal(signal.SIGTERM)
        for p in started:
            try:
                p.wait(15)
            except subprocess.TimeoutExpired:
                p.kill()
        shutil.rmtree(folder, ignore_errors=True)


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


def start_nginx(folder, name, port, http, workers=1):
    """`http`: what stands in the block of this name, beside what every nginx here needs."""
    temp = "\n".join("  %s_temp_path %s/%s;" % (k, folder, k) for k in
                     ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    path = os.path.join(folder, name + ".conf")
    with open(path, "w") as f:
        f.write("""
worker_processes %d; daemon off; pid %s/%s.pid; error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 100000000; client_max_body_size 8m; client_body_buffer_size 64k;
%s
%s
}
""" % (workers, folder, name, temp, http))
    process = subprocess.Popen([shutil.which("nginx") or "/usr/sbin/nginx", "-c", path, "-p", folder])
    wait_port(port)
    return process


def certificate(folder):
    """For both sides: the certificate's path and its key's."""
    paths = os.path.join(folder, "tls.pem"), os.path.join(folder, "tls.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=bench",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-out", paths[0], "-keyout", paths[1]],
                   check=True, capture_output=True)
    return paths


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


def cpu_of_threads(pid):
    """Seconds of each of its threads, by name; those of one name together."""
    total = {}
    for task in os.listdir("/proc/%d/task" % pid):
        try:
            name = open("/proc/%d/task/%s/comm" % (pid, task)).read().strip()
            total[name] = total.get(name, 0) + int(open("/proc/%d/task/%s/schedstat" % (pid, task)).read().split()[0]) / 1e9
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total


def write_lua(folder, name, method, body="", headers={}):
    """What wrk sends, as a script of its own; body: an expression of Lua."""
    path = os.path.join(folder, name + ".lua")
    with open(path, "w") as f:
        f.write("wrk.method = %r\n" % method)
        if body:
            f.write("wrk.body = %s\n" % body)
        for header, value in headers.items():
            f.write("wrk.headers[%r] = %r\n" % (header, value))
    return path


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


def measure(o, sides, path, lua):
    """sides: a name, its port and its process each, nginx and doorward. Their rounds alternate; the median of each counts."""
    scheme = "https" if getattr(o, "tls", False) else "http"
    rounds = {name: [] for name in sides}
    for _ in range(o.rounds):
        for name, (port, process) in sides.items():
            before, each = cpu_seconds(process.pid), cpu_of_threads(process.pid)
            r = wrk("%s://127.0.0.1:%d%s" % (scheme, port, path), lua, o.connections, o.seconds)
            r["cpu"] = (cpu_seconds(process.pid) - before) / max(r["count"], 1) * 1e6
            r["threads"] = {t: (s - each.get(t, 0)) / max(r["count"], 1) * 1e6 for t, s in cpu_of_threads(process.pid).items()}
            rounds[name].append(r)
    return {name: dict({k: statistics.median(r[k] for r in rs) for k in ("rate", "p50", "p99", "cpu")},
                       bad=sum(r["bad"] for r in rs),
                       threads={t: statistics.median(r["threads"].get(t, 0) for r in rs) for t in rs[-1]["threads"]})
            for name, rs in rounds.items()}


def print_table(measured):
    print("%-10s %12s %10s %10s %16s %6s" % ("", "requests/s", "p50 ms", "p99 ms", "CPU us/request", "bad"))
    for name, m in measured.items():
        print("%-10s %12.0f %10.3f %10.3f %16.1f %6d" % (name, m["rate"], m["p50"], m["p99"], m["cpu"], m["bad"]))


def print_ratio(measured):
    print("ratio_nginx: %.2f" % (measured["doorward"]["rate"] / measured["nginx"]["rate"]))
