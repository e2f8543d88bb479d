#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plants the faults of faults.py, one at a time, in a copy of the tree, and runs the test named for
each: does it notice?

    tests/mutants/mutants.py [WORD...]    only faults with a word in their description, file or test

The last line is "N caught, N survived, N not judged". A fault is not judged when its text is not
found exactly once, when it does not compile, or when its test is skipped or fails without it.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

from faults import FAULTS

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()
COPY = BUILD / "mutants"
PATIENCE = 900  # seconds for one build or test, against hanging only
UNIT_DEADLINE = 60  # seconds for a suite: one that a fault makes hang has noticed it


class NotJudged(Exception):
    """The text says why."""


def copy_tree():
    """What git knows or would know, and the objects, so that a fault costs one file's compiling."""
    shutil.rmtree(COPY, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT,
                            check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, COPY / name, follow_symlinks=False)
    shutil.copytree(BUILD, COPY / "build", symlinks=True,
                    ignore=lambda folder, names: {"mutants", "asan", "ubsan"} & set(names)
                    if pathlib.Path(folder) == BUILD else set())


def run(command):
    environment = {**os.environ, "BUILD": str(COPY / "build"),
                   "UNIT_DEADLINE": str(UNIT_DEADLINE)}
    return subprocess.run(command, cwd=COPY, env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, errors="replace", timeout=PATIENCE)


def build(tests):
    words = tests.split()
    programs = ["build/tests/unit-tests"] if any(word.startswith("unit/") for word in words) else []
    if any(not word.startswith("unit/") for word in words):
        programs += ["build/ptprof", "live-programs"]
    made = run(["make", "-j2", "BUILD=build", *programs])
    if made.returncode:
        raise NotJudged("it does not compile:\n" + made.stderr[-2000:])


def is_noticed(tests):
    """Whether a test failed."""
    done = run([sys.executable, "tests/run.py", *tests.split()])
    closing = re.search(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", done.stdout, re.M)
    passed, failed, skipped = map(int, closing.groups()) if closing else (0, 0, 0)
    if failed:
        return True
    if not passed:
        raise NotJudged("its test is skipped" if skipped else "there is no such test")
    return False


def is_sound(tests, known={}):
    """Whether the test passes without a fault; asked once."""
    if tests not in known:
        build(tests)
        known[tests] = not is_noticed(tests)
    return known[tests]


def judge(file, old, new, tests):
    path = COPY / file
    text = path.read_text() if path.exists() else ""
    if text.count(old) != 1:
        raise NotJudged(f"its text stands {text.count(old)} times in {file}")
    if not is_sound(tests):
        raise NotJudged("its test fails without it")
    path.write_text(text.replace(old, new))
    try:
        build(tests)
        return is_noticed(tests)
    except subprocess.TimeoutExpired:
        return True  # it hangs: nobody misses that
    finally:
        path.write_text(text)


def main():
    parser = argparse.ArgumentParser(description="Plants faults, and looks which tests notice.")
    parser.add_argument("words", nargs="*", metavar="WORD")
    words = parser.parse_args().words
    counts = {"caught": 0, "survived": 0, "not judged": 0}
    copy_tree()
    for what, file, old, new, tests in FAULTS:
        if words and not any(word in text for word in words for text in (what, file, tests)):
            continue
        begin, why = time.monotonic(), ""
        try:
            result = "caught" if judge(file, old, new, tests) else "survived"
        except NotJudged as reason:
            result, why = "not judged", f": {reason}"
        counts[result] += 1
        print(f"{result:10} {what} ({tests}, {time.monotonic() - begin:.0f} s){why}", flush=True)
    shutil.rmtree(COPY)
    print(", ".join(f"{count} {result}" for result, count in counts.items()))
    return 1 if counts["survived"] or counts["not judged"] or not counts["caught"] else 0


if __name__ == "__main__":
    sys.exit(main())
