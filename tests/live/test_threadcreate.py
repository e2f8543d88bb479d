# SPDX-License-Identifier: MIT
"""attach --type threadcreate: who starts threads, by the creators' stacks; and --type threads."""

import collections
import json
import os
import re
import signal
import subprocess

SIDE_BY_SIDE = True

NOT_SEEN = "[creator not seen]"
BREAKPOINTS = 5  # one more than a CPU of ours has debug registers
AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def start(ctx, target, name, prefix=()):
    """Begins to watch, and returns when it does and has looked at the threads that exist: the
    sampler, which has a thread for each CPU, comes after that."""
    run = ctx.start("attach", target.pid, "--type", "threadcreate", "-o", ctx.tmp / name,
                    "-f", "json", prefix=prefix)
    ctx.eventually(lambda: any(len(ctx.thread_states(pid)) > 1 for pid in ctx.children(run.pid)),
                   "it samples")
    return run


def make(target):
    """Has the target start its threads."""
    target.signal(signal.SIGUSR1)
    assert target.line() == "done"


def stacks_of(document):
    return [([frame["function"] for frame in stack["frames"]], stack["samples"])
            for stack in document["stacks"]]


def end(ctx, run, name):
    run.signal(signal.SIGINT)
    assert run.wait() == 0, run.stderr
    document = json.loads((ctx.tmp / name).read_text())
    return stacks_of(document)


def watch(ctx, target, prefix=()):
    """The profile of one time that the target starts its threads, and what was said of it."""
    with ctx.unharmed(target.pid, grows=True):  # by stacks that are kept for other threads
        run = start(ctx, target, "threads.json", prefix)
        make(target)
        stacks = end(ctx, run, "threads.json")
    return stacks, run.stderr


def count(stacks, *functions):
    """Of the threads that have all of these functions in their stack."""
    return sum(number for stack, number in stacks if set(functions) <= set(stack))


def needs_events(ctx, said):
    for reason in ("an approximation", "no breakpoint could be had"):
        if reason in said:
            line = next(line for line in said.splitlines() if reason in line)
            raise ctx.Skip(line.strip())


def is_exact(stacks, truth, old):
    assert count(stacks, "make_red") == truth["red"], stacks
    assert count(stacks, "make_blue") == truth["blue"], stacks
    assert count(stacks, "link_of_chain") == truth["link"], stacks
    existed = collections.Counter()
    for stack, number in stacks:
        if NOT_SEEN in stack:
            existed[stack[0]] += number
    assert existed == old, existed
    assert count(stacks) == sum(truth.values()) + sum(old.values()), "processes count as threads"


def test_each_creator_is_seen(ctx):
    target = ctx.target("creators", "--makers", 3, "--red", 90, "--blue", 30, "--links", 20)
    stacks, said = watch(ctx, target)
    needs_events(ctx, said)
    is_exact(stacks, target.stop(), {"main": 1, "old_hand": 3, "night_watch": 2, "make": 3})
    for stack, _ in stacks:
        if "make_red" in stack:
            at = stack.index("make_red")
            assert "pthread_create" in stack[:at] and stack[at + 1] == "make", stack
            assert stack[0] != "[unknown]", "the system call lies nowhere"


def test_short_lives_by_the_thousand(ctx):
    target = ctx.target("creators", "--makers", 4, "--red", 900, "--blue", 300, "--pause", 500)
    stacks, said = watch(ctx, target)
    needs_events(ctx, said)
    truth, old = target.stop(), {"main": 1, "old_hand": 3, "night_watch": 2, "make": 4}
    if "are lost" not in said:
        is_exact(stacks, truth, old)
        return
    ctx.figure = next(line.strip() for line in said.splitlines() if "are lost" in line)
    assert 0 < count(stacks, "make_red") <= truth["red"], stacks
    assert count(stacks, "make_red") > 2 * count(stacks, "make_blue"), stacks


def test_any_user_sees_them(ctx):
    if os.geteuid() != 0:
        raise ctx.Skip("only root can become another user")
    if subprocess.run([*AS_NOBODY, ctx.ptprof, "--version"], capture_output=True).returncode:
        raise ctx.Skip("another user cannot run ptprof")
    os.chmod(ctx.tmp, 0o777)
    # All that another user's rings hold, should we come late.
    target = ctx.target("creators", "--red", 15, "--blue", 5, prefix=AS_NOBODY)
    stacks, said = watch(ctx, target, prefix=AS_NOBODY)
    needs_events(ctx, said)
    is_exact(stacks, target.stop(), {"main": 1, "old_hand": 3, "night_watch": 2, "make": 2})


