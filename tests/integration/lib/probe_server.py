"""A server over stdio whose tools try what a program could try. Each says what came of it: "done" and more, or the error's name.

It speaks MCP 2026-07-28. Standard library only.
"""
import ctypes
import errno
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile

libc = ctypes.CDLL(None, use_errno=True)


def call(name, *arguments):
    if getattr(libc, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)
    return "done"


def read(a):
    with open(a["path"], "rb") as f:
        return "done: " + f.read(200).decode(errors="replace")


def listing(a):
    return "done: " + " ".join(sorted(os.listdir(a["path"])))


def write(a):
    with open(a["path"], "w") as f:
        f.write("written")
    return "done"


def remove(a):
    os.unlink(a["path"])
    return "done"


def rename(a):
    os.rename(a["path"], a["to"])
    return "done"


def link(a):
    os.link(a["path"], a["to"])
    return "done"


def tcp(a):
    with socket.create_connection((a.get("host", "127.0.0.1"), a["port"]), 2) as s:
        return "done: " + s.recv(100).decode()


def udp(a):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"x", ("127.0.0.1", a["port"]))
    return "done"


def listen(a):
    with socket.socket(socket.AF_INET6) as s:
        s.bind(("::1", 0))
        s.listen()
    return "done"


def unix(a):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(a["path"])
    return "done"


def datagram_pair(a):
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.sendto(b"x", a["path"])
    return "done"


def kill(a):
    os.kill(a["pid"], a.get("signal", signal.SIGCONT))
    return "done"


def trace(a):
    return call("ptrace", 16, a["pid"], 0, 0)  # PTRACE_ATTACH


def namespace(a):
    return call("unshare", 0x10000000)  # CLONE_NEWUSER


def ring(a):
    return call("syscall", 425, 8, ctypes.create_string_buffer(256))  # io_uring_setup


def mount(a):
    return call("mount", b"none", a["path"].encode(), b"tmpfs", 0, None)


def spawn(a):
    """A program of the system, started from here: what holds for us holds for it."""
    r = subprocess.run(a["command"], capture_output=True, text=True)
    return "status %d: %s%s" % (r.returncode, r.stdout, r.stderr)


def work(a):
    """What a plain tool does: a pipe to a child, a thread's worth of memory, a temporary file and a socket pair."""
    one, two = socket.socketpair()
    one.send(b"pair")
    with tempfile.NamedTemporaryFile() as f:
        f.write(two.recv(10))
        f.flush()
        out = subprocess.run(["cat", f.name], capture_output=True, text=True, check=True).stdout
    return "done: %s in %s" % (out, os.environ["TMPDIR"])


def limits(a):
    names = {"memory": "AS", "open_files": "NOFILE", "processes": "NPROC", "cpu": "CPU"}
    return json.dumps({k: resource.getrlimit(getattr(resource, "RLIMIT_" + v)) for k, v in names.items()})


def self(a):
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return json.dumps({k: status[k].strip() for k in ["NoNewPrivs", "Seccomp", "CapEff"]})


TOOLS = {f.__name__: f for f in [read, listing, write, remove, rename, link, tcp, udp, listen, unix, datagram_pair, kill, trace,
                                 namespace, ring, mount, spawn, work, limits, self]}


def answer(method, params):
    if method == "server/discover":
        return {"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}},
                "serverInfo": {"name": "probe", "version": "1"}, "ttlMs": 0, "cacheScope": "private"}
    if method == "tools/list":
        return {"resultType": "complete", "ttlMs": 0, "cacheScope": "private",
                "tools": [{"name": name, "inputSchema": {"type": "object"}} for name in TOOLS]}
    try:
        text = TOOLS[params["name"]](params.get("arguments", {}))
    except OSError as e:
        text = errno.errorcode.get(e.errno, str(e))
    return {"resultType": "complete", "content": [{"type": "text", "text": text}]}


for line in sys.stdin:
    message = json.loads(line)
    if "id" in message:
        result = answer(message["method"], message.get("params", {}))
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
