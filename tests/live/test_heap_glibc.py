# SPDX-License-Identifier: MIT
"""Blocks of glibc's malloc: in a program that knows them, while others come and go, and in one
whose books are damaged."""

import json
import os
import re
import subprocess
import threading
import time

from blocks import (allocator, assert_near, assert_sums, by_size, census, expected, size_class,
                    start)

SIDE_BY_SIDE = True

HELD = 1000      # objects that each churner holds
CHURN = 232      # usable bytes of one
ON_THE_WAY = 2   # remainders of a thread's blocks that are neither in use nor yet in a cache
CHUNK = 8        # bytes of a chunk that its block cannot use


def what(document, kind):
    """what -> blocks, of a kind"""
    found = {}
    for row in document["rows"]:
        if row["kind"] == kind:
            found[row["what"]] = found.get(row["what"], 0) + row["blocks"]
    return found


def assert_classes(document, truth, churners):
    found = what(document, "C++")
    for name in ("Session", "Order"):
        assert found.get(name, 0) == truth["classes"][name], f"{name}: {found} {truth['classes']}"
    if churners:
        assert_near(found["Churn"], churners * HELD, 0.02, "Churn")


def assert_sizes(document, truth, churners):
    """No stable block is missed. What churners cut off a block may have any size for a moment."""
    found = by_size(document, "glibc")
    for size, count in expected(truth).items():
        extra = found[size] - count
        assert 0 <= extra <= churners * ON_THE_WAY, f"{size}: {found[size]} instead of {count}"


def malloc_info(target):
    said = json.loads(target.say("stats"))
    whole = said["malloc_info"].rpartition("</heap>")[2]

    def size(pattern):
        return int(re.search(pattern + r'[^>]*size="(\d+)"', whole)[1])
    free = size('type="fast"') + size('type="rest"')
    mapped = size('type="mmap"')
    return {"system": size('<system type="current"') + mapped, "free": free, "mapped": mapped,
            "operations": said["operations"]}


def assert_figures(document, said):
    """What caches of threads hold counts as in use there."""
    books = allocator(document, "glibc")
    in_use = books["in_use"] + books["cached"] + books["metadata"]
    assert_near(in_use, said["system"] - said["free"], 0.01, "in use")
    assert_near(books["system"], said["system"], 0.01, "system")
    assert books["mapped"] == said["mapped"], books
    assert books["skipped_bytes"] == 0, books


def version_here():
    return os.confstr("CS_GNU_LIBC_VERSION").split()[1]


def assert_quiet(ctx, program, *arguments, version):
    target, truth = start(ctx, program, *arguments)
    document = census(ctx, target.pid)
    assert_sizes(document, truth, 0)
    assert_sums(document, "glibc")
    said = malloc_info(target)
    assert_figures(document, said)
    assert allocator(document, "glibc")["version"] == version
    found, wanted = sum(by_size(document, "glibc").values()), sum(expected(truth).values())
    assert wanted <= found <= wanted + 50, f"{found} blocks instead of {wanted}"
    return document, truth


def test_quiet(ctx):
    document, truth = assert_quiet(ctx, "blocks", 3, 20000, version=version_here())
    assert_classes(document, truth, 0)
    books = allocator(document, "glibc")
    assert books["arenas"] == 4 and books["mapped_blocks"] == 4, books


def test_linked_statically(ctx):
    """The text that says which version it is is in the library only."""
    assert_quiet(ctx, "blocks_static", 3, 5000, version="")


def arenas(number):
    return {**os.environ, "MALLOC_ARENA_MAX": str(number)}


def look(ctx, number, count, churners, looks):
    target = ctx.target("blocks", 3, count, churners, stdin=subprocess.PIPE, env=arenas(number))
    truth = json.loads(target.said_before[-1])
    for _ in range(looks):
        document = census(ctx, target.pid, grows=True)
        assert_classes(document, truth, churners)
        assert_sizes(document, truth, churners)
    began, before = time.monotonic(), malloc_info(target)["operations"]
    time.sleep(0.2)
    rate = (malloc_info(target)["operations"] - before) / (time.monotonic() - began)
    target.say("hold")
    document = census(ctx, target.pid, grows=True)
    assert_sizes(document, truth, 0)
    assert_figures(document, malloc_info(target))
    target.kill()
    return rate


def test_while_others_churn(ctx):
    rates = [look(ctx, number, count, 3, ctx.length(2, 10))
             for number in ctx.length((1, 8), (1, 2, 4, 8))
             for count in ctx.length((10000,), (6000, 40000, 140000))]
    ctx.figure = f"{max(rates) / 1e6:.0f} M calls a second"


test_while_others_churn.soak = 1800


def anonymous_memory(ctx, target):
    """Bytes of it, once it sleeps."""
    ctx.eventually(lambda: ctx.state_of(target.pid) == "S", "it sleeps")
    return ctx.health(target.pid).sizes["RssAnon"] << 10


