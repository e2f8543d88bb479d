# SPDX-License-Identifier: MIT
"""CPU time that ptprof itself uses, sampler and main process, after its first second."""

import time

from lab import Row, cpu_with_children, percent

FIRST = 1.5  # seconds not measured: start, and the first second
SECONDS = 4.0


def measure(lab, pid):
    """(percent of one CPU, summary)."""
    def once():
        attached = lab.attach(pid, FIRST + SECONDS + 0.5)
        time.sleep(FIRST)
        before, began = cpu_with_children(attached.pid), time.monotonic()
        time.sleep(SECONDS)
        used, elapsed = cpu_with_children(attached.pid) - before, time.monotonic() - began
        return 100 * used / elapsed, lab.summary(attached)
    return lab.undisturbed(once)


def rows(lab):
    target = lab.target("threads", "--busy", 2, "--still", 9997)
    value, run = measure(lab, target.pid)
    yield percent(f"our CPU, {run['threads_seen']} threads of which 2 run, 99 Hz", value, 2,
                  f"{run['achieved_hz']:.1f} Hz achieved")
    lab.close()
    target = lab.target("idle")
    value, run = measure(lab, target.pid)
    yield percent("our CPU, 10 idle threads, 99 Hz", value, 0.3)
    yield Row("threads stopped in it", str(run["stops"]), "", "aim 0", run["stops"] == 0)
    lab.close()
