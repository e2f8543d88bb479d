# SPDX-License-Identifier: MIT
"""Blocks of mimalloc, in a program that knows them."""

import json
import os
import shutil

from blocks import (allocator, assert_near, assert_stable, assert_sums, by_size, census,
                    expected, library, misnamed, start)

SIDE_BY_SIDE = True

COUNT = 20000
CHURN = 256  # bytes of a block for the objects that churners replace
HELD = 1000  # such objects of each churner
LOOKS = 5
ALIGNED = {1024}  # blocks that are aligned for churners may be as large as some that stay
LIBRARY = "libmimalloc.so.2"


def test_quiet(ctx):
    target, truth = start(ctx, "blocks", 3, COUNT, preload=library(ctx, LIBRARY))
    document = census(ctx, target.pid)
    assert_stable(document, "mimalloc", truth)
    assert_sums(document, "mimalloc")
    found = sum(by_size(document, "mimalloc").values())
    wanted = sum(expected(truth).values())
    assert wanted <= found <= wanted + 20, f"{found} blocks instead of {wanted}"
    assert allocator(document, "mimalloc")["version"].startswith("2."), document["allocators"]


def test_while_others_churn(ctx):
    for churners in 1, 3:
        target, truth = start(ctx, "blocks", 2, COUNT, churners, preload=library(ctx, LIBRARY))
        for _ in range(LOOKS):
            document = census(ctx, target.pid, grows=True)
            assert_stable(document, "mimalloc", truth, but=ALIGNED)
            assert_near(by_size(document, "mimalloc")[CHURN], churners * HELD, 0.02, "objects")
        target.say("hold")
        document = census(ctx, target.pid)
        assert by_size(document, "mimalloc")[CHURN] == churners * HELD
        target.kill()


def test_blocks_of_a_mapping(ctx):
    """One that is larger than half a segment has a segment of its own."""
    python = shutil.which("python3")
    target = ctx.spawn(python, "-c", "import ctypes, time\n"
                       "p = ctypes.CDLL(None).malloc; p.restype = ctypes.c_void_p\n"
                       "p.argtypes = [ctypes.c_size_t]; ctypes.memset(p(40 << 20), 1, 64)\n"
                       "print('ready', flush=True); time.sleep(60)", env={
                           **os.environ, "LD_PRELOAD": library(ctx, LIBRARY)})
    assert target.line() == "ready"
    document = census(ctx, target.pid)
    books = allocator(document, "mimalloc")
    assert books["mapped_blocks"] == 1 and books["mapped"] in range(40 << 20, 41 << 20), books
    assert sum(count for size, count in by_size(document, "mimalloc").items()
               if size >= 40 << 20) == 1


def test_says_what_it_does_not_read(ctx):
    """A library by that name without a segment."""
    target = misnamed(ctx, "libmimalloc.so.1")
    document = census(ctx, target.pid)
    assert any(line.startswith("mimalloc: no segment") for line in document["not_found"]), \
        document["not_found"]


VISITS = """
import ctypes, json, time
kept = [bytearray(i % 3000) for i in range(30000)]
class Area(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in ("at", "reserved", "committed", "used", "size")]
sums = [0, 0]
def visit(heap, area, block, size, context):
    sums[0] += area[0].used
    sums[1] += area[0].used * area[0].size
    return True
call = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.POINTER(Area), ctypes.c_void_p,
                        ctypes.c_size_t, ctypes.c_void_p)(visit)
library = ctypes.CDLL(None)
library.mi_heap_get_default.restype = ctypes.c_void_p
heap = ctypes.c_void_p(library.mi_heap_get_default())
library.mi_heap_visit_blocks(heap, ctypes.c_bool(False), call, None)
print(json.dumps(sums), flush=True)
time.sleep(60)
"""


def test_it_says_the_same_itself(ctx):
    """Of the heap of the only thread, whose pages mimalloc itself visits."""
    target = ctx.spawn(shutil.which("python3"), "-c", VISITS, env={
        **os.environ, "PYTHONMALLOC": "malloc", "LD_PRELOAD": library(ctx, LIBRARY)})
    blocks, taken = json.loads(target.line())
    document = census(ctx, target.pid)
    books = allocator(document, "mimalloc")
    rows = [row for row in document["rows"] if row["allocator"] == "mimalloc"]
    assert blocks > 30000, blocks
    assert_near(sum(row["blocks"] for row in rows), blocks, 0.01, "blocks")
    assert_near(sum(row["bytes"] for row in rows), taken, 0.01, "bytes")
    assert_near(books["in_use_blocks"], blocks, 0.01, "blocks in use")
    assert_near(books["in_use"], taken, 0.01, "bytes in use")
