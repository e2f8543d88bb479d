# SPDX-License-Identifier: MIT
"""Whether a target notices that it is sampled: what its calls return, whether it runs on when any
part of ptprof dies or hangs, and whether a byte of it changes."""

import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import time

from measure import count, samples_with, stacks, twice

SIDE_BY_SIDE = True

FAST = ("-r", "1000", "--max-stop", "50")  # as often as allowed without --force


def assert_healthy(ctx, target, before=None):
    """Eventually: when a tracer dies the kernel needs a moment to let go."""
    assert target.alive(), f"{target.name} ended with {target.popen.returncode}"
    ctx.eventually(lambda: not (health := ctx.health(target.pid)).traced and not health.stopped,
                   f"{target.name} is neither traced nor stopped")
    if before:
        after = ctx.health(target.pid)
        assert after == before, f"{before} before, {after} after"


def runs_on(ctx, pid):
    """The process gets CPU time from now on."""
    begin = ctx.cpu_ns(pid)
    ctx.eventually(lambda: ctx.cpu_ns(pid) > begin + 5_000_000, f"{pid} runs on")


def sampled(ctx, target, duration, *options):
    before = ctx.health(target.pid)
    profile = ctx.profile(target.pid, "-d", duration, *(options or FAST))
    assert_healthy(ctx, target, before)
    return profile


# --- what system calls return

def test_blocking_calls(ctx):
    target = ctx.target("blocking")
    profile = sampled(ctx, target, "8s")
    counts = target.stop()
    spoilt = {name: case for name, case in counts["cases"].items()
              if case["eintr"] or case["changed"]}
    assert not spoilt, f"calls returned what they do not return without ptprof: {spoilt}"
    silent = [name for name, case in counts["cases"].items()
              if not case["absent"] and case["calls"] < 50]
    assert not silent, f"calls that hardly ever returned: {silent}"
    assert profile["run"]["stops"] > 100, f"only {profile['run']['stops']} stops"


def test_large_transfers(ctx):
    """Nobody can hide a stop from a thread that is running inside such a call: it returns with what
    it has, as after SIGSTOP and SIGCONT. It must be the rare exception all the same."""
    target = ctx.target("blocking", "--transfers")
    profile = sampled(ctx, target, "3s")
    counts = target.stop()
    assert counts["eintr"] == 0
    stops = profile["run"]["stops"]
    assert counts["changed"] <= stops, f"{counts['changed']} short transfers, {stops} stops"


def test_epoll_server(ctx):
    target = ctx.target("epoll_server")
    profile = sampled(ctx, target, "6s")
    counts = target.stop()
    assert counts["eintr"] == 0 and counts["odd"] == 0, f"{counts}"
    assert counts["wakeups"] > 1000, f"{counts}"
    assert profile["run"]["stops"] > 20, f"only {profile['run']['stops']} stops"


def test_seccomp_without_restart(ctx):
    target = ctx.target("seccomp_no_restart")
    sampled(ctx, target, "4s")
    counts = target.stop()
    assert counts["polls"] > 100 and counts["changed"] == 0, f"{counts}"


def test_signals(ctx):
    target = ctx.target("rt_signals")
    sampled(ctx, target, "4s")
    counts = target.stop()
    assert counts["signals"] >= 2000 and counts["faults"] > 1000, f"{counts}"
    assert counts["wrong_signals"] == 0 and counts["wrong_faults"] == 0, f"{counts}"


def test_forked_children_are_not_traced(ctx):
    """The target itself checks how its children end."""
    target = ctx.target("storm", "forks")
    run = ctx.start("attach", target.pid, "-d", "3s", *FAST, "-o", ctx.tmp / "out.json")
    run.says("attached")
    seen = 0
    while run.alive():
        for child in ctx.children(target.pid):
            traced = [tid for tid, (_, tracer) in ctx.thread_states(child).items() if tracer]
            assert not traced, f"child {child} is traced"
            seen += 1
    assert run.wait() == 0 and seen > 20, f"{seen} looks at children"
    assert_healthy(ctx, target)


