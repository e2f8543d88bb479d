# SPDX-License-Identifier: MIT
"""What a target must not notice, beyond test_harmless.py. tests/README.md numbers these tests."""

import json
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import time

from measure import count, functions, samples_with, stacks, twice
from test_harmless import FAST, assert_healthy, runs_on, sampled

OFTEN = ("-r", "200", "--max-stop", "20")


def started(ctx, target, duration, *options):
    """A profile in the background."""
    run = ctx.start("attach", target.pid, "-d", duration, *(options or FAST), "-f", "json", "-o",
                    ctx.tmp / "out.json")
    run.says("attached")
    return run


def samples(ctx, run):
    """Waits until the sampler has a thread for each CPU: "attached" is said before."""
    sampler = run.sampler()
    ctx.eventually(lambda: len(ctx.thread_states(sampler)) > 1, "it samples")


def runs_for(ctx, target, seconds):
    """Waits until the target has used so much CPU time more, by which samples of it come."""
    begin = ctx.cpu_ns(target.pid)
    ctx.eventually(lambda: ctx.cpu_ns(target.pid) > begin + seconds * 1e9, "it runs")


def document(ctx):
    return json.loads((ctx.tmp / "out.json").read_text())


def memory_of(pid):
    """kB of what must not grow."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {name: int(value) for name, value in
            re.findall(r"^(VmSize|VmRSS|VmPTE|VmStk|RssShmem):\s*(\d+) kB", text, re.M)}


# --- calls, timers and signals

def test_timeouts(ctx):
    """Of 300 ms in epoll_wait, semtimedop, sigtimedwait and recv: none ends early, and none takes
    its time again after a stop. Timers expire as often as they should, and no clock goes back."""
    def look():
        target = ctx.target("timeouts")
        sampled(ctx, target, ctx.length("3s", "60s"))
        counts = target.stop()
        for name, call in counts["calls"].items():
            assert call["calls"] > 5 and call["early"] == call["odd"] == 0, f"{name}: {call}"
            assert call["late"] <= 0.05 * call["calls"], f"{name}: {call}"
        ctx.figure = f"{sum(call['late'] for call in counts['calls'].values())} late of " \
            f"{sum(call['calls'] for call in counts['calls'].values())} calls, " \
            f"{counts['expired']} of {counts['due']} expirations"
        assert abs(counts["expired"] - counts["due"]) <= 0.02 * counts["due"], counts
        assert counts["back"] == 0, counts
    twice(look)
test_timeouts.soak = 600


def test_genuine_interruptions(ctx):
    """A signal with a handler interrupts epoll_pwait exactly once, and nothing else does."""
    target = ctx.target("epoll_signals")
    sampled(ctx, target, ctx.length("3s", "60s"))
    counts = target.stop()
    assert counts["handled"] > 100 and counts["sent"] - counts["handled"] in (0, 1), counts
    assert counts["eintr"] == counts["handled"] and counts["odd"] == 0, counts
    ctx.figure = f"{counts['handled']} signals, {counts['eintr']} EINTR"
test_genuine_interruptions.soak = 300


def test_seccomp_strict(ctx):
    target = ctx.target("seccomp_strict")
    profile = sampled(ctx, target, "1s")
    assert samples_with(profile, "work_strictly") > 20
    runs_on(ctx, target.pid)


def test_seccomp_notification(ctx):
    """A stop makes the kernel ask the supervisor anew. It happens (the manual says so), but it is
    rare, and the caller never sees it."""
    target = ctx.target("seccomp_notify")
    if target.said_before:
        raise ctx.Skip("no listener: seccomp's user notification is not permitted here")
    sampled(ctx, target, ctx.length("2s", "60s"))
    counts = target.stop()
    assert counts["done"] > 100 and counts["wrong"] == 0, counts
    assert counts["asked"] - counts["done"] <= 1 + 0.01 * counts["done"], counts
    ctx.figure = f"{counts['asked'] - counts['done']} of {counts['done']} asked twice"
test_seccomp_notification.soak = 300


def test_job_control(ctx):
    """A shell's job: ^Z stops it, a read of the terminal in the background does (SIGTTIN), and it
    goes on in the foreground, each time with the status that the shell waits for."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execlp("sh", "sh", "-c", "set -m; echo shell; while read line; do eval \"$line\"; done")
    try:
        job_control(ctx, terminal)
    finally:
        os.close(terminal)
        ctx.kill(pid)
        os.waitpid(pid, 0)


