# SPDX-License-Identifier: MIT
"""--type: which files several types write, what is in them, and what is refused."""

import os
import re

from test_bad_input import USAGE, refused
from waited import files

SIDE_BY_SIDE = True

CONTENTIONS = [("contentions", "count"), ("delay", "nanoseconds")]
TYPES = {  # sample types, period type, default: those of Go where it has the type
    "cpu": ([("samples", "count"), ("cpu", "nanoseconds")], ("cpu", "nanoseconds"), "cpu"),
    "wall": ([("samples", "count"), ("wall", "nanoseconds")], ("wall", "nanoseconds"), "wall"),
    "block": (CONTENTIONS, ("contentions", "count"), "delay"),
    "mutex": (CONTENTIONS, ("contentions", "count"), "delay"),
}


def test_files_of_several_types(ctx):
    target = ctx.target("contended", "normal", "--sleeps")
    found = files(ctx, target, ",".join(TYPES), seconds=2)
    for name, (types, period, default) in TYPES.items():
        profile = found[name]
        assert profile.types == types and profile.period_type == period, (name, profile.types)
        assert profile.default == default, (name, profile.default)
        assert profile.samples, f"{name} is empty"
        assert abs(profile.duration - 2e9) < 1e9, (name, profile.duration)
    assert len({profile.start for profile in found.values()}) == 1, "not one run"


def names_of(folder):
    return {re.sub(r"-\d+-\d+T\d+Z-", "-PID-TIME-", name) for name in os.listdir(folder)}


def test_names_of_several_files(ctx):
    target = ctx.target("naps")
    for form, ending in ("pprof", "pb.gz"), ("collapsed", "folded"), ("json", "json"):
        folder = ctx.tmp / form
        folder.mkdir()
        done = ctx.run("attach", target.pid, "--type", "cpu,block", "-d", "1s", "-f", form,
                       "--output-dir", folder)
        assert done.returncode == 0, done.stderr
        assert names_of(folder) == {f"ptprof-naps-PID-TIME-{name}.{ending}"
                                    for name in ("cpu", "block")}, os.listdir(folder)


def test_a_type_twice_is_one(ctx):
    assert files(ctx, ctx.target("naps"), "block", "--type", "block,block", seconds=1)["block"]


def test_flame_graph_after_the_run(ctx):
    target = ctx.target("contended", "normal", "--sleeps")
    for kinds, name, value in ("cpu,block", "x.html", '"types":[{"name":"samples"'), \
            ("block", "x.svg", "delay: "):
        path = ctx.tmp / name
        done = ctx.run("attach", target.pid, "--type", kinds, "-d", "1s", "--output-dir", ctx.tmp,
                       "--flamegraph", path)
        assert done.returncode == 0, done.stderr
        assert f"ptprof: wrote {path} (" in done.stderr, done.stderr
        text = path.read_text()
        assert value in text and "contended" in text, text[-300:]


# --- what is refused

def test_flame_graphs_that_are_none(ctx):
    untouched_by(
        ctx, ctx.target("naps"),
        (USAGE, r"x\.png ends neither in \.html nor in \.svg", "--flamegraph", "x.png"),
        (USAGE, r"standard output is for profiles", "--flamegraph", "-"),
        (USAGE, r"a trace is no profile", "--type", "trace", "--flamegraph", "x.html"),
        (1, r"cannot write into the directory", "--flamegraph", "/nowhere/x.html"))


def untouched_by(ctx, target, *cases):
    before = ctx.health(target.pid)
    for status, pattern, *words in cases:
        refused(ctx, status, pattern, target.pid, "-d", "1s", *words)
    assert target.alive() and ctx.health(target.pid) == before


def test_types_that_are_none(ctx):
    target = ctx.target("idle")
    untouched_by(ctx, target,
                 (USAGE, r"blok.*\n?.*\bblock\b", "--type", "blok"),
                 (USAGE, r"mutx.*\n?.*\bmutex\b", "--type", "cpu,mutx"),
                 (USAGE, r"--type", "--type", ""),
                 (USAGE, r"--type", "--type", "cpu,"))


def test_types_and_options_that_do_not_fit(ctx):
    target = ctx.target("idle")
    untouched_by(ctx, target,
                 (USAGE, r"--min-block.*block", "--type", "cpu", "--min-block", "1ms"),
                 (USAGE, r"--with-idle-waits.*block", "--type", "cpu", "--with-idle-waits"))


def test_folders_that_do_not_do(ctx):
    nobody = ("setpriv", "--reuid=65534", "--clear-groups") if os.getuid() == 0 else ()
    target = ctx.target("idle", prefix=nobody)
    before = ctx.health(target.pid)
    locked = ctx.tmp / "locked"
    locked.mkdir(mode=0o500)
    plain = ctx.tmp / "file"
    plain.write_text("precious")
    for folder, pattern, prefix in ((ctx.tmp / "absent", "No such file", ()),
                                    (plain, "[Nn]ot a directory", ()),
                                    (locked, "ermission denied", nobody)):
        done = ctx.run("attach", target.pid, "--type", "cpu,block", "-d", "1s", "--output-dir",
                       folder, prefix=prefix)
        assert done.returncode != 0 and not done.stdout, (folder, done.returncode)
        assert str(folder) in done.stderr and re.search(pattern, done.stderr), done.stderr
        assert done.stderr.startswith("ptprof: "), done.stderr
    assert plain.read_text() == "precious" and not os.listdir(locked)
    assert target.alive() and ctx.health(target.pid) == before
