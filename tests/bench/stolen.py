# SPDX-License-Identifier: MIT
"""Time that a sample steals from a thread, seen by the thread itself: it reads the TSC without end
and adds up the gaps. Without a profiler there are gaps too (ticks, the hypervisor), and more or
fewer of them according to how often the other CPUs sleep; they are measured in the same turn,
beside a process that has the sampler's rhythm and stops nobody, and subtracted. For perf, which
samples without such a process, beside nobody. Medians over windows of 100 ms."""

import json
import os
import re
import signal
import subprocess
import time
from statistics import quantiles

from lab import against, median, missing, thread_named

SETTLE = 0.5         # seconds until a profiler samples steadily
STACK = 8192         # bytes of stack below the spinning frame: about what real threads have
PERF_SAMPLES = re.compile(r"\((\d+) samples\)")


def on_cpus(cpus):
    return ["taskset", "-c", ",".join(map(str, cpus))]


class Bench:
    def __init__(self, lab, rate, seconds, cpus):
        """cpus: those that the profilers may use. The target spins on the last one there is."""
        self.lab, self.rate, self.seconds, self.prefix = lab, rate, seconds, on_cpus(cpus)
        self.target = lab.spawn(lab.bench_program("gaps"), "--stack", STACK,
                                "--cpu", max(os.sched_getaffinity(0)))
        assert self.target.line() == "ready"
        self.tid = thread_named(self.target.pid, "spin")
        try:  # ordinary programs then get next to nothing of its CPU; a sampler is above that
            os.setpriority(os.PRIO_PROCESS, self.tid, -20)
        except PermissionError:
            pass

    def stolen(self):
        """ns per second."""
        self.target.signal(signal.SIGUSR1)
        self.target.line()
        time.sleep(self.seconds)
        self.target.signal(signal.SIGUSR1)
        return median(json.loads(self.target.line()))

    def lasting(self):
        return self.seconds + 2 * SETTLE

    def beside(self, popen):
        time.sleep(SETTLE)
        stolen = self.stolen()
        out, err = popen.communicate(timeout=30)
        return stolen, out, err

    def popen(self, *command):
        return subprocess.Popen([*self.prefix, *map(str, command)], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    # Each: (stolen ns per second, samples per second)

    def nobody(self):
        return self.stolen(), 0

    def bare(self, tid=None):
        stolen, out, _ = self.beside(self.popen(self.lab.bench_program("bare_stop"),
                                                self.tid if tid is None else tid, self.rate,
                                                self.lasting()))
        said = json.loads(out)
        return stolen, said["stops"] / said["duration_ns"] * 1e9

    def own_timer(self):
        """A bare stop by a thread on the target's own CPU."""
        stolen, out, _ = self.beside(self.popen(
            self.lab.bench_program("bare_stop"), self.tid, self.rate, self.lasting(),
            max(os.sched_getaffinity(0))))
        said = json.loads(out)
        return stolen, said["stops"] / said["duration_ns"] * 1e9

    def rhythm(self):
        return self.bare(tid=0)

    def ptprof(self):
        attached = self.lab.attach(self.target.pid, self.lasting(), "-r", self.rate,
                                   "--max-stop", 100, prefix=self.prefix)
        time.sleep(SETTLE)
        stolen = self.stolen()
        run = self.lab.summary(attached)
        return stolen, run["stops"] / run["duration_ns"] * 1e9

    def perf(self):
        stolen, _, err = self.beside(self.popen(
            "perf", "record", "-e", "cpu-clock", "-F", self.rate, "--call-graph", "dwarf", "-p",
            self.target.pid, "-o", self.lab.tmp / "perf.data", "--", "sleep", self.lasting()))
        return stolen, int(PERF_SAMPLES.search(err)[1]) / self.lasting()


def per_sample(results, baseline):
    """Median over the rounds and half the distance of their quartiles, us."""
    found = [(stolen - base) / rate / 1000
             for (stolen, rate), (base, _) in zip(results, baseline)]
    low, _, high = quantiles(found, n=4, method="inclusive")
    return median(found), (high - low) / 2


def compare(lab, rate, seconds, rounds, cpus, baselines, where=""):
    """baselines: {profiler: what is subtracted}"""
    bench = Bench(lab, rate, seconds, cpus)
    names = [*dict.fromkeys(baselines.values()), *baselines]
    found = lab.interleaved(rounds, {name: getattr(bench, name) for name in names})
    lab.close()
    us = {name: per_sample(found[name], found[base]) for name, base in baselines.items()}
    what = f"stolen from a spinning thread per sample, {rate} Hz{where}"
    for peer, name, aim in ("bare", "bare stop", 1.5), ("perf", "perf, dwarf", 2.5):
        if peer in us:
            values, spread = zip(us["ptprof"], us[peer])
            yield against(what, values[0], name, values[1], "us", aim, spread=spread)


def rows(lab):
    cpus = sorted(os.sched_getaffinity(0))
    elsewhere = cpus[:-1] or cpus
    problem = lab.perf_problem()
    baselines = {"bare": "rhythm", "ptprof": "rhythm"} | ({} if problem else {"perf": "nobody"})
    yield from compare(lab, 99, 2.0, 5, elsewhere, baselines)
    yield from compare(lab, 999, 1.0, 4, elsewhere, baselines)
    if elsewhere != cpus:  # its rhythm steals too, then
        yield from compare(lab, 999, 1.0, 3, cpus[-1:], {"bare": "nobody", "ptprof": "nobody"},
                           ", sampler on the thread's own CPU")
    if problem:
        yield missing("stolen from a spinning thread per sample", problem)
