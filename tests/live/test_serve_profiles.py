# SPDX-License-Identifier: MIT
"""Profiles of `ptprof serve`: they are those of attach, several askers share one run, and nobody is
stopped but for as long as somebody waits for an answer that needs it."""

import concurrent.futures
import gzip
import http.client
import json
import os
import random
import re
import signal
import socket
import time
import urllib.parse

from measure import ClockLog, assert_share, interpolate, twice
from serving import Server
from waited import File, Meters

# Whoever is stopped goes off its CPU, which the kernel counts as a voluntary switch; a thread that
# only spins does not do that by itself.


def comments(profile_path):
    data = gzip.decompress(profile_path.read_bytes())
    return [line.decode() for line in re.findall(rb"(?:ptprof of|rate:|samples:|held:|cpu:|end:)"
                                                 rb"[^\x00-\x1f\x80-\xff]*", data)]


def profile(ctx, server, path):
    file = ctx.new_path("profile-{}.pb.gz")
    file.write_bytes(server.get(path))
    return file


def cpu_of(tid):
    """CPU time of a thread, ns."""
    with open(f"/proc/{tid}/schedstat") as figures:
        return int(figures.read().split()[0])


def spinner(ctx, *arguments):
    """(target, tid of a thread that never sleeps by itself)."""
    target = ctx.target("threads", "--busy", 1, *arguments)

    def busy():
        return [tid for tid in ctx.thread_states(target.pid) if cpu_of(tid) > 50_000_000]

    tid, = ctx.eventually(busy, "a thread that runs")  # others take 0.2 % of a CPU
    return target, tid


def went_to_sleep(tid):
    with open(f"/proc/{tid}/status") as status:
        return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status.read(), re.M)[1])


def is_left_alone(ctx, tid):
    """Nobody stops the thread any more; how long (ms) that took from now on."""
    began, quiet = time.monotonic(), 0
    last, since = went_to_sleep(tid), time.monotonic()
    while quiet < 0.5:  # 50 samples would be due
        time.sleep(0.01)
        now = went_to_sleep(tid)
        if now != last:
            last, since = now, time.monotonic()
        quiet = time.monotonic() - since
        assert time.monotonic() - began < 60, "the thread is stopped all the time"
    return 1000 * (since - began)


def is_stopped_now_and_then(ctx, tid):
    before = went_to_sleep(tid)
    ctx.eventually(lambda: went_to_sleep(tid) > before + 3, "the thread is sampled")


def test_profile_is_true(ctx):
    """It sums to what the kernel charged in its window, has the shares that the target measures,
    and its comments are of that window, also when the run has gone on for longer."""
    def look():
        log = ctx.new_path("clock-{}")
        target = ctx.target("threads", "--busy", 2, "--sleeping", 20, "--clock", log)
        ctx.eventually(lambda: log.exists() and log.stat().st_size, "a clock log")
        server = Server(ctx, target.pid)
        with ctx.unharmed(target.pid), concurrent.futures.ThreadPoolExecutor() as pool:
            longer = pool.submit(profile, ctx, server, "/debug/pprof/profile?seconds=5")
            time.sleep(1.3)
            shorter = pool.submit(profile, ctx, server, "/debug/pprof/profile?seconds=2")
            for path, seconds in (longer.result(), 5), (shorter.result(), 2):
                file = File(path)
                assert file.duration == seconds * 10**9
                truth = ClockLog(log).between(file.start, file.start + file.duration)
                total = file.sum(value="cpu")
                assert abs(total - truth) <= 0.03 * truth, \
                    f"{total / 1e9:.3f} s of CPU time, the process used {truth / 1e9:.3f} s"
                told = "\n".join(comments(path))
                assert float(re.search(r"end: after ([\d.]+)s", told)[1]) < seconds + 0.6, told
                counted = int(re.search(r"samples: (\d+) ", told)[1])
                assert abs(counted - file.sum(value="samples")) <= 0.2 * counted + 40, told
    twice(look)


