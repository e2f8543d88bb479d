# SPDX-License-Identifier: MIT
"""Unwinding the stacks of a compiler at work: cost, and how many do not reach their root."""

import json
import subprocess
import time

import workloads
from lab import Row, against, missing, percent, short

STACKS = 200


def costs(lab, pid):
    done = subprocess.run([lab.build / "tests" / "live" / "unwind_compare", str(pid), str(STACKS)],
                          capture_output=True, text=True, timeout=60)
    return json.loads(done.stdout)


def rows(lab):
    compiler = workloads.cc1plus(lab)
    if not compiler:
        return [missing("unwinding the stacks of cc1plus", "g++ is not installed")]
    time.sleep(2)
    cost = lab.undisturbed(lambda: costs(lab, compiler.pid))
    run = lab.summary(lab.attach(compiler.pid, 8, "-r", 250, "--max-stop", 100))
    lab.close()
    ours = cost["walk_p50_ns"]
    return [
        Row("unwinding a stack of cc1plus, p50", f"{short(ours / 1000)} us",
            f"{cost['frames']} frames on average", "aim 60 us", ours <= 60_000),
        against("unwinding a stack of cc1plus, p50", ours, "libunwind's own accessors",
                cost["live_p50_ns"], "us", scale=1e-3),
        percent(f"stacks of cc1plus that end before the root, of {run['samples']}",
                100 * run["cut"] / run["samples"], 0.5),
    ]
