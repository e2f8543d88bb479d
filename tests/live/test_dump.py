# SPDX-License-Identifier: MIT
"""ptprof dump-threads: what it says is true, and what sleeps is neither stopped nor disturbed."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

SIDE_BY_SIDE = True

DONE, FAILED, USAGE, GONE, DENIED = range(5)
LOCK_MODES = ["mutex", "timedlock", "recursive", "errorcheck", "robust", "pi", "pi-robust",
              "rwlock-write", "rwlock-read", "rwlock-readers", "cond", "sem", "barrier", "join",
              "stream", "futex", "slow-holder"]
DEADLOCK_MODES = ["deadlock2", "deadlock5", "deadlock-rwlock", "deadlock-join", "deadlock-self"]


def dump(ctx, pid, *extra, status=DONE, prefix=()):
    done = ctx.run("dump-threads", pid, "--json", "--timeout", "20s", *extra, prefix=prefix)
    assert done.returncode == status, f"exit status {done.returncode}: {done.stderr}"
    return json.loads(done.stdout)


def documents_of(text):
    found, at = [], 0
    while at < len(text):
        document, at = json.JSONDecoder().raw_decode(text, at)
        found.append(document)
        at += len(text[at:]) - len(text[at:].lstrip())
    return found


def by_tid(document):
    return {thread["tid"]: thread for thread in document["threads"]}


def functions(thread):
    return [frame["function"] for frame in thread["frames"]]


def counters(pid):
    """Of each thread how often it came onto a CPU: a stop of it would count."""
    found = {}
    for tid in os.listdir(f"/proc/{pid}/task"):
        text = pathlib.Path(f"/proc/{pid}/task/{tid}/schedstat").read_text()
        found[int(tid)] = int(text.split()[2])
    return found


def asleep(ctx, target):
    """Waits until all threads sleep, or have ended, but for those that spin: the main one has just
    said "ready", and a busy machine may not have let it go on."""
    def sleep():
        states = ctx.thread_states(target.pid)
        return all(state != "R" or thread_name(target.pid, tid) == "spin"
                   for tid, (state, _) in states.items())
    ctx.eventually(sleep, "all threads sleep")
    return target


def thread_name(pid, tid):
    return pathlib.Path(f"/proc/{pid}/task/{tid}/comm").read_text().removesuffix("\n")


def unharmed(ctx, target, before):
    assert target.alive(), f"{target.name} ended with {target.popen.returncode}"
    after = ctx.health(target.pid)
    assert after == before, f"{before} before, {after} after"


# --- what sleeps

def test_sleeping_threads_do_not_notice(ctx):
    target = asleep(ctx, ctx.target("parked", "--threads", 30))
    before, ran = ctx.health(target.pid), counters(target.pid)
    for _ in range(5):
        document = dump(ctx, target.pid)
        assert document["stopped"] == 0 and document["read_in_place"] == 31, document["stopped"]
        assert document["end"] == "complete"
    assert counters(target.pid) == ran, "a thread that slept has run"
    unharmed(ctx, target, before)
    assert target.stop() == {"returned": 0}


def test_stacks_and_waits(ctx):
    target = asleep(ctx, ctx.target("parked", "--spin", 1))
    tids = json.loads(target.said_before[-1])
    threads = by_tid(dump(ctx, target.pid))
    expected = {"futex": ("wait_futex", "futex"), "read": ("wait_read", "pipe"),
                "sleep": ("wait_sleep", "sleep")}
    for name, (function, kind) in expected.items():
        thread = threads[tids[name]]
        assert thread["comm"] == name and thread["state"] == "S" and not thread["running"]
        assert thread["wait"]["kind"] == kind, thread["wait"]
        assert thread["end"] == "root" and thread["problem"] == ""
        called = functions(thread)
        at = called.index(function)
        assert called[at + 1:at + 8] == ["descend"] * 7 and called[at + 8] == "park", called
    spinning = threads[tids["spin"]]
    assert spinning["running"] and spinning["state"] == "R" and spinning["stopped_by_us"]
    assert "spin" in functions(spinning) and spinning["end"] == "root"
    assert threads[target.pid]["tid"] == target.pid and list(threads)[0] == target.pid


def test_frames_of_the_kernel(ctx):
    target = asleep(ctx, ctx.target("parked"))
    plain = dump(ctx, target.pid)
    assert plain["kernel"] == ""
    document = dump(ctx, target.pid, "--kernel")
    if document["kernel"] != "read":
        raise ctx.Skip(f"the kernel does not tell ({document['kernel']})")
    expected = {"futex": "futex", "read": "pipe_read", "sleep": "nanosleep"}
    users = by_tid(plain)
    for thread in document["threads"]:
        inside = [frame for frame in thread["frames"] if frame["module"] == "[kernel]"]
        assert inside and thread["frames"][:len(inside)] == inside, functions(thread)
        assert thread["frames"][len(inside):] == users[thread["tid"]]["frames"]
        if thread["comm"] in expected:
            assert any(expected[thread["comm"]] in frame["function"] for frame in inside)
    denied = dump(ctx, target.pid, "--kernel", prefix=(
        "setpriv", "--inh-caps=-sys_admin", "--bounding-set=-sys_admin"))
    assert denied["kernel"] == "denied"
    assert by_tid(denied)[target.pid]["frames"] == users[target.pid]["frames"]


def test_how_long_it_sleeps(ctx):
    spawned = time.monotonic_ns()
    target = asleep(ctx, ctx.target("parked"))
    time.sleep(0.5)
    first = dump(ctx, target.pid)
    elapsed = time.monotonic_ns() - spawned
    slept = [thread["blocked_ns"] for thread in first["threads"]]
    if not any(slept):
        raise ctx.Skip("the kernel does not tell (no /proc/PID/sched)")
    assert all(0.4e9 < ns < elapsed for ns in slept), (slept, elapsed)


def test_running_threads_are_held_shortly(ctx):
    target = asleep(ctx, ctx.target("parked", "--spin", 2))
    before = ctx.health(target.pid)
    document = dump(ctx, target.pid)
    assert document["stopped"] == 2 and document["read_in_place"] == 4, document
    assert 0 < document["held_max_ns"] < 1e9
    unharmed(ctx, target, before)
    assert target.stop() == {"returned": 0}


def spinners_of(document, count):
    spinning = [thread for thread in document["threads"] if thread["comm"] == "spin"]
    assert len(spinning) == count and document["read_in_place"] == 4
    return spinning


def test_many_running_threads(ctx):
    """Far more than there are CPUs: each is waited for until it gets one."""
    target = asleep(ctx, ctx.target("parked", "--spin", 150))
    before = ctx.health(target.pid)
    document = dump(ctx, target.pid, "--timeout", "60s")
    assert document["end"] == "complete" and document["thread_count"] == 154
    spinning = spinners_of(document, 150)
    missed = [thread["problem"] for thread in spinning
              if not thread["stopped_by_us"] or not thread["frames"]]
    assert not missed, missed
    unharmed(ctx, target, before)


def test_running_threads_without_a_cpu(ctx):
    """Time is over before all got one, and that is said."""
    target = asleep(ctx, ctx.target("parked", "--spin", 400))
    before = ctx.health(target.pid)
    done = ctx.run("dump-threads", target.pid, "--json", "--timeout", "500ms")
    assert done.returncode in (DONE, FAILED), done.stderr
    spinning = spinners_of(json.loads(done.stdout), 400)
    problems = {thread["problem"] for thread in spinning if not thread["stopped_by_us"]}
    assert problems <= {"no_cpu", "not_stopped"}, problems
    assert any(thread["stopped_by_us"] for thread in spinning)
    unharmed(ctx, target, before)


def test_stop_all(ctx):
    target = asleep(ctx, ctx.target("parked", "--threads", 9, "--spin", 1))
    before = ctx.health(target.pid)
    document = dump(ctx, target.pid, "--stop-all")
    assert document["stopped"] == 11 and document["read_in_place"] == 0
    assert document["together"] and document["held_max_ns"] > 0
    assert all(thread["stopped_by_us"] for thread in document["threads"])
    kinds = sorted(thread["wait"]["kind"] for thread in document["threads"]
                   if thread["comm"] in ("futex", "read", "sleep"))
    assert kinds == ["futex"] * 3 + ["pipe"] * 3 + ["sleep"] * 3, kinds
    unharmed(ctx, target, before)
    assert target.stop() == {"returned": 0}


def test_calls_are_not_spoilt(ctx):
    target = ctx.target("blocking")
    before = ctx.health(target.pid)
    for extra in [()] * 20 + [("--stop-all",)] * 5:
        dump(ctx, target.pid, *extra)
    unharmed(ctx, target, before)
    spoilt = {name: case for name, case in target.stop()["cases"].items() if case["eintr"]}
    assert not spoilt, spoilt


# --- locks

def test_locks(ctx):
    for mode in LOCK_MODES:
        target = asleep(ctx, ctx.target("locks", mode))
        truth = json.loads(target.said_before[-1])
        document = dump(ctx, target.pid)
        threads = by_tid(document)
        for wait in truth["waits"]:
            seen = threads[wait["tid"]]["wait"]
            assert seen["kind"] == wait["kind"], (mode, seen)
            assert seen["object_kind"] == wait["object_kind"], (mode, seen)
            assert seen["object_name"] == wait["object"], (mode, seen)
            assert seen["owner_tid"] == wait["holder"], (mode, seen)
            assert seen["probable"] == wait["probable"] or not wait["holder"], (mode, seen)
        kinds = {verdict["kind"] for verdict in document["verdicts"]}
        assert "deadlock" not in kinds, (mode, document["verdicts"])
        assert document["stopped"] == 0, mode
        target.kill()


def test_deadlocks(ctx):
    for mode in DEADLOCK_MODES:
        target = asleep(ctx, ctx.target("locks", mode))
        truth = json.loads(target.said_before[-1])["deadlock"]
        document = dump(ctx, target.pid)
        found = [verdict["chain"] for verdict in document["verdicts"]
                 if verdict["kind"] == "deadlock"]
        turned = [truth[i:] + truth[:i] for i in range(len(truth))]
        assert len(found) == 1 and found[0] in turned, (mode, found, truth)
        text = ctx.run("dump-threads", target.pid).stdout
        line = "DEADLOCK: " + " -> ".join(map(str, found[0] + found[0][:1]))
        assert line in text.splitlines(), (mode, text[:400])
        target.kill()


def test_slow_holder_is_no_deadlock(ctx):
    target = asleep(ctx, ctx.target("locks", "slow-holder"))
    truth = json.loads(target.said_before[-1])["waits"]
    document = dump(ctx, target.pid)
    (verdict,) = document["verdicts"]
    assert verdict["kind"] == "chain" and verdict["chain"][-1] == truth[0]["holder"]
    assert verdict["waiting"] == len(truth)


# --- odd targets

def test_oddities(ctx):
    target = asleep(ctx, ctx.target("oddities"))
    before = thread_count = len(os.listdir(f"/proc/{target.pid}/task"))
    threads = {thread["comm"]: thread for thread in dump(ctx, target.pid)["threads"]}
    assert len(threads) == thread_count
    assert threads["corrupt"]["end"] not in ("root", ""), threads["corrupt"]["end"]
    assert functions(threads["corrupt"])[1:3] == ["sleep_for_ever", "corrupt"]
    assert threads["nowhere"]["end"] == "unreadable_memory"
    assert threads["unmapped"]["wait"]["kind"] == "futex"
    assert threads["unmapped"]["end"] == "root"
    assert threads["deep"]["frame_count"] > 2000 and threads["deep"]["end"] == "root"
    assert threads["vforking"]["wait"]["kind"] == "child"
    assert threads["oddities"]["state"] == "Z" and not threads["oddities"]["frames"]
    assert len(os.listdir(f"/proc/{target.pid}/task")) == before


def test_stacks_that_take_a_stop(ctx):
    target = asleep(ctx, ctx.target("oddities"))
    pid, before = target.pid, ctx.health(target.pid)
    threads = {thread["comm"]: thread for thread in dump(ctx, pid)["threads"]}
    framed, roomy = threads["framed"], threads["roomy"]
    assert functions(framed)[:3] == ["pause", "sleep_for_ever", "framed"]
    assert framed["end"] == "root" and not framed["stopped_by_us"]
    assert functions(roomy) == ["pause", "sleep_for_ever", "roomy"]
    assert roomy["end"] == "unknown_register" and not roomy["stopped_by_us"]
    document = dump(ctx, pid, "--stop-cut")
    roomy = {thread["comm"]: thread for thread in document["threads"]}["roomy"]
    assert document["stopped"] == 1 and roomy["stopped_by_us"] and roomy["end"] == "root"
    assert roomy["state"] == "S" and roomy["wait"]["syscall"] == "pause"
    unharmed(ctx, target, before)


def test_hostile_names(ctx):
    target = ctx.target("names")
    for options in (), ("--group",), ("-v",), ("--go",), ("--json",):
        text = ctx.run("dump-threads", target.pid, *options).stdout
        assert text and not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]",
                                      text.replace("\n\t", "\n")), options
    names = {thread["comm"] for thread in dump(ctx, target.pid)["threads"]}
    assert "\033]0;x\a;a\nb 9" in names, names


def test_ten_thousand_threads(ctx):
    try:
        target = ctx.target("parked", "--threads", 10000)
    except AssertionError:
        raise ctx.Skip("cannot start 10,000 threads here") from None
    before = ctx.health(asleep(ctx, target).pid)
    document = dump(ctx, target.pid, "--depth", 1)
    assert document["thread_count"] == 10001 and document["stopped"] == 0
    assert all(thread["end"] == "root" for thread in document["threads"])
    unharmed(ctx, target, before)
    assert target.stop() == {"returned": 0}


def test_process_that_exits_midway(ctx):
    """What was read is printed, and the exit status says that it is not all."""
    seen = set()
    for _ in range(40):
        target = ctx.target("parked", "--threads", 3000, "--exit-after", 30)
        time.sleep(0.02)
        done = ctx.run("dump-threads", target.pid, "--json")
        seen.add(done.returncode)
        assert done.returncode in (DONE, FAILED, GONE), done.stderr
        if done.returncode == FAILED:
            document = json.loads(done.stdout)
            assert document["end"] == "target_ended" and document["threads"]
            assert "ended" in done.stderr
            return
        target.kill()
    raise ctx.Skip(f"it never ended in the middle of a dump: {seen}")


def test_program_that_executes_another(ctx):
    """Stacks of one program are never named by the other one."""
    programs = {"execs", "idle"}
    for delay in range(5, 65):
        target = ctx.target("execs", delay, "main", ctx.build / "tests" / "targets" / "idle")
        document = dump(ctx, target.pid)
        name = os.path.basename(document["exe"])
        modules = {os.path.basename(frame["module"])
                   for thread in document["threads"] for frame in thread["frames"]}
        assert not modules & (programs - {name}), document
        target.kill()
        if document["executed"]:
            assert name == "idle", document
            return
    raise ctx.Skip("it never executed the other one in the middle of a dump")


def test_program_that_executes_another_and_ends(ctx):
    """The exit status and the message say so, and what there is to print is of one program."""
    seen, output = set(), ctx.tmp / "dump.json"
    for delay in list(range(1, 25)) * 3:
        target = ctx.target("execs", delay, "main", ctx.build / "tests" / "targets" / "exits", 1)
        done = ctx.run("dump-threads", target.pid, "--json", "-o", output)
        assert done.returncode in (DONE, FAILED, GONE), done.stderr
        assert done.returncode == DONE or "ended" in done.stderr or "no process" in done.stderr, \
            done.stderr
        if output.exists():
            document = json.loads(output.read_text())
            modules = {os.path.basename(frame["module"])
                       for thread in document["threads"] for frame in thread["frames"]}
            other = {"execs", "exits"} - {os.path.basename(document["exe"])}
            assert not modules or not modules & other, document
            assert document["end"] == "target_ended" or done.returncode == DONE, document
            output.unlink()
        seen.add(done.returncode)
        target.kill()
    if FAILED not in seen:
        raise ctx.Skip(f"it never ended in the middle of a dump: {seen}")


def test_only_the_right_to_trace(ctx):
    """task/TID/syscall is a file of the target's user: CAP_SYS_PTRACE alone does not open it."""
    if os.getuid() != 0:
        raise ctx.Skip("needs root to give capabilities")

    def with_capabilities(names, *words):
        prefix = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                  f"--inh-caps={names}", f"--ambient-caps={names}")
        done = subprocess.run([*prefix, program, "dump-threads", str(target.pid), "--json", *words],
                              capture_output=True, text=True, timeout=240, check=True)
        return by_tid(json.loads(done.stdout))

    with tempfile.TemporaryDirectory() as directory:  # everybody may read it there
        os.chmod(directory, 0o755)
        program = shutil.copy(ctx.ptprof, directory)
        target = asleep(ctx, ctx.target("parked"))
        denied = with_capabilities("+sys_ptrace")
        for thread in denied.values():
            assert thread["problem"] == "denied" and not thread["frames"], thread
            assert not thread["wait"]["syscall"] + thread["wait"]["text"], "it is made up"
        for words in ("+sys_ptrace,+dac_read_search",), ("+sys_ptrace", "--stop-all"):
            seen = with_capabilities(*words)
            assert all(thread["end"] == "root" for thread in seen.values()), words


