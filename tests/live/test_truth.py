# SPDX-License-Identifier: MIT
"""Whether a profile is true: targets that know their own truth, sampled for real."""

import collections
import json
import pathlib
import re
import time

from measure import (ClockLog, assert_share, count, cpu_total, functions, is_rooted, rooted_share,
                     samples_with, stacks, twice)

# Statistics need many samples; the stop budget would lower the rate on a slow machine.
DENSE = ("-r", "500", "--max-stop", "20")


def assert_unharmed(ctx, target, before):
    assert target.alive(), f"{target.name} ended with {target.popen.returncode}"
    after = ctx.health(target.pid)
    assert after == before, f"{before} before, {after} after"
    assert not after.traced and not after.stopped


def profile_unharmed(ctx, target, *extra, **options):
    """A profile, and the target is as it was."""
    before = ctx.health(target.pid)
    profile = ctx.profile(target.pid, *extra, **options)
    assert_unharmed(ctx, target, before)
    return profile


# --- (a), (b): the share of functions

def test_split(ctx):
    target = ctx.target("split")

    def look():
        profile = profile_unharmed(ctx, target, "-d", "4s", *DENSE)
        heavy, light = (samples_with(profile, name) for name in ("heavy", "light"))
        assert heavy + light > 400, f"only {heavy + light} samples"
        assert_share(heavy / (heavy + light), 0.70, heavy + light, "heavy")
        elsewhere = 1 - (heavy + light) / count(stacks(profile))
        assert elsewhere < 0.02, f"{elsewhere:.3f} of the samples in neither function"
    twice(look)


def test_a_rate_beyond_the_stop_budget(ctx):
    """It is not spent on searches whose samples are left out; which are left out is chance, though
    a sample of deep() takes the thread longer."""
    target = ctx.target("deep_shallow", 400)

    def look():
        few = profile_unharmed(ctx, target, "-d", "4s", "-r", "20")["run"]["samples"]
        profile = profile_unharmed(ctx, target, "-d", "4s", "-r", "1000")
        deep, shallow = (samples_with(profile, name) for name in ("deep", "shallow"))
        assert deep + shallow > few, f"{deep + shallow} samples at 1000 Hz, {few} at 20"
        assert_share(deep / (deep + shallow), 0.5, deep + shallow, "deep")
        ctx.figure = f"{deep + shallow} samples, {few} at 20 Hz"
    twice(look)


def look_at_bursts(ctx, target, prefix=()):
    """The profile, and the shares of the two bursts and of the rest in the bursting thread."""
    profile = profile_unharmed(ctx, target, "-d", "5s", *DENSE, prefix=prefix)
    c = samples_with(profile, "burst_c", thread="bursts")
    d = samples_with(profile, "burst_d", thread="bursts")
    n = count(stacks(profile, thread="bursts"))
    return profile, c, d, n


def bursts_are_true(ctx, prefix, scheduled):
    def look():
        target = ctx.target("bursts")
        profile, c, d, n = look_at_bursts(ctx, target, prefix)
        truth = target.stop()
        scheduled(profile["run"])
        assert c + d > 150, f"only {c + d} samples of the bursts"
        assert_share(c / (c + d), truth["burst_c"] / (truth["burst_c"] + truth["burst_d"]), c + d,
                     "burst_c")
        assert (n - c - d) / n < 0.02, f"{n - c - d} of {n} samples outside of the bursts"
    twice(look)


def test_bursts_realtime(ctx):
    def scheduled(run):
        if not run["realtime"]:
            raise ctx.Skip("real-time priority is not permitted here")
    bursts_are_true(ctx, (), scheduled)


WITHOUT_NICE = ("setpriv", "--inh-caps=-sys_nice", "--bounding-set=-sys_nice")


def test_bursts_without_realtime(ctx):
    def scheduled(run):
        assert not run["realtime"], "real-time priority without CAP_SYS_NICE"
        if not run["short_slice"]:
            raise ctx.Skip("this kernel has no short time slices (6.12 on)")
    bursts_are_true(ctx, WITHOUT_NICE, scheduled)


