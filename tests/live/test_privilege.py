# SPDX-License-Identifier: MIT
"""What the sampler gives up is nothing that it needs."""

import json
import os
import shutil

from measure import samples_with, stacks


def as_nobody(ctx):
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        raise ctx.Skip("only root can run a target as another user, by setpriv")
    return ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


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
