# SPDX-License-Identifier: MIT
"""Whether samples are where the thread was, and not where it could be stopped: targets that enter
the kernel all the time, quiet and beside busy neighbours, with and without real-time priority.

The share of the samples in a function of the target is compared with what perf's cpu-clock finds in
the same seconds: the interrupt of that clock does not skid either, and nothing about the price of a
call is assumed. Where perf may not look into the kernel, the target's own ticks and clock are the
bounds. Targets that sleep or move measure themselves too."""

import collections
import functools
import os
import re
import shutil
import signal
import subprocess
import tempfile

from measure import count, functions, standard_error, stacks, twice
from test_truth import WITHOUT_NICE, assert_unharmed, schedstats

WINDOW = "1500ms"
LONG_WINDOW = "6s"     # of the second look: without real-time priority few ticks find who ran
DENSE = ("-r", "700", "--max-stop", "50")
NEAR = 0.03           # of a share: a difference that is always allowed
ENOUGH = 100          # samples, below which a share says nothing
PERF_PERIOD = 500000  # ns of CPU time
TICKS_WINDOW = "4s"   # a tick comes 100 to 1000 times a second
KERNEL = 1 << 63      # addresses from here on

# How `perf evlist` says that the kernel is left out.
EXCLUDES_KERNEL = re.compile(r"exclude_kernel: 1|:u\b")


# --- truths

class Perf:
    """perf's cpu-clock of a process: counts of the innermost function of the target, whether it
    runs itself or the kernel for it."""

    def __init__(self, ctx, pid):
        self.data = ctx.new_path("perf-{}.data")
        self.popen = ctx.spawn("perf", "record", "-q", "-e", "cpu-clock", "-c", PERF_PERIOD, "-g",
                               "-p", pid, "-o", self.data, stderr=subprocess.DEVNULL)
        ctx.eventually(lambda: self.data.exists() and self.data.stat().st_size, "perf records")

    def leaves(self):
        self.popen.signal(signal.SIGINT)
        self.popen.popen.wait(60)
        text = subprocess.run(["perf", "script", "-i", self.data, "--no-inline", "-F",
                               "tid,ip,sym"], text=True, capture_output=True, check=True).stdout
        found = collections.Counter()
        for sample in text.split("\n\n"):
            frames = [line.split(None, 1) for line in sample.splitlines()[1:]]
            own = [frame for frame in frames if int(frame[0], 16) < KERNEL]
            if own:
                found[own[0][1] if len(own[0]) > 1 else "[unknown]"] += 1
        return found


@functools.cache
def perf_problem():
    """Why perf cannot tell what a thread does in the kernel, or None."""
    if not shutil.which("perf"):
        return "perf is not installed"
    with tempfile.TemporaryDirectory() as directory:
        return perf_tried(os.path.join(directory, "perf.data"))


def perf_tried(data):
    done = subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "-o", data, "--", "true"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        return "perf is not permitted here"
    said = subprocess.run(["perf", "evlist", "-v", "-i", data], capture_output=True, text=True)
    return "perf may not look into the kernel here" if EXCLUDES_KERNEL.search(said.stdout) else None


def ticks(pid):
    """(user, system) time of a process in ticks."""
    with open(f"/proc/{pid}/stat") as stat:
        return tuple(map(int, stat.read().rpartition(")")[2].split()[11:13]))


# --- the circumstances

def be_busy(ctx):
    """A neighbour that spins on each CPU."""
    for cpu in os.sched_getaffinity(0):
        ctx.target("threads", "--busy", 1, prefix=("taskset", "-c", cpu))


def be_owed(ctx):
    """A neighbour on the first CPU that comes last, but in a session of its own, by which the
    kernel divides CPUs. A target that has waited for it is owed CPU time, and keeps its CPU
    against who is woken."""
    first = min(os.sched_getaffinity(0))
    ctx.target("threads", "--busy", 1, prefix=("taskset", "-c", first, "nice", "-n", 19))


def without_right():
    """Neither the capability nor the limit that permits real-time priority."""
    return ("prlimit", "--rtprio=0:0", *(WITHOUT_NICE if os.geteuid() == 0 else ()))