def test_bursts_without_either(ctx):
    """Then ticks are late, shares are wrong, and the summary must say so."""
    deny = ctx.build / "tests" / "live" / "deny"
    target = ctx.target("bursts")
    profile, c, d, _ = look_at_bursts(ctx, target, (deny, "priority"))
    run = profile["run"]
    assert not run["realtime"] and not run["short_slice"], "priority in spite of EPERM"
    late = re.search(r"late (\d+(?:\.\d+)?)", ctx.stderr)
    assert late, "the summary does not mention lateness"
    if abs(c / max(c + d, 1) - 0.5) > 0.1:
        assert run["late"] > 0 and float(late[1]) > 0, "wrong shares, and no word of late ticks"


# --- (c): the total

def total_is_true(ctx, name, *arguments):
    log = ctx.tmp / "clock"
    target = ctx.target(name, *arguments, "--clock", log)
    ctx.eventually(lambda: log.exists() and log.stat().st_size, "a clock log")
    before = ctx.health(target.pid)
    profile = ctx.profile(target.pid, "-d", "4s")
    run = profile["run"]
    truth = log_between(log, run)
    total = cpu_total(profile)
    assert abs(total - truth) <= 0.01 * truth, \
        f"the profile sums to {total / 1e9:.3f} s of CPU time, the process used {truth / 1e9:.3f} s"
    after = ctx.health(target.pid)
    assert not after.traced and not after.stopped and after.handlers == before.handlers
    return profile


def log_between(log, run):
    return ClockLog(log).between(run["start_wall_ns"], run["start_wall_ns"] + run["duration_ns"])


def test_total_1_thread(ctx):
    total_is_true(ctx, "threads", "--busy", 1)


def test_total_8_threads(ctx):
    total_is_true(ctx, "threads", "--busy", 8)


def test_total_200_threads(ctx):
    total_is_true(ctx, "threads", "--busy", 2, "--sleeping", 198)


def test_total_with_new_samplers(ctx):
    """A sampler that dies loses samples, but not the CPU time that they stood for."""
    log, path = ctx.tmp / "clock", ctx.tmp / "out.json"
    target = ctx.target("threads", "--busy", 2, "--sleeping", 20, "--clock", log)
    ctx.eventually(lambda: log.exists() and log.stat().st_size, "a clock log")
    run = ctx.start("attach", target.pid, "-d", "4s", "-o", path)
    run.says("attached")
    for _ in range(3):
        time.sleep(0.9)
        ctx.kill(run.sampler())
    assert run.wait() == 0
    profile = json.loads(path.read_text())
    assert profile["run"]["restarts"] == 3
    truth, total = log_between(log, profile["run"]), cpu_total(profile)
    assert abs(total - truth) <= 0.01 * truth, \
        f"the profile sums to {total / 1e9:.3f} s of CPU time, the process used {truth / 1e9:.3f} s"


def test_total_200_busy_threads(ctx):
    total_is_true(ctx, "threads", "--busy", 200)


def test_total_5_ms_threads(ctx):
    total_is_true(ctx, "short_threads")


def schedstats(pid):
    """{tid: (ns on a CPU, ns in the queue)}."""
    return {int(task.name): tuple(map(int, (task / "schedstat").read_text().split()[:2]))
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir()}


def test_wall_time(ctx):
    """With --idle each thread's states add up to all of its time, running and queued are what the
    kernel says, and who sleeps is not stopped."""
    target = ctx.target("naps")

    def look():
        first = schedstats(target.pid)
        profile = profile_unharmed(ctx, target, "--idle", "-d", "6s")
        last = schedstats(target.pid)
        assert profile["run"]["time"] == "wall" and len(profile["threads"]) == 3
        for thread in profile["threads"]:
            tid, wall = thread["tid"], thread["wall"]
            whole = sum(wall.values())
            assert abs(whole / profile["run"]["duration_ns"] - 1) < 0.05, wall
            for at, state in enumerate(("running_ns", "queued_ns")):
                share = wall[state] / whole
                truth = (last[tid][at] - first[tid][at]) / whole
                assert abs(share - truth) < 0.04, (tid, state, wall, truth)
        ns = collections.Counter()
        for stack in profile["stacks"]:
            for name in {"work", "nap", "rest", "still"} & set(functions(stack)):
                ns[name, stack["state"]] += stack["wall_ns"]
        running, asleep = (sum(ns[name, state] for name in ("work", "nap", "rest"))
                           for state in ("running", "blocked"))
        assert ns["work", "running"] > 0.9 * running, ns
        assert ns["nap", "blocked"] + ns["rest", "blocked"] > 0.95 * asleep, ns
        looks = sum(stack["samples"] for stack in profile["stacks"]
                    if {"nap", "rest"} & set(functions(stack)))
        assert_share(ns["nap", "blocked"] / asleep, 2 / 3, looks, "nap")
        assert ns["still", "running"] == 0 and ns["still", "queued"] == 0, ns
        assert ns["still", "blocked"] > 1.9 * profile["run"]["duration_ns"], ns
    twice(look)


