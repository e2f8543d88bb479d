# SPDX-License-Identifier: MIT
"""How far ptprof's picture of real programs is from perf's: the total variation distance of their
distributions of leaves, beside perf's distance from itself in windows between.

A leaf is a function where both have a name for it, else its module; what runs in a system call is
one leaf, [kernel]. Where the kernel works for a page fault or an interrupt, the leaf is what was
interrupted: a stopped thread shows no more."""

import collections
import json
import random
import re
import subprocess
import time

import workloads
from lab import Row, median, missing

RATE = 499
SECONDS = 2.0
ROUNDS = 4
SETTLE = 2.0   # seconds until a program does what it does for good
AIM = 0.03     # more than perf's distance from itself
KERNEL = 1 << 63
IN_A_CALL = re.compile(r"\b(entry_SYSCALL|do_syscall|el0_svc)")
FRAME = re.compile(r"^\s*([0-9a-f]+) (.*) \((.*)\)$")
ANONYMOUS = re.compile(r"^(//anon|\[anon.*|\[JIT\].*|inlined|\[unknown\]|.*\.map)$")


def leaf(module, name):
    module = module.rpartition("/")[2] if not module.startswith("//") else module
    name = name.split("@@")[0].split("(")[0].strip()
    return ("anonymous" if ANONYMOUS.match(module) else module), name


def perf_leaf(frames):
    """frames: (address, name, module), the innermost first."""
    own = [frame for frame in frames if frame[0] < KERNEL]
    kernel = frames[:len(frames) - len(own)] if own else frames
    if not own or any(IN_A_CALL.search(name) for _, name, _ in kernel):
        return "[kernel]", ""
    return leaf(own[0][2], own[0][1])


class Looker:
    def __init__(self, lab, pid):
        self.lab, self.pid = lab, pid

    def perf(self):
        data = self.lab.tmp / "perf.data"
        subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "-F", str(RATE), "-g", "-p",
                        str(self.pid), "-o", data, "--", "sleep", str(SECONDS)], check=True,
                       capture_output=True)
        text = subprocess.run(["perf", "script", "--no-inline", "-i", data, "-F",
                               "tid,ip,sym,dso"], check=True, capture_output=True, text=True,
                              errors="replace").stdout
        found = collections.Counter()
        for sample in text.split("\n\n"):
            matches = filter(None, map(FRAME.match, sample.splitlines()))
            if frames := [(int(ip, 16), name, dso) for ip, name, dso in
                          (match.groups() for match in matches)]:
                found[perf_leaf(frames)] += 1
        return found

    def again(self):
        return self.perf()

    def ptprof(self):
        path = self.lab.tmp / "leaves.json"
        done = self.lab.run("attach", self.pid, "-d", f"{SECONDS:g}s", "-r", RATE, "--max-stop",
                            50, "-q", "-f", "json", "-o", path)
        assert done.returncode == 0, done.stderr
        found = collections.Counter()
        for stack in json.loads(path.read_text())["stacks"]:
            frames = [frame for frame in stack["frames"] if not frame["inlined"]]
            if stack["samples"] and frames:
                module, name = frames[0]["module"], frames[0]["function"]
                found[("[kernel]", "") if module == "[kernel]" else leaf(module, name)] += \
                    stack["samples"]
        return found


def by_common_names(found):
    """The sums of the windows, with the functions that both profilers have names for."""
    sums = {name: sum(windows, collections.Counter()) for name, windows in found.items()}
    common = (sums["perf"] + sums["again"]).keys() & sums["ptprof"].keys()
    named = {}
    for name, counts in sums.items():
        named[name] = collections.Counter()
        for (module, function), n in counts.items():
            key = (module, function) if (module, function) in common else (module, "")
            named[name][key] += n
    return named


def distance(one, other):
    return sum(abs(one[key] / one.total() - other[key] / other.total())
               for key in one.keys() | other.keys()) / 2


def thinned(counts, n):
    """So many of the samples: chance alone makes a distance, a larger one of fewer."""
    return collections.Counter(random.Random(1).sample(list(counts.elements()), n))


def compare(lab, what, start):
    pid = start(lab)
    if not pid:
        return missing(f"{what}: leaves", "not installed")
    time.sleep(SETTLE)
    looker = Looker(lab, pid)
    named = by_common_names(lab.interleaved(ROUNDS, {
        "perf": looker.perf, "ptprof": looker.ptprof, "again": looker.again}))
    n = min(counts.total() for counts in named.values())
    perf, ptprof, again = (thinned(named[name], n) for name in ("perf", "ptprof", "again"))
    own = distance(perf, again)
    ours = median([distance(ptprof, perf), distance(ptprof, again)])
    kernel = "; ".join(f"{name} {100 * counts['[kernel]', ''] / n:.1f} %"
                       for name, counts in (("kernel", ptprof), ("perf", perf)))
    return Row(f"{what}: distance from perf's leaves, {n} samples each", f"{ours:.3f} ({kernel})",
               f"perf from itself: {own:.3f}", f"aim {own + AIM:.3f}", ours <= own + AIM)


def rows(lab):
    if problem := lab.perf_problem():
        yield missing("distance from perf's leaves", problem)
        return
    for what, start in workloads.REAL.items():
        try:
            yield compare(lab, what, start)
        finally:
            lab.close()
