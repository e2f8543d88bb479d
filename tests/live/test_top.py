# SPDX-License-Identifier: MIT
"""`ptprof top` without a screen: what it prints is true, it ends as it should, its memory stays
bounded, and the target is as it was."""

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import time

from measure import assert_share, twice

NUMBER = r"([0-9.]+)"
ROW = re.compile(rf"^ +{NUMBER} +{NUMBER} +\S+ +\S+ +([0-9]+)  (\S.*?)(?:  +(\S.*))?$")


def rows(block):
    """{function: (self %, total %, samples)} of a block of text."""
    found = {}
    for line in block.splitlines():
        if line.startswith("#"):
            continue
        match = ROW.match(line)
        assert match, f"not a row: {line!r}"
        own, total, samples, function, _ = match.groups()
        found[function] = float(own), float(total), int(samples)
    return found


def objects(text):
    found = [json.loads(line) for line in text.splitlines()]
    assert found and all(block["schema"] == 1 for block in found)
    return found


def function(block, name):
    return next(row for row in block["functions"] if row["function"] == name)


def assert_unharmed(ctx, target, before):
    assert target.alive(), f"{target.name} ended with {target.popen.returncode}"
    assert ctx.health(target.pid) == before


# --- what is shown is true

def test_shares_are_true(ctx):
    target = ctx.target("split")
    before = ctx.health(target.pid)

    def look():
        used = ctx.cpu_ns(target.pid)
        done = ctx.run("top", target.pid, "-b", "-n", 2, "-D", "5s")
        used = (ctx.cpu_ns(target.pid) - used) / 1e9
        assert done.returncode == 0 and done.stderr == "", done.returncode
        blocks = done.stdout.split("\n\n")
        counts = [int(re.search(r"# window 5s  samples (\d+)", block).group(1))
                  for block in blocks]
        # Where stops are dear, the rate is lowered to keep to 1 % of the time.
        assert sum(counts) > 5 * used, f"only {counts} samples of {used:.1f} s of CPU time"
        for block, samples in zip(blocks, counts, strict=True):
            found = rows(block)
            heavy, light = found["heavy"][1], found["light"][1]
            assert_share(heavy / (heavy + light), 0.7, samples, "heavy")
            assert found["main"][1] > 95 and found["main"][0] < 5
    twice(look)
    assert_unharmed(ctx, target, before)


def test_json(ctx):
    target = ctx.target("threads", "--busy", 3, "--still", 5)
    before = ctx.health(target.pid)
    began, used = time.monotonic_ns(), ctx.cpu_ns(target.pid)
    done = ctx.run("top", target.pid, "--json", "-n", 3, "-D", "1s")
    mean = 100 * (ctx.cpu_ns(target.pid) - used) / (time.monotonic_ns() - began)
    assert done.returncode == 0 and done.stderr == ""
    blocks = objects(done.stdout)
    assert len(blocks) == 3
    last = blocks[-1]
    assert last["pid"] == target.pid and last["end"] == "running"
    assert last["comm"] == "threads" and "--busy 3" in last["command_line"]
    assert sum(last["states"].values()) == before.threads == len(last["threads"])
    assert last["samples"] > blocks[0]["samples"] > 0
    assert last["elapsed_ns"] > 2.5e9 and last["rss_bytes"] > 100000
    busy = function(last, "busy")
    assert busy["threads"] == 3, "three threads run in it"
    assert busy["total_percent"] > 90
    running = [thread for thread in last["threads"] if thread["samples"]]
    assert len(running) == 3 and all(thread["where"] for thread in running)
    waiting = [thread for thread in last["threads"] if thread["state"] == "S"]
    assert waiting and all(thread["wait"] for thread in waiting), waiting
    assert abs(sum(row["self_percent"] for row in last["functions"]) - 100) < 0.1
    cpus = min(3, len(os.sched_getaffinity(0)))
    assert mean / 5 < last["cpu_percent"] < 110 * cpus, (last["cpu_percent"], mean)
    assert_unharmed(ctx, target, before)