def test_wall_time_stops_nobody_who_sleeps(ctx):
    target = ctx.target("threads", "--still", 30)
    profile = profile_unharmed(ctx, target, "--idle", "-d", "2s", "-t", "still")
    assert profile["run"]["stops"] == 0
    assert len({stack["tid"] for stack in profile["stacks"]}) == 30
    assert profile["run"]["threads_sampled"] == 30
    assert {stack["state"] for stack in profile["stacks"]} == {"blocked"}


def test_idle(ctx):
    target = ctx.target("idle")
    ctx.eventually(lambda: all(state == "S" for state, _ in ctx.thread_states(target.pid).values()),
                   "every thread sleeps")
    profile = profile_unharmed(ctx, target, "-d", "2s")
    assert profile["run"]["stops"] == 0, f"{profile['run']['stops']} stops of sleeping threads"
    assert profile["run"]["samples"] == 0 and not list(stacks(profile))
    assert cpu_total(profile) == 0
    assert "no thread ran" in ctx.stderr, "the summary does not say why there is nothing"


# --- (d): stacks reach their root

def whole_stacks(ctx, target, function, cut_allowed=0.005):
    """A profile in which the function is in nearly all stacks, and the stacks are complete."""
    profile = profile_unharmed(ctx, target, "-d", "1500ms", "-r", "250", "--max-stop", "20")
    n = count(stacks(profile))
    assert n > 50, f"only {n} samples"
    share = samples_with(profile, function) / n
    assert share >= 0.9, f"{function} is in {share:.3f} of the stacks only"
    rooted = rooted_share(profile)
    assert rooted >= 1 - cut_allowed, f"{rooted:.3f} of the stacks have a root"
    assert profile["run"]["cut"] <= cut_allowed * n, \
        f"{profile['run']['cut']} of {n} stacks are cut"
    return profile


def same_as_live(ctx, target):
    """Unwound from a copy and by libunwind-ptrace itself, a held thread has the same stack. Above
    the end of a vdso function libunwind-ptrace (1.6.2) finds the frame of libc twice: how often a
    thread is held there depends on the machine, so only ours must reach the root then."""
    done = ctx.helper("unwind_compare", target.pid, 100)
    found = json.loads(done.stdout)
    others = found["compared"] - found["equal"] - found["better"] - found["vdso"]
    assert found["compared"] == found["bottom"] == 100, f"not all reach the root: {found}"
    assert others == 0, f"{others} stacks differ: {found}"


def test_recursion_3000(ctx):
    """The first samples are too short: how much of a stack is copied grows with what it needs."""
    target = ctx.target("recursion", 3000)
    profile = whole_stacks(ctx, target, "descend", cut_allowed=0.03)
    depths = {functions(stack).count("descend") for stack in stacks(profile) if is_rooted(stack)}
    assert depths == {3001}, f"{depths} frames of descend, not 3001"


def test_recursion_100000(ctx):
    """Cut at the limit, counted and marked."""
    target = ctx.target("recursion", 100000)
    profile = profile_unharmed(ctx, target, "-d", "1500ms", "--max-stop", "50")
    run, found = profile["run"], list(stacks(profile))
    assert count(found) > 50 and run["cut"] == count(found), \
        f"{run['cut']} of {count(found)} stacks counted as cut"
    at_limit = count(stack for stack in found if len(stack["frames"]) == 4096 + 1)
    assert at_limit >= 0.95 * count(found), f"{at_limit} of {count(found)} reach the limit"
    marks = {stack["frames"][-1]["function"] for stack in found}
    assert marks == {"[truncated]"}, f"not marked as cut: the root is {marks}"
    assert "frame limit" in ctx.stderr


