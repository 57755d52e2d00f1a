#!/usr/bin/env python3
"""./dev bench echo: requests/s of the HTTP server with nothing behind it, as a ratio to nginx `return 200` in the same run.

wrk, keep-alive connections, a small GET and a 1 KB POST; one worker each. Rounds of both alternate, and the median of each is
reported: machines are noisy.

    echo.py BUILD [--connections 64] [--seconds 3] [--rounds 3]
"""
import os
import subprocess

import bench

BODY = '{"jsonrpc":"2.0","id":1,"result":{}}'


def main():
    o = bench.options(seconds=3).parse_args()
    with bench.stage() as (folder, started):
        nginx, doorward = bench.free_port(), bench.free_port()
        started.append(bench.start_nginx(folder, "echo", nginx, """
  server { listen 127.0.0.1:%d reuseport; location / { default_type application/json; return 200 '%s'; } }"""
                                         % (nginx, BODY)))
        started.append(subprocess.Popen([os.path.join(o.build, "tests/bench/bench_echo"), str(doorward)]))
        bench.wait_port(doorward)
        scripts = {"GET": bench.write_lua(folder, "get", "GET"),
                   "POST 1 KB": bench.write_lua(folder, "post", "POST", "string.rep('x', 1024)",
                                                {"Content-Type": "application/json"})}
        for what, lua in scripts.items():
            m = bench.measure(o, {"nginx": (nginx, started[0]), "doorward": (doorward, started[1])}, "/", lua)
            print("%s, %d connections, one worker, %d rounds of %d s" % (what, o.connections, o.rounds, o.seconds))
            bench.print_table(m)
            bench.print_ratio(m)


if __name__ == "__main__":
    main()
