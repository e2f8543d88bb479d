# SPDX-License-Identifier: MIT
"""Small files that unpack to much: an error that says what to do, and bounded memory of the whole
program."""

import gzip
import subprocess
import sys

SIDE_BY_SIDE = True

MEMORY = 64 << 20
SIZE = 1 << 20
# The peak of a process begins with that of the one that started it, so a small one does.
STARTER = """
import os, resource, sys
status = os.spawnv(os.P_WAIT, sys.argv[1], sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
sys.exit(status)"""


def message(field, payload):
    length, size = bytearray(), len(payload)
    while size > 0x7f:
        length.append(size & 0x7f | 0x80)
        size >>= 7
    return bytes([field << 3 | 2, *length, size]) + payload


HEAD = message(1, b"\x08\1\x10\2") + message(6, b"") + message(6, b"cpu") + message(6, b"count") \
    + message(4, b"\x08\1")
MANY = 30_000_000
BOMBS = {
    "zeros": bytes(1000 << 20),
    "frames": HEAD + message(2, message(1, b"\1" * MANY) + message(2, b"\1")),
    "strings": HEAD + message(6, b"") * (MANY // 2),
    "text": HEAD + message(6, b"a" * MANY),
    "comments": HEAD + message(13, b"\1" * MANY),
    "collapsed": b"a;" * (MANY // 2) + b"a 1\n",
    "lines": b"a 1\n" * (MANY // 4),
    "numbers": b'{"shared":[' + b"1," * (MANY // 2) + b"1]}",
    "lists": b'{"shared":[' + b"[]," * (MANY // 3),
    "addresses": b"heap profile: 1: 1 [1: 1] @ heapprofile\n1: 1 [1: 1] @" + b" 0x1" * (MANY // 4),
    "records": b"a  1/1  1.000000: 1 cpu-clock: \n\t1 a (b)\n\n" * (MANY // 42),
    "frames of one": b"a  1/1  1.000000: 1 cpu-clock: \n" + b"\t1 a (b)\n" * (MANY // 9),
}
# Much of the same may well be a profile: then it is one, and within the bound.
MAY_BE_READ = {"lines", "records"}


def test_memory(ctx):
    for name, content in BOMBS.items():
        path = ctx.tmp / f"{name}.pb.gz"
        path.write_bytes(gzip.compress(content, 6 if name == "zeros" else 1))
        assert path.stat().st_size < 1.1 * SIZE, name
        done = subprocess.run([sys.executable, "-S", "-c", STARTER, ctx.ptprof, "report", path],
                              capture_output=True, text=True)
        assert done.returncode == (0 if name in MAY_BE_READ else 1), (name, done)
        assert name in MAY_BE_READ or \
            "If you trust it, unpack it with gunzip first" in done.stderr, (name, done.stderr)
        peak = int(done.stdout.splitlines()[-1])
        assert peak < MEMORY, f"{name}: {peak >> 20} MiB"


def test_what_is_trusted(ctx):
    """What is refused with its compression is read without."""
    content = HEAD + message(2, message(1, b"\1" * 3_000_000) + message(2, b"\1"))
    for name, bytes_of, status in (("packed", gzip.compress(content), 1), ("plain", content, 0)):
        path = ctx.tmp / name
        path.write_bytes(bytes_of)
        done = ctx.run("report", path)
        assert done.returncode == status, (name, done.stderr)