def test_a_closed_kernel_is_told_and_no_creator_invented(ctx):
    target = ctx.target("creators", "--stay", 1)
    stacks, said = watch(ctx, target, (ctx.build / "tests" / "live" / "deny", "perf"))
    truth = target.stop()
    assert "an approximation, because perf events cannot be had" in said, said
    assert {stack[-1] for stack, _ in stacks} == {NOT_SEEN}, stacks
    assert count(stacks, "short_life") == truth["red"] + truth["blue"], stacks
    assert count(stacks, "old_hand") == 3 and count(stacks, "main") == 1, stacks


def test_without_a_free_register_births_are_counted(ctx):
    target = ctx.target("creators")
    names = [f"threads-{number}.json" for number in range(BREAKPOINTS)]
    with ctx.unharmed(target.pid, grows=True):
        runs = [start(ctx, target, name) for name in names]
        make(target)
        profiles = [end(ctx, run, name) for run, name in zip(runs, names)]
    truth = target.stop()
    if any("an approximation" in run.stderr for run in runs):
        needs_events(ctx, runs[0].stderr)
    without = [number for number, run in enumerate(runs) if "no breakpoint" in run.stderr]
    if not without:
        raise ctx.Skip(f"this machine has {BREAKPOINTS} debug registers and more")
    for number, stacks in enumerate(profiles):
        old = 8
        assert count(stacks) == sum(truth.values()) + old, (number, stacks)
        assert count(stacks, "make_red") == (0 if number in without else truth["red"]), number


def test_too_few_descriptors_are_told(ctx):
    target = ctx.target("creators", "--old", 200)
    stacks, said = watch(ctx, target, prefix=("prlimit", "--nofile=300:300"))
    needs_events(ctx, said)
    without = re.search(r"(\d+) threads were not watched", said)
    assert without and 0 < int(without[1]) < 205, said
    assert count(stacks, "old_hand") == 200, stacks
    truth = target.stop()
    assert count(stacks, "make_red") <= truth["red"], stacks


def test_several_processes_are_one_profile(ctx):
    targets = [ctx.target("creators", "--makers", makers) for makers in (1, 2)]
    run = ctx.start("attach", *(target.pid for target in targets), "--type", "threadcreate", "-o",
                    ctx.tmp / "both.json", "-f", "json")
    ctx.eventually(lambda: any(len(ctx.thread_states(pid)) > 1 for pid in ctx.children(run.pid)),
                   "it samples")
    for target in targets:
        make(target)
    stacks = end(ctx, run, "both.json")
    needs_events(ctx, run.stderr)
    truth = [target.stop() for target in targets]
    assert count(stacks, "make_red") == sum(one["red"] for one in truth), stacks
    assert count(stacks, "old_hand", NOT_SEEN) == 6 and count(stacks, "make", NOT_SEEN) == 3


def test_a_leader_that_has_ended(ctx):
    target = ctx.target("creators", "--leaderless", 1)
    stacks, said = watch(ctx, target)
    needs_events(ctx, said)
    assert count(stacks, "make_red") == 60 and count(stacks, "make_blue") == 20, stacks


def test_a_process_that_ends_has_a_profile(ctx):
    target = ctx.target("creators")
    run = start(ctx, target, "ended.json")
    make(target)
    truth = target.stop()
    assert run.wait() == 0, run.stderr
    stacks = stacks_of(json.loads((ctx.tmp / "ended.json").read_text()))
    needs_events(ctx, run.stderr)
    is_exact(stacks, truth, {"main": 1, "old_hand": 3, "night_watch": 2, "make": 2})


def test_threads_that_exist_are_one_look(ctx):
    target = ctx.target("creators", "--old", 40)
    before = ctx.health(target.pid)

    def look():
        done = ctx.run("attach", target.pid, "--type", "threads", "-f", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    document = look()
    ctx.eventually(lambda: look()["run"]["duration_ns"] < 10**9, "a look that waits for nothing")
    assert sorted(thread["tid"] for thread in document["threads"]) == \
        sorted(ctx.thread_states(target.pid))
    stacks = stacks_of(document)
    assert count(stacks, "old_hand") == 40 and count(stacks, "night_watch") == 2, stacks
    assert ctx.health(target.pid) == before
