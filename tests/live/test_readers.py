# SPDX-License-Identifier: MIT
"""What parses bytes of the target has no rights, and no profile is lost when it dies or hangs."""

import json
import os
import pathlib
import re
import signal
import threading
import time

from measure import assert_share, rooted_share, samples_with

SIDE_BY_SIDE = True

DENSE = ("-r", "500", "--max-stop", "20")
READERS = "unwind", "headers"


def status_of(pid):
    return pathlib.Path(f"/proc/{pid}/status").read_text()


def confined(ctx, run, name):
    """The process of that name, once it has given up what it does not need."""
    pid = run.process(name)
    ctx.eventually(lambda: "Seccomp:\t2" in status_of(pid), "a filter of system calls")
    return pid


def test_no_rights(ctx):
    target = ctx.target("split")
    run = ctx.start("attach", target.pid, "-d", "2s", "-o", ctx.tmp / "out.json")
    for name in READERS:
        status = status_of(confined(ctx, run, name))
        assert re.search(r"CapEff:\t0+$", status, re.M) and "NoNewPrivs:\t1" in status, status
        if not os.geteuid():
            assert re.search(r"Uid:\t65534\t65534\t65534\t65534$", status, re.M), status
            assert re.search(r"Groups:\s*$", status, re.M), status
    assert run.wait() == 0, run.stderr
    assert not ctx.children(run.pid)


def test_no_memory_of_the_sampler(ctx):
    """They share no memory with it: through that they could have threads held or read."""
    target = ctx.target("split")
    run = ctx.start("attach", target.pid, "-d", "2s", "-o", ctx.tmp / "out.json")
    sampler = shared_memory(run.sampler())
    for name in READERS:
        shared = shared_memory(confined(ctx, run, name))
        assert sampler and not shared & sampler, name
    assert run.wait() == 0, run.stderr


def shared_memory(pid):
    """The inodes of what it shares and may write."""
    maps = pathlib.Path(f"/proc/{pid}/maps").read_text()
    return set(re.findall(r"^\S+ rw.s \S+ \S+ (\d+)", maps, re.M))


def disturb(ctx, run, name, number, times, pause):
    """Sends a signal to the process of that name, again and again."""
    for _ in range(times):
        time.sleep(pause)
        try:
            os.kill(run.process(name), number)
        except (ProcessLookupError, AssertionError):
            return  # the run has ended


def disturbed_profile(ctx, target, name, number, times, pause):
    before = ctx.health(target.pid)
    output = ctx.tmp / "out.json"
    run = ctx.start("attach", target.pid, "-d", "4s", *DENSE, "-o", output)
    run.says("attached")
    hand = threading.Thread(target=disturb, args=(ctx, run, name, number, times, pause))
    hand.start()
    status = run.wait()
    hand.join()
    assert status == 0, run.stderr
    assert ctx.health(target.pid) == before
    return json.loads(output.read_text()), run.stderr


def assert_true(profile):
    heavy, light = (samples_with(profile, name) for name in ("heavy", "light"))
    assert heavy + light > 100, f"only {heavy + light} samples"
    assert_share(heavy / (heavy + light), 0.70, heavy + light, "heavy")


def test_unwinding_is_killed(ctx):
    """Ten times: the profile is whole, and nearly all stacks reach their roots."""
    profile, said = disturbed_profile(ctx, ctx.target("split"), "unwind", signal.SIGKILL, 10, 0.3)
    assert_true(profile)
    assert rooted_share(profile) > 0.97, said
    times = profile["run"]["unwind_restarts"]
    assert times > 3 and f"the process that unwinds was replaced {times} times" in said, said


def test_unwinding_hangs(ctx):
    """It is given up after a while, and what was sampled meanwhile is unwound by the next one."""
    profile, said = disturbed_profile(ctx, ctx.target("split"), "unwind", signal.SIGSTOP, 1, 0.5)
    assert_true(profile)
    assert rooted_share(profile) > 0.97, said


def test_headers_are_killed(ctx):
    """While libraries come and go."""
    profile, said = disturbed_profile(ctx, ctx.target("split"), "headers", signal.SIGKILL, 10, 0.3)
    assert_true(profile)
    assert rooted_share(profile) > 0.97, said


def test_dump_without_its_reader(ctx):
    """Killed at any moment: no thread has another stack than before, so none is shown again."""
    target = ctx.target("parked")
    before = ctx.health(target.pid)
    text = ctx.tmp / "dump"
    with open(text, "wb") as stdout:
        run = ctx.start("dump-threads", target.pid, "--repeat", 12, "-i", "150ms", stdout=stdout)
        disturb(ctx, run, "unwind", signal.SIGKILL, 6, 0.2)
        assert run.wait() == 0, run.stderr
    first, *others = re.split(r"^(?=Process )", text.read_text(), flags=re.M)[1:]
    assert len(others) == 11
    assert len(re.findall(r"^Thread ", first, re.M)) == 4 and first.count(" #1 ") == 4, first
    assert not re.search(r"^Thread ", "".join(others), re.M), others
    assert ctx.health(target.pid) == before
