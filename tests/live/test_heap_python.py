# SPDX-License-Identifier: MIT
"""Objects of CPython by type are as many as a program made, and as its collector knows of."""

import collections
import json
import os
import pathlib
import re
import shutil
import signal

SIDE_BY_SIDE = True

SCRIPT = pathlib.Path(__file__).with_name("heap_objects.py")
CHURN_LOOKS = 4
DEBUG_HOOKS = 24  # bytes that PYTHONMALLOC=debug adds to a block
SMALL = 512       # what is larger is not pymalloc's
UNKNOWN = "%s: %.1f %% of the bytes unknown"


class Looked:
    def __init__(self, ctx, pid, exact=True):
        with ctx.unharmed(pid, grows=not exact):
            before = status(pid)
            done = ctx.run("heap", pid, "--json")
            after = status(pid)
        assert done.returncode == 0, done.stderr
        if exact:
            assert before == after, (before, after)
        document = json.loads(done.stdout)
        self.counts = collections.Counter()
        self.sizes = collections.defaultdict(collections.Counter)
        for row in document["rows"]:
            if row["kind"] == "Python":
                self.counts[row["what"]] += row["blocks"]
                self.sizes[row["what"]][row["size"]] += row["blocks"]
        self.unknown = sum(row["bytes"] for row in document["rows"] if row["kind"] == "unknown")
        self.total = document["total"]["bytes"]
        self.pymalloc = next((allocator for allocator in document["allocators"]
                              if allocator["name"] == "pymalloc"), None)
        self.not_found = document["not_found"]