def test_the_program_is_the_first_mapping(ctx):
    """After which go tool pprof names the profile, though it is met in the kernel first."""
    target = ctx.spawn("dd", "if=/dev/zero", "of=/dev/null", "bs=64k")
    server = Server(ctx, target.pid)
    with ctx.unharmed(target.pid):
        for _ in range(2):
            file = File(profile(ctx, server, "/debug/pprof/profile?seconds=1"))
            assert file.files[0].endswith("/dd") and file.chosen("sys_read"), file.files


def test_shares_are_those_of_attach(ctx):
    def look():
        target = ctx.target("deep_shallow", 5)
        server = Server(ctx, target.pid)
        path = profile(ctx, server, "/debug/pprof/profile?seconds=4")
        file = File(path)
        deep, shallow = (file.sum(name, "samples") for name in ("deep", "shallow"))
        attached = ctx.profile(target.pid, "-d", "4s")
        assert deep and shallow and attached["stacks"]
        assert_share(deep / (deep + shallow), 0.5, deep + shallow, "deep of both", bias=0.02)
        assert not file.chosen("deep") or "main" in file.chosen("deep")[0].functions
    twice(look)


def test_nobody_is_stopped_unasked(ctx):
    """Not before the first question nor after the last, whether it was answered or its client has
    gone; and never for what is counted in place."""
    target, tid = spinner(ctx, "--sleeping", 3)
    server = Server(ctx, target.pid)
    with ctx.unharmed(target.pid):
        before = went_to_sleep(tid)
        server.json("/api/v1/targets")
        server.get("/debug/pprof/block")
        time.sleep(1)
        server.get("/debug/pprof/mutex")
        server.get("/debug/pprof/block?seconds=1")
        assert went_to_sleep(tid) == before, "who only counts waits stops nobody"
        with concurrent.futures.ThreadPoolExecutor() as pool:
            asked = [pool.submit(server.get, f"/debug/pprof/profile?seconds={n}")
                     for n in (1, 2, 2, 1)]
            is_stopped_now_and_then(ctx, tid)
            runners = [pid for pid in ctx.children(server.pid)
                       if ctx.comm_of(pid) == "ptprof-runner"]
            assert len(runners) == 1, "those who ask share a run"
            assert all(gzip.decompress(each.result()) for each in asked)
        is_left_alone(ctx, tid)
        server.get("/debug/pprof/block")
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(b"GET /debug/pprof/profile?seconds=100 HTTP/1.1\r\n"
                           b"Host: 127.0.0.1\r\n\r\n")
            is_stopped_now_and_then(ctx, tid)
        gone = is_left_alone(ctx, tid)
        ctx.figure = f"a client that left: its run ended within {gone:.0f} ms"
        assert gone < 5000, ctx.figure
        assert server.run.alive()


def test_windows_begin_afresh(ctx):
    """CPU time from when nobody was stopped is in no profile."""
    target, tid = spinner(ctx)
    server = Server(ctx, target.pid)
    server.get("/debug/pprof/block")  # its runner stays
    time.sleep(3)
    file = File(profile(ctx, server, "/debug/pprof/profile?seconds=1"))
    assert 0 < file.sum(value="cpu") < 1.3e9, f"{file.sum(value='cpu') / 1e9:.3f} s in one second"


def test_what_is_taken_in_late_is_in_its_window(ctx):
    """The process that takes in what is sampled may have to wait for a CPU for seconds."""
    log = ctx.new_path("clock-{}")
    target = ctx.target("threads", "--busy", 1, "--clock", log)
    ctx.eventually(lambda: log.exists() and log.stat().st_size, "a clock log")
    server = Server(ctx, target.pid)
    with ctx.unharmed(target.pid), concurrent.futures.ThreadPoolExecutor() as pool:
        asked = pool.submit(profile, ctx, server, "/debug/pprof/profile?seconds=1")
        runner = ctx.eventually(lambda: next((pid for pid in ctx.children(server.pid)
                                              if ctx.comm_of(pid) == "ptprof-runner"), None),
                                "a runner")
        time.sleep(0.7)
        os.kill(runner, signal.SIGSTOP)
        time.sleep(2.2)
        os.kill(runner, signal.SIGCONT)
        file = File(asked.result())
        truth = ClockLog(log).between(file.start, file.start + file.duration)
    assert abs(file.sum(value="cpu") - truth) <= 0.1 * truth, \
        f"{file.sum(value='cpu') / 1e9:.3f} s of CPU time, the process used {truth / 1e9:.3f} s"


