# SPDX-License-Identifier: MIT
"""Blocks of musl's malloc, in programs that know them."""

import subprocess

from blocks import (allocator, assert_near, assert_stable, assert_sums, by_size, census,
                    expected, misnamed, start, stripped)

SIDE_BY_SIDE = True

COUNT = 20000
CHURN = 232   # bytes of the objects that churners replace
HELD = 1000   # such objects of each churner
LOOKS = 5


def assert_quiet(ctx, target, truth):
    document = census(ctx, target.pid)
    assert_stable(document, "musl", truth)
    assert_sums(document, "musl")
    found, wanted = sum(by_size(document, "musl").values()), sum(expected(truth).values())
    assert wanted <= found <= wanted + 20, f"{found} blocks instead of {wanted}"
    return document


def test_dynamic(ctx):
    target, truth = start(ctx, "blocks_musl", 2, COUNT)
    books = allocator(assert_quiet(ctx, target, truth), "musl")
    library = next(line.split()[-1] for line in open(f"/proc/{target.pid}/maps")
                   if line.endswith("libc.so\n") or "/ld-musl" in line)
    said = subprocess.run([library], capture_output=True, text=True).stderr
    assert f"Version {books['version']}\n" in said, (books["version"], said)
    assert books["mapped_blocks"] == 3 and books["mapped"] > 3 * 307200, books  # of 300 KiB each


def test_static(ctx):
    target, truth = start(ctx, "blocks_musl_static", 2, COUNT)
    assert_quiet(ctx, target, truth)


def test_static_without_symbols(ctx):
    target, truth = start(ctx, stripped(ctx, "blocks_musl_static"), 1, COUNT)
    assert_quiet(ctx, target, truth)


def test_while_others_churn(ctx):
    for churners in 1, 3:
        target, truth = start(ctx, "blocks_musl", 2, COUNT, churners)
        for _ in range(LOOKS):
            document = census(ctx, target.pid, grows=True)
            assert_stable(document, "musl", truth)
            assert_near(by_size(document, "musl")[CHURN], churners * HELD, 0.02, "objects")
        target.say("hold")
        document = census(ctx, target.pid)
        assert by_size(document, "musl")[CHURN] == churners * HELD
        assert_sums(document, "musl")
        target.kill()


def test_says_what_it_does_not_read(ctx):
    """A library by that name without the malloc of 1.2.1 and later."""
    target = misnamed(ctx, "libc.so")
    document = census(ctx, target.pid)
    assert any(line.startswith("musl: ") and "before 1.2.1" in line
               for line in document["not_found"]), document["not_found"]
    assert all(one["name"] != "musl" for one in document["allocators"])
