# SPDX-License-Identifier: MIT
"""All threads of a process once, with names: ptprof dump-threads against eu-stack and gdb, by the
clock on the wall; and what a thread that spins sees of each of them."""

import json
import re
import shutil
import signal
import subprocess
import time

import run
from lab import Row, against, median, missing

THREADS, DEPTH, MANY, ASLEEP = 1000, 12, 10000, 500
ROUNDS = 3


def ended(command, timeout=300):
    """Seconds that a command took, and its output."""
    began = time.monotonic()
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          errors="replace")
    return time.monotonic() - began, done.stdout


def commands(pid):
    found = {"ptprof": [run.Context.ptprof, "dump-threads", pid, "--timeout", "60s"]}
    if shutil.which("eu-stack"):
        found["eu-stack"] = ["eu-stack", "-n", 0, "-p", pid]
    if shutil.which("gdb"):
        found["gdb"] = ["gdb", "-nx", "-batch", "-ex", "thread apply all bt", "-p", pid]
    return found


def is_whole(output, threads):
    """Whether every thread is there with a frame of ours in it."""
    return len(re.findall(r"\bpark\b", output)) >= threads


def time_rows(lab):
    target = lab.spawn(run.Context.build / "tests" / "targets" / "parked", "--threads", THREADS,
                       "--depth", DEPTH)
    while target.line(60) != "ready":
        pass
    runs = commands(target.pid)
    bare = lab.bench_program("bare_read")
    runs["bare loop"], runs["bare loop with names"] = [bare, target.pid], [bare, target.pid, "all"]
    found = lab.interleaved(ROUNDS, {name: lambda command=command: ended(command)
                                     for name, command in runs.items()})
    what = f"{THREADS} sleeping threads, {DEPTH} frames deep"
    ours = median(seconds for seconds, _ in found["ptprof"])
    said = re.search(r"(\d+) read in place, (none|\d+) stopped", found["ptprof"][0][1])
    complete = all(is_whole(output, THREADS) for _, output in found["ptprof"])
    yield Row(f"{what}: read in place, stopped", f"{said[1]}, {said[2]}", "", "aim: none stopped",
              said[2] == "none" and complete)
    for name in "eu-stack", "gdb":
        if name not in found:
            yield missing(f"{what}: time", f"{name} is not installed")
            continue
        theirs = median(seconds for seconds, _ in found[name])
        label = name if is_whole(found[name][0][1], THREADS) else f"{name} (incomplete)"
        yield against(f"{what}: time", ours, label, theirs, "ms", 1 / 50, scale=1e3)
    for name in "bare loop", "bare loop with names":  # the least that such a dump can take
        theirs = median(seconds for seconds, _ in found[name])
        yield against(f"{what}: time", ours, name, theirs, "ms", scale=1e3)
    target.signal(signal.SIGTERM)
    target.wait(60)
    lab.close()


def many_rows(lab):
    target = lab.spawn(run.Context.build / "tests" / "targets" / "parked", "--threads", MANY)
    while target.line(60) != "ready":
        pass
    seconds, output = ended(commands(target.pid)["ptprof"])
    yield Row(f"{MANY} sleeping threads: time", f"{seconds * 1e3:.0f} ms", "", "aim: it finishes",
              is_whole(output, MANY))
    lab.close()


def longest_gap(target, command):
    target.signal(signal.SIGUSR1)
    target.line(30)
    if command:
        ended(command)
    else:
        time.sleep(0.2)
    target.signal(signal.SIGUSR1)
    return json.loads(target.line(30))["longest"]


def gap_rows(lab):
    target = lab.spawn(run.Context.build / "tests" / "targets" / "tsc_gaps", "--sleeping", ASLEEP)
    assert target.line(60) == "ready"
    runs = {"alone": None, **commands(target.pid)}
    found = lab.interleaved(ROUNDS, {name: lambda command=command: longest_gap(target, command)
                                     for name, command in runs.items()})
    what = f"longest gap of a spinning thread beside {ASLEEP} that sleep"
    ours = median(found["ptprof"])
    for name in found.keys() - {"ptprof"}:
        yield against(what, ours, name, median(found[name]), "us", scale=1e-3)
    lab.close()


def rows(lab):
    yield from time_rows(lab)
    yield from many_rows(lab)
    yield from gap_rows(lab)
