# SPDX-License-Identifier: MIT
"""A control group for the length of a test."""

import contextlib
import os
import pathlib
import threading


@contextlib.contextmanager
def control_group(ctx, *roots):
    """A group of its own below the first of the roots where one can be made."""
    for root in map(pathlib.Path, roots):
        group = root / f"ptprof-test-{os.getpid()}-{threading.get_ident()}"
        try:
            if (root / "cgroup.procs").exists():
                group.mkdir()
                break
        except OSError:
            continue
    else:
        raise ctx.Skip("no control group can be made below " + " or ".join(roots))
    try:
        yield group
    finally:
        for pid in (group / "cgroup.procs").read_text().split():
            (root / "cgroup.procs").write_text(pid)
        ctx.eventually(lambda: not (group / "cgroup.procs").read_text(), "the group is empty")
        group.rmdir()
