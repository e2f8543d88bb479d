# SPDX-License-Identifier: MIT
"""What the sampler gives up is nothing that it needs."""

import json
import os
import pathlib
import shutil
import signal

from measure import samples_with, stacks


def as_nobody(ctx):
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        raise ctx.Skip("only root can run a target as another user, by setpriv")
    return ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


SYS_PTRACE, DAC_READ_SEARCH, SYS_NICE = 1 << 19, 1 << 2, 1 << 23


def has_reduced(pid, tid):
    """Whether a thread of a sampler has given up what it does not need. Only the first thread,
    which may have to start others, keeps the right to raise priorities."""
    text = pathlib.Path(f"/proc/{pid}/task/{tid}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    kept = SYS_PTRACE | DAC_READ_SEARCH | (SYS_NICE if tid == pid else 0)
    return not int(fields["CapPrm"], 16) & ~kept and fields["NoNewPrivs"] == "1" \
        and fields["Seccomp"] in ("2", "0")  # 0: a kernel without filters


def test_every_thread_has_reduced_itself(ctx):
    target = ctx.target("split")
    run = ctx.start("attach", target.pid, "-d", "60s", "-o", ctx.tmp / "out.json")
    run.says("attached")
    sampler = run.sampler()
    ctx.eventually(lambda: all(has_reduced(sampler, tid) for tid in ctx.thread_states(sampler)),
                   "the sampler has given up its privileges")
    run.signal(signal.SIGINT)
    assert run.wait() == 0


def test_root_reads_another_user_s_process(ctx):
    """The files that tell where a thread sleeps may be opened by their owner only."""
    target = ctx.target("parked", prefix=as_nobody(ctx))
    profile = ctx.profile(target.pid, "-d", "1s", "--idle")
    assert profile["run"]["asleep"] and not profile["run"]["cut"], f"{profile['run']}"
    dump = ctx.run("dump-threads", target.pid, "--json")
    assert dump.returncode == 0, dump.stderr
    dump = json.loads(dump.stdout)
    assert dump["read_in_place"] == dump["thread_count"], f"{dump['read_in_place']} of them"


def test_every_way_to_sample(ctx):
    """None needs a call that the filter refuses: a sampler that fails is replaced, and told."""
    target = ctx.target("split")
    for options in (), ("--idle",), ("--children",), ("--unwinder", "live"), ("-r", "1000"):
        profile = ctx.profile(target.pid, "-d", "500ms", *options)
        run = profile["run"]
        assert run["restarts"] == 0 and run["samples"] > 0, f"{options}: {run}"
        assert samples_with(profile, "timed") > 0, f"{options}: {stacks(profile)}"
    for options in (), ("--stop-all",), ("--stop-cut",):
        dump = ctx.run("dump-threads", target.pid, *options)
        assert dump.returncode == 0 and "timed" in dump.stdout, f"{options}: {dump.stderr}"
