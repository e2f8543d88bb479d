# SPDX-License-Identifier: MIT
"""The limits that ptprof itself runs under, and what the kernel refuses it: each is called by its
name, with an exit status and what to do, and nothing that was there or was collected is lost."""

import gzip
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import time

from control_groups import control_group
from measure import count, rooted_share, samples_with, stacks

SIDE_BY_SIDE = True

DONE, FAILED, USAGE, GONE, DENIED = range(5)
LONELY = 54321  # a user who has no other process


def limit(**limits):
    """For preexec_fn: RLIMIT_NAME=value, or (soft, hard)."""
    def apply():
        for name, value in limits.items():
            pair = value if isinstance(value, tuple) else (value, value)
            resource.setrlimit(getattr(resource, "RLIMIT_" + name), pair)
    return apply


def profile_within(ctx, pid, **limits):
    output = ctx.tmp / "limited.json"
    done = ctx.run("attach", pid, "-d", "3s", "-o", output, preexec_fn=limit(**limits))
    assert done.returncode == DONE, f"exit status {done.returncode}"
    return json.loads(output.read_text())


def attach_until_seen(ctx, target, output, **popen):
    """A run that ends when the target has used 500 ms of CPU time, which takes longer on a busy
    machine."""
    run = ctx.start("attach", target.pid, "-o", output, **popen)
    run.says("attached")
    ctx.uses(target.pid, 500)
    run.signal(signal.SIGINT)
    run.wait()
    return run.popen.returncode, run.stderr


def untouched(ctx, target, before):
    assert target.alive(), f"{target.name} ended"
    after = ctx.health(target.pid)
    assert after == before, f"{before} before, {after} after"


# --- whose numbers

def test_proc_of_another_pid_namespace(ctx):
    """Its numbers are strangers to ptrace: nobody is stopped, whatever is asked for."""
    prefix = ("unshare", "--fork", "--pid", "--kill-child")
    if subprocess.run([*prefix, "true"]).returncode != 0:
        raise ctx.Skip("cannot make a PID namespace")
    target = ctx.target("split")
    before = ctx.health(target.pid)
    for words in (("attach", target.pid, "-d", "1s", "-o", ctx.tmp / "out.json"),
                  ("attach", target.pid, "--children", "-d", "1s", "-o", ctx.tmp / "out.json"),
                  ("dump-threads", target.pid), ("top", target.pid, "-b", "-n", "1"),
                  ("check", target.pid)):
        done = ctx.run(*words, prefix=prefix)
        assert done.returncode == DENIED, f"{words[0]}: exit status {done.returncode}"
        assert "PID namespace" in done.stderr + done.stdout, f"{words[0]}: {done.stderr}"
        assert "mount -t proc" in done.stderr + done.stdout, "no remedy"
    assert not (ctx.tmp / "out.json").exists()
    untouched(ctx, target, before)
    # And with a /proc of its own it works on what is there.
    done = ctx.run("check", "1", prefix=("unshare", "--fork", "--pid", "--mount-proc"))
    assert "PID namespace    the numbers" in done.stdout, done.stdout


def many_modules(ctx, count):
    folder = ctx.tmp / "modules"
    folder.mkdir()
    library = ctx.program("libmany.so")
    for i in range(count):
        shutil.copyfile(library, folder / f"l{i}.so")
    return ctx.target("many_modules", folder)


# --- CPUs

# Runs a command beside busy processes of its own session, with which it shares its part of the
# CPUs (autogroups).
BESIDE = """
others=
for i in $(seq {}); do
    (while :; do :; done) >/dev/null 2>&1 &
    others="$others $!"
done
"$@"
status=$?
kill $others
exit $status
"""


def test_busy_cpus(ctx):
    """On CPUs that others want, what was sampled of many libraries is taken in later, not lost."""
    target = many_modules(ctx, 500)
    before = ctx.health(target.pid)
    others = 8 * len(os.sched_getaffinity(0))
    done = ctx.run("attach", target.pid, "-d", "1s", "-o", ctx.tmp / "out.json",
                   prefix=("sh", "-c", BESIDE.format(others), "sh"))
    assert done.returncode == DONE, done.stderr
    profile = json.loads((ctx.tmp / "out.json").read_text())
    taken = count(stacks(profile))
    assert samples_with(profile, "work") > 0.95 * taken > 0, profile["run"]
    assert profile["run"]["unattributed_ns"] < 0.5 * profile["run"]["cpu_ns"], profile["run"]
    untouched(ctx, target, before)


