# SPDX-License-Identifier: MIT
"""Blocks of jemalloc: preloaded and linked in, in a program that knows them; of redis-server."""

import json
import shutil
import socket
import subprocess
import time

from blocks import (allocator, assert_near, assert_stable, assert_sums, by_size, census,
                    expected, library, misnamed, start, stripped)
from serving import free_port

SIDE_BY_SIDE = True

COUNT = 20000
CHURN = 256  # bytes of a block for the objects that churners replace
HELD = 1000  # such objects of each churner
LOOKS = 5
KEYS = 50000
VALUE = 900  # bytes of each value, with redis's head of it in a block of 1024


def stats(target):
    return json.loads(target.say("stats"))


def assert_books(document, said):
    """The figures beside what mallctl says, of a process that is quiet."""
    books = allocator(document, "jemalloc")
    assert_near(books["in_use"] + books["cached"], said["stats.allocated"], 0.01, "allocated")
    assert_near(books["system"], said["stats.mapped"], 0.01, "mapped")
    assert_near(books["walked_bytes"], said["stats.active"], 0.01, "active")
    assert 0 < books["metadata"] <= said["stats.metadata"], books
    assert books["version"].startswith("5."), books


def assert_quiet(ctx, program, preload=None):
    target, truth = start(ctx, program, 3, COUNT, preload=preload)
    document = census(ctx, target.pid)
    assert_stable(document, "jemalloc", truth)
    assert_sums(document, "jemalloc")
    assert_books(document, stats(target))
    found = sum(by_size(document, "jemalloc").values())
    wanted = sum(expected(truth).values())
    assert wanted <= found <= wanted + 50, f"{found} blocks instead of {wanted}"


def test_quiet(ctx):
    assert_quiet(ctx, "blocks", preload=library(ctx, "libjemalloc.so.2"))


def test_linked_in(ctx):
    library(ctx, "libjemalloc.a")
    assert_quiet(ctx, "blocks_jemalloc")


def test_linked_in_without_symbols(ctx):
    library(ctx, "libjemalloc.a")
    assert_quiet(ctx, stripped(ctx, "blocks_jemalloc"))


def test_while_others_churn(ctx):
    for churners in 1, 3:
        target, truth = start(ctx, "blocks", 2, COUNT, churners,
                              preload=library(ctx, "libjemalloc.so.2"))
        for _ in range(LOOKS):
            document = census(ctx, target.pid, grows=True)
            assert_stable(document, "jemalloc", truth)
            assert_near(by_size(document, "jemalloc")[CHURN], churners * HELD, 0.02, "objects")
        target.say("hold")
        document = census(ctx, target.pid)
        assert by_size(document, "jemalloc")[CHURN] == churners * HELD
        assert_books(document, stats(target))
        target.kill()


def talk(port, *commands):
    text = "".join(" ".join(map(str, command)) + "\r\n" for command in commands)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(text.encode() + b"QUIT\r\n")
        answer = b""
        while piece := connection.recv(1 << 16):
            answer += piece
    return answer.decode()


def started(port):
    try:
        return "PONG" in talk(port, ["PING"])
    except OSError:
        return False


def memory_of(port):
    answer = talk(port, ["INFO", "memory"])
    return dict(line.split(":") for line in answer.splitlines() if ":" in line)


def settled(ctx, target, port):
    """A census and what redis says of its memory, which does not change meanwhile: it frees the
    buffers of its clients later, and looks at its allocator every 100 ms."""
    for _ in range(20):
        before = memory_of(port)
        time.sleep(0.3)
        document = census(ctx, target.pid, grows=True)
        time.sleep(0.3)
        after = memory_of(port)
        said = [int(memory["allocator_allocated"]) for memory in (before, after)]
        if abs(said[0] - said[1]) < 0.001 * said[1]:
            return document, after
    raise AssertionError(f"redis does not come to rest: {said}")


def test_redis(ctx):
    if not shutil.which("redis-server"):
        raise ctx.Skip("redis-server is not installed")
    port = free_port()
    target = ctx.spawn("redis-server", "--port", port, "--save", "", "--dir", ctx.tmp,
                       stderr=subprocess.DEVNULL)
    ctx.eventually(lambda: started(port), "redis-server answers")
    before = census(ctx, target.pid, grows=True)
    if not any(one["name"] == "jemalloc" for one in before["allocators"]):
        raise ctx.Skip("this redis-server has another allocator")
    value = "v" * VALUE
    talk(port, *(["SET", f"key:{number}", value] for number in range(KEYS)))
    after, memory = settled(ctx, target, port)
    grown = by_size(after, "jemalloc")
    grown.subtract(by_size(before, "jemalloc"))
    assert_near(grown[1024], KEYS, 0.001, "values")
    books = allocator(after, "jemalloc")
    assert_near(books["in_use"] + books["cached"], int(memory["allocator_allocated"]), 0.01,
                "allocated")
    # Redis counts without the kernel's part of what it has mapped.
    assert_near(books["walked_bytes"], int(memory["allocator_active"]), 0.01, "active")


def test_says_what_it_does_not_read(ctx):
    """A library by that name without a tree."""
    target = misnamed(ctx, "libjemalloc.so.1")
    document = census(ctx, target.pid)
    assert any(line.startswith("jemalloc: ") and "no radix tree" in line
               for line in document["not_found"]), document["not_found"]