def job_control(ctx, terminal):
    said = bytearray()

    def type_in(text):
        os.write(terminal, text.encode())

    def answer(pattern):
        def seen():
            said.extend(os.read(terminal, 4096))
            return re.search(pattern, said)
        os.set_blocking(terminal, True)
        return ctx.eventually(seen, f"the shell says {pattern}")
    answer(rb"shell")
    type_in(f"{ctx.program('split')} & echo job=$!\n")
    pid = int(answer(rb"job=(\d+)\r").group(1))
    run = ctx.start("attach", pid, "-d", "1m", *FAST, "-o", ctx.tmp / "out.json")
    run.says("attached")
    for _ in range(5):
        type_in("fg >/dev/null; echo status=$?.\n")
        runs_on(ctx, pid)
        time.sleep(0.05)
        said.clear()
        type_in("\x1a")
        assert int(answer(rb"status=(\d+)\.\r").group(1)) == 128 + signal.SIGTSTP, said
        ctx.eventually(lambda: ctx.state_of(pid) == "T", "the job is stopped")
        begin = ctx.cpu_ns(pid)
        time.sleep(0.1)
        assert ctx.cpu_ns(pid) == begin, "a stopped job ran"
        type_in("bg >/dev/null\n")
        runs_on(ctx, pid)
    said.clear()
    type_in("cat & echo reader=$!\n")
    reader = int(answer(rb"reader=(\d+)\r").group(1))
    ctx.eventually(lambda: ctx.state_of(reader) == "T", "a reader in the background is stopped")
    looker = ctx.run("attach", reader, "-d", "500ms", *FAST, "-o", ctx.tmp / "reader.json")
    assert looker.returncode in (0, 3) and ctx.state_of(reader) == "T", looker.stderr
    ctx.kill(reader)
    run.signal(signal.SIGINT)
    assert run.wait() == 0
    ctx.kill(pid)


# --- memory

def test_memory_does_not_grow(ctx):
    """Neither the stack's mapping nor what is resident, however often it is read."""
    target = ctx.target("split")
    sampled(ctx, target, "200ms")
    before = memory_of(target.pid)
    profile = sampled(ctx, target, ctx.length("3s", "200s"))
    assert memory_of(target.pid) == before, f"{before}, after it {memory_of(target.pid)}"
    assert profile["run"]["samples"] > ctx.length(300, 50_000)
    ctx.figure = f"+0 kB after {profile['run']['samples']} samples"
test_memory_does_not_grow.soak = 600


def test_stack_pointers(ctx):
    """Of a stack pointer that is none: the thread runs on, and the one beside it is sampled."""
    absent = []
    for place in "file", "hole", "guarded", "huge", "vdso", "noncanonical":
        target = ctx.target("stack_pointers", place)
        if target.said_before:
            absent.append(place)
            continue
        profile = sampled(ctx, target, "500ms", *OFTEN)
        run = profile["run"]
        assert run["restarts"] == 0, f"{place}: {run}"
        for thread, function in ("there", "spin_there"), ("beside", "work_beside"):
            found = list(stacks(profile, thread=thread))
            assert count(found) >= 5, f"{place}: {count(found)} samples of {thread}"
            assert all(function in functions(stack)[:1] + functions(stack) for stack in found) or \
                thread == "there", f"{place}: {found[0]}"
        runs_on(ctx, target.pid)
        target.kill()
    assert set(absent) <= {"huge"}, absent


def test_shared_memory_is_not_brought_in(ctx):
    """What lies behind a stack pointer into shared memory is the target's: reading it would make
    pages for it that stay."""
    target = ctx.target("stack_pointers", "shared")
    sampled(ctx, target, "200ms", *OFTEN)
    before = memory_of(target.pid)
    sampled(ctx, target, "500ms", *OFTEN)
    assert memory_of(target.pid) == before, f"{before}, after it {memory_of(target.pid)}"
    assert before["RssShmem"] <= 8, before


