# Plays the service manager: opens the sockets that the configuration names, takes what the daemon tells, and becomes it.
#   manager.py [--sockets agents,operators] [--watchdog MS] [--pid N] PROGRAM ARG ...
# Run in the gate's directory: reads doorward.yaml, writes notify.log, one datagram a line as JSON with its time.
import json
import os
import socket
import sys
import time

args = sys.argv[1:]
options = {}
while args[0].startswith("--"):
    options[args[0][2:]] = args[1]
    args = args[2:]
with open("doorward.yaml", encoding="utf-8") as f:
    config = json.load(f)

notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind("notify.sock")
notify.settimeout(0.2)
os.environ["NOTIFY_SOCKET"] = os.path.abspath("notify.sock")
manager = os.getpid()
if os.fork() == 0:
    os.close(2)
    with open("notify.log", "a", encoding="utf-8") as log:
        while os.getppid() == manager:
            try:
                text = notify.recv(4096).decode()
            except TimeoutError:
                continue
            log.write(json.dumps({"at": time.monotonic_ns() // 1000, "lines": text.split("\n")}) + "\n")
            log.flush()
    os._exit(0)

names = [n for n in options.get("sockets", "").split(",") if n]
listening = []
for name in names:
    address = config["admin"]["listen"] if name == "operators" else config["listen"]
    host, port = address.rsplit(":", 1)
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((host, int(port)))
    s.listen(64)
    listening.append(s)
copies = [os.dup(s.fileno()) for s in listening]  # out of the way of 3, 4, ...
while copies and min(copies) < 3 + len(copies):
    copies = [os.dup(c) for c in copies]
for i, copy in enumerate(copies):
    os.dup2(copy, 3 + i, inheritable=True)
if names:
    os.environ["LISTEN_FDS"] = str(len(names))
    os.environ["LISTEN_FDNAMES"] = ":".join(names)
    os.environ["LISTEN_PID"] = options.get("pid", str(os.getpid()))
if "watchdog" in options:
    os.environ["WATCHDOG_USEC"] = str(int(options["watchdog"]) * 1000)
    os.environ["WATCHDOG_PID"] = str(os.getpid())
os.execv(args[0], args)