def test_bad_input(ctx):
    target = ctx.target("idle")
    before = ctx.health(target.pid)
    nobody = ("setpriv", "--reuid=65534", "--clear-groups") if os.getuid() == 0 else ()
    for status, pattern, words, prefix in (
            (GONE, "no such process", (2 ** 22,), ()),
            (USAGE, "not a PID", ("abc",), ()),
            (USAGE, "one word too many", (target.pid, target.pid), ()),
            (USAGE, "regular expression", (target.pid, "-t", "("), ()),
            (USAGE, "one format", (target.pid, "--json", "--go"), ()),
            (USAGE, "terminal|one dump", (target.pid, "-f", "pprof", "--repeat", 2), ()),
            (DENIED, "another user|runs as|belongs to", (target.pid,), nobody)):
        if status == DENIED and not prefix:
            continue  # we are not root: nobody is denied anything
        done = ctx.run("dump-threads", *words, prefix=prefix)
        assert done.returncode == status and not done.stdout, (words, done.stderr)
        assert re.search(pattern, done.stderr), done.stderr
    unharmed(ctx, target, before)


def test_closed_and_full_outputs(ctx):
    target = ctx.target("idle")
    with open("/dev/full", "w", encoding="ascii") as full:
        done = ctx.run("dump-threads", target.pid, stdout=full)
    assert done.returncode == FAILED and "cannot write" in done.stderr