def status(pid):
    """What a process that sits still must not have more of: memory, switches of its thread."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return re.findall(r"^(?:Rss(?:Anon|File|Shmem)|VmSwap|TracerPid|\w*ctxt_switches):.*", text,
                      re.M)


def start(ctx, python, *arguments, **environment):
    path = ctx.tmp / f"objects-{len(ctx.started)}.stderr"
    with path.open("w") as stderr:
        process = ctx.spawn(python, "-s", SCRIPT, *arguments, stderr=stderr,
                            env={**os.environ, **environment})
    process.stats = path
    process.said = json.loads(process.line())
    return process, process.said["pid"]


def step(process):
    os.kill(process.said["pid"], signal.SIGUSR1)
    return json.loads(process.line())


def settled(ctx, pid):
    """The thread waits for its signal."""
    ctx.eventually(lambda: ctx.state_of(pid) == "S", "it waits")


def size_classes(sizes, extra):
    """What sys.getsizeof says, as blocks of pymalloc; what is larger is left out."""
    classes = collections.Counter()
    for size, count in sizes.items():
        if int(size) + extra <= SMALL:
            classes[(int(size) + extra + 15) // 16 * 16] += count
    return classes


def made(before, after, what):
    classes = collections.Counter(after.sizes[what])
    classes.subtract(before.sizes[what])
    return {size: count for size, count in classes.items() if count and size <= SMALL}


def check_made(before, after, truth, extra, slack):
    for what, count in truth["counts"].items():
        found = after.counts[what] - before.counts[what]
        assert abs(found - count) <= slack[what], (what, found, count)
        if what not in truth["sizes"]:
            continue
        expected, classes = size_classes(truth["sizes"][what], extra), made(before, after, what)
        beyond = sum(abs(classes.get(size, 0) - expected[size]) for size in {*classes, *expected})
        assert beyond <= slack[what], (what, classes, expected)


def check_statistics(text, pymalloc):
    """The last of sys._debugmallocstats() of pymalloc says the same within 1 %."""
    def last(pattern):
        return int(re.findall(pattern + r"\s*=\s*([\d,]+)", text)[-1].replace(",", ""))
    expected = {"in_use": last("# bytes in allocated blocks"),
                "free": last("# bytes in available blocks") +
                last(r"\d+ unused pools \* \d+ bytes"),
                "system": last(r"\d+ arenas \* \d+ bytes/arena")}
    for key, value in expected.items():
        assert abs(pymalloc[key] - value) <= 0.01 * expected["system"], (key, pymalloc, expected)
    assert pymalloc["skipped_bytes"] == pymalloc["resyncs"] == 0, pymalloc


# Texts and numbers that the interpreter makes for itself between two steps.
SLACK = collections.Counter(str=60, int=60, bytes=20, float=5)


def check_still(ctx, python, *arguments, extra=0, **environment):
    process, pid = start(ctx, python, *arguments, **environment)
    version = process.said["version"]
    settled(ctx, pid)
    before = Looked(ctx, pid)
    truth = step(process)
    settled(ctx, pid)
    check_made(before, Looked(ctx, pid), truth, extra, SLACK)
    truth = step(process)["collector"]
    settled(ctx, pid)
    looked = Looked(ctx, pid)
    assert {what: looked.counts[what] for what in truth} == truth, \
        ({what: looked.counts[what] for what in truth}, truth)
    check_statistics(process.stats.read_text(), looked.pymalloc)
    assert looked.pymalloc["version"] in (version, version.rpartition(".")[0]), looked.pymalloc
    ctx.kill(pid)
    return version, 100 * looked.unknown / looked.total


def python(ctx, name):
    path = shutil.which(name)
    if not path:
        raise ctx.Skip(f"no {name}")
    return path


def test_debian(ctx):
    ctx.figure = UNKNOWN % check_still(ctx, python(ctx, "/usr/bin/python3"))


def test_debug_build(ctx):
    ctx.figure = UNKNOWN % check_still(ctx, python(ctx, "/usr/bin/python3-dbg"), extra=DEBUG_HOOKS)


def test_debug_hooks(ctx):
    """A release build whose allocators check what is written."""
    check_still(ctx, python(ctx, "/usr/bin/python3"), extra=DEBUG_HOOKS, PYTHONMALLOC="debug")


def test_forked(ctx):
    """Of the constants of its program a child has no page at first."""
    check_still(ctx, python(ctx, "/usr/bin/python3"), "fork")


def others():
    """Other versions that somebody built here: (3, minor) -> path."""
    found = {}
    for directory in (pathlib.Path.home() / ".pyenv/versions", pathlib.Path("/opt/python")):
        for path in directory.glob("*/bin/python3.*"):
            match = re.fullmatch(r"python3\.(\d+)", path.name)
            if match and 8 <= int(match[1]) <= 13:
                found[int(match[1])] = path
    return [path for _, path in sorted(found.items())]


def test_versions(ctx):
    paths = others()
    if not paths:
        raise ctx.Skip("no other versions of Python")
    ctx.figure = ", ".join(UNKNOWN % check_still(ctx, path) for path in paths)


def test_churn(ctx):
    """A thread makes and drops objects as fast as it can: what stays is counted exactly."""
    process, pid = start(ctx, python(ctx, "/usr/bin/python3"), "churn")
    said = step(process)
    truth, population, worst = said["counts"], said["churned"], 0
    for _ in range(ctx.length(CHURN_LOOKS, 50)):
        looked = Looked(ctx, pid, exact=False)
        for what in truth:
            if what.startswith("__main__."):
                assert looked.counts[what] == truth[what], (what, looked.counts[what], truth)
        churned = looked.counts["__main__.Churned"]
        assert abs(churned - population) <= 0.02 * population, churned
        worst = max(worst, looked.pymalloc["skipped_bytes"] / looked.pymalloc["walked_bytes"])
    assert worst < 0.01, worst
    ctx.figure = f"{100 * worst:.2f} % could not be told at worst"


test_churn.soak = 600


def test_without_pymalloc(ctx):
    """Objects are known in malloc's blocks too, and what was not found is said."""
    process, pid = start(ctx, python(ctx, "/usr/bin/python3"), PYTHONMALLOC="malloc")
    truth = step(process)["counts"]
    settled(ctx, pid)
    looked = Looked(ctx, pid)
    assert not looked.pymalloc
    assert any(line.startswith("pymalloc: CPython 3.") for line in looked.not_found)
    for what in truth:
        if what.startswith("__main__."):
            assert looked.counts[what] == truth[what], (what, looked.counts[what], truth)
