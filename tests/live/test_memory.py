# SPDX-License-Identifier: MIT
"""Where memory is short we die before the target, and what was seen is not lost."""

import contextlib
import gzip
import json
import os
import pathlib
import signal
import struct
import subprocess
import zlib

MIB = 1 << 20
SHF_COMPRESSED = 0x800


def memory_hierarchy():
    """(directory of our own memory cgroup, name of its limit file), or None."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, rest = line.partition(" - ")
        kind, _, options = rest.split()[:3]
        where = pathlib.Path(fields.split()[4])
        if kind == "cgroup" and "memory" in options.split(","):
            return where, "memory.limit_in_bytes"
        if kind == "cgroup2" and "memory" in (where / "cgroup.controllers").read_text().split():
            return where, "memory.max"
    return None


@contextlib.contextmanager
def memory_cgroup(ctx, limit):
    """A memory cgroup with a limit; what is to run in it writes itself into its cgroup.procs."""
    found = memory_hierarchy()
    if not found:
        raise ctx.Skip("no memory cgroups are mounted here")
    directory = found[0] / f"ptprof-test-{os.getpid()}"
    try:
        directory.mkdir()
        (directory / found[1]).write_text(str(limit))
    except OSError as error:
        with contextlib.suppress(OSError):
            directory.rmdir()
        raise ctx.Skip(f"no memory cgroup can be made: {error}")
    try:
        yield directory
    finally:
        ctx.clean_up()  # all of them have to be out of it
        ctx.eventually(lambda: not (directory / "cgroup.procs").read_text(), "it is empty")
        directory.rmdir()


def inside(directory):
    return ("sh", "-c", f'echo $$ > {directory}/cgroup.procs && exec "$0" "$@"')


def with_bait(ctx, program, size):
    """A copy of the program with a section of debug information that is small packed, and of that
    size unpacked."""
    packer, packed = zlib.compressobj(1), b""
    for _ in range(size // MIB):
        packed += packer.compress(bytes(MIB))
    packed += packer.flush()
    content, copy = ctx.tmp / "bait", ctx.tmp / "baited"
    content.write_bytes(struct.pack("<IIQQ", 1, 0, size, 1) + packed)
    subprocess.run(["objcopy", "--remove-section=.debug_str", program, copy], check=True,
                   capture_output=True)
    subprocess.run(["objcopy", f"--add-section=.debug_str={content}", copy], check=True,
                   capture_output=True)
    elf = bytearray(copy.read_bytes())
    table, = struct.unpack_from("<Q", elf, 0x28)
    count, names = struct.unpack_from("<HH", elf, 0x3c)
    text, = struct.unpack_from("<Q", elf, table + 64 * names + 24)
    for header in range(table, table + 64 * count, 64):
        name, = struct.unpack_from("<I", elf, header)
        if elf[text + name:].startswith(b".debug_str\0"):
            flags, = struct.unpack_from("<Q", elf, header + 8)
            struct.pack_into("<Q", elf, header + 8, flags | SHF_COMPRESSED)
    copy.write_bytes(elf)
    return copy


def test_bait_in_the_target_s_cgroup(ctx):
    """Reading the names would take more memory than there is. The kernel ends one of those in the
    cgroup, and the target is by far the largest."""
    with memory_cgroup(ctx, 400 * MIB) as cgroup:
        program = with_bait(ctx, ctx.program("roomy"), 1024 * MIB)
        target = ctx.spawn(*inside(cgroup), program, 250)
        assert target.line() == "ready"
        for _ in range(3):
            done = ctx.run("attach", target.pid, "-d", "1s", "-o", ctx.tmp / "out.json",
                           prefix=inside(cgroup))
            assert target.alive(), f"the target was ended with {target.popen.returncode}"
            assert done.returncode == 0, f"exit status {done.returncode}"
            profile = json.loads((ctx.tmp / "out.json").read_text())
            assert profile["run"]["samples"] > 0


def score(pid):
    return int(pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text())


def test_who_goes_first(ctx):
    """The main process before the target, the sampler not before: it may hold a thread."""
    target = ctx.target("split")
    ours = score("self")
    run = ctx.start("attach", target.pid, "-d", "60s", "-o", ctx.tmp / "out.json")
    run.says("attached")
    assert score(run.pid) == max(ours, 500)
    for _ in range(2):  # the next one too, which the raised score would pass to
        sampler = run.sampler()
        ctx.eventually(lambda: score(sampler) == ours, "the sampler has the score from before")
        ctx.kill(sampler)
        ctx.eventually(lambda: run.sampler() != sampler, "there is another sampler")
    run.kill()


def test_checkpoint_outlives_us(ctx):
    """What is lost of a run that is killed is no more than the time since its last checkpoint; the
    next run says so, and leaves it alone."""
    target = ctx.target("split")
    output, partial = ctx.tmp / "out.json", ctx.tmp / "out.partial.json"
    output.write_text("the profile before")
    run = ctx.start("attach", target.pid, "--checkpoint", "300ms", "-o", output)
    run.says("attached")
    ctx.eventually(lambda: partial.exists() and
                   json.loads(partial.read_text())["run"]["samples"] > 20, "a checkpoint")
    ctx.kill(run.pid)
    run.wait()
    ctx.eventually(lambda: not list(ctx.tmp.glob("*.part-*")), "no writer is left")
    kept = partial.read_text()
    profile = json.loads(kept)
    assert profile["run"]["processes"][0]["pid"] == target.pid
    assert output.read_text() == "the profile before"
    done = ctx.run("attach", target.pid, "-d", "1s", "--checkpoint", "200ms", "-o", output)
    assert done.returncode == 0 and str(partial) in done.stderr, done.stderr
    assert partial.read_text() == kept
    assert json.loads(output.read_text())["run"]["samples"] > 0
    assert sorted(path.name for path in ctx.tmp.glob("out*")) == ["out.json", "out.partial.json"]


def test_checkpoint_does_not_wait_for_names(ctx):
    """It is written while the symbol process stands still, which belongs to its parent."""
    go, partial, output = (ctx.tmp / name for name in ("go", "out.partial.json.gz", "out.json.gz"))
    target = ctx.spawn("/bin/sh", "-c", f"while [ ! -e {go} ]; do :; done; "
                                        f"exec {ctx.program('split')}")
    run = ctx.start("attach", target.pid, "--checkpoint", "200ms", "-o", output)
    reader = run.process("names")
    os.kill(reader, signal.SIGSTOP)
    go.touch()
    ctx.eventually(lambda: partial.exists() and b'"[split]"' in gzip.decompress(
        partial.read_bytes()), "a checkpoint")
    assert ctx.state_of(reader) == "T"
    os.kill(reader, signal.SIGCONT)
    run.signal(signal.SIGINT)
    assert run.wait() == 0
    assert b'"heavy"' in gzip.decompress(output.read_bytes())


def test_no_checkpoint_is_left(ctx):
    target = ctx.target("split")
    for number in "INT", "TERM":
        run = ctx.start("attach", target.pid, "--checkpoint", "100ms", "-o", ctx.tmp / "out.pb.gz")
        run.says("attached")
        ctx.eventually((ctx.tmp / "out.partial.pb.gz").exists, "a checkpoint")
        subprocess.run(["kill", f"-{number}", str(run.pid)], check=True)
        assert run.wait() == 0
        assert [path.name for path in ctx.tmp.glob("out*")] == ["out.pb.gz"]
    # And standard output has none.
    done = ctx.run("attach", target.pid, "-d", "500ms", "--checkpoint", "100ms", "-f", "collapsed")
    assert done.returncode == 0 and not list(ctx.tmp.glob("*.partial*"))