class Turns(ClockLog):
    """What the target "turns" wrote: how long it was in even() and in odd()."""

    def share_of_even(self, start, end):
        self.await_moment(end)
        points = self.points()
        even, odd = (interpolate([(point[0], point[at]) for point in points], end) -
                     interpolate([(point[0], point[at]) for point in points], start)
                     for at in (1, 2))
        return even / (even + odd)


def test_samples_and_time_are_of_one_span(ctx):
    """Windows in which the target turns to something else: samples and CPU time are of the same
    seconds, and so are the comments."""
    def look():
        log = ctx.new_path("turns-{}")
        target = ctx.target("turns", log, 1300)
        server = Server(ctx, target.pid, "--rate", "299")
        off, apart = [], []
        with ctx.unharmed(target.pid), concurrent.futures.ThreadPoolExecutor() as pool:
            asked = []
            for _ in range(6):
                asked.append(pool.submit(profile, ctx, server, "/debug/pprof/profile?seconds=2"))
                time.sleep(1)
            for path in (each.result() for each in asked):
                file, told = File(path), "\n".join(comments(path))
                even, odd = (file.sum(name, "cpu") for name in ("even", "odd"))
                samples = [file.sum(name, "samples") for name in ("even", "odd")]
                truth = Turns(log).share_of_even(file.start, file.start + file.duration)
                off.append(abs(even / (even + odd) - truth))
                apart.append(abs(even / (even + odd) - samples[0] / sum(samples)))
                assert float(re.search(r"end: after ([\d.]+)s", told)[1]) == 2, told
                assert int(re.search(r"samples: (\d+) ", told)[1]) == file.sum(value="samples"), \
                    told
        apart, off = (100 * sum(points) / len(points) for points in (apart, off))
        ctx.figure = f"samples and time are {apart:.1f} points apart, time is {off:.1f} off"
        assert apart < 7 and off < 10, ctx.figure
    twice(look)


def sums(file):
    return {(tuple(sample.functions), tuple(sorted(sample.labels.items()))):
            sample.values["delay"] for sample in file.samples}


def test_waits_are_counted_on(ctx):
    """What is counted in place is what the target measures, it grows from one request to the next,
    and goes on from one runner to the next, even if that is killed."""
    log = ctx.new_path("meters-{}")
    target = ctx.target("waits", "kinds", "--log", log, "--folder", ctx.tmp)
    truth = json.loads(target.said_before[-1])["waits"]
    meters = Meters(log, [wait["name"] for wait in truth])
    server = Server(ctx, target.pid, "--keep-waits", "2s")

    def runner():
        return next((pid for pid in ctx.children(server.pid)
                     if ctx.comm_of(pid) == "ptprof-runner"), None)

    with ctx.unharmed(target.pid):
        assert not File(profile(ctx, server, "/debug/pprof/block")).duration
        window = File(profile(ctx, server, "/debug/pprof/block?seconds=3"))
        told = meters.during(window)
        for wait in truth[:4]:
            ns, own = window.sum(tid=wait["tid"]), told[wait["name"]][0]
            assert ns <= own + 0.1 * window.duration, (wait, ns, own)
        last = sums(File(profile(ctx, server, "/debug/pprof/block")))
        assert last
        for how in "goes on", "is killed", "ends":
            if how == "is killed":
                if there := runner():  # it ends by itself when nobody asks for 2 s
                    ctx.kill(there)
                ctx.eventually(lambda: not runner(), "the runner is gone")
            if how == "ends":
                ctx.eventually(lambda: not runner(), "the runner ends when nobody asks")
            time.sleep(1)
            now = sums(File(profile(ctx, server, "/debug/pprof/block")))
            less = {key for key in last if now.get(key, 0) < last[key]}
            assert not less, f"{how}: {len(less)} of {len(last)} went backwards, {list(less)[:2]}"
            last = now
    assert len(comments(profile(ctx, server, "/debug/pprof/block"))) <= 6, "of one run"