def test_untouched_pages_stay_so(ctx):
    """A block of 32 GB that nobody touched: its size is in its header, and nothing of it is read
    or made."""
    target = ctx.target("sparse_heap")
    truth = json.loads(target.said_before[-1])
    before, began = anonymous_memory(ctx, target), time.monotonic()
    document = census(ctx, target.pid)
    ctx.figure = f"{time.monotonic() - began:.2f} s"
    after = anonymous_memory(ctx, target)
    assert before == after, f"{before} bytes before, {after} after"
    books = allocator(document, "glibc")
    assert books["mapped"] == truth["mapped"] and books["mapped_blocks"] == truth["blocks"], books
    assert_near(books["in_use"], truth["in_use"], 0.01, "in use")
    assert document["memory"]["read_bytes"] < 64 << 20, document["memory"]


def damaged(ctx, how):
    target = ctx.target("damaged_heap", how)
    truth = json.loads(target.said_before[-1])
    with ctx.unharmed(target.pid):
        done = ctx.run("heap", target.pid, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), truth


def blocks_of(document, truth):
    return by_size(document, "glibc")[size_class(truth["usable"])]


def test_damaged_chunks(ctx):
    """What lies behind a header that was overwritten is picked up again."""
    document, truth = damaged(ctx, "chunks")
    books = allocator(document, "glibc")
    assert books["resyncs"] >= truth["damaged"] and books["skipped_bytes"] > 0, books
    found = blocks_of(document, truth)
    lost = truth["blocks"] - found
    assert truth["damaged"] <= lost <= 2 * truth["damaged"], f"{found} of {truth['blocks']}"


def test_damaged_top(ctx):
    document, truth = damaged(ctx, "top")
    assert blocks_of(document, truth) == truth["blocks"], document["allocators"]


def test_damaged_ring(ctx):
    """Heaps name their arenas too."""
    document, truth = damaged(ctx, "ring")
    books = allocator(document, "glibc")
    assert blocks_of(document, truth) == truth["blocks"], books
    assert books["arenas"] == 3, books


def test_damaged_arena(ctx):
    """Bins that are no bins: nothing is found, and it says so."""
    document, _ = damaged(ctx, "arena")
    assert not [one for one in document["allocators"] if one["name"] == "glibc"], document
    assert any("glibc" in str(line) for line in document["not_found"]), document["not_found"]


def swap_used(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmSwap:\s+(\d+) kB", file.read())[1]) << 10


def test_swapped_pages_stay_there(ctx):
    with open("/proc/swaps", encoding="ascii") as file:
        if len(file.readlines()) < 2:
            raise ctx.Skip("no swap is in use here")
    target = ctx.target("damaged_heap", "swap")
    truth = json.loads(target.said_before[-1])
    before = swap_used(target.pid)
    if before < 1 << 20:
        raise ctx.Skip("the kernel swapped nothing out when it was asked to")
    document = census(ctx, target.pid)
    assert swap_used(target.pid) == before and document["memory"]["swapped_bytes"] > 0, document
    done = ctx.run("heap", target.pid, "--json", "--swapped")
    assert blocks_of(json.loads(done.stdout), truth) == truth["blocks"], done.stdout


def test_main_arena_in_pieces(ctx):
    """The target asks for one block more to learn its size."""
    for how in ("blocked", "foreign"):
        target = ctx.target("odd_brk", how)
        truth = json.loads(target.said_before[-1])
        document = census(ctx, target.pid)
        books = allocator(document, "glibc")
        assert blocks_of(document, truth) == truth["blocks"] + 1, f"{how}: {books}"
        assert books["mapped_blocks"] == 1, f"{how}: {books}"


def test_forks_meanwhile(ctx):
    target = ctx.target("forks")
    for _ in range(ctx.length(3, 50)):
        done = ctx.run("heap", target.pid, "--json")
        assert done.returncode == 0, done.stderr
        assert allocator(json.loads(done.stdout), "glibc")["skipped_bytes"] == 0


def test_ends_meanwhile(ctx):
    """It says that it has ended, or has come to its end before."""
    for delay in (0, 0.01, 0.03):
        target, _ = start(ctx, "blocks", 1, 30000)
        timer = threading.Timer(delay, target.kill)
        timer.start()
        done = ctx.run("heap", target.pid, "--json")
        timer.join()
        assert done.returncode in (0, 3) or "ended" in done.stderr or \
            "No such process" in done.stderr, f"{done.returncode}: {done.stderr}"


def test_execs_meanwhile(ctx):
    """Nothing of one program is counted with the next one, which may have no heap yet. It is not
    said to have ended while it goes on; the last program, which stays, is counted whole."""
    again = (15, "main", ctx.program("execs"))
    target = ctx.target("execs", *again * 100, 15, "main", "/bin/sleep", 60)
    runs, stays = 0, False
    while runs < ctx.length(20, 100) or not stays:
        stays = ctx.comm_of(target.pid) == "sleep" and ctx.state_of(target.pid) == "S"
        done = ctx.run("heap", target.pid, "--json")
        runs += 1
        if done.returncode == 0:
            for books in json.loads(done.stdout)["allocators"]:
                assert books["skipped_bytes"] == 0, books
        else:
            assert not stays and "executed another program while" in done.stderr, \
                f"{done.returncode}: {done.stderr}"
    assert allocator(json.loads(done.stdout), "glibc")["in_use"] > 0, done.stdout