def test_no_dump_replaces_no_file(ctx):
    """Where no thread can be read in time, what the file held before stays."""
    target = ctx.target("idle")
    path = ctx.tmp / "dump.txt"
    for _ in range(20):
        path.write_text("precious", encoding="ascii")
        done = ctx.run("dump-threads", target.pid, "--timeout", "0.001us", "-o", path)
        nothing = "no thread of" in done.stderr
        assert done.returncode == FAILED if nothing else path.read_text().startswith("Process ")
        assert (path.read_text() == "precious") == nothing, done.stderr


# --- formats

def test_only_some_threads(ctx):
    target = asleep(ctx, ctx.target("parked", "--threads", 9, "--spin", 1))
    document = dump(ctx, target.pid, "-t", "^read$", "--depth", 2)
    assert document["thread_count"] == 11 and document["stopped"] == 0
    assert [thread["comm"] for thread in document["threads"]] == ["read"] * 3
    assert all(sum(not frame["inlined"] for frame in thread["frames"]) == 2
               for thread in document["threads"])


def test_group(ctx):
    target = asleep(ctx, ctx.target("parked", "--threads", 30))
    text = ctx.run("dump-threads", target.pid, "--group").stdout
    assert len(re.findall(r"^10 threads: [\d,-]+ \"(?:futex|read|sleep)\"", text, re.M)) == 3
    assert len(re.findall(r"^Thread ", text, re.M)) == 1


