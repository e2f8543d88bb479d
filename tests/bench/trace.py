# SPDX-License-Identifier: MIT
"""Two threads that switch 20,000 times a second: how much longer they take while a trace is made of
them, and how many bytes a switch has."""

import signal
import subprocess

from lab import Row, median

ROUNDS = 20000
WARM = 0.7  # seconds until all events are open
FORMATS = ["go", "perf", "chrome", "firefox"]


def work(target):
    """ns that the work took."""
    target.signal(signal.SIGUSR1)
    return int(target.line(60))


def beside(profiler, target):
    """The same while a profiler runs, which is ended afterwards."""
    try:
        profiler.wait(WARM)
        raise AssertionError("the profiler ended by itself")
    except subprocess.TimeoutExpired:
        pass
    took = work(target)
    profiler.signal(signal.SIGINT)
    profiler.wait(120)
    return took


def traced(lab, target, *options):
    return beside(lab.attach(target.pid, 600, *options), target)


def bytes_of(lab, target, name):
    path = lab.tmp / f"trace.{name}"
    profiler = lab.start("attach", target.pid, "-d", "600s", "--type", "trace", "-f", name,
                         "-o", path)
    beside(profiler, target)
    return path.stat().st_size / (2 * ROUNDS)


def rows(lab):
    target = lab.spawn(lab.bench_program("switches"), ROUNDS)
    assert target.line() == "ready"
    found = lab.interleaved(5, {
        "alone": lambda: work(target),
        "cpu": lambda: traced(lab, target),
        "trace": lambda: traced(lab, target, "--type", "trace", "-f", "go"),
    })
    alone = median(found["alone"])
    rate = 2 * ROUNDS / (alone / 1e9)
    for name in "cpu", "trace":
        slower = median(100 * (ours / other - 1)
                        for ours, other in zip(found[name], found["alone"]))
        yield Row(f"{rate:,.0f} switches a second, --type {name}: run time", f"{slower:+.1f} %",
                  f"alone: {alone / 1e9:.3f} s", "", None)
    for name in FORMATS:
        yield Row(f"bytes a switch, --format {name}", f"{bytes_of(lab, target, name):.0f}",
                  "96 while it is recorded", "", None)
