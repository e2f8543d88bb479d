# SPDX-License-Identifier: MIT
"""Stacks that are more than one copy from the stack pointer up, and what must not be copied."""

import json
import pathlib

from measure import count, functions, rooted_share, samples_with, stacks, twice


def memory_of(pid):
    """What reading too much would change, and the target itself does not: pages of shared memory,
    and the mappings."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    fields = dict(line.split(":\t", 1) for line in lines
                  if line.startswith(("RssShmem", "VmSize")))
    return fields | {"mappings": pathlib.Path(f"/proc/{pid}/maps").read_text().count("\n")}


def far_stack(ctx, *words):
    target = ctx.spawn(ctx.program("far_stack"), *words)
    if (said := target.line()) != "ready":
        raise ctx.Skip(said)
    return target


def sampled(ctx, target, *options):
    """A profile, taken without a trace."""
    before, memory = ctx.health(target.pid), memory_of(target.pid)
    profile = ctx.profile(target.pid, "-d", "2s", "-r", "200", "--max-stop", "20", *options)
    assert target.alive() and ctx.health(target.pid) == before
    assert memory_of(target.pid) == memory, f"{memory} before, {memory_of(target.pid)} after"
    assert count(stacks(profile)) > 20, "hardly any samples"
    return profile


def dumped(ctx, target, *options):
    """The frames of each of its threads that works or rests there, and how each stack ends."""
    before, memory = ctx.health(target.pid), memory_of(target.pid)
    path = ctx.tmp / "dump.json"
    ctx.run("dump-threads", target.pid, "--json", "-o", path, *options)
    assert target.alive() and ctx.health(target.pid) == before
    assert memory_of(target.pid) == memory, f"{memory} before, {memory_of(target.pid)} after"
    threads = json.loads(path.read_text())["threads"]
    return {thread["tid"]: ([frame["function"] for frame in thread["frames"]], thread["end"])
            for thread in threads if thread["comm"] == "far"}


def assert_chain(profile, *chain):
    """At most the first samples, of which nothing was learnt yet, are cut; not one per window. What
    the first one teaches is known when it has been unwound: where others use the CPUs, later."""
    whole = count(stack for stack in stacks(profile)
                  if [name for name in functions(stack) if name in chain] == list(chain))
    everything = count(stacks(profile))
    assert everything - whole <= max(8, 0.06 * everything), \
        f"{whole} of {everything} samples reach {chain[-1]}"


def test_frames_of_megabytes(ctx):
    target = far_stack(ctx, "frames")
    twice(lambda: assert_chain(sampled(ctx, target), "works", "leaf", "frame_of_3m",
                               "frame_of_12m", "frames"))


def test_frames_of_megabytes_in_a_dump(ctx):
    """Also of one that sleeps: read piece by piece."""
    for words, inner in (("frames",), "works"), (("frames", "--asleep"), "rests"):
        target = far_stack(ctx, *words)
        (names, end), = dumped(ctx, target).values()
        assert end == "root", f"{words}: {names} ends by {end}"
        found = [name for name in names if name in (inner, "frame_of_3m", "frame_of_12m", "frames")]
        assert found == [inner, "frame_of_3m", "frame_of_12m", "frames"], names
        target.kill()


def test_frames_of_megabytes_of_a_sleeper(ctx):
    """In wall time it is looked at again until its stack is whole, though it does not move."""
    profile = sampled(ctx, far_stack(ctx, "frames", "--asleep"), "--idle")
    times = {False: 0, True: 0}
    for stack in stacks(profile, thread="far"):
        times["frames" in functions(stack)] += stack["samples"]
    assert times[True] > 20 * times[False], times


def test_frame_that_moves(ctx):
    """Its far end lies as far above the stack pointer each time."""
    profile = sampled(ctx, far_stack(ctx, "moving"))
    everything = count(stacks(profile))
    assert samples_with(profile, "moving") >= 0.9 * everything
    assert rooted_share(profile) >= 0.9


def test_red_zone(ctx):
    target = far_stack(ctx, "red_zone")
    profile = sampled(ctx, target)
    assert_chain(profile, "in_red_zone", "red_zone")
    (names, end), = dumped(ctx, target).values()
    assert end == "root" and names[:2] == ["in_red_zone", "red_zone"], f"{names}, {end}"


def test_stack_aligned_without_tables(ctx):
    profile = sampled(ctx, far_stack(ctx, "aligned"))
    everything = count(stacks(profile))
    for name in "aligned_in_memory", "aligned_in_register":
        share = samples_with(profile, name) / everything
        assert 0.3 < share < 0.7, f"{share} in {name}"
    assert samples_with(profile, "aligned") >= 0.97 * everything
    assert rooted_share(profile) >= 0.97


def assert_nothing_is_asked_for(ctx, mode, threads):
    """Running threads, sleeping ones, each way to look at them."""
    for words, inner in ((), "works"), (("--asleep",), "rests"):
        target = far_stack(ctx, mode, *words)
        if not words:
            profile = sampled(ctx, target)
            assert samples_with(profile, inner) > 20 and rooted_share(profile) >= 0.95
        for stop in (), ("--stop-all",):
            seen = dumped(ctx, target, *stop)
            assert len(seen) == threads, seen
            assert all(end == "root" and inner in names for names, end in seen.values()), seen
        assert target.stop() == {"asked": 0}


def test_stack_below_a_userfaultfd(ctx):
    assert_nothing_is_asked_for(ctx, "userfault", 1)


def test_stacks_below_shared_memory(ctx):
    assert_nothing_is_asked_for(ctx, "shared", 8)
