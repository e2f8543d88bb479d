# SPDX-License-Identifier: MIT
"""Our traces in go tool trace: of Debian's Go 1.19, which reads the encoding as it was made for,
and of the go of the path, if that is a newer one, which converts it first.

The timelines are made by tests/live/timeline.c, and all is known of them.
"""

import gzip
import html
import json
import os
import re
import shutil
import subprocess
import urllib.parse

from pprof_wire import decode, one
from serving import free_port
from test_pprof_tool import get

GO_1_19 = "/usr/lib/go-1.19/bin/go"  # golang-1.19-go
MS = 1_000_000
# A newer Go moves events of one time apart, by 1 ns each.
APART = 1000  # ns in a scene

THREADS = {"main": 1, "worker": 3, "disk & net": 1, "starved": 1}
PROFILES = {  # page -> function -> ms of its waits
    "block": {"take_lock": 90, "event_loop": 100, "wait_for_work": 400},
    "io": {"receive": 150},
    "syscall": {"read_disk": 250},
    # Whose waker is known waits where it was woken, others where they are.
    "sched": {"crunch": 20 + 400},
}
KINDS = {  # -pprof= -> label `wait`
    "sync": ("lock", "condition", "semaphore", "barrier", "join", "futex", "poll"),
    "net": ("socket", "pipe"),
    "syscall": ("file", "fault", "disk", "child", "signal", "other"),
}


class Go:
    """One version of go tool trace."""

    def __init__(self, ctx, path):
        self.ctx, self.path = ctx, path
        self.environment = {**os.environ, "BROWSER": "true", "GOTOOLCHAIN": "local",
                            "TMPDIR": str(ctx.tmp)}
        version = self.run("version").stdout.split()[2]
        self.number = int(re.match(r"go1\.(\d+)", version)[1])

    def run(self, *arguments, **options):
        return subprocess.run([self.path, *map(str, arguments)], capture_output=True, timeout=240,
                              cwd=self.ctx.tmp, env=self.environment, stdin=subprocess.DEVNULL,
                              **{"text": True, **options})

    def profile(self, kind, path):
        """What -pprof=KIND gives: function -> ns; None if the trace is refused."""
        done = self.run("tool", "trace", f"-pprof={kind}", path, text=False)
        return waits(done.stdout) if done.returncode == 0 else None


def debian(ctx):
    if not os.path.exists(GO_1_19):
        raise ctx.Skip("Go 1.19 is not installed (golang-1.19-go)")
    return Go(ctx, GO_1_19)


def newest(ctx):
    path = shutil.which("go")
    if not path:
        raise ctx.Skip("go is not installed")
    go = Go(ctx, path)
    if go.number <= 19:
        raise ctx.Skip(f"the go of the path is 1.{go.number}, which another test runs")
    return go


