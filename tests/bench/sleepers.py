# SPDX-License-Identifier: MIT
"""A program with 159 threads of which two work and the others sleep: how much longer a fixed amount
of work takes while it is profiled."""

import signal
import subprocess
import sys

from lab import HERE, Row, median, missing

BUSY, SLEEPING = 2, 156  # and the main thread
WORK_MS = 1000
WARM = 0.7  # seconds until a profiler samples steadily


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
    profiler.wait(30)
    return took


def ptprof(lab, target, rate):
    return beside(lab.attach(target.pid, 600, "-r", rate), target)


def slower(found, name):
    """Percent, the median over pairs of neighbours."""
    return median(100 * (with_us / alone - 1)
                  for with_us, alone in zip(found[name], found["alone"]))


def native_rows(lab):
    target = lab.spawn(lab.bench_program("fixed_work"), "--busy", BUSY, "--sleeping", SLEEPING,
                       "--ms", WORK_MS)
    assert target.line() == "ready"
    found = lab.interleaved(6, {
        "alone": lambda: work(target),
        100: lambda: ptprof(lab, target, 100),
        200: lambda: ptprof(lab, target, 200),
    })
    lab.close()
    for rate in 100, 200:
        value = slower(found, rate)
        yield Row(f"159 threads, 157 asleep: run time at {rate} Hz", f"{value:+.2f} %",
                  f"alone: {median(found['alone']) / 1e9:.3f} s", "aim 1 %", value <= 1)


def install_py_spy(lab):
    """Its path, or None; in a virtual environment below build/."""
    venv = lab.build / "bench" / "venv"
    program = venv / "bin" / "py-spy"
    commands = [[sys.executable, "-m", "venv", venv],
                [venv / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check",
                 "py-spy"]]
    try:
        for command in [] if program.exists() else commands:
            subprocess.run(command, check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    return program


def python_rows(lab):
    py_spy = install_py_spy(lab)
    target = lab.spawn(sys.executable, HERE / "fixed_work.py", BUSY, SLEEPING, WORK_MS)
    assert target.line() == "ready"

    def spy():
        return beside(lab.spawn(py_spy, "record", "-p", target.pid, "-r", 100, "-d", 600, "-f",
                                "raw", "-o", lab.tmp / "py-spy.raw", stderr=subprocess.DEVNULL),
                      target)

    measures = {"alone": lambda: work(target), "ptprof": lambda: ptprof(lab, target, 100)}
    if py_spy:
        measures["py-spy"] = spy
    found = lab.interleaved(4, measures)
    lab.close()
    what = "the same in Python: run time at 100 Hz"
    ours = f"{slower(found, 'ptprof'):+.2f} %"
    if not py_spy:
        return [missing(what, "py-spy is missing")._replace(ours=ours)]
    return [Row(what, ours, f"py-spy: {slower(found, 'py-spy'):+.1f} %", "")]


def rows(lab):
    yield from native_rows(lab)
    yield from python_rows(lab)
