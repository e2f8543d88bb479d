# SPDX-License-Identifier: MIT
"""The target `blocks`, which knows its blocks, beside the census of it."""

import collections
import glob
import json
import os
import shutil
import subprocess


def library(ctx, name):
    found = glob.glob(f"/usr/lib/*/{name}")
    if not found:
        raise ctx.Skip(f"{name} is not installed")
    return found[0]


def stripped(ctx, program):
    """A copy of the program without symbols."""
    if not shutil.which("strip"):
        raise ctx.Skip("there is no strip")
    copy = ctx.tmp / f"{program}-stripped"
    subprocess.run(["strip", "-o", copy, ctx.program(program)], check=True)
    return copy


def start(ctx, program, *arguments, preload=None):
    """The target, and what it says of itself."""
    environment = {**os.environ, **({"LD_PRELOAD": str(preload)} if preload else {})}
    target = ctx.target(program, *arguments, stdin=subprocess.PIPE, env=environment)
    return target, json.loads(target.said_before[-1])


def misnamed(ctx, name):
    """A process with a library that has an allocator's name and nothing of it."""
    other = ctx.tmp / name
    shutil.copy(ctx.program("libsizeless.so"), other)
    target = ctx.spawn("sleep", 60, env={**os.environ, "LD_PRELOAD": str(other)})
    ctx.eventually(lambda: str(other) in open(f"/proc/{target.pid}/maps").read(), "it is loaded")
    ctx.eventually(lambda: ctx.state_of(target.pid) == "S", "it sleeps, with all its libraries")
    return target


def census(ctx, pid, grows=False):
    with ctx.unharmed(pid, grows=grows):
        done = ctx.run("heap", pid, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def allocator(document, name):
    """What the census says of the allocator itself."""
    return next(one for one in document["allocators"] if one["name"] == name)


def size_class(usable):
    if usable <= 1024:
        return usable
    step = 1 << (usable - 1).bit_length() - 3
    return -(-usable // step) * step


def by_size(document, name):
    """size class -> blocks"""
    counts = collections.Counter()
    for row in document["rows"]:
        if row["allocator"] == name:
            counts[row["size"]] += row["blocks"]
    return counts


def expected(truth):
    counts = collections.Counter()
    for usable, blocks in truth["usable"].items():
        counts[size_class(int(usable))] += blocks
    return counts


def assert_stable(document, name, truth, but=()):
    """Blocks that stay are counted exactly. but: size classes that others may have too."""
    found, wanted = by_size(document, name), expected(truth)
    wrong = {size: (found[size], count) for size, count in wanted.items()
             if size not in but and found[size] != count}
    assert not wrong, f"size class: (found, there are): {wrong}"


def assert_near(found, wanted, share, what):
    assert abs(found - wanted) <= share * wanted, f"{what}: {found} instead of {wanted}"


def assert_sums(document, name):
    """What was visited is what the books add up to, of a process that is quiet."""
    books = allocator(document, name)
    rows = [row for row in document["rows"] if row["allocator"] == name]
    for key, figure in (("blocks", "in_use_blocks"), ("bytes", "in_use")):
        found = sum(row[key] for row in rows)
        assert_near(found, books[figure], 0.01, key)
    assert books["skipped_bytes"] == 0 and books["system"] >= books["in_use"] > 0, books
