# SPDX-License-Identifier: MIT
"""What ptprof memory takes of a process with ten thousand mappings: knowing what they are and what
is resident of them against a bare read of maps; all of it against a Python that reads them."""

import json
import subprocess
import time

import run
from lab import against, median

MAPPINGS = 10000
ROUNDS = 9
READER = """import sys
sizes = {}
for line in open(f"/proc/{sys.argv[1]}/maps"):
    start, end = (int(word, 16) for word in line.split(" ", 1)[0].split("-"))
    name = line[73:].rstrip()
    sizes[name] = sizes.get(name, 0) + end - start
print(sizes)
"""


def output(*command):
    return subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def seconds(*command):
    began = time.monotonic()
    output(*command)
    return time.monotonic() - began


def took(pid, *extra):
    return json.loads(output(run.Context.ptprof, "memory", pid, "--json", *extra))["took"]


def rows(lab):
    target = lab.spawn(run.Context.build / "tests" / "targets" / "mappings", "--many",
                       MAPPINGS // 2)
    while target.line(60) != "ready":
        pass
    pid = target.pid
    found = lab.interleaved(ROUNDS, {
        "look": lambda: took(pid)["mappings_cpu_ns"],
        "maps": lambda: int(output(lab.bench_program("bare_maps"), pid)),
        "pss": lambda: took(pid, "--pss")["mappings_cpu_ns"],
        "smaps": lambda: int(output(lab.bench_program("bare_maps"), pid, "smaps")),
        "command": lambda: seconds(run.Context.ptprof, "memory", pid),
        "python": lambda: seconds("python3", "-c", READER, pid),
    })
    of = {name: median(values) for name, values in found.items()}
    what = f"{MAPPINGS:,} mappings"
    yield against(f"{what}: their kinds, sizes, resident", of["look"], "bare read of maps",
                  of["maps"], "ms of CPU", 2, scale=1e-6)
    yield against(f"{what}: ptprof memory, allocators too", of["command"],
                  "Python that adds up maps by name", of["python"], "ms", scale=1e3)
    yield against(f"{what}: the same with --pss", of["pss"], "bare read of smaps", of["smaps"],
                  "ms of CPU", scale=1e-6)
