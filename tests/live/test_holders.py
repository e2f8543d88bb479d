# SPDX-License-Identifier: MIT
"""--type mutex of programs whose lock one thread holds, asleep, all the time."""

import collections
import re

OWNED = ["mutex", "robust", "pi", "rwlock-write"]


def sides(ctx, mode):
    """{side: {function of the target: ns}} of a mutex profile."""
    target = ctx.target("locks", mode)
    done = ctx.run("attach", target.pid, "--type", "mutex", "-d", "500ms", "-q", "-f", "collapsed")
    assert done.returncode == 0, done.stderr
    found = {"holder": collections.Counter(), "waiter": collections.Counter()}
    for line in done.stdout.splitlines():
        stack, value = line.rsplit(" ", 1)
        side, = re.findall(r"\[(holder|waiter) of [^\]]*\]", stack)
        function, = re.findall(r"\b(?:hold|wait_for_it|holder not seen)\b", stack)
        found[side][function] += int(value)
    target.kill()
    return found


def test_a_holder_that_sleeps_all_the_time(ctx):
    """It fell asleep before anybody waited, and does not wake."""
    for mode in OWNED:
        found = sides(ctx, mode)
        assert list(found["waiter"]) == ["wait_for_it"] and found["waiter"].total(), (mode, found)
        assert found["holder"] == {"hold": found["waiter"].total()}, (mode, found)


def test_a_lock_that_says_nothing_of_its_holder(ctx):
    found = sides(ctx, "stream")
    assert list(found["waiter"]) == ["wait_for_it"] and found["waiter"].total(), found
    assert found["holder"] == {"holder not seen": found["waiter"].total()}, found
