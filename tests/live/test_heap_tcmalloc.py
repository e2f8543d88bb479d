# SPDX-License-Identifier: MIT
"""Blocks of gperftools' tcmalloc, preloaded and linked in, in a program that knows them."""

import json

from blocks import (allocator, assert_near, assert_sums, by_size, census, expected, library,
                    misnamed, start, stripped)

SIDE_BY_SIDE = True

COUNT = 20000
CHURN = 240  # bytes of a block for the objects that churners replace
HELD = 1000  # such objects of each churner
LOOKS = 5
OTHERS = 32     # blocks of the libraries' own
ALIGNED = 1024  # blocks that are aligned for churners may be as large as these


def stats(target):
    return json.loads(target.say("stats"))


def assert_stable(document, truth, aligned=0):
    """Blocks that stay are all there, and hardly any others of their sizes."""
    found = by_size(document, "tcmalloc")
    for size, wanted in expected(truth).items():
        most = wanted + OTHERS + (aligned if size == ALIGNED else 0)
        assert wanted <= found[size] <= most, f"{size}: {found[size]} instead of {wanted}"


def assert_books(document, said):
    """The figures beside the numeric properties, of a process that is quiet."""
    books = allocator(document, "tcmalloc")
    for figure, name in (("in_use", "generic.current_allocated_bytes"),
                         ("system", "generic.heap_size"),
                         ("trimmable", "tcmalloc.pageheap_free_bytes")):
        assert_near(books[figure], said[name], 0.01, figure)
    caches = said["tcmalloc.thread_cache_free_bytes"] + said["tcmalloc.transfer_cache_free_bytes"]
    assert_near(books["cached"], caches, 0.01, "cached")
    free = said["tcmalloc.pageheap_free_bytes"] + said["tcmalloc.central_cache_free_bytes"]
    # The central caches' include what is left over at the end of spans, which no block can have.
    assert books["trimmable"] + books["cached"] <= books["free"] <= free + caches, books
    assert books["version"].startswith("2."), books


def assert_quiet(ctx, program, preload=None):
    target, truth = start(ctx, program, 3, COUNT, preload=preload)
    document = census(ctx, target.pid)
    assert_stable(document, truth)
    assert_sums(document, "tcmalloc")
    assert_books(document, stats(target))
    found = sum(by_size(document, "tcmalloc").values())
    wanted = sum(expected(truth).values())
    assert wanted <= found <= wanted + 100, f"{found} blocks instead of {wanted}"


def test_quiet(ctx):
    for name in "libtcmalloc_minimal.so.4", "libtcmalloc.so.4":
        assert_quiet(ctx, "blocks", preload=library(ctx, name))


def test_linked_in(ctx):
    library(ctx, "libtcmalloc_minimal.a")
    assert_quiet(ctx, "blocks_tcmalloc_minimal")


def test_linked_in_without_symbols(ctx):
    library(ctx, "libtcmalloc_minimal.a")
    assert_quiet(ctx, stripped(ctx, "blocks_tcmalloc_minimal"))


def test_while_others_churn(ctx):
    for churners in 1, 3:
        target, truth = start(ctx, "blocks", 2, COUNT, churners,
                              preload=library(ctx, "libtcmalloc_minimal.so.4"))
        for _ in range(LOOKS):
            document = census(ctx, target.pid, grows=True)
            assert_stable(document, truth, aligned=100)
            assert_near(by_size(document, "tcmalloc")[CHURN], churners * HELD, 0.02, "objects")
        target.say("hold")
        document = census(ctx, target.pid)
        assert_sums(document, "tcmalloc")
        assert_books(document, stats(target))
        target.kill()


def test_says_what_it_does_not_read(ctx):
    """A library by that name without a tree."""
    target = misnamed(ctx, "libtcmalloc.so.1")
    document = census(ctx, target.pid)
    assert any(line.startswith("tcmalloc: its library")
               for line in document["not_found"]), document["not_found"]


def test_says_that_it_does_not_read_another_one(ctx):
    document = census(ctx, ctx.target("signs").pid)
    assert any("Google's own, whose books are not read" in line
               for line in document["not_found"]), document["not_found"]