# --- descriptors

def test_few_descriptors(ctx):
    """With fewer descriptors than modules: the same answer."""
    target = many_modules(ctx, 150)
    before = ctx.health(target.pid)
    for files in (1024, 4096), (48, 48), (20, 20):
        profile = profile_within(ctx, target.pid, NOFILE=files)
        taken = count(stacks(profile))
        assert taken > 20, f"{taken} samples with {files} descriptors"
        assert samples_with(profile, "work") > 0.95 * taken, f"names are lost with {files}"
        assert rooted_share(profile) > 0.95, f"stacks are cut with {files}"
        assert len(ctx.stderr.splitlines()) < 12, "not told once"
        done = ctx.run("dump-threads", target.pid, "--timeout", "60s",
                       preexec_fn=limit(NOFILE=files))
        complete = done.returncode == DONE and "work+" in done.stdout
        assert complete or (files[0] < 48 and "ulimit -n" in done.stderr), \
            done.stdout + done.stderr
    untouched(ctx, target, before)


def test_too_few_descriptors(ctx):
    """What cannot be done with so few is refused by its name."""
    target = ctx.target("split")
    before = ctx.health(target.pid)
    done = ctx.run("attach", target.pid, "-d", "500ms", "-o", ctx.tmp / "out.json",
                   preexec_fn=limit(NOFILE=6))
    assert done.returncode > 0, f"exit status {done.returncode}"
    assert "ulimit -n" in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) < 12, done.stderr
    untouched(ctx, target, before)


# --- files

def left_behind(folder, *expected):
    return sorted({path.name for path in folder.iterdir()} - set(expected) -
                  {path.name for path in folder.glob("*.stderr")})


def test_file_size(ctx):
    """No signal, half a file or temporary file; said before the run where that can be known."""
    target = ctx.target("wander")
    sleeping = ctx.target("parked", "--threads", 20)  # the dump of one thread may fit
    before = ctx.health(target.pid)
    folder = ctx.tmp / "out"
    folder.mkdir()
    env = {**os.environ, "TMPDIR": str(folder)}
    status, said = attach_until_seen(ctx, target, folder / "out.json", cwd=folder, env=env,
                                     preexec_fn=limit(FSIZE=8192))
    assert status == FAILED and "ulimit -f" in said, f"{status}: {said}"
    assert not left_behind(folder), left_behind(folder)
    for size, words in (0, ("attach", "-d", "60s")), (0, ("dump-threads",)), \
            (4096, ("dump-threads", "-f", "json")):
        begin = time.monotonic()
        pid = sleeping.pid if words[0] == "dump-threads" else target.pid
        done = ctx.run(words[0], pid, *words[1:], "-o", folder / "out.json", cwd=folder,
                       env=env, preexec_fn=limit(FSIZE=size))
        assert done.returncode == FAILED, f"{size} {words}: exit status {done.returncode}"
        assert "ulimit -f" in done.stderr, done.stderr
        assert size or time.monotonic() - begin < 30, "found out only at the end"
        assert not left_behind(folder), left_behind(folder)
    untouched(ctx, target, before)


def test_soft_file_size(ctx):
    """A limit that we may raise ourselves costs nobody a profile."""
    target = ctx.target("wander")
    folder = ctx.tmp / "out"
    folder.mkdir()
    status, said = attach_until_seen(ctx, target, ctx.tmp / "out.json", cwd=folder,
                                     preexec_fn=limit(FSIZE=(8192, resource.RLIM_INFINITY)))
    assert status == FAILED and "ulimit -f" in said, f"{status}: {said}"
    found = left_behind(folder)
    assert len(found) == 1 and found[0] in said, f"{found} {said}"
    json.loads((folder / found[0]).read_text())


