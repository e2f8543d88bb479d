# SPDX-License-Identifier: MIT
"""fixed_work.py BUSY SLEEPING MS: what fixed_work.c does, by Python threads."""

import signal
import sys
import threading
import time

BUSY, SLEEPING, MS = map(int, sys.argv[1:])


def burn(rounds):
    value = 1
    for _ in range(rounds):
        value = value * 2862933555777941757 + 3037000493 & 0xffffffff
    return value


def rounds_in(seconds, tried=200000):
    start = time.monotonic()
    burn(tried)
    return int(tried * seconds / (time.monotonic() - start))


def busy(begin, end, rounds):
    while True:
        begin.wait()
        burn(rounds)
        end.wait()


def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGTERM})
    begin, end = threading.Barrier(BUSY + 1), threading.Barrier(BUSY + 1)
    rounds = rounds_in(MS / 1000 / BUSY)  # one runs at a time
    for _ in range(SLEEPING):
        threading.Thread(target=threading.Event().wait, daemon=True).start()
    for _ in range(BUSY):
        threading.Thread(target=busy, args=(begin, end, rounds), daemon=True).start()
    print("ready", flush=True)
    while signal.sigwait({signal.SIGUSR1, signal.SIGTERM}) != signal.SIGTERM:
        start = time.monotonic_ns()
        begin.wait()
        end.wait()
        print(time.monotonic_ns() - start, flush=True)


main()