def test_repeat(ctx):
    target = asleep(ctx, ctx.target("parked", "--spin", 1))
    began = time.monotonic()
    text = ctx.run("dump-threads", target.pid, "--repeat", 3, "-i", "200ms").stdout
    assert time.monotonic() - began >= 0.4
    first, second, third = re.split(r"^(?=Process )", text, flags=re.M)[1:]
    assert len(re.findall(r"^Thread ", first, re.M)) == 5
    for later in second, third:
        assert re.findall(r'^Thread \d+ "(.*?)"', later, re.M) == ["spin"], later


def test_interrupted(ctx):
    """Ctrl-C ends a dump that waits for threads that run, and what was read is printed."""
    target = ctx.target("parked", "--spin", 100)
    before = ctx.health(target.pid)
    with open(ctx.tmp / "dump", "wb") as stdout:
        run = ctx.start("dump-threads", target.pid, "--repeat", 1000, "-i", "10ms", "--json",
                        "--timeout", "10m", stdout=stdout)
    run.sampler()
    os.kill(run.pid, signal.SIGINT)
    status = run.popen.wait(60)
    last = documents_of((ctx.tmp / "dump").read_text())[-1]
    assert status == (FAILED if last["end"] == "interrupted" else DONE), run.stderr
    assert last["end"] in ("interrupted", "complete") and last["thread_count"] > 0
    unharmed(ctx, target, before)


