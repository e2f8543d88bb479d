# SPDX-License-Identifier: MIT
"""What ptprof itself may do, and what it must not."""

import os
import pathlib
import shutil
import stat
import subprocess

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def raised_copy(ctx, program, bit):
    """A copy that runs with the rights of its owner or group."""
    if os.geteuid():
        raise ctx.Skip("root is needed to make a setuid copy")
    copy = ctx.tmp / f"raised-{program.name}"
    shutil.copy(program, copy)
    os.chown(copy, 0, 0)
    os.chmod(copy, 0o755 | bit)
    return copy


def check_refusal(ctx, bit, asked):
    control = raised_copy(ctx, pathlib.Path("/usr/bin/id"), bit)
    if subprocess.run([*NOBODY, control, asked], capture_output=True, text=True).stdout != "0\n":
        raise ctx.Skip("setuid has no effect here (nosuid, no_new_privs)")
    target = ctx.spawn("sleep", "60")
    done = subprocess.run([*NOBODY, raised_copy(ctx, ctx.ptprof, bit), "dump-threads",
                           str(target.pid)], capture_output=True, text=True, cwd=ctx.tmp)
    assert done.returncode != 0 and not done.stdout, done
    assert "refusing to run setuid or setgid" in done.stderr, done.stderr


def test_setuid_copy_is_refused(ctx):
    check_refusal(ctx, stat.S_ISUID, "-u")


def test_setgid_copy_is_refused(ctx):
    check_refusal(ctx, stat.S_ISGID, "-g")