def test_leftovers(ctx):
    """In a container process numbers come again: what an earlier run left blocks nothing."""
    target = ctx.target("split")
    for pid in range(1, 40):
        (ctx.tmp / f"out.json.part-{pid}").write_text("left behind")
    prefix = ("unshare", "--fork", "--pid", "--mount-proc", "--kill-child")
    if subprocess.run([*prefix, "true"]).returncode != 0:
        raise ctx.Skip("cannot make a PID namespace")
    script = '"$2" attach $! -d 1s --wait-for-names -o "$3"'
    done = subprocess.run([*prefix, "sh", "-c", f'"$1" >/dev/null & sleep 0.2; {script}', "sh",
                           ctx.program("split"), ctx.ptprof, ctx.tmp / "out.json"],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == DONE, done.stderr
    assert json.loads((ctx.tmp / "out.json").read_text())["run"]["samples"]
    assert target.alive()


def test_killed_while_writing(ctx):
    """SIGKILL leaves no temporary file where the file system can do without a name."""
    target = ctx.target("wander")
    folder = ctx.tmp / "out"
    folder.mkdir()
    try:
        os.close(os.open(folder, os.O_TMPFILE | os.O_WRONLY))
    except OSError:
        raise ctx.Skip("the file system has no files without a name") from None
    run = ctx.start("attach", target.pid, "-d", "60s", "-r", "1000", "-o", folder / "out.json")
    run.says("attached")
    time.sleep(2)
    run.signal(signal.SIGINT)
    run.says("stopping")
    seen = set()
    while run.alive() and not seen:
        seen |= set(left_behind(folder))
    if run.alive():
        run.signal(signal.SIGKILL)
    run.wait()
    assert seen <= {"out.json"}, seen


# --- processes

def test_no_more_processes(ctx):
    """The limit is named, and the profile of an earlier run stays as it is."""
    if os.geteuid() != 0:
        raise ctx.Skip("needs root, to become another user")
    user = ("setpriv", f"--reuid={LONELY}", f"--regid={LONELY}", "--clear-groups")
    target = ctx.spawn(*user, ctx.program("split"))
    assert target.line() == "ready"
    folder = ctx.tmp / "out"
    folder.mkdir()
    output = folder / "out.json"
    output.write_text("precious")
    os.chown(folder, LONELY, LONELY)
    os.chown(output, LONELY, LONELY)
    # The target is one, ptprof the second: there is no third.
    done = ctx.run("attach", target.pid, "-d", "500ms", "-o", output, prefix=user,
                   preexec_fn=limit(NPROC=2))
    assert done.returncode == FAILED, f"exit status {done.returncode}"
    assert "sampler" in done.stderr and "ulimit -u" in done.stderr, done.stderr
    assert output.read_text() == "precious", "an earlier profile was replaced"
    assert left_behind(folder, "out.json") == []
    assert target.alive()


# --- memory

def size_of(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmSize:\s*(\d+)", status)[1]) << 10


def left_by_now(ctx, run):
    """How many samples of left() the run has taken, which a snapshot says."""
    written = len(re.findall("snapshot written", run.stderr))
    run.signal(signal.SIGUSR1)
    ctx.eventually(lambda: len(re.findall("snapshot written", run.stderr)) > written, "a snapshot")
    newest = ctx.tmp / f"out.{written + 1}.json"
    profile = json.loads(newest.read_text())
    newest.unlink()
    return samples_with(profile, "left")


def test_memory_runs_short(ctx):
    """What was seen up to then is written, with the limit's name and an exit status."""
    target = ctx.target("wander")
    before = ctx.health(target.pid)
    output = ctx.tmp / "out.json"
    run = ctx.start("attach", target.pid, "-d", "200s", "-r", "1000", "--max-stop", "50",
                    "-o", output)
    run.says("attached")
    ctx.eventually(lambda: left_by_now(ctx, run) > 50, "samples of the target's function")
    size = size_of(run.pid) + (1 << 20)
    resource.prlimit(run.pid, resource.RLIMIT_AS, (size, size))
    assert run.wait(100) == FAILED, run.stderr
    assert "memory" in run.stderr and "ulimit -v" in run.stderr, run.stderr
    profile = json.loads(output.read_text())
    assert samples_with(profile, "left") > 50
    assert left_behind(ctx.tmp, "out.json") == []
    untouched(ctx, target, before)


def test_little_memory(ctx):
    """From the start on: an end with a message or a profile, never a signal or a hundred lines."""
    target = ctx.target("wander")
    before = ctx.health(target.pid)
    for megabytes in 20, 30, 40, 60, 80, 120, 200, 400:
        output = ctx.tmp / f"out-{megabytes}.json"
        done = ctx.run("attach", target.pid, "-d", "1s", "-o", output,
                       preexec_fn=limit(AS=megabytes << 20))
        assert done.returncode >= 0, f"{megabytes}: signal {-done.returncode}\n{done.stderr}"
        assert len(done.stderr.splitlines()) < 15, f"{megabytes}: {done.stderr}"
        assert done.returncode == DONE or done.stderr, f"{megabytes}: no word"
        assert done.returncode in (DONE, 127) or "memory" in done.stderr or \
            "ulimit" in done.stderr, f"{megabytes}: {done.returncode} {done.stderr}"
        assert done.returncode != DONE or json.loads(output.read_text())["run"]["samples"]
    untouched(ctx, target, before)


# --- refusals

def test_ptrace_is_forbidden(ctx):
    """By a filter that lets memory be read: refused by its name, not counted as threads that
    ended."""
    target = ctx.target("split")
    before = ctx.health(target.pid)
    prefix = (ctx.build / "tests" / "live" / "deny", "stops")
    output = ctx.tmp / "out.json"
    output.write_text("precious")
    for words in ("attach", "-d", "500ms", "-o", output), ("top", "-b", "-n", "1"), ("check",):
        done = ctx.run(words[0], target.pid, *words[1:], prefix=prefix)
        assert done.returncode == DENIED, f"{words[0]}: exit status {done.returncode}"
        assert "seccomp" in done.stderr + done.stdout, done.stderr
        assert "ptrace" in done.stderr + done.stdout, done.stderr
    assert output.read_text() == "precious"
    untouched(ctx, target, before)


def tracer_of(ctx, target):
    """A program that traces the target, unless ptprof held it just then."""
    tracer = ctx.spawn(ctx.build / "tests" / "live" / "trace", target.pid, "hold",
                       stderr=subprocess.DEVNULL)
    try:
        return tracer.line() == "ready" and tracer
    except AssertionError:
        return None


def test_tracer_comes_meanwhile(ctx):
    """It has its name and an exit status; no share of anything is above 100 %."""
    target = ctx.target("split")
    run = ctx.start("attach", target.pid, "-d", "60s", "-o", ctx.tmp / "out.json")
    run.says("attached")
    time.sleep(0.5)
    tracer = ctx.eventually(lambda: tracer_of(ctx, target), "it is traced by somebody else")
    time.sleep(2.5)
    run.signal(signal.SIGINT)
    assert run.wait() == DENIED, run.stderr
    assert f"process {tracer.pid} (trace)" in run.stderr, run.stderr
    shares = [float(word.rstrip("%")) for word in run.stderr.replace(",", " ").split()
              if word.endswith("%") and word[0].isdigit()]
    assert shares and max(shares) <= 100, run.stderr
    assert "ended before" not in run.stderr, run.stderr
    assert json.loads((ctx.tmp / "out.json").read_text())["run"]["samples"] > 0


# --- small

def test_same_pid_twice(ctx):
    target = ctx.target("split")
    profile = ctx.profile(target.pid, target.pid, "-d", "500ms")
    assert "and 1 more" not in ctx.stderr, ctx.stderr
    assert len({stack["pid"] for stack in stacks(profile)}) == 1


def test_no_thread_matches(ctx):
    """A filter that meets nobody is an answer of its own, not an empty profile."""
    target = ctx.target("idle")
    output = ctx.tmp / "out.json"
    output.write_text("precious")
    for words in ("attach", "-d", "500ms", "-o", output), ("dump-threads",), \
            ("top", "-b", "-n", "1"):
        done = ctx.run(words[0], target.pid, *words[1:], "--threads", "nobody")
        assert done.returncode == GONE, f"{words[0]}: exit status {done.returncode}"
        assert "--threads 'nobody'" in done.stderr, done.stderr
    assert output.read_text() == "precious"
    # One that matches who sleeps is fine.
    done = ctx.run("attach", target.pid, "-d", "500ms", "-o", output, "--threads", ".")
    assert done.returncode == DONE, done.stderr


def test_compressed(ctx):
    """A name that says .gz holds what it says."""
    target = ctx.target("split")
    for name in "out.folded", "out.json", "out.txt":
        done = ctx.run("attach", target.pid, "-d", "1s", "-o", ctx.tmp / (name + ".gz"))
        assert done.returncode == DONE, done.stderr
        text = gzip.decompress((ctx.tmp / (name + ".gz")).read_bytes()).decode()
        assert "heavy" in text, text[:200]
        assert "flamegraph.pl" not in done.stderr, "that reads no compressed file"
    assert json.loads(gzip.decompress((ctx.tmp / "out.json.gz").read_bytes()))["stacks"]
    done = ctx.run("dump-threads", target.pid, "-o", ctx.tmp / "dump.txt.gz")
    assert "Process" in gzip.decompress((ctx.tmp / "dump.txt.gz").read_bytes()).decode()


# --- control groups

def is_frozen(group):
    """By now: the kernel takes its time, the longer the busier it is."""
    if (group / "freezer.state").exists():
        return (group / "freezer.state").read_text() == "FROZEN\n"
    return "frozen 1\n" in (group / "cgroup.events").read_text()


def is_frozen_told(ctx, file, words, *roots):
    target = ctx.target("split")
    with control_group(ctx, *roots) as group:
        if not (group / file).exists():
            raise ctx.Skip("groups cannot be frozen here")
        (group / "cgroup.procs").write_text(str(target.pid))
        (group / file).write_text(words[0])
        try:
            ctx.eventually(lambda: is_frozen(group), "the group is frozen")
            done = ctx.run("attach", target.pid, "-d", "500ms", "-o", ctx.tmp / "out.json")
            assert done.returncode == DONE and "frozen" in done.stderr, done.stderr
            assert json.loads((ctx.tmp / "out.json").read_text())["run"]["frozen"]
            done = ctx.run("dump-threads", target.pid)
            assert "frozen" in done.stdout and "page fault" not in done.stdout, done.stdout
            assert "main" in done.stdout, "no stack"
            assert "frozen:" in ctx.run("check", target.pid).stdout
            assert "frozen" in ctx.run("top", target.pid, "-b", "-n", "1").stderr
        finally:
            (group / file).write_text(words[1])
    before = ctx.cpu_ns(target.pid)
    ctx.eventually(lambda: ctx.cpu_ns(target.pid) > before + 10 ** 7, "it runs when thawed")


def test_frozen(ctx):
    is_frozen_told(ctx, "cgroup.freeze", "10", "/sys/fs/cgroup", "/sys/fs/cgroup/unified")


def test_frozen_by_the_old_freezer(ctx):
    is_frozen_told(ctx, "freezer.state", ("FROZEN", "THAWED"), "/sys/fs/cgroup/freezer")


def test_quota(ctx):
    """A process that may not run more is told so."""
    target = ctx.target("split")
    for file, text, roots in (("cpu.max", "10000 100000", ("/sys/fs/cgroup",)),
                              ("cpu.cfs_quota_us", "10000", ("/sys/fs/cgroup/cpu",))):
        try:
            with control_group(ctx, *roots) as group:
                (group / file).write_text(text)
                (group / "cgroup.procs").write_text(str(target.pid))
                done = ctx.run("attach", target.pid, "-d", "2s", "-o", ctx.tmp / "out.json")
                assert done.returncode == DONE, done.stderr
                assert "quota of its control group" in done.stderr, done.stderr
                run = json.loads((ctx.tmp / "out.json").read_text())["run"]
                assert run["throttled_ns"] > 0, run
                return
        except (OSError, ctx.Skip):
            continue
    raise ctx.Skip("no CPU quota can be set here")


URING = """
import ctypes, struct, time
parameters = ctypes.create_string_buffer(120)
struct.pack_into("IIIII", parameters, 0, 0, 0, 2, 0, 60000)  # IORING_SETUP_SQPOLL, busy for 60 s
libc = ctypes.CDLL(None, use_errno=True)
ring = libc.syscall(425, 8, parameters)
print("ready" if ring >= 0 else "none", flush=True)
while True:
    time.sleep(0.1)
    libc.syscall(426, ring, 0, 0, 2, None, 0)  # wakes the thread
"""


def test_io_uring(ctx):
    """The kernel's own threads in a process have no stack; they are no refusal and no failure."""
    target = ctx.spawn("python3", "-c", URING)
    if target.line() != "ready":
        raise ctx.Skip("no io_uring here")
    ctx.eventually(lambda: len(ctx.thread_states(target.pid)) > 1, "the kernel's thread")
    done = ctx.run("dump-threads", target.pid)
    assert re.search(r'"iou-sqp-.*io_uring', done.stdout), done.stdout
    done = ctx.run("attach", target.pid, "-d", "1s", "-o", ctx.tmp / "out.json")
    assert done.returncode == DONE, f"{done.returncode} {done.stderr}"
    assert "refused" not in done.stderr and "ended before" not in done.stderr, done.stderr
    assert "io_uring" in done.stderr, done.stderr