def test_go_text(ctx):
    """The grammar that readers of Go's dumps accept."""
    target = ctx.target("parked", "--spin", 1)
    text = ctx.run("dump-threads", target.pid, "--go").stdout
    header = re.compile(r"^goroutine (\d+) \[([^\]]+)\]:$")
    source = re.compile(r"^\t(?:\?\?|.+\.(?:c|go|s)):\d+(?: \+0x[0-9a-f]+)?$")
    tids = []
    for paragraph in text.rstrip("\n").split("\n\n"):
        first, *lines = paragraph.split("\n")
        tids.append(int(header.match(first).group(1)))
        assert len(lines) % 2 == 0 and lines
        for function, place in zip(lines[::2], lines[1::2]):
            assert re.match(r"^(.+)\((.*)\)$", function), function
            assert source.match(place), place
    assert tids[0] == target.pid and len(tids) == 5
    assert not text.endswith("\n\n")


def go_tool_pprof(ctx, path, *options):
    if not shutil.which("go"):
        raise ctx.Skip("go is not installed")
    return subprocess.run(["go", "tool", "pprof", "-symbolize=none", *options, path],
                          capture_output=True, text=True, check=True, timeout=240).stdout


def test_pprof_file(ctx):
    target = asleep(ctx, ctx.target("parked", "--threads", 30))
    path = ctx.tmp / "threads.pb.gz"
    done = ctx.run("dump-threads", target.pid, "-f", "pprof", "-o", path)
    assert done.returncode == DONE, done.stderr
    told = go_tool_pprof(ctx, path, "-top", "-cum")
    assert "Type: goroutine" in told and re.search(r"^\s*0\s.*\s30\s.*\bpark$", told, re.M), told


def test_pprof_labels(ctx):
    target = asleep(ctx, ctx.target("locks", "mutex"))
    truth = json.loads(target.said_before[-1])["waits"]
    path = ctx.tmp / "threads.pb.gz"
    done = ctx.run("attach", target.pid, "--type", "threads", "-o", path)
    assert done.returncode == DONE, done.stderr
    waits = [wait for wait in truth if wait["kind"] == "lock"]
    told = go_tool_pprof(ctx, path, "-traces", "-tagfocus", "wait=lock")
    assert len(re.findall(r"^ *wait: +lock$", told, re.M)) == len(waits) > 0, told
    assert set(re.findall(r"^ *lock: +(.*)$", told, re.M)) == {wait["object"] for wait in waits}
    assert re.findall(r"^ *tid: +(\d+)$", told, re.M) and "blocked" in told, told
    threads = len(ctx.thread_states(target.pid))
    tags = go_tool_pprof(ctx, path, "-tags")
    assert f"tid: Total {threads} of {threads}" in tags, tags
