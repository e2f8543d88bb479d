# SPDX-License-Identifier: MIT
"""--type mutex: who waits for a lock and who holds it then, held against what the threads of the
target `contended` measure of themselves."""

import concurrent.futures
import json
import os
import re
import shutil
import signal
import subprocess
import time

from measure import assert_share, twice
from waited import File, Meters, files

DENSE = ("-r", "250", "--max-stop", "20")
WAITERS = "waiter1", "waiter2"


def contended(ctx, lock, *options, program="contended"):
    """(target, its truth, its meters)."""
    log = ctx.new_path("meters-{}")
    target = ctx.target(program, lock, *options, "--log", log)
    truth = json.loads(target.said_before[-1])
    ctx.eventually(lambda: log.exists() and log.stat().st_size, "a log of the meters")
    return target, truth, Meters(log, truth["meters"])


def locks_of(mutex):
    """{value of the label lock: delay}, of most to least."""
    return mutex.by("lock").most_common()


def holders_of(profile, value, **labels):
    """What hold_long and hold_short have."""
    return [sum(sample.values[value] for sample in profile.chosen(**labels)
                if any(re.search(rf"\b{name}\b", function) for function in sample.functions))
            for name in ("hold_long", "hold_short")]


def assert_holders(found, truth):
    """hold_long's part of the time that the holders are charged with. A look stands for the time
    up to the next one, which is as long as chance has it: that doubles the variance."""
    mutex = found["mutex"]
    long, short = holders_of(mutex, "delay", side="holder")
    total, looks = mutex.sum(side="holder"), sum(holders_of(found["wall"], "samples"))
    assert total and looks > 50, f"{looks} looks found a holder"
    assert long + short >= 0.95 * total, \
        f"{(long + short) / 1e9:.3f} s of {total / 1e9:.3f} s of the holders in the two functions"
    assert_share(long / (long + short), truth, looks / 2, "hold_long")


def assert_waiters(found, told):
    """The waiters' time. They also wait to be told that somebody has the lock: looks share it."""
    mutex, wall = found["mutex"], found["wall"]
    waited, truth = mutex.sum("want", side="waiter"), sum(told[name][0] for name in WAITERS)
    blocked = sum(wall.sum(value="wall", state="blocked", thread=name) for name in WAITERS)
    looks = sum(wall.sum(value="samples", state="blocked", thread=name) for name in WAITERS)
    assert_share(waited / blocked, truth / blocked, looks, "waiters", 0.01)
    assert waited == mutex.sum(side="waiter") and abs(waited - mutex.sum(side="holder")) < 1e6


def look_at_shares(ctx, *options):
    target, truth, meters = contended(ctx, "normal", *options)
    found = files(ctx, target, "wall,mutex", rate=DENSE)
    mutex = found["mutex"]
    told = meters.during(mutex)
    long, short = told["hold_long"][0], told["hold_short"][0]
    assert_holders(found, long / (long + short))
    assert_waiters(found, told)
    ((name, most), *others) = locks_of(mutex)
    assert name == truth["lock"] and sum(ns for _, ns in others) <= 0.01 * most, locks_of(mutex)
    assert not [sample for sample in mutex.samples if "inferred" in sample.labels]
    target.kill()


def test_shares_of_a_holder_that_runs(ctx):
    twice(lambda: look_at_shares(ctx))


def test_shares_of_a_holder_that_sleeps(ctx):
    twice(lambda: look_at_shares(ctx, "--sleeps"))


def test_shares_of_two_holders_that_run(ctx):
    twice(lambda: look_at_shares(ctx, "--two"))


def test_shares_of_two_holders_that_sleep(ctx):
    twice(lambda: look_at_shares(ctx, "--two", "--sleeps"))


# --- kinds of locks

GLIBC = ["heap", "recursive", "errorcheck", "adaptive", "robust", "pi", "rwlock-write",
         "rwlock-read"]
# The normal mutex and the rwlock of musl name no owner.
MUSL = {"recursive": False, "robust": False, "pi": False, "normal": True, "rwlock-write": True}