def test_no_frame_pointer(ctx):
    target = ctx.target("no_frame_pointer")
    profile = whole_stacks(ctx, target, "inner")
    chains = {tuple(functions(stack)[:4]) for stack in stacks(profile)}
    assert chains == {("inner", "middle", "outer", "main")}, f"chains {chains}"
    same_as_live(ctx, target)


def test_signal_handler(ctx):
    target = ctx.target("signal_handler")
    profile = whole_stacks(ctx, target, "interrupted")
    inside = [stack for stack in stacks(profile) if "in_handler" in functions(stack)]
    share = count(inside) / count(stacks(profile))
    assert 0.25 < share < 0.75, f"{share:.2f} of the stacks are in the handler, not about half"
    for stack in inside:
        names = functions(stack)
        assert names.index("handler") < names.index("interrupted") < names.index("main"), names
    same_as_live(ctx, target)


def test_plt(ctx):
    target = ctx.target("plt")
    profile = whole_stacks(ctx, target, "calls")
    leaves = {stack["frames"][0]["function"] for stack in stacks(profile)}
    assert "toupper" in " ".join(leaves), f"leaves {leaves}"
    same_as_live(ctx, target)


def test_vdso(ctx):
    target = ctx.target("vdso")
    profile = whole_stacks(ctx, target, "asks_the_time")
    modules = {stack["frames"][0]["module"] for stack in stacks(profile)}
    assert any("vdso" in module for module in modules), f"leaves in {modules}"
    same_as_live(ctx, target)


def test_static(ctx):
    target = ctx.target("split_static")
    whole_stacks(ctx, target, "timed")
    same_as_live(ctx, target)


def test_static_pie(ctx):
    target = ctx.target("split_static_pie")
    whole_stacks(ctx, target, "timed")
    same_as_live(ctx, target)


def test_stripped(ctx):
    """No names, but whole stacks: they end in the program, where its start is."""
    target = ctx.target("split_stripped")
    profile = profile_unharmed(ctx, target, "-d", "1500ms", "-r", "250", "--max-stop", "20")
    n = count(stacks(profile))
    assert n > 50 and profile["run"]["cut"] <= 0.005 * n, f"{profile['run']['cut']} of {n} cut"
    roots = {stack["frames"][-1]["module"] for stack in stacks(profile)}
    assert roots == {"split_stripped"}, f"roots in {roots}"
    same_as_live(ctx, target)


def test_threads_have_roots(ctx):
    target = ctx.target("threads", "--busy", 4)
    whole_stacks(ctx, target, "busy")
    same_as_live(ctx, target)


def test_live_unwinder(ctx):
    """The second backend gives the same profile where libunwind-ptrace (1.6.2) finds its way: the
    target makes no call, into the kernel or the vdso, in which it could be found instead."""
    target = ctx.target("threads", "--busy", 1)
    profile = profile_unharmed(ctx, target, "-d", "2s", "--unwinder", "live", "--max-stop", "50")
    n = count(stacks(profile))
    assert n > 20, f"only {n} samples"
    rooted, busy = rooted_share(profile), samples_with(profile, "busy") / n
    assert rooted >= 0.98, f"{rooted:.3f} of the stacks have a root"
    assert busy >= 0.98, f"busy is in {busy:.3f} of the stacks only"


def test_hostile_names(ctx):
    """What a target calls itself is data: whole in JSON, never a byte of it raw on a terminal."""
    target = ctx.target("names")
    profile = profile_unharmed(ctx, target, "-d", "2s")
    assert any("evil" in name for stack in stacks(profile) for name in functions(stack))
    assert "\x1b" not in ctx.stderr and "\a" not in ctx.stderr, "an escape sequence of the target"
    done = ctx.run("attach", target.pid, "-d", "1s", "-f", "collapsed", "-o", "-")
    assert done.returncode == 0 and "\x1b" not in done.stdout + done.stderr
    for line in done.stdout.splitlines():
        frames, _, number = line.rpartition(" ")
        assert frames and number.isdigit(), f"not a collapsed stack: {line!r}"
