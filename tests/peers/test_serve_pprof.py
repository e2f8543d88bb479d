# SPDX-License-Identifier: MIT
"""What ptprof serve answers at /debug/pprof/, beside Go's own net/http/pprof, header by header, and
in the tools that it is for: go tool pprof over HTTP, go tool trace."""

import collections
import concurrent.futures
import contextlib
import gzip
import http.client
import http.server
import itertools
import json
import pathlib
import re
import subprocess
import sys
import threading
import time
import urllib.parse

from pprof_wire import decode, one
from test_pprof_tool import need_go, pprof, raw, try_pprof
from test_trace_tool import debian, newest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "live"))
from serving import Server  # noqa: E402

SIDE_BY_SIDE = True

PREFIX = "/debug/pprof"


@contextlib.contextmanager
def served(ctx, *target, options=()):
    """A target and its server; the target is unharmed at the end, if it still runs."""
    process = ctx.target(*(target or ("parked", "--threads", "9", "--spin", "1")))
    with ctx.unharmed(process.pid):
        server = Server(ctx, process.pid, *options)
        yield process, server
        server.stop()


# --- beside Go ---

def handlers_of_go(ctx):
    need_go(ctx)
    program = ctx.tmp / "pprof_handlers"
    subprocess.run(["go", "build", "-o", program, ctx.root / "tests/peers/pprof_handlers.go"],
                   check=True, capture_output=True, cwd=ctx.tmp, timeout=240)
    return int(ctx.spawn(program).line())


def ask(port, method, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    with contextlib.closing(connection):
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


COMPARED = ("Content-Type", "Content-Disposition", "X-Content-Type-Options", "X-Go-Pprof",
            "Location", "Content-Encoding")
COUNTED = ("heap", "goroutine", "block", "mutex", "threadcreate")
WRONG_SECONDS = ("0", "-1", "x", "1.5", "1e3", "0x1", "99999999999999999999", "%201", "1%20", "1_0")
DEBUGS = ("0", "1", "2", "-1", "%2B1", "x", "", "1.0", "%201", "99999999999999999999")
REQUESTS = [
    *itertools.product(("GET", "HEAD", "POST"),
                       ("", "?seconds=1", "/", "/?seconds=0&debug=2", "/cmdline",
                        "/cmdline?seconds=3", "/nosuch", "/nosuch?seconds=0", "/heap", "/heap/",
                        "/heap?debug=1", "/heap?seconds=0", "/cmdline/", "/a/b", "/Heap")),
    *itertools.product(("HEAD", "POST"), ("/trace?seconds=0.2", "/heap?seconds=1")),
    *(("GET", f"/{name}{query}") for name in COUNTED for query in ("", "?debug=1", "?seconds=1")),
    ("GET", "/profile?seconds=1&debug=1"), ("HEAD", "/profile?seconds=1"),
    *(("GET", f"/heap?seconds={seconds}") for seconds in WRONG_SECONDS),
    *(("GET", f"/{name}?seconds=x") for name in COUNTED),
    *(("GET", f"/heap?debug={debug}{seconds}") for debug in DEBUGS
      for seconds in ("", "&seconds=1")),
    ("GET", "/goroutine?debug=2"), ("GET", "/goroutine?debug=0&seconds=1"),
    ("GET", "/heap?gc=1"), ("GET", "/heap?gc=x&debug=1"), ("GET", "/heap?seconds="),
    ("GET", "/heap?seconds=1&seconds=x"), ("GET", "/heap?seconds=x&seconds=1"),
    ("GET", "/heap?debug=1&debug=0"), ("GET", "/heap?%64ebug=1"), ("GET", "/%68eap?debug=1"),
    ("GET", "/symbol"), ("GET", "/symbol?0x0"), ("GET", "/symbol?junk+0xzz+%"),
    ("HEAD", "/symbol?0x1"), ("POST", "/symbol"),
    ("GET", "/trace?seconds=1e-3"), ("GET", "/trace?seconds=nan"), ("GET", "/trace?seconds=0x1p-4"),
    ("GET", "/trace?seconds=x"), ("GET", "/profile?seconds=1&seconds=300"),
    ("GET", "/profile?seconds=%2B1"), ("GET", "/profile?seconds=1&pid=&target="),
]


def difference(ours, theirs, method, path):
    """What an answer of ours has that Go's has not."""
    redirect = path.partition("?")[0] == ""
    fields = [name for name in COMPARED
              if not (redirect and name in ("Content-Type", "X-Content-Type-Options"))]
    found = [f"{name}: {ours[1][name]!r} instead of {theirs[1][name]!r}" for name in fields
             if ours[1][name] != theirs[1][name]]
    if ours[0] != theirs[0] and not (redirect and ours[0] == 301 and theirs[0] in (301, 307)):
        found.append(f"status {ours[0]} instead of {theirs[0]}")
    if theirs[0] >= 400 and ours[2] != theirs[2]:
        found.append(f"body {ours[2]!r} instead of {theirs[2]!r}")
    return [f"{method} {path}: {what}" for what in found]


def test_headers_are_those_of_go(ctx):
    port = handlers_of_go(ctx)
    with served(ctx) as (_, server):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            ours = pool.map(lambda row: ask(server.port, row[0], PREFIX + row[1]), REQUESTS)
            theirs = [ask(port, method, PREFIX + path) for method, path in REQUESTS]
        found = [line for row, *answers in zip(REQUESTS, ours, theirs)
                 for line in difference(*answers, *row)]
        assert not found, "\n".join(found)
    ctx.figure = f"{len(REQUESTS)} requests"