class Pages:
    """go tool trace as it serves a trace, until the end of `with`."""

    def __init__(self, go, path):
        self.address = f"127.0.0.1:{free_port()}"
        # Not through ctx.spawn: `go tool` starts trace as a child, in whose session all is ended.
        self.server = subprocess.Popen([go.path, "tool", "trace", f"-http={self.address}", path],
                                       cwd=go.ctx.tmp, env=go.environment,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.killpg(self.server.pid, 9)
        self.server.wait()

    def page(self, page, **query):
        address = f"/{page}?{urllib.parse.urlencode(query)}"
        status, body = get(f"http://{self.address}{address}")
        assert status == 200, f"{address}: {status} {body[:200]}"
        return body


def made(ctx, *arguments):
    """A trace and what timeline says of it."""
    path = ctx.tmp / f"{'-'.join(map(str, arguments))}.trace"
    program = ctx.build / "tests/live/timeline"
    if not program.exists():
        raise ctx.Skip("tests/live/timeline is not built")
    with open(path, "wb") as out:
        done = subprocess.run([program, "go", *map(str, arguments)], stdout=out, timeout=120,
                              stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return path, json.loads(done.stderr)


def stacks(data):
    """[(names of functions with lines, leaf first, contentions, ns)] of a pprof file."""
    fields = decode(gzip.decompress(data))
    strings = [text.decode() for text in fields["string_table"]]
    functions = {one(entry, "id"): strings[one(entry, "name")]
                 for entry in fields.get("function", [])}
    locations = {one(entry, "id"): [(functions[one(line, "function_id")], one(line, "line"))
                                    for line in entry["line"]]
                 for entry in fields.get("location", [])}
    return [([frame for location in sample.get("location_id", ()) for frame in locations[location]],
             *sample["value"]) for sample in fields.get("sample", [])]


def waits(data):
    """Function that is the leaf -> ns."""
    sums = {}
    for frames, _, ns in stacks(data):
        name = frames[0][0] if frames else ""
        sums[name] = sums.get(name, 0) + ns
    return sums


def close(found, expected):
    """Whether they are the same functions with the same times, but for what is hardly any time."""
    found = {name: ns for name, ns in found.items() if ns > APART}
    return found.keys() == expected.keys() and \
        all(abs(found[name] - ms * MS) <= APART for name, ms in expected.items())


def goroutines(go, pages):
    """Start function -> (how many, what its page is called by)."""
    text = pages.page("goroutines").decode()
    if go.number <= 19:
        rows = re.findall(r'goroutine\?id=(\d+)">(.*?)</a> N=(\d+)', text)
        return {html.unescape(name): (int(count), {"id": key}) for key, name, count in rows}
    rows = re.findall(r'goroutine\?name=(.*?)">(.*?)</a></code></td>\s*<td>(\d+)</td>', text)
    return {html.unescape(name): (int(count), {"name": html.unescape(name)})
            for key, name, count in rows}


def check_profiles(pages):
    for page, expected in PROFILES.items():
        data = pages.page(page, raw=1)
        assert close(waits(data), expected), f"/{page}: {waits(data)}, not {expected} ms"
    frames = next(frames for frames, _, _ in stacks(pages.page("block", raw=1))
                  if frames and frames[0][0] == "take_lock")
    assert frames == [("take_lock", 30), ("main", 10)], frames
    frames = max(stacks(pages.page("sched", raw=1)), key=lambda stack: stack[2])[0]
    assert frames == [("crunch", 20), ("work", 21), ("main", 10)], f"inlined functions: {frames}"


def check_goroutines(go, pages):
    rows = goroutines(go, pages)
    assert {name: count for name, (count, _) in rows.items()} == THREADS, rows
    key = rows["worker"][1]
    assert "worker" in pages.page("goroutine", **key).decode()
    assert close(waits(pages.page("block", raw=1, **key)), {"take_lock": 90})
    assert close(waits(pages.page("io", raw=1, **key)), {"receive": 150})


def check_viewer(pages):
    """The timeline that the trace viewer is given."""
    events = json.loads(pages.page("jsontrace"))["traceEvents"]
    names = [event["name"] for event in events]
    for name in "G101 worker", "G103 disk & net", "G105 starved":
        assert name in names, f"{name}: {sorted(set(names))}"
    assert any("states are context switches of the kernel" in name for name in names), names
    longest = max((event for event in events if event["name"] == "G101 worker"),
                  key=lambda event: event.get("dur", 0))
    assert abs(longest["dur"] - 100_000) < 1 and longest["tid"] == 0, longest
    assert "unblock" in names, "no arrow of who woke whom"


def check_scene(go):
    path, _ = made(go.ctx, "scene")
    with Pages(go, path) as pages:
        pages.page("")
        check_goroutines(go, pages)
        check_profiles(pages)
        check_viewer(pages)


def test_scene_go_1_19(ctx):
    check_scene(debian(ctx))


def test_scene_newest_go(ctx):
    check_scene(newest(ctx))


def check_sums(go):
    path, truth = made(go.ctx, "switches", 20000, 50, 4, 1)
    apart = 0 if go.number <= 19 else 10 * truth["events"]
    for kind, labels in KINDS.items():
        found, expected = go.profile(kind, path), sum(truth[label] for label in labels)
        assert found and abs(sum(found.values()) - expected) <= apart, \
            f"{kind}: {found and sum(found.values())} ns, not {expected}"
    if go.number > 19:  # 1.19 counts those whom somebody woke
        queued = sum(go.profile("sched", path).values())
        assert abs(queued - truth["runnable"]) <= apart, f"{queued} ns, not {truth['runnable']}"
    assert "recursion" in go.profile("sync", path), "no deep stack is among them"


def check_any(go):
    for kind in "damaged", "ticks":
        for number, (threads, cpus) in enumerate([(1, 1), (7, 2), (200, 16)]):
            path, _ = made(go.ctx, kind, 5000, threads, cpus, number)
            found = go.profile("sync", path)
            assert found, f"{kind}, {threads} threads: refused, or empty"
    whole = path.read_bytes()
    path.write_bytes(whole[:len(whole) // 2])
    assert go.profile("sync", path) is None, "half a trace is taken for one"


def test_sums_go_1_19(ctx):
    check_sums(debian(ctx))


def test_sums_newest_go(ctx):
    check_sums(newest(ctx))


def test_any_timeline_go_1_19(ctx):
    check_any(debian(ctx))


def test_any_timeline_newest_go(ctx):
    check_any(newest(ctx))