# --- the death of ptprof

def test_kill_main_spoils_no_call(ctx):
    """A sampler whose main process is killed sees threads stop that it has asked to, or a call of
    theirs fails: here that ends the target. Busy CPUs make that time long."""
    target = ctx.target("seccomp_no_restart")
    ctx.target("threads", "--busy", 7 * len(os.sched_getaffinity(0)))
    before = ctx.health(target.pid)
    for _ in range(24):
        run = ctx.start("attach", target.pid, "-d", "1m", *FAST, "-o", ctx.tmp / "out.json")
        sampler = run.sampler()
        time.sleep(random.uniform(0.1, 0.4))
        ctx.kill(run.pid)
        run.wait()
        ctx.eventually(lambda: ctx.state_of(sampler) in (None, "Z"), "no sampler is left")
        assert_healthy(ctx, target, before)
    counts = target.stop()
    assert counts["polls"] > 100 and counts["changed"] == 0, f"{counts}"


def test_kill_main_of_a_stopped_sampler(ctx):
    """Neither holds the target, nor stays there."""
    target = ctx.target("split")
    before = ctx.health(target.pid)
    for _ in range(2):
        run = ctx.start("attach", target.pid, "-d", "1m", *FAST, "-o", ctx.tmp / "out.json")
        run.says("attached")
        sampler = run.sampler()
        await_hold(target.pid, 0.05)
        os.kill(sampler, signal.SIGSTOP)
        ctx.kill(run.pid)
        run.wait()
        ctx.eventually(lambda: ctx.state_of(sampler) in (None, "Z"), "no sampler is left")
        assert_healthy(ctx, target, before)
        runs_on(ctx, target.pid)


def kill_at_random(ctx, times, kill):
    """Kills a part of ptprof at random moments: the target runs on and computes the same."""
    target = ctx.target("checksum")
    checksum = target.line()
    assert target.line() == checksum, "the target is not deterministic"
    before = ctx.health(target.pid)
    for _ in range(times):
        run = ctx.start("attach", target.pid, "-d", "1m", *FAST, "-o", ctx.tmp / "out.json")
        sampler = run.sampler()
        time.sleep(random.uniform(0, 0.12))
        kill(run, sampler)
        assert_healthy(ctx, target)
        runs_on(ctx, target.pid)
        run.wait()
        # A zombie is over; how soon it is buried is the affair of init.
        ctx.eventually(lambda: ctx.state_of(sampler) in (None, "Z"), "no sampler is left")
    lines = target.drop_lines() + [target.line() for _ in range(3)]
    assert set(lines) == {checksum}, f"checksums {set(lines)}, without us {checksum}"
    assert_healthy(ctx, target, before)


def test_kill_main(ctx):
    kill_at_random(ctx, 80, lambda run, sampler: ctx.kill(run.pid))


def test_kill_both(ctx):
    def kill(run, sampler):
        for pid in random.sample((run.pid, sampler), 2):
            ctx.kill(pid)
    kill_at_random(ctx, 60, kill)


def test_kill_sampler(ctx):
    """And the main process still writes what it has."""
    def kill(run, sampler):
        ctx.kill(sampler)
        time.sleep(random.uniform(0, 0.12))  # before or after another one takes over
        run.signal(signal.SIGINT)
        assert run.wait() == 0, f"exit status {run.popen.returncode}\n{run.stderr}"
        json.loads((ctx.tmp / "out.json").read_text())
    kill_at_random(ctx, ctx.length(25, 400), kill)


test_kill_sampler.soak = 1800


# --- a sampler that hangs

def gaps(target, seconds):
    """Forgets the gaps so far, waits, and returns those since, as the target sees them."""
    target.drop_lines()
    target.signal(signal.SIGUSR1)
    target.line()
    time.sleep(seconds)
    return current_gaps(target)


def current_gaps(target):
    target.signal(signal.SIGUSR1)
    return json.loads(target.line())


