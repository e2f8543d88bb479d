# SPDX-License-Identifier: MIT
"""ptprof diff: what is the same is within noise, what changed is found, and what cannot be told is
said so."""

import json
import re

from measure import twice

# As many samples as a slow machine gives.
DENSE = ("-r", "500", "--max-stop", "20")
GREW = 6


def record(ctx, target, name, seconds=4):
    path = ctx.tmp / f"{name}.pb.gz"
    done = ctx.run("attach", target.pid, "-d", f"{seconds}s", *DENSE, "-o", path, "--force")
    assert done.returncode == 0, done.stderr
    return path


def diff(ctx, *arguments, status=0):
    done = ctx.run("diff", *arguments)
    assert done.returncode == status, f"{done.returncode}: {done.stdout}{done.stderr}"
    return done


def rows(ctx, *arguments):
    found = json.loads(diff(ctx, *arguments, "--json", "--top", 1000).stdout)
    assert found["schema"] == 1
    return {row["name"]: row for row in found["rows"]}


def test_the_same_is_noise_and_what_doubled_is_found(ctx):
    """What the target decides; what the kernel does may differ on a machine with other load."""
    same, doubled = ctx.target("split", "30"), ctx.target("split", "46")  # 30:70 and 60:70

    def look():
        first, second = record(ctx, same, "first"), record(ctx, same, "second")
        after = record(ctx, doubled, "after")
        found = rows(ctx, first, second, "--sort", "total")
        for name in "heavy", "light":
            assert found[name]["verdict"] == "within noise", found[name]
        found = rows(ctx, first, after, "--sort", "total")
        heavy, light = found["heavy"], found["light"]
        assert heavy["verdict"] in ("grew", "share only"), heavy
        assert light["verdict"] in ("shrank", "share only"), light
        true = 60 / 130 - 0.30
        assert abs(heavy["share_change"] - true) < 3 * heavy["share_error"] + 0.01, heavy
        assert 0.005 < heavy["share_error"] < 0.08, heavy
    twice(look)


def test_status_of_growth(ctx):
    """The status says whether something grew by more than the limit; a series says so too."""
    before, after = ctx.target("split", "10"), ctx.target("split", "90")

    def look():
        old = [record(ctx, before, f"old{i}", 2) for i in range(3)]
        new = [record(ctx, after, f"new{i}", 2) for i in range(3)]
        focused = ("--sort", "total", "--focus", "heavy|light", "--fail-over")
        for files in (old[0], new[0]), (*old, "--with", *new):
            done = diff(ctx, *files, *focused, "20%", status=GREW)
            assert "heavy grew by " in done.stderr and "--fail-over 20%" in done.stderr
            assert re.search(r" grew +heavy ", done.stdout), done.stdout
            diff(ctx, *files, *focused, "95")
        diff(ctx, *new, "--with", *new, *focused, "0")
    twice(look)


def test_what_carries_no_error_is_not_tested(ctx):
    golden = ctx.root / "tests" / "golden"
    heap, threads = golden / "go-heap.pb.gz", golden / "go-threads.pb.gz"
    done = diff(ctx, heap, golden / "go-allocs.pb.gz")
    assert "they carry no error" in done.stdout and "not tested" in done.stdout
    assert "within noise" not in done.stdout and "grew" not in done.stdout
    done = diff(ctx, heap, heap, "--fail-over", "1%", status=2)
    assert "nothing is known of the error" in done.stderr
    done = diff(ctx, heap, threads, status=2)
    for what in "inuse_space/bytes", "alloc_objects/count", "goroutine/count", str(threads):
        assert what in done.stderr, done.stderr


def test_bad_input(ctx):
    golden = ctx.root / "tests" / "golden"
    cpu = golden / "go-cpu.pb.gz"
    cut = ctx.tmp / "cut.pb.gz"
    cut.write_bytes(cpu.read_bytes()[:-40])
    done = diff(ctx, cpu, cut, status=1)
    assert str(cut) in done.stderr, done.stderr
    for arguments, said in (((cpu, cpu, cpu), "--with"), ((cpu, cpu, "--with"), "both sides"),
                            ((cpu, cpu, "--sample-type", "x\33"), r"type x\x1b;"),
                            ((cpu, cpu, "--fail-over", "101%"), "'101'"),
                            ((cpu, cpu, "--focus", "("), "regular expression")):
        done = diff(ctx, *arguments, status=2)
        assert said in done.stderr, done.stderr
