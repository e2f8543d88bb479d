# SPDX-License-Identifier: MIT
"""Writes a pprof file as large as those of large services: deep stacks that share their roots,
inlined functions, labels. The same seed gives the same file.

    tests/bench/large_profile.py FILE [MEGABYTES [SEED]]"""

import gzip
import itertools
import random
import sys

FUNCTIONS = 20_000
LOCATIONS = 60_000
MAPPINGS = 12
THREADS = 64
REQUESTS = 500
DEPTH = 45, 15      # mean, deviation
ROOTS = 8           # frames that all stacks of a kind of thread share
KINDS = 4
BATCH = 1 << 16     # bytes between two looks at the size


def varint(number):
    out = bytearray()
    while number > 0x7f:
        out.append(number & 0x7f | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def message(field, *parts):
    payload = b"".join(parts)
    return varint(field << 3 | 2) + varint(len(payload)) + payload


class Strings:
    def __init__(self):
        self.numbers = {"": 0}

    def __call__(self, text):
        return self.numbers.setdefault(text, len(self.numbers))

    def table(self):
        return b"".join(message(6, text.encode()) for text in self.numbers)


def functions(strings, rng):
    words = ["cache", "codec", "index", "lock", "page", "query", "reply", "route", "shard", "table"]
    for i in range(1, FUNCTIONS + 1):
        space, kind = rng.choice(words), rng.choice(words)
        name = f"service::{space}::{kind}_map<{rng.choice(words)}>::{rng.choice(words)}_{i}"
        yield message(5, number(1, i), number(2, strings(name)),
                      number(3, strings(f"_ZN7service{len(space)}{space}{len(kind)}{kind}{i}Ev")),
                      number(4, strings(f"src/{space}/{kind}_{i % 1500}.cc")),
                      number(5, rng.randrange(1, 2000)))


def locations(rng):
    for i in range(1, LOCATIONS + 1):
        lines = [message(4, number(1, rng.randrange(1, FUNCTIONS + 1)),
                         number(2, rng.randrange(1, 2000)))
                 for _ in range(rng.choice((1, 1, 1, 1, 2, 3)))]
        mapping = i % MAPPINGS + 1
        address = (0x7f00 << 32) + (mapping << 28) + i * 48
        yield message(4, number(1, i), number(2, mapping), number(3, address), *lines)


def mappings(strings):
    for i in range(1, MAPPINGS + 1):
        start = (0x7f00 << 32) + (i << 28)
        yield message(3, number(1, i), number(2, start), number(3, start + (1 << 28)),
                      number(5, strings(f"/usr/lib/service/lib{i}.so")),
                      number(6, strings(f"{i:040x}")), number(7, 1), number(8, 1), number(9, 1))


def callees(rng):
    """[location]: those that it calls. Most have one, so stacks are long and branch seldom."""
    return [[int(rng.random() ** 2 * LOCATIONS) + 1 for _ in range(rng.choice((1, 1, 1, 1, 2, 6)))]
            for _ in range(LOCATIONS + 1)]


def labels(strings, rng):
    key, tid, request = strings("thread"), strings("tid"), strings("request")
    requests = [message(3, number(1, request), number(2, strings(f"request {i}")))
                for i in range(REQUESTS)]
    threads = [message(3, number(1, key), number(2, strings(f"worker {i}"))) +
               message(3, number(1, tid), number(3, 4000 + i)) for i in range(THREADS)]
    while True:
        yield rng.choice(threads) + (rng.choice(requests) if rng.random() < 0.3 else b"")


def samples(strings, rng):
    calls, whose, seen = callees(rng), labels(strings, rng), set()
    packed = [varint(i) for i in range(LOCATIONS + 1)]
    roots = [rng.sample(range(1, LOCATIONS + 1), ROOTS) for _ in range(KINDS)]
    while True:
        stack = list(rng.choice(roots))
        at = stack[-1]
        for _ in range(max(2, int(rng.gauss(*DEPTH)) - ROOTS)):
            next_ones = calls[at]
            at = next_ones[int(len(next_ones) * rng.random() ** 4)] if len(next_ones) > 1 \
                else next_ones[0]
            stack.append(at)
        what = message(1, b"".join(packed[i] for i in reversed(stack))), next(whose)
        if what in seen:
            continue
        seen.add(what)
        count = rng.randrange(1, 20)
        yield message(2, what[0], message(2, varint(count), varint(count * 10_000_000)), what[1])


def profile(megabytes, seed):
    """The decoded bytes, in the order in which Go writes them."""
    rng, strings = random.Random(seed), Strings()
    head = message(1, number(1, strings("samples")), number(2, strings("count"))) + \
        message(1, number(1, strings("cpu")), number(2, strings("nanoseconds")))
    code = b"".join(itertools.chain(mappings(strings), locations(rng), functions(strings, rng)))
    out, left, more = [head], megabytes * 1_000_000 - len(code), samples(strings, rng)
    while left > BATCH:
        batch = b"".join(itertools.islice(more, 500))
        out.append(batch)
        left -= len(batch)
    tail = message(11, number(1, strings("cpu")), number(2, strings("nanoseconds"))) + \
        number(9, 1_769_850_843_123_456_789) + number(10, 60_000_000_000) + number(12, 10_000_000)
    return b"".join([*out, code, strings.table(), tail])


def write(path, megabytes=50, seed=1):
    # What Go's runtime/pprof writes is compressed for speed too.
    with gzip.GzipFile(path, "wb", compresslevel=1, mtime=0) as file:
        file.write(profile(megabytes, seed))


if __name__ == "__main__":
    write(sys.argv[1], *map(int, sys.argv[2:]))
