# SPDX-License-Identifier: MIT
"""Profiles made by chance, with what a file may hold and a real run seldom has."""

import gzip
import random

from pprof_wire import message, number, varint


class Writer:
    """Texts by number, and the fields of a profile in any order."""

    def __init__(self):
        self.texts = {"": 0}
        self.parts = []

    def text(self, text):
        return self.texts.setdefault(text, len(self.texts))

    def add(self, field, *values):
        self.parts.append(message(field, b"".join(number(at, value) for at, value in values)))

    def bytes(self):
        table = b"".join(message(6, text.encode()) for text in self.texts)
        return gzip.compress(b"".join(self.parts) + table)


NAMES = ["main", "run", "loop", "alloc", "std::vector<int>::push_back(int const&)", "read_all",
         "operator()(int)", "free", "main.(*T).Do", "a name with blanks", "runtime.mallocgc",
         "leaf"]
FILES = ["/src/main.c", "/src/alloc.c", "", "/go/src/runtime/malloc.go"]
MODULES = ["/usr/bin/program", "/lib/libc.so.6", "/lib/libm.so.6", ""]


def write_code(writer, chance):
    for at, file in enumerate(MODULES):
        writer.add(3, (1, at + 1), (2, 0x1000 * (at + 1)), (3, 0x1000 * (at + 2)),
                   (5, writer.text(file)))
    functions = [(name, file) for name in NAMES + [""] for file in FILES[:2 + len(name) % 3]]
    for at, (name, file) in enumerate(functions):
        writer.add(5, (1, at + 1), (2, writer.text(name)), (3, writer.text(name)),
                   (4, writer.text(file)), (5, chance.choice([0, 7]) * bool(name)))
    for at in range(40):
        lines = [message(4, number(1, chance.randint(1, len(functions))) +
                         number(2, chance.randint(1, 99)))
                 for _ in range(chance.choice([0, 1, 1, 1, 2, 3]))]
        mapping = chance.randint(1, len(MODULES) + 1)
        head = number(1, at + 1) + number(2, mapping if mapping <= len(MODULES) else 0) + \
            number(3, 0x1000 * mapping + at)
        writer.parts.append(message(4, head + b"".join(lines)))
    return 40


def labels(writer, chance):
    found = []
    if chance.random() < 0.7:
        found.append(number(1, writer.text("thread")) +
                     number(2, writer.text(chance.choice(["main", "worker 1", "io"]))))
    if chance.random() < 0.5:
        found.append(number(1, writer.text("bytes")) + number(3, chance.choice([16, 1024, 4096])) +
                     number(4, writer.text("bytes")))
    if chance.random() < 0.3:
        found.append(number(1, writer.text("request")) + number(3, chance.randint(1, 5)))
    return b"".join(message(3, label) for label in found)


def make(seed, samples=120, least=1, drop=""):
    """A profile with two types. least: of values, which may be below 0."""
    chance = random.Random(seed)
    writer = Writer()
    for name, unit in ("samples", "count"), ("cpu", "nanoseconds"):
        writer.add(1, (1, writer.text(name)), (2, writer.text(unit)))
    locations = write_code(writer, random.Random(seed // 2))  # the same for two seeds
    for _ in range(samples):
        stack = [chance.randint(1, locations) for _ in range(chance.randint(1, 12))]
        count = chance.randint(least, 50) ** 3
        body = message(1, b"".join(map(varint, stack))) + \
            message(2, varint(count) + varint(count * 10000019)) + labels(writer, chance)
        writer.parts.append(message(2, body))
    head = number(9, 1700000000000000000) + number(10, 3 * 10**9) + number(12, 10000000)
    writer.parts.append(head + (number(7, writer.text(drop)) if drop else b""))
    return writer.bytes()
