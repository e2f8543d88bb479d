# SPDX-License-Identifier: MIT
"""What the live tests compute from a profile (the JSON document of ptprof attach)."""

import math
import time

THREAD_STARTS = {"_start", "clone", "clone3", "__clone", "__clone3", "start_thread"}


def stacks(profile, *, thread=None, pid=None):
    """The stacks that were sampled (entries such as [unattributed] have no samples)."""
    names = {(t["pid"], t["tid"]): t["comm"] for t in profile["threads"]}
    for stack in profile["stacks"]:
        if stack["samples"] and (pid is None or stack["pid"] == pid) and \
                (thread is None or names[stack["pid"], stack["tid"]] == thread):
            yield stack


def functions(stack):
    return [frame["function"] for frame in stack["frames"]]


def count(found):
    return sum(stack["samples"] for stack in found)


def samples_with(profile, function, **filters):
    """Samples whose stack goes through the function."""
    return count(stack for stack in stacks(profile, **filters) if function in functions(stack))


def is_rooted(stack):
    """Whether the stack ends where the kernel starts programs and threads. libc may not have a
    name for the start of a thread; its last frame is then in libc."""
    root = stack["frames"][-1]
    return root["function"] in THREAD_STARTS or root["module"].startswith(("libc.so", "libc-"))


def rooted_share(profile):
    found = list(stacks(profile))
    return count(stack for stack in found if is_rooted(stack)) / max(count(found), 1)


def standard_error(share, n):
    return math.sqrt(share * (1 - share) / n)


def equal_samples(weights):
    """How many samples of one weight tell as much as these do."""
    return sum(weights) ** 2 / sum(weight * weight for weight in weights)


def assert_share(share, truth, n, what, bias=0):
    """Within three standard errors, and `bias` more where the truth is not known better."""
    error = 3 * standard_error(truth, n) + bias
    assert abs(share - truth) <= error, \
        f"{what}: {share:.4f} of {n} samples, truth {truth:.4f}, allowed {error:.4f}"


def twice(look):
    """Runs a statistical test, and once more if it fails: a true sampler leaves three standard
    errors once in 370 looks, a false one every time."""
    try:
        look()
    except AssertionError as first:
        try:
            look()
        except AssertionError as second:
            raise AssertionError(f"{second}\nand before: {first}") from None


def cpu_total(profile):
    """ns of CPU time in the whole profile, what no sample stands for included."""
    return sum(stack["cpu_ns"] for stack in profile["stacks"])


class ClockLog:
    """What a target wrote with --clock: its CPU clock at moments of the wall clock."""

    def __init__(self, path):
        self.path = path

    def points(self):
        text = self.path.read_text() if self.path.exists() else ""
        lines = text.rpartition("\n")[0].splitlines()  # the last line may be half written
        return [tuple(map(int, line.split())) for line in lines]

    def await_moment(self, end):
        """Waits until the log has passed a moment."""
        deadline = time.monotonic() + 60
        while not (points := self.points()) or points[-1][0] < end:
            assert time.monotonic() < deadline, "the target stopped writing its clock"
            time.sleep(0.02)

    def between(self, start, end):
        """CPU ns that the target used between two moments of the wall clock."""
        self.await_moment(end)
        points = self.points()
        assert points[0][0] <= start, "the clock log begins after the profile"
        return interpolate(points, end) - interpolate(points, start)


def interpolate(points, moment):
    for (t0, cpu0), (t1, cpu1) in zip(points, points[1:]):
        if t0 <= moment <= t1:
            return cpu0 + (cpu1 - cpu0) * (moment - t0) / (t1 - t0)
    raise AssertionError("no clock of that moment")
