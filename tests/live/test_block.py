# SPDX-License-Identifier: MIT
"""--type block: how long threads were blocked and in what, held against what the threads of the
target `waits` measure of themselves."""

import json

from measure import twice
from waited import Meters, files

SIDE_BY_SIDE = True

MARGIN = 0.01  # of the time that was profiled


def margin(file):
    """How far the time that one thread was blocked may be from what its meter says, ns."""
    return MARGIN * file.duration + file.stolen


def waiting(ctx, group):
    """(target, its waits, its meters)."""
    log = ctx.new_path("meters-{}")
    target = ctx.target("waits", group, "--log", log, "--folder", ctx.tmp)
    truth = json.loads(target.said_before[-1])
    ctx.eventually(lambda: log.exists() and log.stat().st_size, "a log of the meters")
    return target, truth, Meters(log, [wait["name"] for wait in truth["waits"]])


def present(ctx, truth, told, duration):
    """The waits that this machine has: a disk may be too fast to be waited for."""
    found = [wait for wait in truth["waits"]
             if wait["name"] != "disk" or told["disk"][0] > 0.05 * duration]
    absent = truth["absent"] + (["disk"] if len(found) < len(truth["waits"]) else [])
    ctx.figure = f"not here: {', '.join(absent)}" if absent else ""
    return found


def is_true(ctx, block, wait, ns):
    """The blocked time of one thread, where it waited, and what that is called."""
    name = wait["name"]
    total = block.sum(tid=wait["tid"])
    assert abs(total - ns) <= margin(block), \
        f"{name}: {total / 1e9:.3f} s, its own meter says {ns / 1e9:.3f} s"
    kinds = block.by("wait", tid=wait["tid"])
    assert kinds[wait["kind"]] >= 0.95 * total, f"{name} is no {wait['kind']}: {kinds}"
    there = block.sum(wait["function"], tid=wait["tid"])
    assert there >= 0.95 * total, f"{name}: {there / 1e9:.3f} s of {total / 1e9:.3f} s in its wait"


def idle_ns(block, wait):
    return sum(sample.values["delay"] for sample in block.chosen(tid=wait["tid"])
               if "idle" in sample.labels)


def test_kinds(ctx):
    """Each wait has its length, its place and its name; waits for work are marked; and what block
    says of a thread is what wall calls blocked."""
    def look():
        target, truth, meters = waiting(ctx, "kinds")
        found = files(ctx, target, "wall,block", "--with-idle-waits")
        wall, block = found["wall"], found["block"]
        told = meters.during(block)
        for wait in present(ctx, truth, told, block.duration):
            is_true(ctx, block, wait, told[wait["name"]][0])
            total, idle = block.sum(tid=wait["tid"]), idle_ns(block, wait)
            assert idle >= 0.95 * total if wait["idle"] else idle <= 0.02 * total, \
                f"{wait['name']}: {idle / 1e9:.3f} s of {total / 1e9:.3f} s are waits for work"
            states = wall.by("state", value="wall", tid=wait["tid"])
            assert abs(sum(states.values()) - wall.duration) <= MARGIN * wall.duration, states
            assert abs(states["blocked"] - total) <= 0.001 * wall.duration, \
                f"{wait['name']}: wall {states}, block {total}"
        target.kill()
    twice(look)


def test_waits_for_work_are_left_out(ctx):
    def look():
        target, truth, meters = waiting(ctx, "kinds")
        block = files(ctx, target, "block")["block"]
        told = meters.during(block)
        for wait in present(ctx, truth, told, block.duration):
            if not wait["idle"]:
                is_true(ctx, block, wait, told[wait["name"]][0])
                continue
            left = block.sum(tid=wait["tid"])
            assert left <= margin(block), f"{wait['name']}: {left / 1e9:.3f} s are left"
        assert not [sample for sample in block.samples if "idle" in sample.labels]
        target.kill()
    twice(look)


# --- how often

def test_contentions(ctx):
    def look():
        target, truth, meters = waiting(ctx, "counts")
        block = files(ctx, target, "block", "--with-idle-waits")["block"]
        told = meters.during(block)
        for wait in truth["waits"]:
            ns, times = told[wait["name"]]
            counted = block.sum(wait["function"], "contentions", tid=wait["tid"])
            assert abs(counted - times) <= 0.1 * times, \
                f"{wait['name']}: {counted} waits, its own meter says {times:.0f}"
            is_true(ctx, block, wait, ns)
        target.kill()
    twice(look)


def test_min_block(ctx):
    """Waits shorter than that are left out, and no others."""
    def look():
        target, truth, meters = waiting(ctx, "counts")
        block = files(ctx, target, "block", "--with-idle-waits", "--min-block", "1ms")["block"]
        told, (regular, often) = meters.during(block), truth["waits"]
        is_true(ctx, block, regular, told["regular"][0])
        left = block.sum("wait_100_us", tid=often["tid"])
        assert left <= 0.1 * told["often"][0], \
            f"{left / 1e9:.3f} s of {told['often'][0] / 1e9:.3f} s in short waits are left"
        target.kill()
    twice(look)


# --- what is no wait, and who sleeps on

def test_waiting_for_a_cpu_is_no_wait(ctx):
    """Other programs want the CPUs, too."""
    def look():
        target, truth, meters = waiting(ctx, "counts")
        others = ctx.target("threads", "--busy", 4)
        found = files(ctx, target, "wall,block", "--with-idle-waits")
        others.kill()
        wall, block = found["wall"], found["block"]
        regular = truth["waits"][0]
        queued = wall.sum(value="wall", state="runnable", tid=regular["tid"])
        assert queued > 0.1 * wall.duration, "it did not wait for a CPU"
        is_true(ctx, block, regular, meters.during(block)["regular"][0])
        target.kill()
    twice(look)


def test_nobody_who_sleeps_is_stopped(ctx):
    target = ctx.target("parked", "--threads", 30)
    block = files(ctx, target, "block", "--with-idle-waits", seconds=2)["block"]
    assert ctx.run_facts["stops"] == 0, f"{ctx.run_facts['stops']} stops of sleeping threads"
    for name, kind in ("futex", "futex"), ("read", "pipe"), ("sleep", "sleep"):
        total = block.sum(f"wait_{name}", wait=kind, thread=name)
        assert abs(total - 10 * block.duration) <= 10 * MARGIN * block.duration, \
            f"{total / 1e9:.3f} s of ten threads in {name}, for {block.duration / 1e9:.3f} s"
    assert target.stop() == {"returned": 0}
