# SPDX-License-Identifier: MIT
"""The comparison of a target before and after can fail: by each thing that it compares."""

import signal

# Grows by what it is told to when it gets SIGUSR1, and says so.
GROWS = """
import mmap, os, signal, sys, threading, time
kept = []
def shared():
    memory = mmap.mmap(-1, 1 << 16, mmap.MAP_SHARED)
    memory.write(bytes(1 << 16))
    return memory
def private():
    return bytearray(b"x" * (16 << 20))
def descriptors():
    return [os.open("/dev/null", os.O_RDONLY) for _ in range(50)]
def mappings():
    return [mmap.mmap(-1, 8192, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE * (i % 2))
            for i in range(100)]
def thread():
    threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
def handler():
    signal.signal(signal.SIGUSR2, lambda *_: None)
def nothing():
    pass
what = globals()[sys.argv[1]]
def grow(*_):
    kept.append(what())
    print("grown", flush=True)
signal.signal(signal.SIGUSR1, grow)
print("ready", flush=True)
while True:
    signal.pause()
"""


def grown(ctx, what):
    target = ctx.spawn("python3", "-c", GROWS, what)
    assert target.line() == "ready"
    before = ctx.health(target.pid)
    target.signal(signal.SIGUSR1)
    assert target.line() == "grown"
    after = ctx.health(target.pid)
    assert (before == after) == (after == before)
    return before != after


def test_growth_is_seen(ctx):
    assert not grown(ctx, "nothing")
    for what in "shared", "private", "descriptors", "mappings", "thread", "handler":
        assert grown(ctx, what), f"more of {what} is not noticed"


def test_profiles_compare(ctx):
    """Every profile of a test does, without being asked."""
    target = ctx.spawn("python3", "-c", GROWS, "shared")
    assert target.line() == "ready"
    try:
        with ctx.unharmed(target.pid):
            target.signal(signal.SIGUSR1)
            assert target.line() == "grown"
    except AssertionError as error:
        assert "RssShmem" in str(error), str(error)
    else:
        raise AssertionError("a target that has grown is not noticed")
