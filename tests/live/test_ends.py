# SPDX-License-Identifier: MIT
"""Whatever the target does, holds or maps: a run ends when it is to, and answers every signal."""

import json
import signal
import time

from measure import samples_with, stacks, count, standard_error

DEEP = 50000  # frames: a stack that takes much longer to unwind than to copy
FAST = ("-r", "1000", "--max-depth", "65536", "--max-stop", "100")


def patience(ctx, seconds):
    """What a rule says, and as much longer as a loaded machine makes everything."""
    return seconds * max(ctx.slowdown, 1) + 3


def test_duration_holds(ctx):
    """Stacks come faster than they can be unwound: the run ends in time all the same, and says how
    many were left out."""
    ctx.waits_for_names = False
    target = ctx.target("recursion", DEEP)
    began = time.monotonic()
    done = ctx.run("attach", target.pid, "-d", "6s", *FAST, "-o", ctx.tmp / "out.pb.gz",
                   "--summary=json")
    took = time.monotonic() - began
    assert done.returncode == 0, done.stderr
    assert took < 6 + patience(ctx, 2), f"-d 6s took {took:.1f} s"
    run = json.loads(done.stderr[done.stderr.index("{"):])
    assert run["run"]["dropped"] > 0, run
    assert target.alive()


def test_interrupts_end_it(ctx):
    """One Ctrl-C ends the run though the ring never gets empty."""
    ctx.waits_for_names = False
    target = ctx.target("recursion", DEEP)
    run = ctx.start("attach", target.pid, *FAST, "-o", ctx.tmp / "out.pb.gz")
    run.says("attached")
    time.sleep(4)
    began = time.monotonic()
    run.signal(signal.SIGINT)
    run.wait()
    took = time.monotonic() - began
    assert took < patience(ctx, 2), f"it took {took:.1f} s to end"
    assert run.popen.returncode == 0, run.stderr


def test_second_interrupt_ends_it_at_once(ctx):
    """Even where the end has still much to do."""
    target = ctx.target("recursion", DEEP)
    run = ctx.start("attach", target.pid, *FAST, "-f", "json", "-o", ctx.tmp / "out.json")
    run.says("attached")
    time.sleep(2)
    run.signal(signal.SIGINT)
    run.says("stopping")
    began = time.monotonic()
    run.signal(signal.SIGINT)
    run.wait()
    took = time.monotonic() - began
    assert took < patience(ctx, 0.1), f"it took {took:.1f} s to end"
    # The sampler still waits for whom it asked to stop.
    ctx.eventually(lambda: not any(ctx.health(target.pid)[1:3]), "the target is left alone")


def test_shares_stay_true(ctx):
    """A deep stack costs a thousand times what a shallow one does: it must not be seen less often
    for that when not all can be unwound."""
    def look():
        target = ctx.target("deep_shallow", 8000)
        profile = ctx.profile(target.pid, "-d", "6s", "-r", "4000", "--force", "--max-stop", "100",
                              "--max-depth", "16384")
        truth = target.stop()["deep"]
        everything = count(stacks(profile))
        ns = {name: sum(s["cpu_ns"] for s in stacks(profile)
                        if any(f["function"] == name for f in s["frames"]))
              for name in ("deep", "shallow")}
        share = ns["deep"] / (ns["deep"] + ns["shallow"])
        # Two samples of one turn tell the same, and of samples that stand for unequal numbers of
        # others three tell about as much as one.
        equal = min(everything / 3, 6 / 0.01)
        allowed = 4 * standard_error(truth, equal) + 0.03
        assert abs(share - truth) < allowed, \
            f"deep {share:.3f}, truth {truth:.3f}, {everything} samples, allowed {allowed:.3f}"
        return profile["run"]["dropped"]
    assert look() or look(), "nothing was left out: the test shows nothing"


def unserved(ctx):
    target = ctx.spawn(ctx.program("unserved"))
    if target.line() != "ready":
        raise ctx.Skip("no userfaultfd for kernel faults, or no mapping at 64 KiB")
    return target


def test_memory_that_never_comes(ctx):
    """Nothing of the target has to be there for us to attach, and a lock that cannot be read is one
    whose owner is not known."""
    target = unserved(ctx)
    began = time.monotonic()
    profile = ctx.profile(target.pid, "-d", "1s", timeout=30)
    assert samples_with(profile, "work") > 5, profile["run"]
    done = ctx.run("dump-threads", target.pid, timeout=30)
    took = time.monotonic() - began
    assert done.returncode == 0, done.stderr
    assert "waiter" in done.stdout and "pthread_mutex_lock" in done.stdout, done.stdout
    assert took < 1 + 8 + patience(ctx, 4), f"it took {took:.1f} s"


def test_second_interrupt_ends_a_dump(ctx):
    """While it reads, names, or waits for the next one."""
    target = ctx.target("parked", 50)
    run = ctx.start("dump-threads", target.pid, "--repeat", "1000000", "--interval", "10ms")
    time.sleep(1)
    run.signal(signal.SIGSTOP)  # so that it sees both
    run.signal(signal.SIGINT)
    run.signal(signal.SIGTERM)
    run.signal(signal.SIGCONT)
    run.wait()
    assert run.popen.returncode in (-signal.SIGTERM, -signal.SIGINT, 1), run.popen.returncode
    ctx.eventually(lambda: not any(ctx.health(target.pid)[1:3]), "the target is left alone")
