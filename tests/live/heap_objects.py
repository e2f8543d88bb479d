# SPDX-License-Identifier: MIT
"""Makes objects of known number and says how many there are: what test_heap_python.py compares.

Prints a line of JSON, and at each SIGUSR1 does the next step: it makes objects and says which, then
it says what the collector knows of. "churn": a thread makes and drops others meanwhile; "fork": it
is the child of a process that does nothing.
"""

import collections
import gc
import json
import os
import signal
import sys
import threading


class Point:
    def __init__(self, number):
        self.even = number % 2 == 0  # is no object of its own


class Slotted:
    __slots__ = ("one", "two", "three")


class Outer:
    class Inner(list):
        pass


class Churned:
    def __init__(self, number):
        self.content = {"number": number, "list": [number] * (number % 60)}


ALWAYS_TRACKED = (Point, Slotted, Outer.Inner, list, set, type(lambda: 0), type(sys), type)
MADE = {
    "float": lambda number: number + 0.5,
    "str": lambda number: "text %d " % number + "x" * (number % 300),
    "bytes": lambda number: b"bytes %d " % number + b"y" * (number % 300),
    "int": lambda number: -(10 ** (20 + number % 200) + number),  # a copy has no digits to spare
    "__main__.Point": Point,
    "__main__.Slotted": lambda number: Slotted(),
    "__main__.Outer.Inner": lambda number: Outer.Inner(),
}
UNSIZED = {"__main__.Point"} if sys.version_info >= (3, 13) else {}  # values are in the object
STEP = {signal.SIGUSR1}
CHURNED = 2000  # objects that the thread has at a time
COUNTS = dict(zip(MADE, (20000, 9000, 8000, 7000, 12345, 4321, 1234)))


def churn(population):
    kept = collections.deque(maxlen=population)
    number = 0
    while True:
        kept.append(Churned(number))
        number += 1


def make(counts):
    return {name: [MADE[name](number) for number in range(count)]
            for name, count in counts.items()}


def say(document):
    print(json.dumps(document), flush=True)


def wait():
    signal.sigwait(STEP)


def sizes_of(made):
    return {name: collections.Counter(map(sys.getsizeof, things)) for name, things in made.items()
            if name not in UNSIZED}


def collector_counts():
    """Of types all of whose objects it knows."""
    gc.collect()
    types = collections.Counter(map(type, gc.get_objects()))
    return {f"{kind.__module__}.{kind.__qualname__}".replace("builtins.", ""): types[kind]
            for kind in ALWAYS_TRACKED}


def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, STEP)
    if "fork" in sys.argv and os.fork():
        os.wait()
        return
    sizes_of(make(dict.fromkeys(MADE, 50)))  # what is made once is there
    gc.collect()
    say({"version": sys.version.split()[0], "pid": os.getpid()})
    if "churn" in sys.argv:
        threading.Thread(target=churn, args=(CHURNED,), daemon=True).start()
    wait()
    made = make(COUNTS)
    say({"counts": COUNTS, "sizes": sizes_of(made), "churned": CHURNED})
    wait()
    say({"collector": collector_counts()})
    sys._debugmallocstats()
    wait()


main()