def test_target_ends(ctx):
    """One that ends while it is sampled has what there is; one that has ended is gone, and one that
    never was is not found."""
    target, tid = spinner(ctx)
    server = Server(ctx, target.pid)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asked = pool.submit(server.request, "/debug/pprof/profile?seconds=100")
        is_stopped_now_and_then(ctx, tid)
        time.sleep(1.5)
        target.kill()
        answer = asked.result()
    assert answer.status == 200 and len(answer.body) > 100
    for path, status in ("/debug/pprof/profile?seconds=1", 410), \
            (f"/targets/{target.pid}/debug/pprof/block", 410), \
            ("/targets/nobody/debug/pprof/profile", 404):
        answer = server.request(path)
        assert answer.status == status, (path, answer)
        assert answer.body.strip() and b"\n  " not in answer.body


def test_target_ends_at_once(ctx):
    """What little was sampled of it is told, and how long that was."""
    target, tid = spinner(ctx)
    server = Server(ctx, target.pid)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asked = pool.submit(profile, ctx, server, "/debug/pprof/profile?seconds=100")
        is_stopped_now_and_then(ctx, tid)
        time.sleep(0.6)
        target.kill()
        file = File(asked.result())
    assert 0 < file.sum(value="cpu") <= 1.1 * file.duration, (file.sum(value="cpu"), file.duration)
    assert file.duration < 10e9 and file.sum(value="samples"), file.duration


def test_target_that_is_traced(ctx):
    target, tid = spinner(ctx)
    ctx.spawn("strace", "-o", "/dev/null", "-f", "-p", target.pid)
    ctx.eventually(lambda: ctx.thread_states(target.pid)[tid][1], "strace is attached")
    answer = Server(ctx, target.pid).request("/debug/pprof/profile?seconds=1")
    assert answer.status == 503 and b"strace" in answer.body, answer


def test_longest(ctx):
    target, _ = spinner(ctx)
    answer = Server(ctx, target.pid).request("/debug/pprof/profile?seconds=100000")
    assert answer.status == 400 and b"300 s" in answer.body, answer


def descendants(ctx, pid):
    found = []
    for child in ctx.children(pid):
        found += [child, *descendants(ctx, child)]
    return found


def test_kills(ctx):
    """Whoever of ours is killed at a random moment under load: targets are well, the server serves
    on, and with the collector all its processes end."""
    target = ctx.target("threads", "--busy", 1, "--sleeping", 5)
    blocking = ctx.target("blocking")
    server = Server(ctx, target.pid, blocking.pid)
    paths = [f"/targets/{pid}/debug/pprof/{what}" for pid in (target.pid, blocking.pid)
             for what in ("profile?seconds=1", "block", "wall?seconds=1", "goroutine?debug=2")]
    over = time.monotonic() + ctx.length(8, 600)
    answered = []

    def goes_on():  # for longer where a busy machine answers late
        return time.monotonic() < over or answered.count(200) <= 3

    def ask(path):
        while goes_on():
            try:
                answered.append(server.request(path, timeout=20).status)
            except (OSError, http.client.HTTPException):  # the front was killed
                pass

    chance = random.Random(15)
    with ctx.unharmed(target.pid), ctx.unharmed(blocking.pid), \
            concurrent.futures.ThreadPoolExecutor() as pool:
        asking = [pool.submit(ask, path) for path in paths]
        kills = 0
        while goes_on():
            time.sleep(chance.uniform(0.1, 0.6))
            if found := descendants(ctx, server.pid):
                ctx.kill(chance.choice(found))
                kills += 1
        for each in asking:
            each.result()
        assert server.get(f"/targets/{target.pid}/debug/pprof/cmdline")
        ctx.figure = f"{kills} killed, {answered.count(200)} of {len(answered)} answered"
        ours = descendants(ctx, server.pid)
        server.run.signal(signal.SIGKILL)
        server.run.wait()
        ctx.eventually(lambda: not any(ctx.comm_of(pid) for pid in ours), "all have ended")
    blocking.signal(signal.SIGTERM)
    counted = blocking.line()
    assert counted, urllib.parse.quote(str(counted))


test_kills.soak = 900