def both_sides(ctx, target, inferred, seconds, lock=None):
    """A profile in which waiters wait and holders hold most of the time. lock: its symbol, "" for
    an address, None for whatever there is."""
    found = files(ctx, target, "wall,mutex", seconds=seconds)
    mutex = found["mutex"]
    waited, held = mutex.sum(side="waiter"), mutex.sum(side="holder")
    assert waited > mutex.duration, f"two waiters waited {waited / 1e9:.3f} s"
    assert abs(held - waited) < 1e6, f"waited {waited / 1e9:.3f} s, holders of {held / 1e9:.3f} s"
    assert_holders(found, 0.70)
    marked = {side: sum(sample.values["delay"] for sample in mutex.chosen(side=side)
                        if "inferred" in sample.labels) for side in ("waiter", "holder")}
    assert marked["holder"] == (held if inferred else 0), f"inferred: {marked} of {held}"
    if lock is not None:
        name = locks_of(mutex)[0][0]
        assert name == lock if lock else re.match("0x[0-9a-f]+|heap", name), locks_of(mutex)


def short_then_long(look):
    """Holders are looked for when names tell that a wait is one for a lock: where others use the
    CPUs that is after some seconds."""
    seconds = iter((3, 20))
    twice(lambda: look(next(seconds)))


def of_each(look, locks):
    """Looks at several kinds at once: their threads sleep nearly all the time."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda lock: short_then_long(lambda seconds: look(lock, seconds)), locks))


def test_kinds_of_glibc(ctx):
    def look(lock, seconds):
        target, truth, _ = contended(ctx, lock, "--sleeps")
        both_sides(ctx, target, False, seconds, truth["lock"])
        target.kill()
    of_each(look, GLIBC)


def test_kinds_of_musl(ctx):
    def look(lock, seconds):
        target, truth, _ = contended(ctx, lock, "--sleeps", program="contended_musl")
        both_sides(ctx, target, MUSL[lock], seconds, truth["lock"])
        target.kill()
    of_each(look, MUSL)


def test_kinds_of_the_cxx_library(ctx):
    def look(lock, seconds):
        target = ctx.target("std_contended", lock)
        both_sides(ctx, target, False, seconds, f"the_{lock}")
        target.kill()
    of_each(look, ("mutex", "shared_mutex"))


def test_rust(ctx):
    if not shutil.which("rustc"):
        raise ctx.Skip("no rustc")
    program = ctx.tmp / "rust_contended"
    subprocess.run(["rustc", "-O", "-g", "-o", program,
                    ctx.root / "tests/targets/rust_contended.rs"], check=True, timeout=240)

    def look(seconds):
        target = ctx.spawn(program)
        assert target.line() == "ready"
        both_sides(ctx, target, True, seconds)
        target.kill()
    short_then_long(look)


def test_names_that_come_at_the_end(ctx):
    """Whoever holds the lock then has not held it all the time."""
    target, _, _ = contended(ctx, "normal", "--sleeps")
    path = ctx.tmp / "late.pb.gz"
    with ctx.unharmed(target.pid):
        run = ctx.start("attach", target.pid, "--type", "mutex", "-o", path)
        run.says("attached")
        names = run.process("names")
        os.kill(names, signal.SIGSTOP)
        time.sleep(2)
        run.signal(signal.SIGINT)
        run.says("stopping")
        os.kill(names, signal.SIGCONT)
        assert run.wait() == 0, run.stderr
    mutex = File(path)
    long, short = holders_of(mutex, "delay", side="holder")
    waited, unseen = mutex.sum(side="waiter"), mutex.sum("[holder not seen]")
    ctx.figure = f"{long / 1e9:.3f} s, {short / 1e9:.3f} s, not seen {unseen / 1e9:.3f} s"
    assert waited > 1e9 and abs(mutex.sum(side="holder") - waited) < 1e6, ctx.figure
    assert max(long, short) < 0.9 * waited, ctx.figure


def test_summary_names_the_most_contended(ctx):
    target, _, _ = contended(ctx, "normal", "--sleeps")
    done = ctx.run("attach", target.pid, "--type", "mutex", "-d", "2s", "-o",
                   ctx.tmp / "mutex.pb.gz")
    assert done.returncode == 0 and re.search(r"\bthe_mutex\b", done.stderr), done.stderr
