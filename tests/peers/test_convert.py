# SPDX-License-Identifier: MIT
"""What ptprof convert makes of profiles that others wrote, in the programs that the formats are
for. All of them have to find the values that go tool pprof finds."""

import collections
import json
import os
import re

from test_pprof_tool import need_go, raw_totals
from test_trace_formats import loaded, records, speedscope, threads_of

SIDE_BY_SIDE = True


def converted(ctx, name, ending, *options):
    """The text of tests/golden/NAME.pb.gz in another format."""
    out = ctx.tmp / f"{name}.{ending}"
    done = ctx.run("convert", ctx.root / "tests" / "golden" / f"{name}.pb.gz", "-o", out, *options)
    assert done.returncode == 0, done.stderr
    return out.read_text()


def total(ctx, name, column):
    return raw_totals(ctx, ctx.root / "tests" / "golden" / f"{name}.pb.gz")[column]


def test_a_document_has_the_values(ctx):
    need_go(ctx)
    document = json.loads(converted(ctx, "go-heap", "speedscope.json"))
    assert {profile["unit"] for profile in document["profiles"]} == {"bytes"}
    assert sum(sum(profile["weights"]) for profile in document["profiles"]) == \
        total(ctx, "go-heap", 3)
    names = [frame["name"] for frame in document["shared"]["frames"]]
    assert any(name.startswith("main.") for name in names), names


def test_speedscope_shows_each_thread(ctx):
    target = ctx.target("threads", "--still", 5)
    path = ctx.tmp / "threads.pb.gz"
    done = ctx.run("attach", target.pid, "-d", "1s", "--type", "threads", "-o", path)
    assert done.returncode == 0, done.stderr
    out = ctx.tmp / "threads.speedscope.json"
    assert ctx.run("convert", path, "-o", out).returncode == 0
    document = json.loads(out.read_text())
    found = {int(re.search(r"\((\d+)\)$", profile["name"])[1]) for profile in document["profiles"]}
    assert found == set(map(int, os.listdir(f"/proc/{target.pid}/task"))), document["profiles"]
    assert all(sum(profile["weights"]) == 1 for profile in document["profiles"])
    console, weights = speedscope(ctx, "threads.speedscope.json", out.read_text())
    assert not [line for line in console if "rror" in line], console
    assert set(weights) == {profile["name"] for profile in document["profiles"]}, weights


def slices(document):
    """[(thread, stack of names, µs)] of the slices that nothing lies in, checked to be nested."""
    stacks, found, last = collections.defaultdict(list), [], {}
    for event in document["traceEvents"]:
        thread = event["pid"], event["tid"]
        if event["ph"] == "M":
            continue
        assert event["ts"] >= last.get(thread, 0), event
        here = stacks[thread]
        if here and event["ts"] > last[thread]:
            found.append((thread, tuple(here), event["ts"] - last[thread]))
        last[thread] = event["ts"]
        here.append(event["name"]) if event["ph"] == "B" else here.pop()
    assert not any(stacks.values()), "slices that do not end"
    return found


def test_trace_events_are_the_call_tree(ctx):
    need_go(ctx)
    document = json.loads(converted(ctx, "go-cpu", "trace.json"))
    assert "made up" in document["otherData"]["times"]
    by_stack = collections.Counter()
    for _, stack, us in slices(document):
        by_stack[";".join(stack)] += us
    expected = collections.Counter()
    for line in converted(ctx, "go-cpu", "folded").splitlines():
        stack, count = line.rsplit(" ", 1)
        expected[stack] += int(count) * 10_000  # 10 ms a sample
    assert by_stack == expected, by_stack - expected
    console, _ = speedscope(ctx, "a.trace.json", json.dumps(document))
    assert not [line for line in console if "ried to" in line or "still open" in line], console


def test_perf_text_has_the_shares(ctx):
    text = converted(ctx, "go-cpu", "perf.txt")
    assert "times are made up" in text.splitlines()[-1]
    expected = collections.Counter()
    for line in converted(ctx, "go-cpu", "folded").splitlines():
        stack, count = line.rsplit(" ", 1)
        expected[stack.rsplit(";", 1)[-1]] += int(count)
    found = collections.Counter(record.frames[0].split()[1] for record in records(text))
    assert sum(found.values()) == sum(expected.values()), (found, expected)
    for name, count in expected.items():
        assert abs(found[name] - count) <= 2, (name, found[name], count)


def test_firefox_profiler_reads_a_profile(ctx):
    need_go(ctx)
    ask = loaded(ctx, "cpu", converted(ctx, "go-cpu", "firefox.json"))
    assert "times are made up" in json.dumps(ask("profile", "meta"))
    cpu = sum(thread["cpuMs"] for thread in threads_of(ask).values())
    expected = total(ctx, "go-cpu", 1) / 1e6
    assert abs(cpu - expected) < 0.01 * expected, (cpu, expected)


def test_a_pipe_of_conversions(ctx):
    """pprof -> collapsed -> pprof -> collapsed says the same as the first one."""
    first = converted(ctx, "go-cpu", "folded")
    again = ctx.tmp / "again.pb.gz"
    assert ctx.run("convert", ctx.tmp / "go-cpu.folded", "-o", again).returncode == 0
    done = ctx.run("convert", again, "-f", "collapsed")
    assert done.stdout == first


def test_what_cannot_be_converted(ctx):
    golden = ctx.root / "tests" / "golden" / "go-heap.pb.gz"
    for arguments, status, text in [
            ([golden], 2, "which format"),
            ([golden, "-o", "x.trace"], 2, "which format"),
            ([golden, "-f", "collapsed", "--sample-type", "cpu"], 2, "it has alloc_objects"),
            ([ctx.tmp / "none"], 2, "which format"),
            ([ctx.tmp / "none", "-f", "json"], 1, "cannot be opened"),
            ([ctx.root / "Makefile", "-f", "json"], 1, "no profile in a format")]:
        done = ctx.run("convert", *arguments)
        assert done.returncode == status and text in done.stderr, (arguments, done.stderr)
