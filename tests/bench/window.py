# SPDX-License-Identifier: MIT
"""From the end of sampling to a finished file of collapsed stacks, on large programs: ptprof, and
perf record + perf script + collapsing."""

import collections
import subprocess
import time

import workloads
from lab import Row, against, missing

WINDOW = 4   # seconds
LIMIT = 100  # seconds for perf script


def ptprof(lab, pid, form):
    """(seconds from the end of the window to the finished file, bytes on disk)"""
    out = lab.tmp / f"window.{form}"
    attached = lab.attach(pid, WINDOW, "-f", form, "-o", out)
    attached.popen.wait()
    finished = time.time()
    began = lab.summary(attached)["start_wall_ns"] / 1e9
    took, size = finished - began - WINDOW, out.stat().st_size
    out.unlink()
    return took, size


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
    """The same of perf; None when it took too long."""
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
    text.write_text("".join(f"{stack} {count}\n"
                            for stack, count in collapse(script.stdout.splitlines()).items()))
    took = time.time() - float(ended.read_text())
    return took, data.stat().st_size + text.stat().st_size


def compare(lab, name, target, problem):
    what = f"end of a {WINDOW} s window to finished file, {name}"
    ours, size = lab.undisturbed(lambda: ptprof(lab, target.pid, "collapsed"))
    pprof, pprof_size = lab.undisturbed(lambda: ptprof(lab, target.pid, "pprof"))
    yield Row(what + ", pprof", f"{pprof:.3g} s", "", "aim 1 s", pprof <= 1)
    yield Row(what + ", collapsed", f"{ours:.3g} s", "", "aim 1 s", ours <= 1)
    theirs = None if problem else lab.undisturbed(lambda: perf(lab, target.pid))
    if not theirs:
        yield missing(what, problem or f"perf script did not end within {LIMIT} s")
        return
    peer = "perf record, script, collapse"
    yield against(what + ", collapsed", ours, peer, theirs[0], "s")
    for form, bytes_on_disk in ("collapsed", size), ("pprof", pprof_size):
        yield against(f"bytes on disk for it, {name}, {form}", bytes_on_disk, peer, theirs[1],
                      "KiB", scale=1 / 1024)


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
