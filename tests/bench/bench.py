#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures what profiling costs, each figure as a ratio from one interleaved run, and prints a
table in Markdown.

    tests/bench/bench.py [PART...]    the parts are listed below

A measurement during which other programs used the machine is repeated. Nothing here passes or
fails: a missed aim is marked in the table.
"""

import importlib
import os
import pathlib
import platform
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lab import Lab  # noqa: E402

PARTS = ["stolen", "displaced", "leaves", "sleepers", "own_cpu", "profile_types", "top",
         "unwinding", "window", "dump", "symbols", "trace", "report", "memory", "heap",
         "serve"]
HEAD = ["measured", "ptprof", "compared with", "ratio or aim", ""]
VERDICTS = {True: "met", False: "**missed**", None: ""}


def measure(part):
    directory = tempfile.mkdtemp(prefix="ptprof-bench-")
    lab = Lab(directory)
    try:
        for row in importlib.import_module(part).rows(lab):
            print(f"  {row.what}: {row.ours} | {row.peer} | {row.figure} "
                  f"{VERDICTS[row.met]}".rstrip(), file=sys.stderr, flush=True)
            yield row
    finally:
        lab.close()
        shutil.rmtree(directory, ignore_errors=True)
        if lab.disturbed:
            print(f"  other programs ran during {lab.disturbed} measurements of this part",
                  file=sys.stderr)


def print_table(rows):
    lines = [[row.what, row.ours, row.peer, row.figure, VERDICTS[row.met]] for row in rows]
    widths = [max(map(len, column)) for column in zip(HEAD, *lines)]
    for line in [HEAD, ["-" * max(width, 3) for width in widths], *lines]:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |")


def main():
    parts = sys.argv[1:] or PARTS
    if unknown := set(parts) - set(PARTS):
        sys.exit(f"bench.py: no such part: {' '.join(sorted(unknown))} ({' '.join(PARTS)})")
    began = time.monotonic()
    rows = []
    for part in parts:
        print(part, file=sys.stderr, flush=True)
        rows += measure(part)
    print_table(rows)
    print(f"\n{len(os.sched_getaffinity(0))} CPUs, Linux {platform.release()}, load "
          f"{os.getloadavg()[0]:.1f} at the end, {time.monotonic() - began:.0f} s in all. Medians "
          "of measurements taken in turn (ptprof, peer, nobody, ptprof, ...) in one run.")


if __name__ == "__main__":
    main()
