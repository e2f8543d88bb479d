# SPDX-License-Identifier: MIT
"""Time that a sample steals from a thread, seen by the thread itself: it reads the TSC without end
and adds up the gaps. Without anybody there are gaps too (ticks, the hypervisor); they are measured
in the same turn and subtracted. Medians over windows of 100 ms, as others may disturb some."""

import json
import os
import re
import signal
import subprocess
import time

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

    def bare(self):
        stolen, out, _ = self.beside(self.popen(self.lab.bench_program("bare_stop"), self.tid,
                                                self.rate, self.lasting()))
        said = json.loads(out)
        return stolen, said["stops"] / said["duration_ns"] * 1e9

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


def per_sample(found):
    """{profiler: median over the rounds, us}."""
    nobody = [stolen for stolen, _ in found.pop("nobody")]
    return {name: median((stolen - base) / rate / 1000
                         for (stolen, rate), base in zip(results, nobody))
            for name, results in found.items()}


def compare(lab, rate, seconds, rounds, cpus, peers, where=""):
    bench = Bench(lab, rate, seconds, cpus)
    measures = {name: getattr(bench, name) for name in ["nobody", "bare", "ptprof", *peers]}
    us = per_sample(lab.interleaved(rounds, measures))
    lab.close()
    what = f"stolen from a spinning thread per sample, {rate} Hz{where}"
    rows = [against(what, us["ptprof"], "bare stop", us["bare"], "us", aim=1.5)]
    if "perf" in us:
        rows.append(against(what, us["ptprof"], "perf, dwarf", us["perf"], "us", aim=2.5))
    return rows


def rows(lab):
    cpus = sorted(os.sched_getaffinity(0))
    elsewhere = cpus[:-1] or cpus
    problem = lab.perf_problem()
    peers = [] if problem else ["perf"]
    yield from compare(lab, 99, 2.0, 6, elsewhere, peers)
    yield from compare(lab, 999, 1.0, 4, elsewhere, peers)
    if elsewhere != cpus:
        yield from compare(lab, 999, 1.0, 3, cpus[-1:], [], ", sampler on the thread's own CPU")
    if problem:
        yield missing("stolen from a spinning thread per sample", problem)
