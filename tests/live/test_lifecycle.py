# SPDX-License-Identifier: MIT
"""Targets that end, execute something else, fork or change their threads while they are sampled,
and runs that are ended, or asked for a snapshot, by a signal."""

import collections
import contextlib
import json
import math
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading
import time

from measure import (count, cpu_total, equal_samples, functions, interpolate, samples_with,
                     stacks, standard_error, twice)


def start(ctx, target, *options, name="out.json"):
    """ptprof in the background, sampling."""
    run = ctx.start("attach", target.pid, *options, "-o", ctx.tmp / name)
    run.says("attached")
    return run


def finish(ctx, run, status=0, name="out.json"):
    """Waits for the end of the run and returns the profile."""
    run.wait()
    ctx.stderr = run.stderr
    assert run.popen.returncode == status, f"exit status {run.popen.returncode}, not {status}"
    return json.loads((ctx.tmp / name).read_text())


def interrupt(ctx, run):
    """Ends a run that has no duration: however slow the machine is, it is not over before."""
    run.signal(signal.SIGINT)
    return finish(ctx, run)


def assert_unharmed(ctx, target):
    assert target.alive(), f"{target.name} ended with {target.popen.returncode}"
    health = ctx.health(target.pid)
    assert not health.traced and not health.stopped, f"{health}"


# --- the sampler ends

def test_sampler_is_replaced(ctx):
    """Whoever takes over from a sampler that died meets the same thread, not another one, and the
    samples of the dead one get the CPU time that was used before."""
    target = ctx.target("split")
    run = start(ctx, target)
    for _ in range(3):
        ctx.uses(target.pid, 400)
        sampler = run.sampler()
        ctx.kill(sampler)
        ctx.eventually(lambda: run.sampler() != sampler, "another sampler")
    ctx.uses(target.pid, 400)
    profile = interrupt(ctx, run)
    assert_unharmed(ctx, target)
    facts = profile["run"]
    # A busy host may have the watchdog end some more.
    assert 3 <= facts["restarts"] <= 6, f"{facts['restarts']} samplers were replaced"
    sampled = [thread["tid"] for thread in profile["threads"] if thread["samples"]]
    assert sampled == [target.pid], f"threads {sampled}"
    assert facts["threads_seen"] == facts["threads_sampled"] == 1
    assert facts["samples"] > 5
    assert facts["unattributed_ns"] < 0.05 * facts["cpu_ns"], "CPU time is lost"