def check_right(ctx, run, right):
    if right and not run["realtime"]:
        raise ctx.Skip("real-time priority is not permitted here")
    assert right or not run["realtime"], "real-time priority without the right to it"
    if not right and not run["short_slice"]:
        raise ctx.Skip("this kernel has no short time slices (6.12 on)")


class Look:
    """One profile of a target, and what else is known of the same seconds."""

    def __init__(self, ctx, arguments, neighbours, right, window=WINDOW, perf=True):
        if neighbours:
            neighbours(ctx)
        target = ctx.target("skid", *arguments)
        before = ctx.health(target.pid)
        truth = Perf(ctx, target.pid) if perf else None
        first = schedstats(target.pid), ticks(target.pid)
        self.profile = ctx.profile(target.pid, "-d", window, *DENSE,
                                   prefix=() if right else without_right())
        last = schedstats(target.pid), ticks(target.pid)
        self.leaves = truth.leaves() if perf else None
        assert_unharmed(ctx, target, before)
        self.ran = {tid: last[0][tid][0] - first[0][tid][0] for tid in last[0]}
        self.user, self.system = (b - a for a, b in zip(first[1], last[1]))
        self.said = target.stop()
        ctx.clean_up()
        ctx.started.clear()
        assert self.said["odd"] == 0, f"{self.said['odd']} calls of the target failed"
        check_right(ctx, self.profile["run"], right)

    def share(self, function):
        """Of the samples whose leaf is the function, and the number of all."""
        found = list(stacks(self.profile))
        n = count(found)
        assert n >= ENOUGH, f"only {n} samples"
        return count(stack for stack in found if functions(stack)[0] == function) / n, n


def assert_between(share, low, high, n, more, what):
    """Not further outside of the bounds than chance or NEAR allows; more: samples of the truth."""
    error = max(standard_error(bound, n) ** 2 + standard_error(bound, more) ** 2
                for bound in (low, high)) ** 0.5
    allowed = max(3 * error, NEAR)
    bounds = f"{low:.4f}" if low == high else f"{low:.4f} to {high:.4f}"
    assert low - allowed <= share <= high + allowed, \
        f"{what}: {share:.4f} of {n} samples, truth {bounds}, allowed {allowed:.4f}"


def as_perf_finds(look, wanted):
    for function in wanted:
        share, n = look.share(function)
        truth, more = perf_share(look, function)
        assert_between(share, truth, truth, n, more, function)


def as_perf_and_it_say(look, wanted):
    """Of one that sleeps the truth lies between two: interrupts are off where a thread goes to
    sleep and wakes. perf's clock does not count there; the CPU time that the target measures
    does. Samples of a thread that was on its way to sleep must not be lost."""
    share, n = look.share(*wanted)
    perf, more = perf_share(look, *wanted)
    own = look.said["computed"] / (look.said["computed"] + look.said["other"])
    assert_between(share, min(perf, own), max(perf, own), n, more, *wanted)


def as_it_says(look, wanted):
    """What the target measures is the higher by what the way to sleep and back takes with
    interrupts off, and the lower by the interrupts that come while it computes."""
    share, n = look.share(*wanted)
    own = look.said["computed"] / (look.said["computed"] + look.said["other"])
    assert_between(share, own - 2 * NEAR, own + 2 * NEAR, n, n * 10, *wanted)


def perf_share(look, function):
    n = sum(look.leaves.values())
    assert n >= ENOUGH, f"only {n} samples by perf"
    share = look.leaves[function] / n
    assert share > NEAR, f"perf finds {function} in {share:.4f} of {n} samples only"
    return share, n


def as_ticks_say(look, wanted):
    """The target is not in computes() while the kernel works for it, and its own clock sees what no
    tick can: interrupts are off on the way in and out."""
    share, n = look.share(*wanted)
    said, all_ticks = look.said, look.user + look.system
    high = look.user / all_ticks
    low = min(high, said["computed"] / (said["computed"] + said["other"]))
    assert_between(share, low, high, n, all_ticks, *wanted)


# --- the kinds of target

