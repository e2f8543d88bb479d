# SPDX-License-Identifier: MIT
"""The census of a heap of small blocks: against a loop that only reads it, a script for gdb that
steps over its chunks, and heaptrack, which the program has to be started with."""

import os
import shutil
import subprocess
import time

import run
from lab import Row, against, median, missing

MIB, SIZE = 1024, 56
ROUNDS = 5
STEPS = 100000  # chunks that gdb steps over
SMALL = 64      # MiB of the heap that heaptrack watches being made
AIM, AIM_MIB = 3, 64

GDB = f"""python
import gdb, struct
memory = gdb.selected_inferior()
at = next(int(line.split()[0], 16) for line in
          gdb.execute("info proc mappings", to_string=True).splitlines() if "[heap]" in line)
for _ in range({STEPS}):
    at += struct.unpack("<Q", bytes(memory.read_memory(at + 8, 8)))[0] & ~7
"""


def spent(command):
    """CPU seconds of a command, and its largest memory in MiB."""
    process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def made(lab, mib, prefix=()):
    """The heap, and how long the program took to make it."""
    began = time.monotonic()
    target = lab.spawn(*prefix, lab.bench_program("small_blocks"), mib, SIZE)
    while target.line(120) != "ready":
        pass
    return target, time.monotonic() - began


def gdb_row(lab, target, ours, what):
    if not shutil.which("gdb"):
        return missing(what, "gdb is not installed")
    script = lab.tmp / "chunks.gdb"
    script.write_text(GDB)
    nothing = spent(["gdb", "-nx", "-batch", "-p", target.pid])[0]
    steps = spent(["gdb", "-nx", "-batch", "-p", target.pid, "-x", script])[0] - nothing
    blocks = MIB * (1 << 20) / (SIZE + 8)
    return against(f"{what}, gdb's time for its chunks by {STEPS} of them", ours,
                   "gdb, stopped meanwhile", steps * blocks / STEPS, "CPU s")


def heaptrack_row(lab):
    what = f"{SMALL} MiB of blocks of {SIZE} bytes made with heaptrack, and without"
    if not shutil.which("heaptrack"):
        return missing(what, "heaptrack is not installed")
    target, alone = made(lab, SMALL)
    target.kill()
    target, watched = made(lab, SMALL, ("heaptrack", "-o", lab.tmp / "heaptrack"))
    target.kill()
    return against(what, alone, "heaptrack", watched, "s")


def rows(lab):
    target, _ = made(lab, MIB)
    commands = {"ptprof": [run.Context.ptprof, "heap", target.pid],
                "bare": [lab.bench_program("bare_heap"), target.pid]}
    found = lab.interleaved(ROUNDS, {name: lambda command=command: spent(command)
                                     for name, command in commands.items()})
    what = f"census of {MIB} MiB of blocks of {SIZE} bytes"
    ours = median(seconds for seconds, _ in found["ptprof"])
    yield against(f"{what}: CPU time", ours, "bare loop of reads",
                  median(seconds for seconds, _ in found["bare"]), "s", AIM)
    memory = max(mib for _, mib in found["ptprof"])
    yield Row(f"{what}: our memory", f"{memory:.0f} MiB", "", f"aim {AIM_MIB} MiB",
              memory <= AIM_MIB)
    yield gdb_row(lab, target, ours, what)
    target.kill()
    yield heaptrack_row(lab)