def test_waits(ctx):
    """Why threads sleep and who holds the lock, without a stop of any."""
    target = ctx.target("locks", "mutex")
    truth = json.loads(target.said_before[0])["waits"][0]
    before = ctx.health(target.pid)
    expected = {truth["tid"]: f'mutex the_mutex, held by {truth["holder"]} "holder"',
                truth["holder"]: "pause"}

    def found():  # that takes a moment, and the first blocks do without
        block = objects(ctx.run("top", target.pid, "--json", "-n", 2).stdout)[-1]
        assert block["held_max_ns"] == 0
        return expected.items() <= {thread["tid"]: thread["wait"]
                                    for thread in block["threads"]}.items()
    ctx.eventually(found, f"top says {expected}")
    assert_unharmed(ctx, target, before)


def test_only_some_threads(ctx):
    target = ctx.target("split")
    done = ctx.run("top", target.pid, "-t", "^nobody$", "-b", "-n", 1)
    assert done.returncode == 3 and "# no thread was seen on a CPU" in done.stdout
    assert "matches --threads '^nobody$'" in done.stderr


def test_width_and_sort(ctx):
    target = ctx.target("split")
    env = {**os.environ, "COLUMNS": "70", "PTPROF_TOP_SORT": "function"}
    done = ctx.run("top", target.pid, "-b", "-n", 1, env=env)
    names = list(rows(done.stdout))
    assert "# window 5s" in done.stdout and names == sorted(names), names
    total = ctx.run("top", target.pid, "-b", "-n", 1, "-s", "total", env=env)
    shares = [share for _, share, _ in rows(total.stdout).values()]
    assert shares == sorted(shares, reverse=True), shares
    env["PTPROF_TOP_SORT"] = "nonsense"
    wrong = ctx.run("top", target.pid, "-b", "-n", 1, env=env)
    assert wrong.returncode == 2 and "PTPROF_TOP_SORT" in wrong.stderr


# --- how it ends

def test_one_block_into_a_pipe(ctx):
    target = ctx.target("split")
    done = ctx.run("top", target.pid)
    assert done.returncode == 0 and done.stdout.count("# ptprof") == 1


def test_interrupt(ctx):
    target = ctx.target("split")
    before = ctx.health(target.pid)
    for number in signal.SIGINT, signal.SIGTERM:
        path = ctx.tmp / "blocks"
        with open(path, "w") as out:
            run = ctx.start("top", target.pid, "-b", "-D", "500ms", stdout=out)
        ctx.eventually(lambda: path.read_text().count("# ptprof") > 1, "two blocks")
        run.signal(number)
        assert run.wait() == 0 and run.stderr == "", run.stderr
        assert_unharmed(ctx, target, before)


def test_interrupt_while_nobody_reads(ctx):
    target = ctx.target("split")
    before = ctx.health(target.pid)
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    run = ctx.start("top", target.pid, "--json", "-b", "-D", "200ms", stdout=writer)
    os.close(writer)
    ctx.eventually(lambda: ctx.thread_states(run.pid) and run.sampler(), "it runs")
    time.sleep(3)  # the pipe is full
    run.signal(signal.SIGTERM)
    assert run.wait() == 0, run.stderr
    os.close(reader)
    assert_unharmed(ctx, target, before)


def test_killed(ctx):
    target = ctx.target("split")
    before = ctx.health(target.pid)
    run = ctx.start("top", target.pid, "-b", "-r", 500)
    sampler = run.sampler()
    time.sleep(1)
    run.signal(signal.SIGKILL)
    run.wait()
    ctx.eventually(lambda: not os.path.exists(f"/proc/{sampler}"), "the sampler ends")
    assert_unharmed(ctx, target, before)


