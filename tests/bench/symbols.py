# SPDX-License-Identifier: MIT
"""Naming 10,000 addresses of a program with full debug information: time and memory.

SYMBOLS_PROGRAM names a further one, such as a compiler that was built with -g."""

import os
import pathlib
import random
import re
import shutil
import subprocess

from lab import Row, against, missing, run as runner

ADDRESSES = 10_000
ROUNDS = 3
# The program itself names the addresses, so it must be one with its debug information inside.
PROGRAMS = "/usr/bin/python3.11d", "/usr/bin/python3.11-dbg"
SECTIONS = ".debug_info", ".debug_abbrev", ".debug_line", ".debug_str", ".debug_line_str", \
    ".debug_rnglists", ".debug_ranges", ".debug_addr", ".debug_str_offsets"  # that lines need
PEERS = {
    "addr2line -ifC": ["addr2line", "-a", "-i", "-f", "-C", "-e"],
    "llvm-symbolizer": ["llvm-symbolizer", "-a", "-i", "-f", "-C", "-e"],
}
SLOW_PEERS = {"eu-addr2line -ifC": ["eu-addr2line", "-a", "-i", "-f", "-C", "-e"]}


def sections(program):
    """{name: (address, size)}"""
    listed = subprocess.run(["readelf", "-SW", program], capture_output=True, text=True)
    return {match[1]: (int(match[2], 16), int(match[3], 16)) for match in re.finditer(
        r"\] (\.\S+) +\S+ +(\w{16}) \w+ (\w+)", listed.stdout)}


def random_code(program):
    start, size = sections(program)[".text"]
    chosen = random.Random(4).sample(range(start, start + size), ADDRESSES)
    return "\n".join(map(hex, chosen))


def start(lab, command, program, addresses):
    text = pathlib.Path(lab.tmp) / "addresses"
    text.write_text(addresses)
    with text.open() as source:
        return subprocess.Popen([*command, program], stdin=source, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)


def cpu_seconds(lab, command, program, addresses):
    """Of all its processes."""
    child = start(lab, command, program, addresses)
    _, _, usage = os.wait4(child.pid, 0)
    child.returncode = 0
    return usage.ru_utime + usage.ru_stime


def best(lab, command, program, addresses):
    return min(cpu_seconds(lab, command, program, addresses) for _ in range(ROUNDS))


def high_water(pid):
    fields = runner.status_fields(pathlib.Path(f"/proc/{pid}/status")) or {}
    return int(fields.get("VmHWM", "0 kB").split()[0]) * 1024


def peak_memory(lab, command, program, addresses):
    """Bytes of the process that had most. Not by getrusage: that begins with what we have."""
    child = start(lab, command, program, addresses)
    most = 0
    while child.poll() is None:
        most = max([most, *map(high_water, (child.pid, *runner.children(child.pid)))])
    return most


def rows(lab):
    program = next((path for path in PROGRAMS if os.path.exists(path)), lab.ptprof)
    yield from rows_of(lab, program, PEERS | SLOW_PEERS)
    if further := os.environ.get("SYMBOLS_PROGRAM"):
        yield from rows_of(lab, further, PEERS)


def rows_of(lab, program, peers):
    ours = [str(lab.build / "tests" / "live" / "symbolize")]
    what = f"naming {ADDRESSES} addresses of {pathlib.Path(program).name}"
    addresses = random_code(program)
    seconds = lab.undisturbed(lambda: best(lab, ours, program, addresses))
    memory = peak_memory(lab, ours, program, addresses)
    for name, command in peers.items():
        if not shutil.which(command[0]):
            yield missing(what, f"{command[0]} is not installed")
            continue
        theirs = lab.undisturbed(lambda: best(lab, command, program, addresses))
        yield against(f"{what}, CPU time", seconds, name, theirs, "s",
                      aim=0.05 if command[0] == "addr2line" else None)
    known = sections(program)
    touched = sum(known[name][1] for name in SECTIONS if name in known)
    ratio = memory / touched
    yield Row("peak memory meanwhile", f"{memory / 1e6:.0f} MB",
              f"debug sections that lines need: {touched / 1e6:.0f} MB",
              f"{ratio:.1f} times (aim 1.5)", ratio <= 1.5)