def after_the_hop(look, _):
    """The first function after each hop has the part of the CPU time that the target measured."""
    names = "first_after_the_hop", "then_the_second"
    first, second = (count(stack for stack in stacks(look.profile) if name in functions(stack))
                     for name in names)
    n, said = first + second, look.said
    assert n >= ENOUGH, f"only {n} samples"
    truth = said["first"] / (said["first"] + said["second"])
    assert_between(first / n, truth, truth, n, n * 10, names[0])


def each_its_own(look, _):
    """Each of the threads that share a CPU has the samples that its CPU time is worth."""
    named = {t["tid"]: t["comm"] for t in look.profile["threads"]}
    ran = {named[tid]: ns for tid, ns in look.ran.items() if named.get(tid) in QUARTET}
    assert set(ran) == QUARTET, f"only {sorted(ran)} were sampled"
    found = list(stacks(look.profile))
    n = count(found)
    assert n >= ENOUGH, f"only {n} samples"
    for name in sorted(QUARTET):
        truth = ran[name] / sum(ran.values())
        own = count(stack for stack in found if named[stack["tid"]] == name)
        inside = count(stack for stack in found if name in functions(stack))
        assert_between(own / n, truth, truth, n, n * 10, f"thread {name}")
        assert_between(inside / n, truth, truth, n, n * 10, f"function {name}")


QUARTET = {"one", "two", "three", "four"}


def call_every(us, *more):
    return ("--kind", "call", "--every", us * 1000, *more)


# name: (arguments of the target, what judges, functions whose share is compared)
KINDS = {
    "call_2us": (call_every(2), as_perf_finds, ["computes"]),
    "call_5us": (call_every(5), as_perf_finds, ["computes"]),
    "call_10us": (call_every(10), as_perf_finds, ["computes"]),
    "call_30us": (call_every(30), as_perf_finds, ["computes"]),
    "fault": (("--kind", "fault", "--every", 4000), as_perf_finds, ["computes"]),
    "signal": (("--kind", "signal"), as_perf_finds, ["computes", "in_handler"]),
    "vdso": (("--kind", "vdso", "--every", 1000), as_perf_finds, ["computes"]),
    "pipe": (("--kind", "pipe", "--every", 5000), as_perf_and_it_say, ["computes"]),
    "epoll": (("--kind", "epoll", "--every", 5000), as_perf_and_it_say, ["computes"]),
    "many_threads": (call_every(5, "--threads", 3 * (os.cpu_count() or 1)), as_perf_finds,
                     ["computes"]),
    "hop": (("--kind", "hop"), after_the_hop, []),
    "quartet": (("--kind", "quartet"), each_its_own, []),
}
# Beside a neighbour for whom the target has waited.
OWED = {"short_turns": (("--kind", "pipe", "--every", 5000), as_it_says, ["computes"])}


def run_kind(ctx, kind, neighbours, right):
    arguments, judge, wanted = {**KINDS, **OWED}[kind]
    perf = judge in (as_perf_finds, as_perf_and_it_say)
    if kind == "hop" and len(os.sched_getaffinity(0)) < 2:
        raise ctx.Skip("there is one CPU only")
    window = LONG_WINDOW if neighbours is be_owed else WINDOW
    if perf and (problem := perf_problem()):
        if kind not in BY_TICKS:
            raise ctx.Skip(problem)
        perf, judge, window = False, as_ticks_say, TICKS_WINDOW
    windows = iter((window, LONG_WINDOW))
    twice(lambda: judge(Look(ctx, arguments, neighbours, right, next(windows), perf), wanted))


# What the kernel's ticks tell apart too.
BY_TICKS = {"call_2us", "call_5us", "call_10us", "call_30us", "fault", "many_threads"}


def define(kind, how, neighbours, right):
    def test(ctx):
        run_kind(ctx, kind, neighbours, right)
    name = f"test_{kind}_{how}{'' if right else '_without_realtime'}"
    test.__name__ = name
    globals()[name] = test


for kind in KINDS:
    for right in True, False:
        define(kind, "quiet", None, right)
        define(kind, "busy", be_busy, right)
for kind in OWED:
    define(kind, "owed", be_owed, False)


def test_call_by_ticks(ctx):
    """The other truth, also where perf is permitted."""
    arguments, _, wanted = KINDS["call_2us"]
    twice(lambda: as_ticks_say(Look(ctx, arguments, None, True, TICKS_WINDOW, False), wanted))