def test_children_are_waited_for(ctx):
    """Also where whoever started us ignores SIGCHLD: the kernel would give their pids away."""
    target = ctx.target("split")
    run = ctx.start("top", target.pid, "-b", stdout=subprocess.DEVNULL,
                    preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    run.sampler()
    with open(f"/proc/{run.pid}/status") as status:
        ignored = int(re.search(r"SigIgn:\t([0-9a-f]+)", status.read()).group(1), 16)
    assert not ignored & 1 << signal.SIGCHLD - 1
    run.signal(signal.SIGINT)
    assert run.wait() == 0 and target.alive()


def test_closed_pipe(ctx):
    target = ctx.target("split")
    before = ctx.health(target.pid)
    run = ctx.start("top", target.pid, "-b", "-D", "200ms", stdout=subprocess.PIPE)
    run.popen.stdout.readline()
    run.popen.stdout.close()
    assert run.wait() == 0 and run.stderr == "", run.stderr
    assert_unharmed(ctx, target, before)


def test_full_disk(ctx):
    target = ctx.target("split")
    with open("/dev/full", "w") as full:
        done = ctx.run("top", target.pid, "-b", "-n", 1, stdout=full)
    assert done.returncode == 1
    assert done.stderr == "ptprof: cannot write to standard output: No space left on device\n"


def test_target_ends(ctx):
    target = ctx.target("exits", 1500, 7, "--cpu")
    done = ctx.run("top", target.pid, "--json")
    assert done.returncode == 0
    target.wait()
    target = ctx.target("exits", 1500, 7, "--cpu")
    done = ctx.run("top", target.pid, "--json", "-b", "-D", "700ms")
    assert target.wait() == 7 and done.returncode == 0, done.returncode
    assert done.stderr == f"ptprof: {target.pid} ended\n"
    last = objects(done.stdout)[-1]
    assert last["end"] == "ended" and function(last, "before_exit")["total_samples"] > 20


@contextlib.contextmanager
def over_an_exec(ctx, target, seen, *options, prefix=()):
    """Blocks of a top that looks before a target executes another program, which it does when
    something is seen of it in one."""
    path = ctx.tmp / "blocks"
    with open(path, "w") as out:
        run = ctx.start("top", target.pid, "-b", *options, stdout=out, prefix=prefix)
    ctx.eventually(lambda: re.search(seen, path.read_text()), "a block before exec")
    target.signal(signal.SIGUSR1)
    yield path
    run.signal(signal.SIGINT)
    assert run.wait() == 0, run.stderr


def test_target_execs(ctx):
    target = ctx.target("execs", "told", "main", ctx.program("split"))

    def newest(path):
        lines = path.read_text().rpartition("\n")[0].splitlines()
        return json.loads(lines[-1])["functions"]
    with over_an_exec(ctx, target, '"before_exec"', "--json", "-r", 250) as path:
        ctx.eventually(lambda: any(row["function"] == "heavy" and row["total_samples"] > 20
                                   for row in newest(path)), "something seen after exec")
    last = objects(path.read_text())[-1]
    assert "split" in last["command_line"]
    assert function(last, "before_exec")["total_cpu_ns"] > 0
    assert target.alive()


def test_target_may_not_be_looked_at_any_more(ctx):
    """It executes a program that may do more than we may, and most stops are refused then."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        raise ctx.Skip("needs root and setpriv")
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs")
    privileged = ctx.tmp / "privileged"
    shutil.copy(ctx.program("split"), privileged)
    os.chmod(privileged, 0o4755)
    os.chmod(ctx.tmp, 0o755)
    target = ctx.target("execs", "told", "main", privileged, prefix=nobody[:-1])
    with over_an_exec(ctx, target, "before_exec", prefix=nobody) as path:
        ctx.eventually(lambda: ctx.comm_of(target.pid) == "privileged", "it executes")
        if os.stat(f"/proc/{target.pid}").st_uid != 0:
            raise ctx.Skip("set-user-ID programs do not work here")
        ctx.eventually(lambda: "no longer permitted\n" in path.read_text(), "that is said")
    first, *_, last = path.read_text().split("\n\n")
    assert "no longer permitted\n" in last and "no longer permitted" not in first, (first, last)
    assert "execs" in first.splitlines()[0] and "privileged" in last.splitlines()[0]
    assert target.alive()


def test_sums_over_children(ctx):
    shell = ctx.spawn("/bin/sh", "-c", f"{ctx.program('idle')} & wait")
    assert shell.line() == "ready"
    done = ctx.run("top", shell.pid, "--children", "-b", "-n", 1)
    assert re.search(r"threads 11: S 11 ", done.stdout), done.stdout
    assert re.search(r"^# ptprof .* and 1 more  up ", done.stdout), done.stdout


def test_target_is_stopped(ctx):
    target = ctx.target("split")
    target.signal(signal.SIGSTOP)
    ctx.eventually(lambda: ctx.state_of(target.pid) == "T", "it stops")
    done = ctx.run("top", target.pid, "-b", "-n", 2)
    assert done.returncode == 0 and "  stopped\n" in done.stdout
    assert ctx.state_of(target.pid) == "T", "it was continued"
    target.signal(signal.SIGCONT)


def test_refusals(ctx):
    for status, words in ((3, [2 ** 22 - 1]), (2, ["abc"]), (2, []), (2, [1, "-D", "50ms"]),
                          (2, [os.getpid(), "-s", "nothing"]), (2, [os.getpid(), "-n", "0"])):
        done = ctx.run("top", *words)
        assert done.returncode == status and done.stdout == "", (words, done.returncode)
        assert done.stderr.startswith("ptprof: "), done.stderr


# --- for long

def rss(pid):
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_memory_with_short_lived_threads(ctx):
    """Some thousands of threads come and go; what is kept of them does not add up."""
    target = ctx.target("short_threads")
    path = ctx.tmp / "blocks"
    used = ctx.cpu_ns(target.pid)
    with open(path, "w") as out:
        run = ctx.start("top", target.pid, "--json", "-r", 500, stdout=out)
    time.sleep(4)
    early = rss(run.pid)
    time.sleep(5)
    late = rss(run.pid)
    run.signal(signal.SIGINT)
    assert run.wait() == 0
    used = ctx.cpu_ns(target.pid) - used
    last = objects(path.read_text())[-1]
    assert function(last, "short_life")["total_percent"] > 80
    assert function(last, "short_life")["total_cpu_ns"] > 0.6 * used, used
    assert late < early + 4e6, f"{early} bytes after 4 s, {late} after 9 s"
    assert target.alive() and not ctx.health(target.pid).traced


# --- wall time (--idle)

def schedstats(pid):
    """{tid: (ns on a CPU, ns in the queue)}, and when that was."""
    found = {}
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/schedstat", encoding="ascii") as file:
            found[int(tid)] = tuple(map(int, file.read().split()[:2]))
    return time.monotonic_ns(), found


def share_of(wall, state):
    return wall[state] / sum(wall.values())


def test_wall_time_is_true(ctx):
    """A thread that runs 30 % of the time is shown so, and so is where it sleeps for how long; what
    each thread did adds up to all of its time."""
    target = ctx.target("naps")
    before = ctx.health(target.pid)

    def look():
        began, first = schedstats(target.pid)
        done = ctx.run("top", target.pid, "--idle", "--json", "-n", 1, "-D", "8s")
        ended, last = schedstats(target.pid)
        block, = objects(done.stdout)
        assert block["time"] == "wall" and len(block["threads"]) == 3
        for thread in block["threads"]:
            tid, wall = thread["tid"], thread["wall"]
            assert abs(sum(wall.values()) - 8e9) < 1e9, wall # told each second
            for state, at in ("running_ns", 0), ("queued_ns", 1):
                truth = (last[tid][at] - first[tid][at]) / (ended - began)
                assert abs(share_of(wall, state) - truth) < 0.04, (tid, state, wall, truth)
        work, nap, rest = (function(block, name)["total_wall"] for name in ("work", "nap", "rest"))
        assert work["running_ns"] > 0.9 * block["window_wall"]["running_ns"]
        assert nap["blocked_ns"] > 0.95 * sum(nap.values()) - nap["queued_ns"]
        asleep = nap["blocked_ns"] + rest["blocked_ns"]
        looks = function(block, "nap")["total_samples"] + function(block, "rest")["total_samples"]
        assert_share(nap["blocked_ns"] / asleep, 2 / 3, looks, "nap")
        still = function(block, "still")["total_wall"]
        assert still["running_ns"] == 0 and still["blocked_ns"] > 14e9
    twice(look)
    assert_unharmed(ctx, target, before)


def test_wall_time_stops_nobody_who_sleeps(ctx):
    """Threads that are read in place are not held: their waits are not interrupted."""
    target = ctx.target("threads", "--still", 30, "--sleeping", 20)
    before = ctx.health(target.pid)
    tids = [tid for tid in map(int, os.listdir(f"/proc/{target.pid}/task"))]
    done = ctx.run("top", target.pid, "--idle", "--json", "-n", 1, "-D", "5s")
    block, = objects(done.stdout)
    assert {thread["tid"] for thread in block["threads"]} == set(tids)
    for thread in block["threads"]:
        if thread["name"] != "still":
            continue
        assert thread["held_ns"] == 0, thread
        assert share_of(thread["wall"], "blocked_ns") == 1, thread
        assert thread["where"] == "pause", thread
    assert_unharmed(ctx, target, before)


# --- what threads wait for (--type block and mutex)

def test_delays_name_the_lock_and_its_holders(ctx):
    """One block is enough to say which lock two threads wait for, and where it is held meanwhile:
    7 ms in one function and 3 ms in another, in turn."""
    target = ctx.target("contended", "normal", "--sleeps")
    before = ctx.health(target.pid)

    def look(kind):
        done = ctx.run("top", target.pid, "--type", kind, "--json", "-n", 1, "-D", "8s")
        assert done.returncode == 0 and done.stderr == "", done.returncode
        block, = objects(done.stdout)
        assert block["type"] == kind and block["window_delay_ns"] > 4e9, block["window_delay_ns"]
        row = function(block, "want")
        assert (row["waits_for"], row["lock"]) == ("lock", "the_mutex"), row
        # Two threads wait nearly all the time; delays are told each second.
        assert 9e9 < row["total_delay_ns"] < 18e9 and row["total_samples"] > 100, row
        assert_unharmed(ctx, target, before)
        return block

    def look_at_holders():
        block = look("mutex")
        long, short = (function(block, name) for name in ("hold_long", "hold_short"))
        held = long["total_delay_ns"] + short["total_delay_ns"]
        waited = function(block, "want")["total_delay_ns"]
        assert held > 0.8 * waited, (held, waited) # the newest second may not be shared out yet
        assert long["lock"] == "the_mutex" and "self_cpu_ns" not in long, long
        assert abs(long["total_delay_ns"] / held - 0.7) < 0.1, (long, short)
    look("block")
    twice(look_at_holders)


def test_waits_for_work_are_left_out(ctx):
    """An event loop that does all of its work between two waits delays nothing, unless one wants to
    see that too."""
    target = ctx.target("epoll_server")

    def look(seen, *options):
        done = ctx.run("top", target.pid, "--type", "block", "--json", "-n", 1, "-D", "5s",
                       *options)
        block, = objects(done.stdout)
        waits = [row for row in block["functions"] if row["waits_for"] == "epoll"]
        assert bool(waits) == seen, (options, block["functions"])
        if seen:
            assert waits[0]["self_delay_ns"] > 1e9, waits[0]
    look(True, "--with-idle-waits")
    twice(lambda: look(False)) # a stack that was cut is work elsewhere


def test_types_exclude_each_other(ctx):
    done = ctx.run("top", os.getpid(), "--idle", "--type", "block")
    assert done.returncode == 2
    assert "--idle and --type block exclude each other" in done.stderr, done.stderr
    done = ctx.run("top", os.getpid(), "--type", "blok")
    assert done.returncode == 2 and "block" in done.stderr, done.stderr
