# SPDX-License-Identifier: MIT
"""A profile of 50 MB without its compression, from the file to the table of functions: time and
memory of `ptprof report` against `go tool pprof -top`."""

import os
import shutil
import subprocess
import sys
import time

from lab import HERE, against, median, missing

MEGABYTES = 50
ROUNDS = 2  # one of pprof takes a minute
TIME_AIM = 0.2
MEMORY_AIM = 1 / 3


def measure(command):
    """(seconds, CPU seconds, bytes at the most), of all its processes."""
    began = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, said.decode()
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def rows(lab):
    path = lab.tmp / "large.pb.gz"
    # In a process of its own: the peak of those that we start begins with our own.
    subprocess.run([sys.executable, HERE / "large_profile.py", path, str(MEGABYTES)],
                   check=True)
    yield from rows_of(lab, path)


def rows_of(lab, path):
    what = f"report of a profile of {MEGABYTES} MB"
    if not shutil.which("go"):
        yield missing(what, "go is not installed")
        return
    pprof = ["go", "tool", "pprof", "-top"]
    subprocess.run([*pprof, lab.ptprof], capture_output=True)  # newer versions of Go build it first
    found = lab.interleaved(ROUNDS, {
        "ptprof": lambda: measure([lab.ptprof, "report", path]),
        "pprof": lambda: measure([*pprof, path]),
    })
    seconds, used, memory = (
        {name: median(run[i] for run in runs) for name, runs in found.items()} for i in range(3))
    name = " ".join(pprof)
    yield against(f"{what}, time", seconds["ptprof"], name, seconds["pprof"], "s", TIME_AIM)
    yield against(f"{what}, CPU time", used["ptprof"], name, used["pprof"], "s", TIME_AIM)
    yield against(f"{what}, peak memory", memory["ptprof"], name, memory["pprof"], "MB",
                  MEMORY_AIM, scale=1e-6)