def test_page_that_never_comes(ctx):
    """A stack in memory that userfaultfd never fills: the thread beside it is sampled, and neither
    is held for long."""
    target = ctx.target("stack_pointers", "missing")
    if target.said_before:
        raise ctx.Skip("userfaultfd is not permitted here")
    profile = sampled(ctx, target, "2s", *OFTEN)
    assert samples_with(profile, "work_beside") > 10, profile["run"]
    runs_on(ctx, target.pid)


# --- threads and processes

def test_idle_threads_are_not_stopped(ctx):
    target = ctx.target("threads", "--still", ctx.length(1000, 5000))
    profile = sampled(ctx, target, "2s")
    run = profile["run"]
    assert run["threads_seen"] > ctx.length(1000, 5000) and run["stops"] <= 2, run
    ctx.figure = f"{run['stops']} stops of {run['threads_seen']} threads"
test_idle_threads_are_not_stopped.soak = 300


def test_vfork(ctx):
    """A parent that waits in D for its child delays neither other threads' samples nor the end."""
    target = ctx.target("vforks")
    ctx.eventually(lambda: ctx.state_of(target.pid) == "D", "the first thread waits in vfork")
    run = started(ctx, target, "5m")
    samples(ctx, run)
    runs_for(ctx, target, 0.7)
    begin = time.monotonic()
    run.signal(signal.SIGINT)
    assert run.wait() == 0
    ctx.figure = f"ended after {time.monotonic() - begin:.2f} s"
    assert samples_with(document(ctx), "work_beside") > 20
    assert_healthy(ctx, target)


def freezers():
    """(what it is, the directory, file, text that freezes, text that thaws) of the cgroups here."""
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        _, where, kind, options, *_ = line.split()
        if kind == "cgroup2":
            yield "v2", where, "cgroup.freeze", "1", "0"
        elif kind == "cgroup" and "freezer" in options.split(","):
            yield "v1", where, "freezer.state", "FROZEN", "THAWED"


def test_frozen_cgroup(ctx):
    """ptprof ends in time, and the target runs on when it is thawed."""
    tried = 0
    for kind, where, file, freeze, thaw in freezers():
        group = pathlib.Path(where) / f"ptprof-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        target = ctx.target("split")
        try:
            (group / "cgroup.procs").write_text(str(target.pid))
            (group / file).write_text(freeze)
            ctx.eventually(lambda: frozen(ctx, target.pid), f"{kind}: the target is frozen")
            done = ctx.run("attach", target.pid, "-d", "500ms", *FAST, "-f", "json", "-o",
                           ctx.tmp / "out.json", timeout=30)
            assert done.returncode in (0, 3), f"{kind}: {done.returncode}"
            assert frozen(ctx, target.pid), f"{kind}: it was thawed"
        finally:
            (group / file).write_text(thaw)
            runs_on(ctx, target.pid)
            assert_healthy(ctx, target)
            target.kill()
            ctx.eventually(lambda: not (group / "cgroup.procs").read_text(), "the group is empty")
            group.rmdir()
        tried += 1
    if not tried:
        raise ctx.Skip("no cgroup can be made here")


def frozen(ctx, pid):
    begin = ctx.cpu_ns(pid)
    time.sleep(0.05)
    return ctx.cpu_ns(pid) == begin


REUSE = """
import os, signal, subprocess, sys, time
ptprof, first, second, out = sys.argv[1:]
old = subprocess.Popen([first], stdout=subprocess.DEVNULL)
run = subprocess.Popen([ptprof, "attach", str(old.pid), "-d", "60s", "-r", "1000",
                        "--max-stop", "50", "-f", "json", "-o", out],
                       stderr=subprocess.PIPE, text=True)
while "attached" not in (line := run.stderr.readline()):
    if not line:
        sys.exit("ptprof ended: " + str(run.wait()))
clock = ~old.pid << 3 | 2  # of its CPU time
begin = time.clock_gettime(clock)
while time.clock_gettime(clock) < begin + 0.4:
    time.sleep(0.01)
old.kill()
old.wait()
for _ in range(200):
    open("/proc/sys/kernel/ns_last_pid", "w").write(str(old.pid - 1))
    new = subprocess.Popen([second], stdout=subprocess.DEVNULL)
    if new.pid == old.pid:
        break
    new.kill()
    new.wait()
else:
    sys.exit("no reuse")
print("reused", flush=True)
run.communicate()
alive = new.poll() is None
new.kill()
sys.exit(0 if alive and run.returncode == 0 else "status " + str(run.returncode))
"""


