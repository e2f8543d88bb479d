# SPDX-License-Identifier: MIT
"""What go tool pprof shows of block and mutex files: types, functions, and the labels by which one
asks what was waited for and who held it."""

import re

from test_pprof_tool import field, need_go, pprof, top_rows

recorded = {}  # {type: bytes} of one run, which all tests read


def profile(ctx, kind):
    need_go(ctx)
    if not recorded:
        target = ctx.target("contended", "normal", "--sleeps")
        folder = ctx.tmp / "waits"
        folder.mkdir()
        done = ctx.run("attach", target.pid, "--type", "block,mutex", "--with-idle-waits", "-d",
                       "3s", "--output-dir", folder)
        assert done.returncode == 0, done.stderr
        target.kill()
        for name in "block", "mutex":
            (path,) = folder.glob(f"*-{name}.pb.gz")
            recorded[name] = path.read_bytes()
    path = ctx.tmp / f"{kind}.pb.gz"
    path.write_bytes(recorded[kind])
    return path


def test_types_are_those_of_go(ctx):
    for kind in "block", "mutex":
        text = re.sub(r"(?m)^Comment: .*\n", "", pprof(ctx, "-raw", profile(ctx, kind)))
        field(r"\APeriodType: contentions count\nPeriod: 1\n", text)
        field(r"^contentions/count delay/nanoseconds\[dflt\]$", text)


def test_top(ctx):
    for kind, functions in ("block", {"hold_long", "want"}), ("mutex", {"hold_long", "want"}):
        text = pprof(ctx, "-top", "-cum", "-nodecount=1000", profile(ctx, kind))
        field(r"^Type: delay$", text)
        rows = top_rows(text)
        assert functions <= set(rows), rows
        assert rows["hold_long"] > rows["hold_short"], rows


def test_contentions_are_counted(ctx):
    text = pprof(ctx, "-top", "-sample_index=contentions", profile(ctx, "mutex"))
    assert int(field(r"of (\d+) total", text)[1]) > 0, text


def test_tags(ctx):
    text = pprof(ctx, "-tags", profile(ctx, "block"))
    field(r"^ +wait: Total.*\n(?:.*\S.*\n)*?.*: lock$", text)
    text = pprof(ctx, "-tags", profile(ctx, "mutex"))
    for label, value in ("side", "waiter"), ("side", "holder"), ("lock", "the_mutex"):
        field(rf"^ +{label}: Total.*\n(?:.*\S.*\n)*?.*: {value}$", text)


def test_tags_choose(ctx):
    rows = top_rows(pprof(ctx, "-tagfocus=wait=lock", "-top", "-cum", "-nodecount=1000",
                          profile(ctx, "block")))
    assert rows.get("want", 0) > 0 and "occupy" not in rows, rows
    rows = top_rows(pprof(ctx, "-tagfocus=side=holder", "-top", "-cum", "-nodecount=1000",
                          profile(ctx, "mutex")))
    assert rows["hold_long"] > rows["hold_short"] > 0, rows
    assert rows.get("want", 0) < 0.1 * rows["hold_short"], rows


def test_a_tag_becomes_the_root(ctx):
    text = pprof(ctx, "-tagroot=lock,side", "-top", "-cum", "-nodecount=1000",
                 profile(ctx, "mutex"))
    rows = top_rows(text)
    assert rows["the_mutex"] > 95 and 20 < rows["waiter"] < 80 and 20 < rows["holder"] < 80, rows
    traces = pprof(ctx, "-tagroot=lock", "-traces", profile(ctx, "mutex"))
    assert re.search(r"^\s+the_mutex$", traces, re.M), traces
