# SPDX-License-Identifier: MIT
"""Why threads wait: each program of tests/targets says what its threads wait for and who holds it,
and dump-threads has to find the same, without a thread stopped."""

import json
import os
import shutil
import signal
import subprocess

LOCKS = ["mutex", "timedlock", "recursive", "errorcheck", "robust", "pi", "pi-robust",
         "rwlock-write", "rwlock-read", "rwlock-readers", "cond", "sem", "barrier", "join",
         "stream", "futex", "slow-holder", "shared", "dead-holder"]
DEADLOCKS = ["deadlock2", "deadlock5", "deadlock-rwlock", "deadlock-join", "deadlock-self"]
# The normal mutex and the rwlock of musl name no owner, and nobody knows musl's functions by name.
MUSL = ["mutex", "recursive", "errorcheck", "robust", "pi", "rwlock-write", "rwlock-read",
        "rwlock-readers", "cond", "sem", "barrier", "join", "stream", "futex"]
MUSL_OWNERLESS = {"mutex", "rwlock-write", "rwlock-read"}


def probe(ctx, pid):
    def sleeps():  # also the thread that said that all is ready
        return all(state in "SDT" for state, _ in ctx.thread_states(pid).values())
    ctx.eventually(sleeps, "all threads wait")
    before = ctx.health(pid)
    done = ctx.run("dump-threads", pid, "--json", "--timeout", "20s")
    assert done.returncode == 0, done.stderr
    assert ctx.health(pid) == before
    document = json.loads(done.stdout)
    assert document["stopped"] == 0, document
    waits = {thread["tid"]: {**thread["wait"], "tid": thread["tid"], "name": thread["comm"]}
             for thread in document["threads"]}
    return waits, document["verdicts"]


def truth_of(process):
    return json.loads(process.said_before[0])


def same(wait, truth, ownerless=False):
    """One thread: kind, object and owner are as the program says."""
    shown = f"{truth} but {wait}"
    assert wait["kind"] == truth["kind"], shown
    kind = truth["object_kind"]
    if ownerless and kind.startswith("rwlock"):
        assert wait["object_kind"] in ("rwlock", kind), shown
    else:
        assert wait["object_kind"] == kind, shown
    if ownerless and not wait["owner_tid"]:
        return  # nothing says who, and its stack did not either
    assert wait["owner_tid"] == truth["holder"], shown
    assert wait["probable"] == (truth["probable"] or ownerless), shown


def check_locks(ctx, program, mode, ownerless=False):
    process = ctx.target(program, mode)
    truth = truth_of(process)
    waits, verdicts = probe(ctx, process.pid)
    for expected in truth["waits"]:
        same(waits[expected["tid"]], expected, ownerless)
    process.stop()
    return truth, verdicts


def turned(chain, first):
    at = chain.index(first)
    return chain[at:] + chain[:at]


def test_locks(ctx):
    for program in "locks", "locks_static":
        for mode in LOCKS:
            _, verdicts = check_locks(ctx, program, mode)
            assert not [v for v in verdicts if "deadlock" in v["kind"]], f"{mode}: {verdicts}"


def test_deadlocks(ctx):
    for mode in DEADLOCKS:
        truth, verdicts = check_locks(ctx, "locks", mode)
        assert [v["kind"] for v in verdicts] == ["deadlock"], f"{mode}: {verdicts}"
        chain = verdicts[0]["chain"]
        assert turned(chain, truth["deadlock"][0]) == truth["deadlock"], f"{mode}: {verdicts}"


def test_readers_make_no_certain_deadlock(ctx):
    _, verdicts = check_locks(ctx, "locks", "deadlock-readers")
    assert [v["kind"] for v in verdicts] == ["probable_deadlock"], verdicts


def test_slow_holder_is_the_root(ctx):
    truth, verdicts = check_locks(ctx, "locks", "slow-holder")
    holder = truth["waits"][0]["holder"]
    assert len(verdicts) == 1 and verdicts[0]["kind"] == "chain", verdicts
    assert verdicts[0]["chain"][-1] == holder and verdicts[0]["waiting"] == 4, verdicts


def test_std_locks(ctx):
    for mode in "mutex", "write", "read":
        process = ctx.target("std_locks", mode)
        waits, _ = probe(ctx, process.pid)
        for expected in truth_of(process)["waits"]:
            same(waits[expected["tid"]], expected)
        process.kill()


