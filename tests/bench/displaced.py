# SPDX-License-Identifier: MIT
"""What a sample takes from a thread in all, displaced by a sampler on its CPU and held by it,
beside the bare stop by a thread that its own timer wakes there: the least that a sample without
skid can take. Both by the gaps that the thread sees in its TSC, less those with nobody."""

import os

from lab import against
from stolen import Bench, per_sample

ROUNDS = 4
AIM = 1.3


def rows(lab):
    for rate, seconds in (99, 2.0), (499, 1.0):
        bench = Bench(lab, rate, seconds, sorted(os.sched_getaffinity(0)))
        found = lab.interleaved(ROUNDS, {name: getattr(bench, name) for name in
                                         ("nobody", "own_timer", "ptprof")})
        lab.close()
        ours, bare = (per_sample(found[name], found["nobody"]) for name in ("ptprof", "own_timer"))
        yield against(f"displaced and held together per sample, {rate} Hz", ours[0],
                      "bare stop by an own timer", bare[0], "us", AIM,
                      spread=(ours[1], bare[1]))