def test_pid_is_used_again(ctx):
    """By another program, in a PID namespace of its own: that one is never sampled."""
    if os.geteuid():
        raise ctx.Skip("root is needed for a PID namespace")
    (ctx.tmp / "reuse.py").write_text(REUSE)
    done = subprocess.run(
        ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "python3",
         ctx.tmp / "reuse.py", ctx.ptprof, ctx.program("split"), ctx.program("no_frame_pointer"),
         ctx.tmp / "out.json"], capture_output=True, text=True, timeout=120)
    ctx.stderr = done.stderr
    if "unshare" in done.stderr or "no reuse" in done.stderr:
        raise ctx.Skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0 and "reused" in done.stdout, done.stderr
    profile = document(ctx)
    strange = [stack for stack in stacks(profile) if "timed" not in functions(stack)
               and "main" not in functions(stack)]
    assert samples_with(profile, "timed") > 50 and not strange, strange[:2]


def test_setuid_exec(ctx):
    """Who is traced in execve does not get the rights of a setuid program. It happens (the manual
    says so), but it is rare."""
    if os.geteuid():
        raise ctx.Skip("root is needed to make a setuid program")
    ordinary, log = ctx.program("setuid_execs"), ctx.tmp / "log"
    raised = ctx.tmp / "raised"
    shutil.copy(ordinary, raised)
    os.chmod(raised, 0o4755)
    log.touch()
    os.chmod(log, 0o666)
    user = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    target = ctx.spawn(*user, ordinary, log, env={"RAISED": str(raised), "ORDINARY": str(ordinary)})
    assert target.line() == "ready"
    ctx.eventually(lambda: len(log.read_text()) > 20, "some execs")
    if "0" in log.read_text():
        raise ctx.Skip("setuid has no effect here (nosuid, no_new_privs)")
    copy, out = shutil.copy(ctx.ptprof, ctx.tmp / "ptprof-copy"), ctx.tmp / "out"
    out.mkdir()
    os.chmod(out, 0o777)
    before = len(log.read_text())
    end = time.monotonic() + ctx.length(3, 300)
    runs = 0
    while time.monotonic() < end:
        done = subprocess.run([*user, copy, "attach", str(target.pid), "-d", "1s", "-f", "json",
                               "-o", out / "out.json"], capture_output=True, text=True, timeout=60)
        ctx.stderr = done.stderr
        runs += done.returncode in (0, 4)  # 4: most looks met it while it was not for us
    assert target.alive(), f"the target ended with {target.popen.returncode}"
    seen = log.read_text()[before:]
    lost = seen.count("0")
    assert runs and len(seen) > 20 and lost <= 2 + 0.03 * len(seen), f"{lost} of {len(seen)} lost"
    ctx.figure = f"{lost} of {len(seen)} lost their euid, in {runs} runs"
test_setuid_exec.soak = 600


def test_maps_churn(ctx):
    """Memory that comes and goes all the time delays nothing, and hides no other mapping."""
    target = ctx.target("maps_churn")
    profile = sampled(ctx, target, ctx.length("2s", "60s"), *OFTEN)
    steady = count(stacks(profile, thread="steady"))
    assert steady > 50
    assert samples_with(profile, "work_steadily", thread="steady") >= 0.98 * steady
    turns = target.stop()["turns"]
    assert turns > 1000
    ctx.figure = f"{turns} mappings came and went"
test_maps_churn.soak = 300


# --- our own processes

