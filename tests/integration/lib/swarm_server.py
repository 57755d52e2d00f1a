"""A small server over stdio of which a hundred fit on a machine. Its tools answer as the test wants it: well, late, twice, never.

python3 swarm_server.py [--exits-on-probe FILE]
    FILE: notes each first message; a process whose first message is not `initialize` ends at once, as servers of some SDKs do.
"""
import json
import os
import sys
import threading
import time

LEGACY = len(sys.argv) > 1
TOOLS = ["echo", "pid", "late", "twice", "strangers", "garbage", "huge", "never", "flood"]
lock = threading.Lock()


def send(message):
    line = json.dumps({"jsonrpc": "2.0", **message}) + "\n"
    with lock:
        sys.stdout.write(line)
        sys.stdout.flush()


def raw(text):
    with lock:
        sys.stdout.write(text)
        sys.stdout.flush()


def done(ident, text):
    send({"id": ident, "result": {"resultType": "complete", "content": [{"type": "text", "text": text}]}})


def late(ident, arguments):
    threading.Timer(arguments["ms"] / 1000, done, (ident, "late")).start()


def strangers(ident, arguments):
    for other in ["nobody", 7, None, ident + "x", [ident]]:
        done(other, "to somebody else")
    done(ident, "ours")


def garbage(ident, arguments):
    raw('no JSON\n{"jsonrpc":"2.0",\n[1,2,3]\n\x01\x02\n\n{"id":' + json.dumps(ident) + ',"result":\n')
    done(ident, "after garbage")


def huge(ident, arguments):
    raw('{"jsonrpc":"2.0","id":' + json.dumps(ident) + ',"result":{"content":[{"type":"text","text":"')
    for _ in range(arguments["mb"]):
        raw("x" * (1 << 20))
    raw('"}]}}\n')


def flood(ident, arguments):
    noise = json.dumps({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x" * 1000}})
    end = time.monotonic() + arguments["ms"] / 1000
    while time.monotonic() < end:
        raw((noise + "\n") * 100)
    done(ident, "after the flood")


def call(ident, name, arguments):
    if name == "echo":
        done(ident, arguments["text"])
    elif name == "pid":
        done(ident, str(os.getpid()))
    elif name == "twice":
        done(ident, "first")
        done(ident, "second")
    elif name != "never":
        globals()[name](ident, arguments)


def answer(message):
    ident, method, params = message.get("id"), message["method"], message.get("params", {})
    if method == "initialize":
        send({"id": ident, "result": {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
                                      "serverInfo": {"name": "swarm", "version": "1"}}})
    elif method == "server/discover":
        send({"id": ident, "result": {"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}}})
    elif method == "tools/list":
        send({"id": ident, "result": {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in TOOLS]}})
    elif method == "tools/call":
        call(ident, params["name"], params.get("arguments", {}))


first = True
for line in sys.stdin:
    request = json.loads(line)
    if LEGACY and first:
        with open(sys.argv[2], "a", encoding="utf-8") as notes:
            notes.write(request["method"] + "\n")
        if request["method"] != "initialize":
            sys.exit("expected initialize")
    first = False
    answer(request)
os._exit(0)  # what is still late stays unsaid