def comm(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None


def test_samplers_that_end_again_and_again(ctx):
    """Twenty are replaced, and one more for each ten seconds: a long run may lose some."""
    target = ctx.target("split")
    run = start(ctx, target)
    began, ended, last = time.monotonic(), set(), 0

    def another():
        if not run.alive():
            return "none"
        return next((pid for pid in ctx.children(run.pid) if pid not in ended and
                     comm(pid) == "ptprof-sampler"), None)
    time.sleep(11)
    while (sampler := ctx.eventually(another, "another sampler, or the end")) != "none":
        ended.add(sampler)
        ctx.kill(sampler)
        last = time.monotonic()
    profile = finish(ctx, run, status=1)
    allowed = 20 + (last - began) / 10
    assert abs(len(ended) - 1 - allowed) < 2, \
        f"{len(ended)} samplers were ended, {allowed:.1f} are replaced"
    assert re.search(r"was ended \d+ times: giving up", ctx.stderr), ctx.stderr
    assert profile["run"]["samples"] > 100, "what was sampled before is lost"
    assert_unharmed(ctx, target)


def test_sampler_does_not_end(ctx):
    """Somebody traces it and takes no notice of its end: said even with -q, and in the profile."""
    target = ctx.target("split")
    began = time.monotonic()
    run = ctx.start("attach", target.pid, "-q", "-o", ctx.tmp / "out.json")
    sampler = run.sampler()
    tracer = ctx.spawn(ctx.build / "tests" / "live" / "trace", sampler, "hold")
    assert tracer.line() == "ready"
    profile = interrupt(ctx, run)
    lasted = time.monotonic() - began
    tracer.kill()
    assert profile["run"]["stuck_sampler_pid"] == sampler
    # It has three seconds to end (STOP_NS and KILL_NS of sampler.c).
    assert profile["run"]["duration_ns"] / 1e9 < lasted - 2.9, "waiting for it counts as sampling"
    assert f"process {sampler} does not end" in ctx.stderr, ctx.stderr
    assert_unharmed(ctx, target)


# --- the target ends

def test_target_exits(ctx):
    target = ctx.target("exits", "told", 7)
    run = start(ctx, target)
    ctx.uses(target.pid, 500)
    target.signal(signal.SIGUSR1)
    profile = finish(ctx, run)
    assert target.wait() == 7, "its exit status is another one"
    assert samples_with(profile, "before_exit") > 5  # on a loaded machine
    run = profile["run"]
    assert run["end"] == "target_ended" and run["processes"][0]["ended"]
    assert re.search(r"exited|ended", ctx.stderr), "the summary does not say that the target ended"


def test_target_is_killed(ctx):
    target = ctx.target("threads", "--busy", 4)
    run = start(ctx, target, "-d", "60s", "-r", "500")
    ctx.uses(target.pid, 500)
    target.signal(signal.SIGKILL)
    profile = finish(ctx, run)
    assert target.wait() == -signal.SIGKILL
    assert samples_with(profile, "busy") > 5


def test_target_gone_before(ctx):
    target = ctx.target("exits", 0, 0)
    target.wait()
    done = ctx.run("attach", target.pid, "-d", "1s", "-o", ctx.tmp / "out.json")
    assert done.returncode == 3 and str(target.pid) in done.stderr
    assert not (ctx.tmp / "out.json").exists()


# --- exec

def exec_profile(ctx, how, *program):
    target = ctx.target("execs", "told", how, *program)
    run = start(ctx, target, "-r", "250")
    ctx.uses(target.pid, 1000)
    target.signal(signal.SIGUSR1)
    assert target.line() == "ready", "it executes nothing"
    ctx.uses(target.pid, 1000)
    profile = interrupt(ctx, run)
    assert_unharmed(ctx, target)
    assert profile["run"]["processes"][0]["execs"] == 1, profile["run"]["processes"]
    assert samples_with(profile, "before_exec") > 5, "nothing seen before exec"
    return profile


def test_exec_of_another_program(ctx):
    profile = exec_profile(ctx, "main", ctx.program("split"))
    assert samples_with(profile, "heavy") > 5, "nothing seen after exec"
    mixed = [stack for stack in stacks(profile)
             if {"before_exec", "heavy"} <= set(functions(stack))]
    assert not mixed, f"a stack of two programs: {functions(mixed[0])}"


def test_exec_of_the_same_program(ctx):
    """Addresses are others afterwards; the names must be right all the same."""
    program = ctx.program("execs")
    profile = exec_profile(ctx, "main", program, 60000, "main", program)
    n = count(stacks(profile))
    assert samples_with(profile, "before_exec") > 0.95 * n, "wrong names after exec"


def test_execs_one_after_the_other(ctx):
    """Two programs that execute each other every 15 ms, in one of which a function is never called
    that lies where the other one works: what is sampled of one is not named after the other."""
    first, second = ctx.program("reborn_first"), ctx.program("reborn_second")
    target = ctx.spawn(first, 15, second)
    assert target.line() == "ready"
    profile = ctx.profile(target.pid, "-d", "6s", "-r", "500", "--max-stop", "20")
    called = [samples_with(profile, f"called_in_{name}") for name in ("first", "second")]
    never = [samples_with(profile, f"never_called_in_{name}") for name in ("first", "second")]
    assert min(called) > 100, called
    assert never == [0, 0], f"{never} samples in what is never called, {called} in what is"


def test_execs_while_somebody_reads(ctx):
    """Whoever is in the middle of reading an image's memory keeps it alive, though its process runs
    another one by then: what is sampled of that is not taken for the old one, or its stacks are
    looked for where they were."""
    first, second = ctx.program("reborn_first"), ctx.program("reborn_second")
    target = ctx.spawn(first, 15, second)
    assert target.line() == "ready"
    reader = ctx.spawn(ctx.program("reads"), target.pid)
    profile = ctx.profile(target.pid, "-d", "3s", "-r", "500", "--max-stop", "20")
    assert reader.alive() and reader.line() == "read", "nobody read"
    never = [samples_with(profile, f"never_called_in_{name}") for name in ("first", "second")]
    run = profile["run"]
    assert never == [0, 0] and run["samples"] > 30, (never, run)
    assert run["cut"] <= 0.1 * run["samples"], f"{run['cut']} of {run['samples']} are cut"


def test_exec_by_another_thread(ctx):
    profile = exec_profile(ctx, "thread", ctx.program("split"))
    assert samples_with(profile, "heavy") > 5, "nothing seen after exec"


def storm(ctx, *mode, least=50):
    target = ctx.target("storm", *mode)
    profile = ctx.profile(target.pid, "-d", "3s", "-r", "500", "--max-stop", "20")
    assert_unharmed(ctx, target)
    run = profile["run"]
    # Some may be ended while a busy host gives their CPU no time; it were ten where it is at fault.
    assert run["restarts"] <= 3, f"{run['restarts']} samplers were ended"
    assert samples_with(profile, "steady") >= least, "the thread that stays is not seen"
    return profile


def test_storm_of_threads(ctx):
    profile = storm(ctx, "threads")
    run = profile["run"]
    assert run["cut"] <= 0.05 * run["samples"], f"{run['cut']} of {run['samples']} stacks are cut"
    assert samples_with(profile, "pthread_create") > 5, "nobody starts a thread"


def test_storm_of_forks(ctx):
    storm(ctx, "forks")


def test_exec_of_a_program_that_may_do_more(ctx):
    """What was seen before is kept, and the summary says why there is no more."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        raise ctx.Skip("needs root and setpriv")
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs")
    privileged, go = ctx.tmp / "privileged", ctx.tmp / "go"
    shutil.copy(ctx.program("split"), privileged)
    os.chmod(privileged, 0o4755)
    os.chmod(ctx.tmp, 0o777)
    target = ctx.spawn(*nobody[:-1], "/bin/sh", "-c", f"while [ ! -e {go} ]; do :; done; "
                                                      f"exec {privileged}")
    target.name = "the target"
    # One long hold must not use up the budget of so short a run.
    run = ctx.start("attach", target.pid, "--max-stop", "50", "-o", ctx.tmp / "out.json",
                    prefix=nobody)
    run.says("attached")
    ctx.uses(target.pid, 300)
    go.touch()
    assert target.line() == "ready"
    if os.stat(f"/proc/{target.pid}").st_uid != 0:
        raise ctx.Skip("set-user-ID programs do not work here")
    ctx.uses(target.pid, 300)
    run.signal(signal.SIGINT)
    assert finish(ctx, run)["run"]["samples"] > 5
    assert re.search(rf"^  warning   [1-9]\S*% of the stops were refused: {target.pid} "
                     r"\((sh|privileged)\) executed a program that may do more than ptprof may$",
                     run.stderr, re.M), run.stderr
    assert_unharmed(ctx, target)


def test_storm_of_execs(ctx):
    """With many threads an exec finds some of them traced: it waits for us, and we for it."""
    for threads in 1, 8:
        profile = storm(ctx, "execs", threads, least=1)
        assert profile["run"]["processes"][0]["execs"] > 3


def test_zombie_leader(ctx):
    target = ctx.target("zombie_leader")
    profile = ctx.profile(target.pid, "-d", "2s")
    assert_unharmed(ctx, target)
    n = count(stacks(profile))
    assert n > 5 and samples_with(profile, "works_on") > 0.95 * n
    assert {t["comm"] for t in profile["threads"] if t["samples"]} == {"worker-1", "worker-2"}


# --- several processes

def test_children(ctx):
    """A shell that starts two programs, one of them after we have come."""
    script = f"""{ctx.program("split")} & read go; {ctx.program("no_frame_pointer")} & wait"""
    shell = ctx.spawn("/bin/sh", "-c", script, stdin=subprocess.PIPE)
    assert shell.line() == "ready"
    run = start(ctx, shell, "--children", "-r", "250")
    first, = ctx.children(shell.pid)
    ctx.uses(first, 500)
    assert shell.say("go") == "ready"
    second, = set(ctx.children(shell.pid)) - {first}
    for child in first, second:
        ctx.uses(child, 500)
    profile = interrupt(ctx, run)
    assert_unharmed(ctx, shell)
    assert samples_with(profile, "heavy") > 5, "the child that was there is not seen"
    assert samples_with(profile, "inner") > 5, "the child that came later is not seen"
    by_pid = {stack["pid"]: name for stack in stacks(profile)
              for name in ("heavy", "inner") if name in functions(stack)}
    assert sorted(by_pid.values()) == ["heavy", "inner"], f"processes mixed up: {by_pid}"
    assert set(by_pid) == {first, second} == set(ctx.children(shell.pid))
    names = {t["pid"]: t["process_comm"] for t in profile["threads"]}
    assert {names[pid] for pid in by_pid} == {"split", "no_frame_pointe"}
    for child in ctx.children(shell.pid):
        assert not ctx.health(child).traced


def test_children_that_hardly_live(ctx):
    """They come and go while they are listed: no sampler may trip over one that is half gone. A
    copy waits while a fork, which may have to wait for a CPU itself, copies the address space: the
    watchdog ends some of these."""
    targets = [ctx.target("storm", "forks") for _ in range(2)]
    run = ctx.start("attach", *(target.pid for target in targets), "--children", "-d", "4s", "-r",
                    "1000", "--max-stop", "50", "-o", ctx.tmp / "out.json")
    profile = finish(ctx, run)
    assert profile["run"]["restarts"] <= 6, f"{profile['run']['restarts']} samplers ended"
    assert len(profile["run"]["processes"]) > 50, f"{len(profile['run']['processes'])} processes"
    assert samples_with(profile, "child_work") > 50
    for target in targets:
        assert_unharmed(ctx, target)


def cpu_times(pid):
    """ns that the process used, and that its children did which ended; in whole clock ticks."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = [int(field) for field in fields[11:15]]
    return [sum(pair) * 10 ** 9 // os.sysconf("SC_CLK_TCK") for pair in (ticks[:2], ticks[2:])]


@contextlib.contextmanager
def logged_times(pid):
    """A list of (ns of the wall clock, *cpu_times) of the process that grows in the block."""
    points, over = [(time.time_ns(), *cpu_times(pid))], threading.Event()

    def log():
        while not over.wait(0.02):
            points.append((time.time_ns(), *cpu_times(pid)))
    logging = threading.Thread(target=log)
    logging.start()
    try:
        yield points
    finally:
        over.set()
        logging.join()


def charged_during(run, points):
    """cpu_times of the time that was sampled, without what the program needs before and after."""
    start, end = run["start_wall_ns"], run["start_wall_ns"] + run["duration_ns"]
    columns = [[(point[0], point[at]) for point in points] for at in (1, 2)]
    return [interpolate(column, end) - interpolate(column, start) for column in columns]


def test_cpu_of_children_that_hardly_live(ctx):
    """Most of them nobody meets. Their CPU time is in the profile all the same, and those that were
    met stand for it."""
    target = ctx.target("storm", "forks")
    with logged_times(target.pid) as points:
        profile = ctx.profile(target.pid, "--children", "-d", "4s")
    truth = sum(charged_during(profile["run"], points))
    assert 0.8 * truth < cpu_total(profile) < 1.05 * truth, f"{cpu_total(profile)}, truth {truth}"
    programs = {thread["process_comm"] for thread in profile["threads"]}
    assert programs <= {"storm", "[children of storm]"}, programs
    lost = profile["run"]["unattributed_ns"] / truth
    assert lost < 0.05, f"{lost:.3f} of the CPU time has no stack"
    assert_unharmed(ctx, target)


LIVES = {"brief": (0, 1.5), "opening": (0, 1), "closing": (1, 2.5)}  # begins, lasts (ms): brood.c


def of_brood(profile, value):
    """What each child has of a value, by function: {function: {pid: value}}."""
    found = {name: collections.Counter() for name in LIVES}
    for stack in stacks(profile):
        for name in set(LIVES) & set(functions(stack)):
            found[name][stack["pid"]] += stack[value]
    return found


def shares_of(found):
    values = {name: sum(of_children.values()) for name, of_children in found.items()}
    return {name: value / sum(values.values()) for name, value in values.items()}


def due_shares(truth, unseen):
    """The shares of what is used after the first `unseen` ms of each life."""
    due = {name: truth[name] * (1 - max(unseen - begins, 0) / lasts)
           for name, (begins, lasts) in LIVES.items()}
    return {name: used / sum(due.values()) for name, used in due.items()}


def assert_sampled_evenly(samples, truth, n):
    """The functions have the shares of samples that they have of CPU time, but for the beginning of
    each life: what a child uses before a round has met it, opened its files and stopped it no
    sample can take. How long that is depends on the machine, but it is the same for all children:
    one such time explains all shares to three standard errors of n samples."""
    found, tried = shares_of(samples), []
    for unseen in (step / 100 for step in range(90)):  # at 1 ms there are none of opening()
        due = due_shares(truth, unseen)
        tried.append((max(abs(found[name] - due[name]) / standard_error(due[name], n)
                          for name in LIVES), unseen, due))
    errors, unseen, due = min(tried, key=lambda one: one[0])
    assert errors <= 3, f"{found} of {n} samples, due {due} without the first {unseen} ms of " \
                        f"each life: {errors:.1f} standard errors"


def assert_time_follows_samples(found, samples, pooled):
    """Of one run both have the same shares, whatever it could sample. They differ by chance as far
    as the samples have different weights. And what a child keeps of its own, all but `pooled`, is
    known up to when it was last read, on average half of it: each function may lack that much."""
    weights = sum(found.values(), collections.Counter()).values()
    n, equal = len(weights), equal_samples(weights)
    assert equal > n / 5, f"{n} children tell no more than {equal:.0f} would"
    share, due = shares_of(found), shares_of(samples)
    for name in LIVES:
        error = 3 * math.sqrt(due[name] * (1 - due[name]) * (1 / equal - 1 / n)) + \
            due[name] * (1 - pooled) / 2
        assert abs(share[name] - due[name]) <= error, \
            f"{name}: {share[name]:.4f} of the time, {due[name]:.4f} of the samples, allowed " \
            f"{error:.4f}"


def profile_of_brood(ctx, target, seconds, *options):
    """Until the children have used so much CPU time: a busy machine only takes longer. Returns the
    CPU time of the target and of its children meanwhile too, as cpu_times does."""
    with logged_times(target.pid) as points:
        run = start(ctx, target, "--children", *options)
        enough = cpu_times(target.pid)[1] + seconds * 1e9
        ctx.eventually(lambda: cpu_times(target.pid)[1] > enough, "the children get CPU time", 120)
        profile = interrupt(ctx, run)
    return profile, charged_during(profile["run"], points)


def assert_brood(ctx, target):
    """Children of 1.5 ms and of 3.5 ms have the shares of CPU time that they used, and so has the
    beginning of a long one: whose time is shared out does not depend on how long it lived."""
    profile, charged = profile_of_brood(ctx, target, 5)
    truth = target.stop()
    assert 0.8 * sum(charged) < cpu_total(profile) < 1.05 * sum(charged), \
        (cpu_total(profile), charged)
    lost = profile["run"]["unattributed_ns"] / sum(charged)
    assert lost < 0.1, f"{lost:.3f} of the CPU time has no stack"
    samples, found = (of_brood(profile, value) for value in ("samples", "cpu_ns"))
    children = len(set().union(*samples.values()))
    assert_sampled_evenly(samples, truth, children)
    assert_time_follows_samples(found, samples, profile["run"]["pooled_ns"] / cpu_total(profile))


def test_children_stand_for_those_that_nobody_met(ctx):
    twice(lambda: assert_brood(ctx, ctx.target("brood")))


def test_each_moment_of_a_short_life_is_sampled_as_often(ctx):
    """Its end as often as its beginning, and while its parent sleeps too: the samples themselves
    have the shares of the functions, before any time is shared."""
    def once():
        target = ctx.target("brood")
        profile, charged = profile_of_brood(ctx, target, 3, "-r", "500", "--max-stop", "20")
        truth = target.stop()
        of_children = count(stacks(profile)) - count(stacks(profile, pid=target.pid))
        due = 500 * charged[1] / 1e9
        assert of_children > 0.75 * due, f"{of_children} samples of children, {due:.0f} are due"
        samples = of_brood(profile, "samples")
        assert_sampled_evenly(samples, truth, sum(sum(of.values()) for of in samples.values()))
        unknown = samples_with(profile, "[truncated]") / count(stacks(profile))
        assert unknown < 0.02, f"{unknown:.3f} of the samples are of nobody knows which code"
    twice(once)


def test_programs_stand_for_their_own_kind(ctx):
    """The same with two programs that the children execute."""
    programs = [ctx.tmp / name for name in ("shorts", "longs")]
    for program in programs:
        shutil.copy(ctx.program("brood"), program)
    twice(lambda: assert_brood(ctx, ctx.target("brood", *programs)))


def test_children_that_hardly_live_get_their_share(ctx):
    """Of samples as of CPU time: a child is met in the first round that it lives in. Of the 1 ms of
    a life the part before that has no sample (assert_sampled_evenly), but not most of it."""
    target = ctx.target("storm", "forks")

    def look():
        before = cpu_times(target.pid)
        profile = ctx.profile(target.pid, "--children", "-d", "4s", "-r", "250", "--max-stop",
                              "50")
        own, children = (after - before for after, before in zip(cpu_times(target.pid), before))
        samples = count(stacks(profile))
        of_children = samples - count(stacks(profile, pid=target.pid))
        least, most = (part * children / (own + part * children) for part in (0.5, 1))
        error = 3 * standard_error(most, samples)
        assert least - error < of_children / samples < most + error, \
            f"{of_children} of {samples} samples, due {least:.3f} to {most:.3f}, {error:.3f} more"

    twice(look)
    assert_unharmed(ctx, target)


def test_without_children(ctx):
    shell = ctx.spawn("/bin/sh", "-c", f"{ctx.program('split')} & wait")
    assert shell.line() == "ready"
    ctx.eventually(lambda: ctx.state_of(shell.pid) == "S", "the shell waits for its child")
    profile = ctx.profile(shell.pid, "-d", "1s")
    assert count(stacks(profile)) == 0, "a child was sampled though nobody asked"


def test_several_pids(ctx):
    targets = [ctx.target("split"), ctx.target("no_frame_pointer")]
    run = ctx.start("attach", *(target.pid for target in targets), "-d", "2s", "-o",
                    ctx.tmp / "out.json")
    profile = finish(ctx, run)
    for target, function in zip(targets, ("timed", "inner")):
        assert_unharmed(ctx, target)
        n = count(stacks(profile, pid=target.pid))
        assert n > 5, f"{n} samples of {target.name}"
        assert samples_with(profile, function, pid=target.pid) > 0.9 * n


def test_one_of_several_ends(ctx):
    """The others are sampled to the end."""
    first, second = ctx.target("exits", "told", 0), ctx.target("split")
    run = start(ctx, first, second.pid)
    ctx.uses(first.pid, 300)
    first.signal(signal.SIGUSR1)
    first.wait()
    ctx.uses(second.pid, 1000)
    assert run.alive(), "the run ended with one of two targets"
    profile = interrupt(ctx, run)
    assert profile["run"]["end"] == "interrupted"
    assert samples_with(profile, "before_exit", pid=first.pid) > 2
    assert samples_with(profile, "timed", pid=second.pid) > 10
    assert {p["pid"]: p["ended"] for p in profile["run"]["processes"]} == \
        {first.pid: True, second.pid: False}


def test_threads_filter(ctx):
    target = ctx.target("bursts")
    profile = ctx.profile(target.pid, "-d", "2s", "--threads", "^burst")
    comms = {t["comm"] for t in profile["threads"] if t["samples"]}
    assert comms == {"bursts"}, f"threads {comms}"


# --- signals to ptprof

def test_snapshot(ctx):
    """SIGUSR1 writes what there is, and the run goes on."""
    target = ctx.target("split")
    run = start(ctx, target)
    ctx.uses(target.pid, 500)
    run.signal(signal.SIGUSR1)

    def snapshot():
        for path in ctx.tmp.glob("*.1.json"):
            try:
                return json.loads(path.read_text())
            except ValueError:
                continue  # not all written yet
        return None
    early = ctx.eventually(snapshot, "a snapshot")
    ctx.uses(target.pid, 500)
    assert run.alive(), "the run ended with the snapshot"
    final = interrupt(ctx, run)
    assert 0 < early["run"]["samples"] < final["run"]["samples"]
    assert final["run"]["end"] == "interrupted"


def interrupted(ctx, number):
    target = ctx.target("split")
    run = start(ctx, target, "-d", "60s")
    ctx.uses(target.pid, 500)
    run.signal(number)
    profile = finish(ctx, run)
    assert profile["run"]["end"] == "interrupted"
    assert profile["run"]["samples"] > 5
    assert_unharmed(ctx, target)


def test_ctrl_c(ctx):
    interrupted(ctx, signal.SIGINT)


def test_terminate(ctx):
    interrupted(ctx, signal.SIGTERM)


def test_hang_up(ctx):
    interrupted(ctx, signal.SIGHUP)


def test_without_duration(ctx):
    """Goes on until it is told to stop."""
    target = ctx.target("split")
    run = start(ctx, target)
    ctx.uses(target.pid, 500)
    assert run.alive()
    assert interrupt(ctx, run)["run"]["samples"] > 5


def test_second_signal_discards(ctx):
    """Both signals wait while ptprof is stopped, so that it sees the second one in time."""
    target = ctx.target("split")
    run = start(ctx, target, "-d", "60s")
    time.sleep(0.5)
    run.signal(signal.SIGSTOP)
    run.signal(signal.SIGINT)
    run.signal(signal.SIGTERM)
    run.signal(signal.SIGCONT)
    run.wait()
    assert run.popen.returncode in (-signal.SIGINT, -signal.SIGTERM), \
        f"exit status {run.popen.returncode}"
    assert not os.listdir(ctx.tmp) or not (ctx.tmp / "out.json").exists(), "a profile was written"
    assert_unharmed(ctx, target)