def await_hold(pid, seconds):
    """Returns as soon as a thread of the process is traced, or when the time is over."""
    paths = [f"/proc/{pid}/task/{tid}/status" for tid in os.listdir(f"/proc/{pid}/task")]
    fds = [os.open(path, os.O_RDONLY) for path in paths]
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if any(b"TracerPid:\t0\n" not in os.pread(fd, 4096, 0) for fd in fds):
            break
    for fd in fds:
        os.close(fd)


def stop_sampler(ctx, run, target):
    """Stops the sampler when it holds a thread. True if it still does: then somebody else has to
    let go of that thread, so it is left stopped; otherwise it goes on."""
    sampler = run.sampler()
    await_hold(target.pid, 0.05)
    try:
        os.kill(sampler, signal.SIGSTOP)
    except ProcessLookupError:
        return False
    ctx.eventually(lambda: ctx.state_of(sampler) in ("T", "t", "Z", None), "the sampler stops")
    if any(tracer for _, tracer in ctx.thread_states(target.pid).values()):
        return True
    try:
        os.kill(sampler, signal.SIGCONT)
    except ProcessLookupError:
        pass
    return False


def on_different_cpus(ctx):
    """(one CPU for us, one for the target and its sampler): a sampler with real-time priority
    that shared ours could not be stopped by us while it holds a thread."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        raise ctx.Skip("only one CPU: the sampler cannot be stopped while it holds a thread")
    return cpus[0], cpus[-1]


def test_sampler_hangs(ctx):
    """A stopped sampler that holds a thread: free again within 100 ms, beside the gaps that this
    machine makes by itself."""
    all_cpus = os.sched_getaffinity(0)
    ours, theirs = on_different_cpus(ctx)
    try:
        os.sched_setaffinity(0, {ours})
        hang_samplers(ctx, theirs)
    finally:
        os.sched_setaffinity(0, all_cpus)


test_sampler_hangs.alone = True  # it measures


def hang_samplers(ctx, cpu):
    pinned = ("taskset", "-c", str(cpu))
    target = ctx.target("tsc_gaps", "--threshold", 100000, prefix=pinned)
    before = ctx.health(target.pid)
    noise = gaps(target, 2)["longest"]
    run = ctx.start("attach", target.pid, "-d", "60s", *FAST, "-o", ctx.tmp / "out.json",
                    prefix=pinned)
    run.says("attached")
    current_gaps(target)
    moments = hits = 0
    begin = time.monotonic()
    while hits < 2 and time.monotonic() < begin + 20: # then the thread is left alone
        moments += 1
        if stop_sampler(ctx, run, target):
            hits += 1
            ctx.eventually(lambda: not ctx.health(target.pid).traced, "the thread is free again")
    longest = current_gaps(target)["longest"]
    run.signal(signal.SIGINT)
    assert run.wait() == 0, f"exit status {run.popen.returncode}"
    assert hits, f"no thread was held at any of {moments} moments"
    assert longest < 100e6 + noise, \
        f"{longest / 1e6:.0f} ms without running; without us {noise / 1e6:.0f} ms"
    assert_healthy(ctx, target, before)
    run = json.loads((ctx.tmp / "out.json").read_text())["run"]
    assert run["restarts"] >= hits, f"{run['restarts']} new samplers after {hits} that hung"
    # What we say of ourselves: a hold counts as long as it lasted, however it ended.
    assert run["held_total_ns"] >= hits * 50e6, f"{run['held_total_ns']} ns held, {hits} hung"
    # When it stopped after it was asked, and when the sampler was gone, is known to so much.
    assert run["held_max_ns"] <= longest + 10e6 + noise, \
        f"{run['held_max_ns']} ns held, {longest} not run"
    assert 0 < run["held_share"] <= 1, f"a share of {run['held_share']}"


def test_killed_samplers_tell(ctx):
    """Samplers that are killed while they hold the only thread, and never report: the share is
    known all the same."""
    target = ctx.target("split")
    run = ctx.start("attach", target.pid, "-d", "60s", *FAST, "-o", ctx.tmp / "out.json")
    run.says("attached")
    for _ in range(8):
        sampler = run.sampler()
        await_hold(target.pid, 0.3)
        ctx.kill(sampler)
        ctx.eventually(lambda: ctx.state_of(sampler) in (None, "Z"), "that sampler is gone")
    run.signal(signal.SIGINT)
    assert run.wait() == 0, f"exit status {run.popen.returncode}"
    told = json.loads((ctx.tmp / "out.json").read_text())["run"]
    assert told["stops"] and 0 < told["held_share"] <= 1, f"{told}"
    least = told["held_total_ns"] / told["duration_ns"]
    # One thread has all the holds; of those of which no sample came nobody has told.
    assert told["held_share"] >= least / 4, f"a share of {told['held_share']}, not of {least}"


def test_suspended(ctx):
    """Ctrl-Z: a ptprof that is suspended holds nobody up."""
    target = ctx.target("split")
    before = ctx.health(target.pid)
    run = ctx.start("attach", target.pid, "-d", "1m", *FAST, "-o", ctx.tmp / "out.json")
    run.says("attached")
    for _ in range(5):
        time.sleep(random.uniform(0, 0.05))
        run.signal(signal.SIGTSTP)
        ctx.eventually(lambda: ctx.state_of(run.pid) == "T", "ptprof is suspended")
        assert_healthy(ctx, target, before)
        runs_on(ctx, target.pid)
        run.signal(signal.SIGCONT)
    run.signal(signal.SIGINT)
    assert run.wait() == 0
    assert_healthy(ctx, target, before)


# --- others who look at the target, or stop it

def test_gdb_attaches_meanwhile(ctx):
    if not shutil.which("gdb"):
        raise ctx.Skip("no gdb")
    target = ctx.target("split")
    before = ctx.health(target.pid)
    run = ctx.start("attach", target.pid, "-d", "30s", "-o", ctx.tmp / "out.json")
    run.says("attached")

    def backtrace():
        # Refused if it comes just when a sample is taken; so may anybody be who tries twice.
        done = subprocess.run(["gdb", "-nx", "-batch", "-p", str(target.pid), "-ex", "bt"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240,
                              env={**os.environ, "DEBUGINFOD_URLS": ""})
        return re.search(r"^#\d+ .* main \(", done.stdout, re.M)
    assert any(backtrace() for _ in range(3)), "gdb cannot attach"
    time.sleep(0.3)
    run.signal(signal.SIGINT)
    assert run.wait() == 0, f"exit status {run.popen.returncode}"
    profile = json.loads((ctx.tmp / "out.json").read_text())
    assert samples_with(profile, "timed") > 0
    assert_healthy(ctx, target, before)
    runs_on(ctx, target.pid)


def text_of(pid):
    """Hash of every executable page that the process could have had changed."""
    digest = hashlib.sha256()
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            area, permissions, *_ = line.split()
            if "x" not in permissions or "[vsyscall]" in line:
                continue
            start, end = (int(address, 16) for address in area.split("-"))
            memory.seek(start)
            digest.update(memory.read(end - start))
    return digest.hexdigest()


def debug_registers(ctx, pid):
    done = ctx.helper("trace", pid, "registers")
    assert done.returncode == 0, done.stderr
    registers = json.loads(done.stdout)
    return registers[0:4] + registers[7:8]  # addresses and control; in DR6 some bits are always set


def test_text_and_debug_registers(ctx):
    target = ctx.target("split")
    text = text_of(target.pid)
    run = ctx.start("attach", target.pid, "-d", "2s", *FAST, "-o", ctx.tmp / "out.json")
    run.says("attached")
    while run.alive():
        assert text_of(target.pid) == text, "text changed while the target was sampled"
    assert run.wait() == 0
    assert text_of(target.pid) == text, "text changed"
    assert debug_registers(ctx, target.pid) == [0] * 5, "debug registers are set"


def user_state(ctx, pid):
    """pc and stack of a stopped thread: they differ as soon as it runs on."""
    def call():
        words = pathlib.Path(f"/proc/{pid}/syscall").read_text().split()
        return words != ["running"] and words
    call = ctx.eventually(call, "it is off the CPU")
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        memory.seek(int(call[-2], 16))
        return call, memory.read(4096)


def assert_stays_stopped(ctx, pid, seconds, states):
    begin = user_state(ctx, pid)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        state = ctx.state_of(pid)
        assert state in states, f"a stopped process is in state {state}"
        time.sleep(0.001)
    assert user_state(ctx, pid) == begin, "a stopped process ran on"


def assert_untouched(ctx, pid, seconds):
    user_state(ctx, pid)  # it has come off its CPU
    begin = ctx.cpu_ns(pid)
    assert_stays_stopped(ctx, pid, seconds, "T")
    assert ctx.cpu_ns(pid) == begin, "a stopped process got CPU time"


def test_stopped_meanwhile(ctx):
    """kill -STOP and kill -CONT by others work as ever, and the parent hears of both."""
    target = ctx.target("split")
    before = ctx.health(target.pid)
    run = ctx.start("attach", target.pid, "-d", "1m", *FAST, "-o", ctx.tmp / "out.json")
    run.says("attached")
    for _ in range(10):
        time.sleep(random.uniform(0, 0.05))
        target.signal(signal.SIGSTOP)
        assert os.waitid(os.P_PID, target.pid, os.WSTOPPED).si_code == os.CLD_STOPPED
        # The sampler may have found it running just before: then the kernel wakes it into the
        # tracer's stop and back (R while it waits for a CPU to go there), and not one instruction
        # of the program runs.
        assert_stays_stopped(ctx, target.pid, 0.05, "TtR")
        target.signal(signal.SIGCONT)
        assert os.waitid(os.P_PID, target.pid, os.WCONTINUED).si_code == os.CLD_CONTINUED
        runs_on(ctx, target.pid)
    run.signal(signal.SIGINT)
    assert run.wait() == 0
    assert_healthy(ctx, target, before)


def test_memory_that_is_locked(ctx):
    """While a process forks its memory is locked, and nobody is held until it can be read. And who
    forks is seen to do so."""
    def look():
        target = ctx.target("forks")
        profile = ctx.profile(target.pid, "-r", 499, grows=True)
        run, fork_ns = profile["run"], target.stop()["fork_ns"]
        assert run["stops"] > 100, f"{run['stops']} stops"
        held_ns = run["held_total_ns"] / run["stops"]  # a fork may begin while a thread is held
        ctx.figure = f"held {held_ns / 1e3:.0f} us on average, a fork takes {fork_ns / 1e3:.0f} us"
        # Where others run too a stop takes longer to come, and more forks begin meanwhile.
        quiet = run["late"] < 0.02 * run["rounds"]
        assert held_ns * (40 if quiet else 15) < fork_ns, ctx.figure
        for function in "keep_forking", "work_beside":
            assert samples_with(profile, function) > 5, f"{function} is not seen"
    twice(look)


test_memory_that_is_locked.alone = True  # it measures


def test_stopped_before(ctx):
    """Nothing to see, and it must not be woken."""
    target = ctx.target("split")
    target.signal(signal.SIGSTOP)
    ctx.eventually(lambda: ctx.state_of(target.pid) == "T", "the target is stopped")
    run = ctx.start("attach", target.pid, "-d", "1s", *FAST, "-o", ctx.tmp / "out.json")
    assert_untouched(ctx, target.pid, 1.5)
    assert run.wait() == 0
    assert_untouched(ctx, target.pid, 0.1)
    profile = json.loads((ctx.tmp / "out.json").read_text())
    assert count(stacks(profile)) == 0
    target.signal(signal.SIGCONT)
    runs_on(ctx, target.pid)
