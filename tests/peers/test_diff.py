# SPDX-License-Identifier: MIT
"""Differences have the numbers of go tool pprof -diff_base."""

import json

from test_pprof_tool import pprof, profile

SIDE_BY_SIDE = True
GOLDEN = "tests/golden"


def by_pprof(ctx, old, new, sample_type):
    """function -> (self, total) of the difference, in the unit of the file."""
    text = pprof(ctx, "-symbolize=none", "-top", "-nodecount=100000", "-nodefraction=0",
                 f"-sample_index={sample_type}", "-unit=minimum" if "objects" in sample_type else
                 "-unit=ns" if sample_type in ("cpu", "delay") else "-unit=b",
                 "-diff_base", old, new)
    rows = {}
    for line in text.split("cum%\n", 1)[1].splitlines():
        flat, _, _, total, _, name = line.split(None, 5)
        rows[name.removesuffix(" (inline)")] = tuple(
            int(word.rstrip("nsB")) for word in (flat, total))
    return rows


def by_us(ctx, old, new, sample_type):
    rows = {}
    for column, sort in enumerate(("self", "total")):
        done = ctx.run("diff", old, new, "--json", "--sort", sort, "--sample-type", sample_type,
                       "--top", 100000)
        assert done.returncode == 0, done.stderr
        for row in json.loads(done.stdout)["rows"]:
            rows.setdefault(row["name"], [0, 0])[column] = row["difference"]
    return {name: tuple(values) for name, values in rows.items() if any(values)}


def check(ctx, old, new, sample_type):
    theirs = {name: values for name, values in by_pprof(ctx, old, new, sample_type).items()
              if any(values)}
    ours = by_us(ctx, old, new, sample_type)
    assert theirs and ours == theirs, f"{sample_type}: {ours}\npprof: {theirs}"


def test_differences_are_those_of_pprof(ctx):
    golden = ctx.root / GOLDEN
    check(ctx, profile(ctx), profile(ctx, "b"), "cpu")
    check(ctx, golden / "go-cpu.pb.gz", profile(ctx), "cpu")
    for sample_type in "alloc_space", "alloc_objects", "inuse_space":
        check(ctx, golden / "go-heap.pb.gz", golden / "go-allocs.pb.gz", sample_type)
    check(ctx, golden / "go-block.pb.gz", golden / "go-mutex.pb.gz", "delay")
