# SPDX-License-Identifier: MIT
"""From the end of sampling to a finished file of collapsed stacks, on large programs: ptprof, and
perf record + perf script + collapsing."""

import collections
import subprocess
import time

import workloads
from lab import Row, against, missing, short

WINDOW = 4   # seconds
LIMIT = 100  # seconds for perf script
ROOTS = {"_start", "start_thread", "clone", "clone3", "__clone", "__clone3"}


# took: seconds from the end of the window to the finished file; rooted: percent of the stacks
Result = collections.namedtuple("Result", "took bytes rooted")


def ptprof(lab, pid, form):
    out = lab.tmp / f"window.{form}"
    attached = lab.attach(pid, WINDOW, "-f", form, "-o", out)
    attached.popen.wait()
    finished = time.time()
    run = lab.summary(attached)
    took = finished - run["start_wall_ns"] / 1e9 - WINDOW
    result = Result(took, out.stat().st_size, 100 - 100 * run["cut"] / run["samples"])
    out.unlink()
    return result


def collapse(lines):
    """perf script's text -> {stack: samples}."""
    stacks, comm, frames = collections.Counter(), None, []
    for line in lines:
        words = line.split()
        if not words:
            if comm is not None:
                stacks[";".join([comm, *reversed(frames)])] += 1
            comm, frames = None, []
        elif not line[0].isspace():
            comm = words[0]
        elif comm is not None:
            frames.append(words[1].partition("+0x")[0])
    return stacks


def perf(lab, pid):
    """None when it took too long."""
    data, text = lab.tmp / "window.perf", lab.tmp / "window.perf.folded"
    ended = lab.tmp / "window.ended"
    subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "-F", "99", "--call-graph", "dwarf",
                    "-p", str(pid), "-o", data, "--", "sh", "-c",
                    f"sleep {WINDOW}; date +%s.%N > {ended}"], check=True, capture_output=True)
    try:
        script = subprocess.run(["perf", "script", "-i", data], capture_output=True, text=True,
                                errors="replace", timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return None
    stacks = collapse(script.stdout.splitlines())
    text.write_text("".join(f"{stack} {count}\n" for stack, count in stacks.items()))
    took = time.time() - float(ended.read_text())
    rooted = sum(count for stack, count in stacks.items() if stack.split(";")[1:2][0] in ROOTS)
    return Result(took, data.stat().st_size + text.stat().st_size,
                  100 * rooted / stacks.total())


def compare(lab, name, target, problem):
    what = f"end of a {WINDOW} s window to finished file, {name}"
    ours = {form: lab.undisturbed(lambda: ptprof(lab, target.pid, form))
            for form in ("pprof", "collapsed")}
    for form, result in ours.items():
        yield Row(f"{what}, {form}", f"{short(result.took)} s", "", "aim 1 s", result.took <= 1)
    theirs = None if problem else lab.undisturbed(lambda: perf(lab, target.pid))
    if not theirs:
        yield missing(what, problem or f"perf script did not end within {LIMIT} s")
        return
    peer = "perf record, script, collapse"
    yield against(f"{what}, collapsed", ours["collapsed"].took, peer, theirs.took, "s")
    for form, result in ours.items():
        yield against(f"bytes on disk for it, {name}, {form}", result.bytes, peer, theirs.bytes,
                      "KiB", scale=1 / 1024)
    yield Row(f"stacks in it that reach their root, {name}", f"{ours['collapsed'].rooted:.1f} %",
              f"perf, 8 KiB of stack: {theirs.rooted:.1f} %", "")


def rows(lab):
    problem = lab.perf_problem()
    for name, start in workloads.ALL.items():
        target = start(lab)
        if not target:
            yield missing(f"end of window to finished file, {name}", f"{name} is not installed")
            continue
        time.sleep(2)
        yield from compare(lab, name, target, problem)
        lab.close()
