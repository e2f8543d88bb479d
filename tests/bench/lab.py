# SPDX-License-Identifier: MIT
"""What the measurements share: programs under test, peers, and an eye on who else uses the
machine."""

import collections
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import run  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
OTHERS = 0.05    # CPUs that other programs may use during a measurement
TRIES = 3        # before a disturbed measurement is kept
QUIET_FOR = 0.2  # seconds without others before a measurement
PATIENCE = 90    # seconds to wait for that, and to repeat, in the whole run

# One line of the table. aim: the largest value of `ratio` (or of whatever `figure` names).
Row = collections.namedtuple("Row", "what ours peer figure met", defaults=(None,))


def short(value):
    """Three digits, without an exponent."""
    return f"{float(f'{value:.3g}'):,.10g}"


def times(ratio):
    return f"{short(ratio)} times" if ratio >= 0.1 else f"1/{short(1 / ratio)}"


def against(what, ours, name, theirs, unit, aim=None, scale=1.0, spread=None):
    """A row that compares two values of one unit. spread: how far each of them may be off."""
    def text(i, value):
        around = f" ±{short(spread[i] * scale)}" if spread else ""
        return f"{short(value * scale)}{around} {unit}"
    texts = what, text(0, ours), f"{name}: {text(1, theirs)}"
    if ours <= 0 or theirs <= (2 * spread[1] if spread else 0):
        return Row(*texts, "too noisy here")
    figure = times(ours / theirs) + (f" (aim {aim:g})" if aim else "")
    return Row(*texts, figure, ours / theirs <= aim if aim else None)


def percent(what, value, aim, peer="", digits=2):
    """A row that holds a share against its aim, both in percent."""
    return Row(what, f"{value:.{digits}f} %", peer, f"aim {aim:g} %", value <= aim)


def missing(what, why):
    return Row(what, "", why, "not compared")


def machine_busy():
    """CPU seconds that the machine spent on anything so far, by timer ticks."""
    with open("/proc/stat") as stat:
        user, nice, system, _, _, irq, softirq = map(int, stat.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def used_by(*whose):
    usages = [resource.getrusage(who) for who in whose]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def cpu_with_children(pid):
    try:
        return (run.cpu_ns(pid) + sum(run.cpu_ns(child) for child in run.children(pid))) / 1e9
    except OSError:
        return 0.0


class Lab(run.Context):
    patience = PATIENCE  # what is left of it

    def __init__(self, tmp):
        super().__init__(tmp)
        self.disturbed = 0  # measurements that are kept although others ran

    def close(self):
        self.clean_up()
        self.started.clear()

    def bench_program(self, name):
        return self.build / "tests" / "bench" / name

    # --- other users of the machine

    def others(self):
        """CPU seconds so far of programs that are not ours."""
        ours = used_by(resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        ours += sum(cpu_with_children(process.pid) for process in self.started if process.alive())
        return machine_busy() - ours

    def _disturbance(self, measure):
        """What it measured, and how many CPUs others had meanwhile."""
        others, began = self.others(), time.monotonic()
        result = measure()
        return result, (self.others() - others) / (time.monotonic() - began)

    def _await_quiet(self):
        began = time.monotonic()
        while self._disturbance(lambda: time.sleep(QUIET_FOR))[1] > OTHERS and Lab.patience > 0:
            Lab.patience -= time.monotonic() - began
            began = time.monotonic()

    def undisturbed(self, measure):
        """Measures again when others ran meanwhile."""
        for _ in range(TRIES):
            self._await_quiet()
            began = time.monotonic()
            result, others = self._disturbance(measure)
            if others <= OTHERS:
                return result
            if Lab.patience <= 0:
                break
            Lab.patience -= time.monotonic() - began
        self.disturbed += 1
        return result

    def interleaved(self, rounds, measures):
        """{name: measure()} in turn, so often -> {name: [result of each round]}."""
        found = {name: [] for name in measures}
        for _ in range(rounds):
            for name, measure in measures.items():
                found[name].append(self.undisturbed(measure))
        return found

    # --- programs

    def attach(self, pid, seconds, *options, prefix=()):
        """ptprof attach in the background; its summary comes by summary()."""
        return self.start("attach", pid, "-d", f"{int(seconds * 1000)}ms", "--summary", "json",
                          "-f", "collapsed", "-o", self.tmp / f"{self.runs}.folded", *options,
                          prefix=prefix)

    @staticmethod
    def summary(attached, seconds=60):
        assert attached.wait(seconds) == 0, "ptprof failed: " + attached.stderr[-500:]
        text = attached.stderr
        return json.loads(text[text.index("{"):])["run"]

    def perf_problem(self):
        """Why perf cannot be compared with, or None."""
        if not shutil.which("perf"):
            return "perf is not installed"
        out = self.tmp / "perf.probe"
        done = subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "-o", out, "--", "true"],
                              capture_output=True, text=True)
        return None if done.returncode == 0 else "perf is not permitted here"


def thread_named(pid, name):
    for tid in run.threads_of(pid):
        if pathlib.Path(f"/proc/{pid}/task/{tid}/comm").read_text().strip() == name:
            return tid
    raise LookupError(name)


median = statistics.median