def test_full_ring(ctx):
    """While the main process takes nothing, samples are dropped and counted: the target runs."""
    target = ctx.target("threads", "--busy", 2 * len(os.sched_getaffinity(0)))
    run = started(ctx, target, "5m")
    samples(ctx, run)
    run.signal(signal.SIGSTOP)
    for _ in range(12):
        runs_for(ctx, target, 0.1 * len(os.sched_getaffinity(0)))
    run.signal(signal.SIGCONT)
    time.sleep(0.2)
    run.signal(signal.SIGINT)
    assert run.wait() == 0
    counts = document(ctx)["run"]
    assert counts["dropped"] > 0 and counts["restarts"] == 0, counts
    ctx.figure = f"{counts['dropped']} samples dropped"
    assert_healthy(ctx, target)


def resources(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    # Not of the shared memory, which a process has page by page as it comes by there.
    memory, threads = (int(re.search(rf"{name}:\s*(\d+)", status).group(1))
                       for name in ("RssAnon", "Threads"))
    return len(os.listdir(f"/proc/{pid}/fd")), memory, threads


def test_cycles_cost_nothing_for_good(ctx):
    """Descriptors, threads and memory of both processes after many stops are those after few."""
    target = ctx.target("split")
    run = started(ctx, target, "1h", "-r", "1000", "--max-stop", "100")
    runs_for(ctx, target, ctx.length(1.2, 10))
    pids = run.pid, run.sampler()

    # Nothing is being named, for which files are open, and the threads have ended that stay for a
    # second for another file.
    def settled():
        first = [resources(pid) for pid in pids]
        time.sleep(1.3)
        last = [resources(pid) for pid in pids]
        return [(fds, threads) for fds, _, threads in first] == \
            [(fds, threads) for fds, _, threads in last] and last
    before = ctx.eventually(settled, "it does the same all the time")
    for _ in range(ctx.length(1, 500)):
        runs_for(ctx, target, 1.6)
    after = ctx.eventually(settled, "it still does")
    run.signal(signal.SIGINT)
    assert run.wait() == 0
    for (fds, rss, threads), (fds_now, rss_now, threads_now) in zip(before, after):
        assert (fds, threads) == (fds_now, threads_now) and rss_now < rss + 2048, (before, after)
    stops = document(ctx)["run"]["stops"]
    assert stops > ctx.length(500, 400_000)
    ctx.figure = f"{stops} stops, memory {before[0][1]} to {after[0][1]} kB, descriptors equal"
    assert_healthy(ctx, target)
test_cycles_cost_nothing_for_good.soak = 1500


def test_overload(ctx):
    """Four busy threads for each CPU: nobody is held so long that the watchdog must help."""
    target = ctx.target("threads", "--busy", 4 * len(os.sched_getaffinity(0)))
    profile = sampled(ctx, target, ctx.length("3s", "120s"), "-r", "99")
    counts = profile["run"]
    assert counts["samples"] > 50 and counts["restarts"] == 0, counts
    assert 0 < counts["held_p50_ns"] <= counts["held_p99_ns"] <= counts["held_max_ns"], counts
    ctx.figure = f"held {counts['held_p50_ns'] / 1e3:.0f} us p50, " \
        f"{counts['held_p99_ns'] / 1e3:.0f} us p99, {counts['held_max_ns'] / 1e3:.0f} us worst"
test_overload.soak = 300


def test_go_tests_pass(ctx):
    """A package's own tests while they are sampled: Go's scheduler preempts by signals."""
    if not shutil.which("go"):
        raise ctx.Skip("no Go")
    package = ctx.length("container/list", "sort")
    binary = ctx.tmp / "package.test"
    built = subprocess.run(["go", "test", "-c", "-o", binary, package], capture_output=True,
                           text=True, cwd=ctx.tmp, timeout=280)
    if built.returncode:
        raise ctx.Skip("go cannot build a package's tests: " + built.stderr.strip()[:100])
    tests = ctx.spawn(binary, "-test.count", ctx.length(4000, 40), cwd=ctx.tmp)
    run = ctx.start("attach", tests.pid, "-d", "10m", *FAST, "-f", "json", "-o",
                    ctx.tmp / "out.json")
    assert run.wait(ctx.length(280, 580)) == 0
    assert tests.wait() == 0 and tests.line() == "PASS"
    assert count(stacks(document(ctx))) > 20
test_go_tests_pass.soak = 600