def test_musl_locks(ctx):
    for program in "locks_musl", "locks_musl_static":
        for mode in MUSL:
            check_locks(ctx, program, mode, mode in MUSL_OWNERLESS)


def test_musl_stacks(ctx):
    """musl has no unwind tables: its code is followed to where it returns into the program's."""
    for program in "locks_musl", "locks_musl_static":
        process = ctx.target(program, "mutex")
        done = ctx.run("dump-threads", process.pid, "--json", "--timeout", "20s")
        functions = {thread["comm"]: [frame["function"] for frame in thread["frames"]]
                     for thread in json.loads(done.stdout)["threads"]}
        assert "wait_for_it" in functions["waiter"], functions
        assert "hold" in functions["holder"] and "main" in functions[program[:15]], functions
        process.stop()


def test_rust_locks(ctx):
    if not shutil.which("rustc"):
        raise ctx.Skip("no rustc")
    program = ctx.tmp / "rust_locks"
    subprocess.run(["rustc", "-O", "-o", program, ctx.root / "tests/targets/rust_locks.rs"],
                   check=True, timeout=240)
    for mode, kind in ("deadlock", "probable_deadlock"), ("rwlock", "chain"):
        process = ctx.spawn(program, mode)
        truth = json.loads(process.line())
        assert process.line() == "ready"
        waits, verdicts = probe(ctx, process.pid)
        for expected in truth["waits"]:
            same(waits[expected["tid"]], expected)
        assert [v["kind"] for v in verdicts] == [kind], verdicts
        done = ctx.run("dump-threads", process.pid, "--json", "--timeout", "20s")
        ends = [thread["end"] for thread in json.loads(done.stdout)["threads"]]
        assert ends == ["root"] * len(ends), ends  # frame pointers, and arguments that are pushed
        process.kill()


def test_descriptors(ctx):
    process = ctx.target("descriptors")
    truth = truth_of(process)
    waits, _ = probe(ctx, process.pid)
    for expected in truth["waits"]:
        wait = waits[expected["tid"]]
        shown = f"{expected} but {wait}"
        assert wait["kind"] == expected["kind"] and wait["timed"] == expected["timed"], shown
        for part in expected["text"]:
            assert part in wait["text"], shown
    process.stop()


def stop_and_wait(ctx, process):
    process.signal(signal.SIGSTOP)
    ctx.eventually(lambda: {state for state, _ in ctx.thread_states(process.pid).values()} <=
                   {"T", "D"}, "all threads are stopped")  # D: in vfork


def test_stopped(ctx):
    process = ctx.target("idle")
    stop_and_wait(ctx, process)
    waits, _ = probe(ctx, process.pid)
    assert {wait["kind"] for wait in waits.values()} == {"stopped"}, waits
    process.signal(signal.SIGCONT)


def test_restarted(ctx):
    """After SIGSTOP and SIGCONT the kernel goes on with a sleep under another number."""
    process = ctx.target("descriptors")
    names = {w["name"]: w["tid"] for w in truth_of(process)["waits"]}
    stop_and_wait(ctx, process)
    process.signal(signal.SIGCONT)
    ctx.eventually(lambda: {state for state, _ in ctx.thread_states(process.pid).values()} <=
                   {"S", "D"}, "all threads sleep again")
    waits, _ = probe(ctx, process.pid)
    assert waits[names["poll"]]["kind"] == "poll", waits[names["poll"]]
    assert waits[names["sleep until"]]["kind"] == "sleep", waits[names["sleep until"]]
    process.stop()


def test_pid_namespace(ctx):
    """In a PID namespace the lock holds tids that mean others out here."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        raise ctx.Skip("needs root and unshare")
    process = ctx.target("locks", "mutex", prefix=("unshare", "--pid", "--fork", "--mount-proc",
                                                   "--kill-child"))
    inside = truth_of(process)["waits"][0]
    pid = ctx.eventually(lambda: next(iter(ctx.children(process.pid)), None), "a child")
    waits, _ = probe(ctx, pid)
    waiter, = [wait for wait in waits.values() if wait["name"] == "waiter"]
    holder, = [wait for wait in waits.values() if wait["name"] == "holder"]
    assert waiter["owner_tid"] == holder["tid"] != inside["holder"], waiter
