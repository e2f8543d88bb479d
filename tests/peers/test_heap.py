# SPDX-License-Identifier: MIT
"""Profiles of ptprof heap in the tools that they are for: go tool pprof subtracts them to the leak,
and our own page, reports and comparisons read them."""

import gzip
import json
import re
import signal

from pprof_wire import decode, one
from test_pprof_tool import pprof

SIDE_BY_SIDE = True

COUNT = 20000
LOST = 1000  # blocks of 488 bytes, at each signal


def profiles(ctx):
    """Two of one process, which has lost 2,000 blocks in between."""
    target = ctx.target("leaker", COUNT)
    paths = [ctx.tmp / "old.pb.gz", ctx.tmp / "new.pb.gz"]
    for path in paths:
        done = ctx.run("heap", target.pid, "-o", path)
        assert done.returncode == 0, done.stderr
        for _ in range(2):
            target.signal(signal.SIGUSR1)
            target.line()
    return paths


def table(text):
    """function -> (flat, cum), numbers."""
    rows = {}
    for line in text.split("cum%\n", 1)[1].splitlines():
        flat, _, _, cum, _, name = line.split(None, 5)
        rows[name] = tuple(int(word.rstrip("B")) for word in (flat, cum))
    return rows


def test_pprof_reads_it(ctx):
    old, _ = profiles(ctx)
    raw = pprof(ctx, "-raw", old)
    assert "inuse_objects/count inuse_space/bytes[dflt]" in raw and "PeriodType: space bytes" in raw
    assert "Duration" not in raw and "Time: " in raw, raw[:300]
    assert re.search(r"^1: .*/leaker [0-9a-f]{40} .*$\n2: .*\[heap\] +\[FN\]$(?s:.*)"
                     r"\[unknown\] +\[FN\]$", raw, re.M), raw[-400:]
    rows = table(pprof(ctx, "-top", "-inuse_space", "-unit=b", "-nodefraction=0", old))
    assert rows["200 bytes"] == (208 * COUNT, 208 * COUNT), rows
    assert rows["glibc"][1] == max(cum for _, cum in rows.values()), rows
    objects = table(pprof(ctx, "-top", "-inuse_objects", "-nodefraction=0", old))
    assert objects["200 bytes"][0] == COUNT, objects
    tags = pprof(ctx, "-tags", "-unit=b", old)
    for key in "allocator:", "kind:", "bytes:", "usable:":
        assert key in tags, tags
    focused = table(pprof(ctx, "-top", "-unit=b", "-nodefraction=0", "-tagfocus=bytes=208b", old))
    assert focused["200 bytes"][1] == 208 * COUNT, focused
    usable = table(pprof(ctx, "-top", "-unit=b", "-nodefraction=0", "-tagfocus=usable=200b", old))
    assert usable["200 bytes"] == focused["200 bytes"], usable


def test_pprof_subtracts_to_the_leak(ctx):
    old, new = profiles(ctx)
    for option in "-base", "-diff_base":
        for values, expected in (("-inuse_space", 496), ("-inuse_objects", 1)):
            text = pprof(ctx, "-top", values, "-unit=b" if expected > 1 else "-unit=minimum",
                         "-nodefraction=0", option, old, new)
            rows = {name: row for name, row in table(text).items() if any(row)}
            assert rows["488 bytes"] == (2 * LOST * expected,) * 2, rows
            assert set(rows) == {"488 bytes", "unknown", "glibc"} | \
                {name for name in rows if name.startswith("arena")}, rows


def test_addresses_are_stable(ctx):
    """Scrapers know frames by address, and merge by it."""
    places = []
    for path in profiles(ctx):
        profile = decode(gzip.decompress(path.read_bytes()))
        names = {one(function, "id"): profile["string_table"][one(function, "name")].decode()
                 for function in profile["function"]}
        found = {one(location, "address"): names[one(location["line"][0], "function_id")]
                 for location in profile["location"]}
        assert len(found) == len(profile["location"]), "two frames have one address"
        places.append(found)
    old, new = places
    assert old.items() <= new.items() and set(new.values()) - set(old.values()) == {"488 bytes"}


def test_our_own_commands(ctx):
    old, new = profiles(ctx)
    done = ctx.run("diff", old, new, "--json", "--sample-type", "inuse_space")
    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row["difference"] for row in json.loads(done.stdout)["rows"]}
    assert rows["488 bytes"] == 2 * LOST * 496, rows
    page = ctx.tmp / "heap.html"
    done = ctx.run("flamegraph", new, "-o", page)
    assert done.returncode == 0 and "488 bytes" in page.read_text(), done.stderr
    done = ctx.run("report", new, "--traces")
    assert re.search(r"488 bytes\n +unknown\n", done.stdout), done.stdout
