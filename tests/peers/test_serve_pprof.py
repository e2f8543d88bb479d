# SPDX-License-Identifier: MIT
"""What ptprof serve answers at /debug/pprof/, beside Go's own net/http/pprof, header by header, and
in the tools that it is for: go tool pprof over HTTP, go tool trace."""

import collections
import concurrent.futures
import contextlib
import gzip
import html
import http.client
import http.server
import itertools
import os
import pathlib
import re
import signal
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
def served(ctx, *target, options=(), grows=False):
    """A target and its server; the target is unharmed at the end, if it still runs."""
    process = ctx.target(*(target or ("parked", "--threads", "9", "--spin", "1")))
    with ctx.unharmed(process.pid, grows):
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
    ("GET", "/symbol"), ("GET", "/symbol?0x0"), ("GET", "/symbol?junk+0xzz+-1"),
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


# --- go tool pprof over HTTP ---

class Tap(http.server.BaseHTTPRequestHandler):
    """Passes requests on to a server and keeps what was asked."""

    protocol_version = "HTTP/1.0"

    def do_GET(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length).decode()
        self.server.asked.append((self.command, self.path, body))
        answer = self.server.to.request(self.path, self.command, body or None)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def tapped(server):
    """(address, what was asked) of a way to the server."""
    tap = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tap)
    tap.to, tap.asked = server, []
    threading.Thread(target=tap.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{tap.server_address[1]}", tap.asked
    tap.shutdown()
    tap.server_close()


def raw_of(ctx, server, path):
    """`pprof -raw` of what a path answers."""
    file = ctx.new_path("answer-{}")
    file.write_bytes(server.get(PREFIX + path))
    return raw(ctx, file)


class Sums:
    """Types, head, and the sums of values by stack of addresses, leaf first, of `pprof -raw`."""

    def __init__(self, text):
        self.head, rest = text.split("Samples:\n")
        samples, rest = rest.split("Locations\n")
        locations, self.mappings = rest.split("Mappings\n")
        self.types, *_ = samples.splitlines()
        self.addresses = {number: int(address, 16) for number, address in
                          re.findall(r"^ *(\d+): (0x[0-9a-f]+)", locations, re.M)}
        self.stacks = collections.Counter()
        self.total = collections.Counter()
        for values, stack in re.findall(r"^ *((?:-?\d+ +)*-?\d+): ([\d ]+)$", samples, re.M):
            key = tuple(self.addresses[number] for number in stack.split())
            for column, value in enumerate(values.split()):
                self.stacks[key, column] += int(value)
                self.total[column] += int(value)


# Row 16: types in their order, and the type and length of a period.
KINDS = {
    "heap": ("inuse_objects/count inuse_space/bytes[dflt]", "space bytes", 1),
    "block": ("contentions/count delay/nanoseconds[dflt]", "contentions count", 1),
    "mutex": ("contentions/count delay/nanoseconds[dflt]", "contentions count", 1),
    "goroutine": ("goroutine/count[dflt]", "goroutine count", 1),
    "threads": ("goroutine/count[dflt]", "goroutine count", 1),
    "threadcreate": ("threadcreate/count[dflt]", "threadcreate count", 1),
}
SAMPLED = {
    "profile": ("samples/count cpu/nanoseconds[dflt]", "cpu nanoseconds", 10101010),
    "wall": ("samples/count wall/nanoseconds[dflt]", "wall nanoseconds", 10101010),
}


def check_head(text, expected, windowed):
    types, period_type, period = expected
    text = re.sub(r"(?m)^Comment: .*\n", "", text)
    assert text.startswith(f"PeriodType: {period_type}\nPeriod: {period}\nTime: "), text[:200]
    assert f"Samples:\n{types}\n" in text, text[:400]
    assert ("\nDuration: " in text) == windowed, text[:300]


def test_go_tool_pprof_reads_every_type(ctx):
    need_go(ctx)
    with served(ctx) as (_, server), concurrent.futures.ThreadPoolExecutor(8) as pool:
        rows = [(name, query, head) for table, queries in ((KINDS, ("", "?seconds=1")),
                                                           (SAMPLED, ("?seconds=1",)))
                for name, head in table.items() for query in queries]
        bodies = pool.map(lambda row: server.get(f"{PREFIX}/{row[0]}{row[1]}"), rows)
        for (name, query, head), body in zip(rows, list(bodies)):
            file = ctx.tmp / "answer"
            file.write_bytes(body)
            check_head(raw(ctx, file), head, bool(query))


def test_go_tool_pprof_over_http(ctx):
    need_go(ctx)
    with served(ctx) as (process, server), tapped(server) as (url, asked):
        text = pprof(ctx, "-top", f"{url}{PREFIX}/profile?seconds=1")
        assert re.search(r" spin|burn", text), text
        assert [(method, path) for method, path, _ in asked] == \
            [("GET", f"{PREFIX}/profile?seconds=1")], asked
        asked.clear()
        text = pprof(ctx, "-symbolize=remote", "-traces",
                     f"{url}/targets/{process.pid}{PREFIX}/goroutine?debug=1")
        posts = [(path, body) for method, path, body in asked if method == "POST"]
        assert posts and len(posts) <= 2, asked  # one for each mapping: program and libc
        for path, body in posts:
            assert path == f"/targets/{process.pid}{PREFIX}/symbol", path
            assert re.fullmatch(r"0x[0-9a-f]+(\+0x[0-9a-f]+)*", body), body
        for name in "wait_futex", "wait_read", "main":
            assert re.search(rf"\b{name}\b", text), f"{name} is not in\n{text}"
        done = try_pprof(ctx, "-top", f"{url}{PREFIX}/nosuch")
        assert done.returncode and "404" in done.stderr and "Unknown profile" in done.stderr, done


def test_heap_of_who_has_allocated_nothing(ctx):
    """The C library's malloc was never called: that is a profile without blocks."""
    need_go(ctx)
    folder = ctx.tmp / "never"  # pprof looks at each file of ctx.tmp itself
    folder.mkdir()
    source, program = folder / "never.c", folder / "never"
    source.write_text("#include <unistd.h>\nint main(void) { for (;;) pause(); }\n")
    subprocess.run(["gcc", "-o", program, source], check=True)
    target = ctx.spawn(program)
    ctx.eventually(lambda: ctx.state_of(target.pid) == "S", "it waits")
    server = Server(ctx, target.pid)
    with ctx.unharmed(target.pid):
        text = raw_of(ctx, server, "/heap")
        assert re.search(r"Samples:\n.*\nLocations", text), text
        server.stop()


def test_two_at_once_share_a_run(ctx):
    need_go(ctx)
    with served(ctx) as (_, server), concurrent.futures.ThreadPoolExecutor(2) as pool:
        url = server.url(PREFIX + "/profile?seconds=1")
        for text in pool.map(lambda _: pprof(ctx, "-top", url), range(2)):
            assert "Type: cpu" in text, text


def test_texts_have_the_sums_of_the_profiles(ctx):
    """Of threads that sleep nothing changes between two looks; of waits there are only more."""
    need_go(ctx)
    with served(ctx, "parked", "--threads", "9") as (_, server):
        for name in "heap", "goroutine", "threadcreate":
            file, text = (Sums(raw_of(ctx, server, f"/{name}{form}")) for form in ("", "?debug=1"))
            assert file.stacks == text.stacks and file.total[0] >= 2, (name, file.stacks,
                                                                       text.stacks)
            assert "Duration" not in text.head and text.mappings.strip(), text.head
        top = pprof(ctx, "-top", server.url(PREFIX + "/heap"))
        assert re.search(r"^File: parked\nBuild ID: \w+$", top, re.M), top
    with served(ctx, "contended", "normal") as (_, server):
        for name in "block", "mutex":
            server.get(f"{PREFIX}/{name}")
        for name in "block", "mutex":
            ctx.eventually(lambda: sums(ctx, server, f"/{name}")[1] > 1e8, f"{name} has waits")
            before, text, after = (sums(ctx, server, f"/{name}{form}")
                                   for form in ("", "?debug=1", ""))
            assert all(a <= b <= c for a, b, c in zip(before, text, after)), (before, text, after)
            head = server.get(f"{PREFIX}/{name}?debug=1").decode()
            assert head.startswith({"block": "--- contention:\ncycles/second=",
                                    "mutex": "--- mutex:\ncycles/second="}[name]), head[:100]


def sums(ctx, server, path):
    total = Sums(raw_of(ctx, server, path)).total
    return total[0], total[1]


# --- what is not a profile ---

def test_dump_of_all_threads(ctx):
    with served(ctx) as (process, server):
        text = server.get(PREFIX + "/goroutine?debug=2").decode()
        threads = text.rstrip("\n").split("\n\n")
        assert len(threads) == 11, text
        for thread in threads:
            head, *lines = thread.splitlines()
            assert re.fullmatch(r"goroutine \d+ \[[^\]]+\]:", head), head
            assert lines and len(lines) % 2 == 0, thread
            for function, place in zip(lines[::2], lines[1::2]):
                assert re.fullmatch(r".+\(.*\)", function), function
                assert re.fullmatch(r"\t(.+\.(c|go|s)|\?\?):\d+( \+0x[0-9a-f]+)?", place), place


def test_arguments_names_and_the_list(ctx):
    with served(ctx, "parked", "--threads", "3", "--depth", "1") as (process, server):
        arguments = [str(ctx.program("parked")), "--threads", "3", "--depth", "1"]
        assert server.get(PREFIX + "/cmdline") == "\0".join(arguments).encode()
        text = server.get(PREFIX + "/goroutine?debug=1").decode()
        named = {}  # the first of several names of an address is the innermost function
        for address, name in re.findall(
                r"^#\t(0x[0-9a-f]+)\t+(\S+)\+0x[0-9a-f]+\t+\S+\.c:\d+$", text, re.M):
            named.setdefault(address, name)
        assert {"wait_futex", "main"} <= set(named.values()), text
        question = "+".join(["0x1", *named, "0xffffffffffffffff"])
        for body in server.get(f"{PREFIX}/symbol?{question}"), \
                server.get(PREFIX + "/symbol", method="POST", body=question):
            first, *lines = body.decode().splitlines()
            assert first == "num_symbols: 1" and lines == [f"{address} {name}" for address, name
                                                           in named.items()], body
        many = "+".join(map(hex, range(0x400000, 0x400000 + 100000)))
        assert server.get(PREFIX + "/symbol", method="POST", body=many).startswith(b"num_symbols")
        page = server.get(PREFIX + "/").decode()
        names = re.findall(r"<td><a href='(\w+)\?debug=1'>\1</a></td>", page)
        assert names == sorted(names) and len(names) == 10 and "allocs" not in names, page
        assert all(f">{name}: </div> " in page for name in names), page


def test_trace_opens_in_go_tool_trace(ctx):
    with served(ctx) as (_, server):
        answer = server.request(PREFIX + "/trace?seconds=0.5")
        assert answer.status == 200 and answer.body.startswith(b"go 1.19 trace\0\0\0"), answer
    path = ctx.tmp / "of.trace"
    path.write_bytes(answer.body)
    for find in debian, newest:
        with contextlib.suppress(ctx.Skip):
            done = find(ctx).run("tool", "trace", "-d" if find is debian else "-d=parsed", path)
            assert done.returncode == 0 and len(done.stdout.splitlines()) > 20, done.stderr


# --- several targets, and none ---

def test_targets_have_paths_of_their_own(ctx):
    first, second = ctx.target("parked"), ctx.target("parked", "--threads", "3")
    server = Server(ctx, first.pid, second.pid)

    def threads(path, status=200):
        answer = server.request(path)
        assert answer.status == status, (path, answer)
        return int(re.search(rb"total (\d+)", answer.body)[1]) if status == 200 else answer

    many = threads(f"/pid/{second.pid}{PREFIX}/goroutine?debug=1")
    few = threads(f"/pid/{first.pid}{PREFIX}/goroutine?debug=1")
    assert (few, many) == (len(ctx.thread_states(first.pid)), 4)
    ids = {row["pid"]: row["id"] for row in server.json("/api/v1/targets")["targets"]}
    for word in str(second.pid), ids[second.pid]:
        word = urllib.parse.quote(word)
        for path in f"/targets/{word}{PREFIX}/goroutine?debug=1", \
                f"/name/{word}{PREFIX}/goroutine?debug=1", \
                f"{PREFIX}/goroutine?debug=1&target={word}", \
                f"{PREFIX}/goroutine?pid={word}&debug=1":
            assert threads(path) == many, path
    for path in f"{PREFIX}/goroutine", f"/pid/1{PREFIX}/goroutine", \
            f"{PREFIX}/?target={'x' * 300}", f"/targets/nobody{PREFIX}/heap?seconds=1":
        answer = threads(path, status=404)
        assert answer.headers["X-Go-Pprof"] == "1" and answer.body.count(b"\n") == 1, answer
    page = server.get(f"{PREFIX}/?target={ids[second.pid]}").decode()
    links = [html.unescape(link) for link in re.findall("href=['\"]([^'\"]+)", page)]
    assert len(links) == 11 and threads(f"{PREFIX}/" + links[2]) == many, links
    assert all(link.endswith(f"&target={ids[second.pid]}") for link in links), links
    redirect = server.request(f"/targets/{second.pid}{PREFIX}?a=b")
    assert redirect.headers["Location"] == f"/targets/{second.pid}{PREFIX}/?a=b", redirect
    first.kill()
    gone = ctx.eventually(lambda: one_with(server, 410, f"/pid/{first.pid}{PREFIX}/heap"), "410")
    assert gone.headers["X-Go-Pprof"] == "1" and gone.body.count(b"\n") == 1, gone
    ctx.eventually(lambda: b"has ended" in server.request(f"/pid/{first.pid}{PREFIX}/heap").body,
                   "the server knows")
    assert threads(f"/pid/{second.pid}{PREFIX}/goroutine?debug=1") == many


def one_with(server, status, path):
    answer = server.request(path)
    return answer if answer.status == status else None


def test_what_cannot_be_had(ctx):
    with served(ctx, "idle", options=("--profile-longest", "20s", "--profile-duration", "20s",
                                      "--prefix", "/of/go")) as (_, server):
        for query in "", "?seconds=1", "?debug=1":
            answer = server.request("/of/go/allocs" + query)
            assert answer.status == 501 and answer.headers["X-Go-Pprof"] == "1", answer
            assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        for path in "profile?seconds=21", "wall?seconds=999999999999", "heap?seconds=21", \
                "trace?seconds=20.5", "trace?seconds=inf":
            answer = server.request("/of/go/" + path)
            assert answer.status == 400 and b"limit of 20 seconds" in answer.body, (path, answer)
        assert server.request("/debug/pprof/heap").status == 404
        assert server.request("/of/go/heap").status == 200


def named(pids, name):
    found = []
    for pid in pids:
        with contextlib.suppress(OSError):
            if pathlib.Path(f"/proc/{pid}/comm").read_text() == name + "\n":
                found.append(pid)
    return found


def jobs(ctx, server):
    return named(ctx.children(server.pid), "ptprof-job")


def samplers(ctx, server):
    return named([pid for parent in ctx.children(server.pid) for pid in ctx.children(parent)],
                 "ptprof-sampler")


def test_who_leaves_ends_what_was_asked(ctx):
    with served(ctx) as (_, server):
        for path in "/trace?seconds=60", "/heap?seconds=60", "/threadcreate?seconds=60":
            connection = http.client.HTTPConnection("127.0.0.1", server.port)
            connection.request("GET", PREFIX + path)
            ctx.eventually(lambda: jobs(ctx, server), "somebody is at work")
            connection.close()
            ctx.eventually(lambda: not jobs(ctx, server), f"nobody is at work for {path}")


# --- differences ---

def difference_of(server, name, seconds=1):
    return decode(gzip.decompress(server.get(f"{PREFIX}/{name}?seconds={seconds}")))


def test_nothing_that_changes_is_no_sample(ctx):
    with served(ctx, "parked", "--threads", "9") as (_, server):
        for name in "heap", "goroutine", "threadcreate":
            fields = difference_of(server, name)
            assert "sample" not in fields and fields["sample_type"], (name, fields)
            assert 0.9e9 < one(fields, "duration_nanos") < 60e9, fields
            assert abs(one(fields, "time_nanos") / 1e9 - time.time()) < 60, "it is not the end"


def test_what_grows_is_the_difference(ctx):
    with served(ctx, "leaker", "1000", grows=True) as (process, server), \
            concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(difference_of, server, "heap", 2)
        while not asked.done():
            process.signal(signal.SIGUSR1)
            lost = int(process.line())
            time.sleep(0.2)
        blocks = [values[0] for values in (sample["value"] for sample in asked.result()["sample"])]
        assert 0 < sum(blocks) <= lost, f"{blocks} of {lost}"


def events_of(pid):
    """How many events of the kernel's a process has open."""
    count = 0
    with contextlib.suppress(OSError):
        for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                count += "perf_event" in str(entry.readlink())
    return count


def test_creators_of_a_window(ctx):
    """Who was there before is not in it, and who came has a creator."""
    with served(ctx, "creators", "--links", "2", grows=True) as (process, server), \
            concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(difference_of, server, "threadcreate", 60)
        last, all_of_them = [0], len(ctx.thread_states(process.pid)) * os.cpu_count()

        def watches():  # each thread that is there has its events, and no more come
            last.append(sum(map(events_of, jobs(ctx, server))))
            settled = len(last) > 40 and len(set(last[-40:])) == 1
            return settled and (last[-1] >= all_of_them or len(last) > 400)  # they may be refused
        ctx.eventually(watches, "it watches who starts threads")
        process.signal(signal.SIGUSR1)
        assert process.line() == "done"
        server.run.signal(signal.SIGUSR2)  # what there is is answered
        fields = asked.result()
        texts = [text.decode() for text in fields["string_table"]]
        said = "".join(texts[comment] for comment in fields["comment"])
        if "approximation" in said or "no breakpoint" in said:
            raise ctx.Skip(said)
        made, truth = sum(sample["value"][0] for sample in fields["sample"]), process.stop()
        assert made == sum(truth.values()), (made, truth)
        assert {"make_red", "make_blue", "link_of_chain"} <= set(texts), texts
        assert "[creator not seen]" not in texts, said


# --- a target that ends ---

def test_a_target_that_ends_meanwhile(ctx):
    """What there is of it is answered, and what there is not is 410."""
    with served(ctx) as (process, server), concurrent.futures.ThreadPoolExecutor(3) as pool:
        paths = "/profile?seconds=60", "/trace?seconds=60", "/heap?seconds=60"
        asked = [pool.submit(server.request, PREFIX + path) for path in paths]
        ctx.eventually(lambda: len(samplers(ctx, server)) == 2, "two sample")
        time.sleep(1)  # so that there is something
        process.kill()
        profile, trace, heap = (each.result() for each in asked)
        for answer, first in (profile, b"\x1f\x8b"), (trace, b"go 1.19 trace"):
            assert answer.status == 200 and answer.body.startswith(first), answer
            assert answer.headers["X-Ptprof-Partial"] == "1", answer.headers.items()
        assert heap.status == 410 and heap.headers["X-Go-Pprof"] == "1", heap


def test_a_target_without_an_allocator(ctx):
    with served(ctx, "no_heap") as (_, server):
        answer = server.request(PREFIX + "/heap")
        assert answer.status == 501 and b"no allocator" in answer.body, answer
