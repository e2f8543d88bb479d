# SPDX-License-Identifier: MIT
"""ptprof dump-threads is stopped or killed at any moment: no thread stays held, and the calls of
the target do not notice where we had the chance to see to it."""

import os
import pathlib
import random
import signal
import time

SIDE_BY_SIDE = True

ROUNDS = 15


def send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def sampler_of(ctx, run):
    """The process that takes the census; None once it has ended."""
    for pid in ctx.children(run.pid):
        try:
            if pathlib.Path(f"/proc/{pid}/comm").read_text() == "ptprof-sampler\n":
                return pid
        except OSError:
            pass
    return None


def await_census(ctx, run):
    while run.popen.poll() is None:
        if (pid := sampler_of(ctx, run)) is not None:
            return pid
    return None


def await_freedom(ctx, target, before):
    ctx.eventually(lambda: ctx.health(target.pid) == before, "no thread is held or traced")


def cut_off(ctx, target, options, signal_number, at_census, rounds=ROUNDS):
    before = ctx.health(target.pid)
    for _ in range(rounds):
        run = ctx.start("dump-threads", target.pid, *options)
        census = await_census(ctx, run)
        time.sleep(random.uniform(0, 0.03))
        victim = census if at_census else run.pid
        if victim:
            send(victim, signal_number)
        await_freedom(ctx, target, before)
        if not at_census:
            send(run.pid, signal.SIGCONT)
        run.popen.wait(30)
    await_freedom(ctx, target, before)
    assert target.alive()


def test_main_process_is_killed(ctx):
    cut_off(ctx, ctx.target("parked", "--threads", 60, "--spin", 4), ["--stop-all"],
            signal.SIGKILL, False)


def assert_not_spoilt(target):
    spoilt = {name: case for name, case in target.stop()["cases"].items() if case["eintr"]}
    assert not spoilt, spoilt


def test_killed_main_process_spoils_no_call(ctx):
    """The census sees threads stop that it has asked to, or a call of theirs fails."""
    target = ctx.target("blocking")
    cut_off(ctx, target, ["--stop-all"], signal.SIGKILL, False, rounds=40)
    assert_not_spoilt(target)


def test_main_process_is_stopped(ctx):
    target = ctx.target("blocking")
    cut_off(ctx, target, ["--stop-all"], signal.SIGSTOP, False)
    assert_not_spoilt(target)


def test_main_process_is_stopped_and_the_ring_full(ctx):
    target = ctx.target("parked", "--threads", 0, "--spin", 150, "--depth", 800)
    cut_off(ctx, target, [], signal.SIGSTOP, False, rounds=4)


def test_census_is_killed(ctx):
    target = ctx.target("parked", "--threads", 60, "--spin", 4)
    cut_off(ctx, target, ["--stop-all"], signal.SIGKILL, True)


def test_census_is_stopped(ctx):
    target = ctx.target("parked", "--threads", 60, "--spin", 4)
    cut_off(ctx, target, ["--stop-all"], signal.SIGSTOP, True)
