# SPDX-License-Identifier: MIT
"""What other types than cpu cost: wall and block of 10,000 threads that sleep, and five types
together against cpu alone on servers at work."""

import itertools
import pathlib
import time

import workloads
from lab import Row, against, cpu_with_children, median, missing, percent, run

FIRST = 2.0  # seconds not measured: each thread has to be read once
SETTLED = 10.0  # and on a busy machine that takes longer
SECONDS = 4.0
SERVERS = ["redis-server under redis-benchmark", "postgres under pgbench"]
SETS = {"cpu alone": "cpu", "five types": "cpu,wall,block,mutex,threads"}

numbers = itertools.count()


def profiled(lab, pid, types, first=FIRST):
    """(percent of one CPU after the first seconds, memory of ours in kB, facts of the run)."""
    folder = lab.tmp / f"types-{next(numbers)}"
    folder.mkdir()
    output = ("-o", folder / "one.pb.gz") if types == "cpu" else ("--output-dir", folder)
    ours = lab.start("attach", pid, "-d", f"{int((first + SECONDS) * 1000) + 500}ms", "--summary",
                     "json", "--type", types, *output)
    time.sleep(first)
    before, began = cpu_with_children(ours.pid), time.monotonic()
    time.sleep(SECONDS)
    used, elapsed = cpu_with_children(ours.pid) - before, time.monotonic() - began
    memory = sum(resident_kb(one) for one in [ours.pid, *run.children(ours.pid)])
    return 100 * used / elapsed, memory, lab.summary(ours)


def resident_kb(pid):
    fields = run.status_fields(pathlib.Path(f"/proc/{pid}/status")) or {}
    return int(fields.get("VmRSS", "0 kB").split()[0])


def sleepers(lab):
    target = lab.target("parked", "--threads", 10000)
    for first in FIRST, SETTLED:
        value, memory, facts = lab.undisturbed(
            lambda: profiled(lab, target.pid, "wall,block", first))
        yield percent(f"{facts['threads_seen']} threads that sleep, wall and block, 99 Hz: our "
                      f"CPU after {first:g} s", value, 2)
    yield Row("threads stopped in it", str(facts["stops"]), "", "aim 0", facts["stops"] == 0)
    yield Row("our memory in it", f"{memory / 1024:.0f} MB", "", "")
    lab.close()


def servers(lab):
    for name in SERVERS:
        pid = workloads.REAL[name](lab)
        if pid is None:
            yield missing(name, "it is not installed")
            continue
        found = lab.interleaved(3, {words: lambda types=types: profiled(lab, pid, types)[0]
                                    for words, types in SETS.items()})
        lab.close()
        alone, together = (median(found[words]) for words in SETS)
        yield against(f"{name}: our CPU, five types", together, "cpu alone", alone, "%", 1.3)


def rows(lab):
    yield from sleepers(lab)
    yield from servers(lab)
