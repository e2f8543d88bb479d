# SPDX-License-Identifier: MIT
"""Wall time: that the states of each thread add up to its time, and are what the kernel charged."""

import os

from measure import interpolate, twice

SPAN = 5  # seconds
STATES = "running_ns", "queued_ns", "blocked_ns"


class StateLog:
    """What a target wrote: the schedstat of each of its threads at moments of the wall clock."""

    def __init__(self, path):
        self.path = path

    def _lines(self):
        text = self.path.read_text() if self.path.exists() else ""
        return [tuple(map(int, line.split())) for line in text.rpartition("\n")[0].splitlines()]

    def births(self):
        """{tid: when it began} of those that began late."""
        return {tid: at for at, tid, run, queued in self._lines() if run == queued == 0}

    def between(self, ctx, start, end):
        """{tid: its states} from one moment to another one, ns."""
        ctx.eventually(lambda: (lines := self._lines()) and lines[-1][0] > end, "a log of the end")
        points = {}
        for at, tid, run, queued in self._lines():
            if run or queued:
                points.setdefault(tid, []).append((at, run, queued))
        truth = {}
        for tid, of_thread in points.items():
            running, queued = (
                interpolate([(point[0], point[field]) for point in of_thread], end) -
                interpolate([(point[0], point[field]) for point in of_thread], start)
                for field in (1, 2))
            truth[tid] = dict(zip(STATES, (running, queued, end - start - running - queued)))
        return truth


def states(ctx, target):
    """(tid -> states in the profile, the run)"""
    profile = ctx.profile(target.pid, "--idle", "-d", f"{SPAN}s")
    return {thread["tid"]: thread["wall"] for thread in profile["threads"]}, profile["run"]


def look(ctx, target, log):
    """(tid -> states in the profile, tid -> states in truth, the run)"""
    found, run = states(ctx, target)
    start = run["start_wall_ns"]
    return found, log.between(ctx, start, start + run["duration_ns"]), run


def begin(ctx, *options):
    log = StateLog(ctx.tmp / f"states-{len(list(ctx.tmp.iterdir()))}")
    target = ctx.target("states", log.path, *options)
    if "--late" not in options:
        ctx.eventually(lambda: log.path.exists() and log.path.stat().st_size, "a log of states")
    return target, log


def assert_near(found, truth, most, what):
    assert abs(found - truth) <= most * truth, f"{what}: {found / 1e6:.1f} ms, " \
        f"the kernel says {truth / 1e6:.1f} ms"


def test_blocked_time(ctx):
    """Of threads that run a fifth of their time: within 1 % over 5 s."""
    target, log = begin(ctx, "--naps", 3)

    def once():
        found, truth, run = look(ctx, target, log)
        assert len(truth) == 3
        for tid, states in truth.items():
            assert_near(found[tid]["blocked_ns"], states["blocked_ns"], 0.01, f"blocked {tid}")
            assert_near(sum(found[tid].values()), run["duration_ns"], 0.01, f"all of {tid}")
    twice(once)


def test_queued_time(ctx):
    """Of more busy threads than there are CPUs: within 2 %."""
    cpus = len(os.sched_getaffinity(0))
    target, log = begin(ctx, "--busy", 3 * cpus)

    def once():
        found, truth, run = look(ctx, target, log)
        assert len(truth) == 3 * cpus
        for tid, states in truth.items():
            assert_near(found[tid]["queued_ns"], states["queued_ns"], 0.02, f"queued {tid}")
            assert_near(sum(found[tid].values()), run["duration_ns"], 0.01, f"all of {tid}")
    twice(once)


def test_threads_that_begin_late(ctx):
    """They have all of their time from their birth on."""
    def once():
        target, log = begin(ctx, "--late", 900)
        found, run = states(ctx, target)
        end = run["start_wall_ns"] + run["duration_ns"]
        late = {tid: at for tid, at in log.births().items()
                if run["start_wall_ns"] < at < end - 5e8}
        assert len(late) >= 3, f"{len(late)} threads began meanwhile"
        for tid, birth in late.items():
            assert abs(sum(found[tid].values()) - (end - birth)) < 0.01 * SPAN * 1e9, \
                (tid, found[tid], end - birth)
    twice(once)


def test_ten_thousand_threads(ctx):
    """Each has all of its time though they are read in turn, and none is stopped for that."""
    target = ctx.target("parked", "--threads", 10000)
    before = ctx.health(target.pid)

    def once():
        profile = ctx.profile(target.pid, "--idle", "-d", f"{SPAN}s")
        run = profile["run"]
        shares = [sum(thread["wall"].values()) / run["duration_ns"]
                  for thread in profile["threads"]]
        assert len(shares) == 10001, f"{len(shares)} threads"
        assert 0.98 < min(shares) and max(shares) < 1.01, (min(shares), max(shares))
        assert run["stops"] == 0 and run["dropped"] == 0, (run["stops"], run["dropped"])
        calls = {stack["frames"][0]["function"] for stack in profile["stacks"]}
        assert "[unattributed]" not in calls, calls
    twice(once)
    after = ctx.health(target.pid)
    assert after == before, f"{before} before, {after} after"


def test_a_short_run_over_ten_thousand_threads(ctx):
    """No thread is left out, though there was no time to meet all of them in turn. Each has its
    time from the moment at which it was met, which on a slow machine is after half a second."""
    target = ctx.target("parked", "--threads", 10000)
    profile = ctx.profile(target.pid, "--idle", "-d", "300ms")
    assert len(profile["threads"]) == 10001, len(profile["threads"])
    duration = profile["run"]["duration_ns"]
    shares = [sum(thread["wall"].values()) / duration for thread in profile["threads"]]
    assert min(shares) > 0.2 and max(shares) < 1.05, (min(shares), max(shares), duration)
