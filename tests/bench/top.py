# SPDX-License-Identifier: MIT
"""What `ptprof top` uses beside sampling: our whole CPU time at 99 Hz with a refresh a second, on 8
busy threads, against `ptprof attach` of the same target in the same run."""

import os
import pty
import threading
import time

from lab import cpu_with_children, median, percent

FIRST = 3.0  # seconds not measured: start, names, the first window
SECONDS = 6.0
ROUNDS = 3
AIM = 3      # percent of one CPU beside sampling


def used(run):
    """Percent of one CPU that a ptprof uses, sampler and main process."""
    time.sleep(FIRST)
    before, began = cpu_with_children(run.pid), time.monotonic()
    time.sleep(SECONDS)
    share = 100 * (cpu_with_children(run.pid) - before) / (time.monotonic() - began)
    run.kill()
    return share


def read_all(fd):
    try:
        while os.read(fd, 65536):
            pass
    except OSError:
        pass  # its other end is closed


def on_a_terminal(lab, pid):
    master, slave = pty.openpty()
    env = {**os.environ, "TERM": "xterm-256color", "LINES": "50", "COLUMNS": "120"}
    run = lab.start("top", pid, stdout=slave, env=env)
    os.close(slave)
    threading.Thread(target=read_all, args=(master,), daemon=True).start()
    share = used(run)
    os.close(master)
    return share


def rows(lab):
    target = lab.target("threads", "--busy", 8)
    found = lab.interleaved(ROUNDS, {
        "attach": lambda: used(lab.attach(target.pid, 60)),
        "blocks": lambda: used(lab.start("top", target.pid, "-b")),
        "screen": lambda: on_a_terminal(lab, target.pid),
    })
    shares = {name: median(values) for name, values in found.items()}
    for name in "blocks", "screen":
        yield percent(f"top, {name}, 8 busy threads, 99 Hz: CPU beside sampling",
                      shares[name] - shares["attach"], AIM,
                      f"all: {shares[name]:.2f} %, attach: {shares['attach']:.2f} %")
    lab.close()
