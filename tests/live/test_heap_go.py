# SPDX-License-Identifier: MIT
"""Objects of Go's heap, in a program that knows them, beside what its runtime says."""

import glob
import json
import os
import shutil
import subprocess

from blocks import allocator, assert_near, by_size, census

SIDE_BY_SIDE = True

COUNT = 10000
GARBAGE = 352
STABLE = (240, 6144, 1792)  # size classes of objects of which there are about COUNT
LOOKS = 5


def compilers():
    """Each go that is here, by its version."""
    found = {}
    for go in (shutil.which("go"), "/usr/bin/go", *glob.glob("/usr/lib/go-*/bin/go"),
               *glob.glob("/usr/local/go*/bin/go")):
        if go and os.path.exists(go):
            words = subprocess.run([go, "version"], capture_output=True, text=True,
                                   env={**os.environ, "GOTOOLCHAIN": "local"}).stdout.split()
            found.setdefault(words[2], go)
    return found


def built(ctx, go, version, *flags):
    environment = {**os.environ, "GO111MODULE": "off", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0",
                   "GOCACHE": str(ctx.build / "go-cache")}  # the runtime is built once
    path = ctx.tmp / f"heaps-{version}{len(flags)}"
    shutil.copy(ctx.root / "tests/targets/heaps.go", ctx.tmp / "heaps.go")
    subprocess.run([go, "build", *flags, "-o", path, ctx.tmp / "heaps.go"], check=True,
                   capture_output=True, timeout=240, env=environment)
    return path


def start(ctx, path, *arguments):
    target = ctx.spawn(path, *arguments, stdin=subprocess.PIPE)
    return target, json.loads(target.line())


def assert_stable(document):
    counts = by_size(document, "Go")
    for size in STABLE:
        assert COUNT <= counts[size] <= COUNT + 20, (size, counts[size])
    assert counts[3 << 20] == 1, counts


def check_quiet(ctx, path):
    target, truth = start(ctx, path, COUNT)
    said = json.loads(target.say("stats"))
    document = census(ctx, target.pid)
    assert not document["not_found"], document["not_found"]
    books = allocator(document, "Go")
    assert "go" + books["version"] == truth["version"], (books["version"], truth)
    assert_stable(document)
    counts = by_size(document, "Go")
    assert_near(sum(counts.values()), said["HeapObjects"], 0.01, "HeapObjects")
    assert_near(document["total"]["bytes"], said["HeapAlloc"], 0.01, "HeapAlloc")
    assert_near(books["in_use"], said["HeapAlloc"], 0.01, "in use")
    assert_near(books["in_use_blocks"], said["HeapObjects"], 0.01, "objects in use")
    if books["system"] is not None:
        assert_near(books["system"], said["HeapSys"], 0.01, "HeapSys")
        assert_near(books["in_use"] + books["free"], said["HeapSys"] - said["HeapReleased"], 0.01,
                    "what is in use and free")
    return books


def memstats(ctx, target):
    with ctx.unharmed(target.pid):
        done = ctx.run("memory", target.pid, "--json")
    return json.loads(done.stdout)["memstats"]


def check_given_back(ctx, path):
    """300 MiB that are no longer there are idle and released, and Sys is the runtime's."""
    target, _ = start(ctx, path, 100)
    said, stats = json.loads(target.say("drop")), memstats(ctx, target)
    assert said["HeapReleased"] > 250 << 20, said
    for name in ("HeapSys", "HeapIdle", "HeapInuse", "HeapReleased", "Sys", "HeapAlloc"):
        assert_near(stats[name], said[name], 0.05, name)
    assert stats["HeapIdle"] + stats["HeapInuse"] == stats["HeapSys"] < stats["Sys"], stats
    assert stats["HeapReleased"] <= stats["HeapIdle"], stats


def check_churn(ctx, path):
    target, _ = start(ctx, path, COUNT, 2)
    garbage = 0
    for _ in range(LOOKS):
        document = census(ctx, target.pid, grows=True)
        assert_stable(document)
        garbage = max(garbage, by_size(document, "Go")[GARBAGE])
    assert garbage > 64, "no garbage"  # just swept in one look, not in all


def each_compiler(ctx):
    found = compilers()
    if not found:
        raise ctx.Skip("go is not installed")
    return found.items()


def test_quiet(ctx):
    for version, go in each_compiler(ctx):
        books = check_quiet(ctx, built(ctx, go, version))
        assert books["system"] is not None, books


def test_given_back(ctx):
    for version, go in each_compiler(ctx):
        check_given_back(ctx, built(ctx, go, version))


def test_without_symbols(ctx):
    for version, go in each_compiler(ctx):
        path = built(ctx, go, version, "-ldflags=-s -w")
        check_quiet(ctx, path)
        stats = memstats(ctx, start(ctx, path, 100)[0])
        assert stats["Sys"] is None and stats["why"]["Sys"], stats


def test_while_others_churn(ctx):
    for version, go in each_compiler(ctx):
        check_churn(ctx, built(ctx, go, version))


def test_says_what_it_does_not_read(ctx):
    """A program that says that Go built it, and has no spans."""
    target = ctx.target("like_go")
    document = census(ctx, target.pid)
    assert [line for line in document["not_found"]
            if line.startswith("Go 1.99.9: no slice of spans")], document["not_found"]
    assert all(one["name"] != "Go" for one in document["allocators"])
