# SPDX-License-Identifier: MIT
"""--type mutex: who waits for a lock and who holds it then, held against what the threads of the
target `contended` measure of themselves."""

import json
import re
import shutil
import subprocess

from measure import assert_share, twice
from waited import Meters, files

DENSE = ("-r", "250", "--max-stop", "20")
WAITERS = "waiter1", "waiter2"


def contended(ctx, lock, *options, program="contended"):
    """(target, its truth, its meters)."""
    log = ctx.tmp / f"meters-{ctx.runs}"
    ctx.runs += 1
    target = ctx.target(program, lock, *options, "--log", log)
    truth = json.loads(target.said_before[-1])
    ctx.eventually(lambda: log.exists() and log.stat().st_size, "a log of the meters")
    return target, truth, Meters(log, truth["meters"])


def holders_share(mutex):
    """hold_long's part of the time that the holders are charged with."""
    long, short = (sum(sample.values["delay"] for sample in mutex.chosen(side="holder")
                       if any(re.search(rf"\b{name}\b", function)
                              for function in sample.functions))
                   for name in ("hold_long", "hold_short"))
    total = mutex.sum(side="holder")
    assert total, "no holder was found"
    assert long + short >= 0.95 * total, \
        f"{(long + short) / 1e9:.3f} s of {total / 1e9:.3f} s of the holders in the two functions"
    return long / (long + short)


def locks_of(mutex):
    """{value of the label lock: delay}, of most to least."""
    return mutex.by("lock").most_common()


def assert_waiters(mutex, told):
    waited, truth = mutex.sum("want", side="waiter"), sum(told[name][0] for name in WAITERS)
    assert abs(waited - truth) <= 0.01 * 2 * mutex.duration, \
        f"waiters: {waited / 1e9:.3f} s, their own meters say {truth / 1e9:.3f} s"


def look_at_shares(ctx, *options):
    target, truth, meters = contended(ctx, "normal", *options)
    mutex = files(ctx, target, "mutex", rate=DENSE)["mutex"]
    told = meters.during(mutex)
    long, short = told["hold_long"][0], told["hold_short"][0]
    assert long + short > 0.3 * mutex.duration, "the lock was hardly held"
    looks = int(ctx.run_facts["achieved_hz"] * (long + short) / 1e9)
    assert_share(holders_share(mutex), long / (long + short), looks, f"hold_long, {options}")
    assert_waiters(mutex, told)
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


def both_sides(ctx, target, inferred, lock=None):
    """A profile in which waiters wait and holders hold most of the time. lock: its symbol, "" for
    an address, None for whatever there is."""
    mutex = files(ctx, target, "mutex", rate=DENSE, seconds=3)["mutex"]
    waited, held = mutex.sum(side="waiter"), mutex.sum(side="holder")
    assert waited > 1.5 * mutex.duration, f"two waiters waited {waited / 1e9:.3f} s"
    assert held > 0.7 * waited, f"waited {waited / 1e9:.3f} s, holders of {held / 1e9:.3f} s"
    looks = int(0.9 * ctx.run_facts["achieved_hz"] * mutex.duration / 1e9)
    assert_share(holders_share(mutex), 0.70, looks, "hold_long", 0.02)
    marked = sum(sample.values["delay"] for sample in mutex.chosen(side="holder")
                 if "inferred" in sample.labels)
    assert marked == (held if inferred else 0), f"{marked / 1e9:.3f} of {held / 1e9:.3f} s inferred"
    if lock is not None:
        name = locks_of(mutex)[0][0]
        assert name == lock if lock else re.match("0x[0-9a-f]+|heap", name), locks_of(mutex)
    return mutex


def test_kinds_of_glibc(ctx):
    for lock in GLIBC:
        def look():
            target, truth, _ = contended(ctx, lock, "--sleeps")
            both_sides(ctx, target, False, truth["lock"])
            target.kill()
        twice(look)


def test_kinds_of_musl(ctx):
    for lock, inferred in MUSL.items():
        def look():
            target, truth, _ = contended(ctx, lock, "--sleeps", program="contended_musl")
            both_sides(ctx, target, inferred, truth["lock"])
            target.kill()
        twice(look)


def test_kinds_of_the_cxx_library(ctx):
    for lock in "mutex", "shared_mutex":
        def look():
            target = ctx.target("std_contended", lock)
            both_sides(ctx, target, False, f"the_{lock}")
            target.kill()
        twice(look)


def test_rust(ctx):
    if not shutil.which("rustc"):
        raise ctx.Skip("no rustc")
    program = ctx.tmp / "rust_contended"
    subprocess.run(["rustc", "-O", "-g", "-o", program,
                    ctx.root / "tests/targets/rust_contended.rs"], check=True, timeout=240)

    def look():
        target = ctx.spawn(program)
        assert target.line() == "ready"
        both_sides(ctx, target, True)
        target.kill()
    twice(look)


def test_summary_names_the_most_contended(ctx):
    target, _, _ = contended(ctx, "normal", "--sleeps")
    done = ctx.run("attach", target.pid, "--type", "mutex", "-d", "2s", "-o",
                   ctx.tmp / "mutex.pb.gz")
    assert done.returncode == 0 and re.search(r"\bthe_mutex\b", done.stderr), done.stderr
