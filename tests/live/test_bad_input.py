# SPDX-License-Identifier: MIT
"""What cannot be done: one message that names the cause, the documented exit status, nothing on
standard output, the target untouched, and nothing lost of what was collected."""

import contextlib
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import time

SIDE_BY_SIDE = True

DONE, FAILED, USAGE, GONE, DENIED, QUALITY = range(6)
NOBODY = 65534


def refused(ctx, status, pattern, *arguments, prefix=(), **popen):
    """ptprof attach ARGUMENTS... ends with the status and a message that matches, before it did
    anything."""
    output = ctx.tmp / "out.json"
    has_output = "-o" in arguments
    done = ctx.run("attach", *arguments, *(() if has_output else ("-o", output)), prefix=prefix,
                   **popen)
    assert done.returncode == status, f"exit status {done.returncode}, not {status}"
    assert not done.stdout, f"on standard output: {done.stdout[:200]!r}"
    assert re.search(pattern, done.stderr), f"the message does not say {pattern!r}"
    assert done.stderr.startswith("ptprof: "), "the message does not say who speaks"
    assert len(done.stderr.splitlines()) <= 8, "not one clear message"
    assert not output.exists()
    return done.stderr


def untouched(ctx, target, before):
    assert target.alive(), f"{target.name} ended with {target.popen.returncode}"
    after = ctx.health(target.pid)
    assert after == before, f"{before} before, {after} after"


def switches(pid):
    """How often the kernel took a thread off its CPU: a stop would count."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return re.findall(r"^(?:non)?voluntary_ctxt_switches:\s*(\d+)", text, re.M)


# --- what is no target

def test_no_such_process(ctx):
    refused(ctx, GONE, r"no such process", 2 ** 22, "-d", "1s")


def test_not_a_number(ctx):
    for word in "abc", "0", "12x", "99999999999999":
        refused(ctx, USAGE, re.escape(word), word, "-d", "1s")


def test_no_pid(ctx):
    refused(ctx, USAGE, r"PID", "-d", "1s")


def test_thread_id(ctx):
    target = ctx.target("threads", "--busy", 1)
    tid = next(tid for tid in ctx.thread_states(target.pid) if tid != target.pid)
    message = refused(ctx, USAGE, r"thread", tid, "-d", "1s")
    assert str(target.pid) in message, "the message does not name the process"


def test_own_pid(ctx):
    output = ctx.tmp / "out.json"
    done = subprocess.run(["sh", "-c", 'exec "$0" attach $$ -d 1s -o "$1"', ctx.ptprof, output],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
    assert done.returncode == USAGE and "itself" in done.stderr, done.stderr


def test_ancestor(ctx):
    refused(ctx, USAGE, r"descends|ancestor", os.getpid(), "-d", "1s")


def kernel_thread():
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[6]) & 0x00200000:  # PF_KTHREAD
            return int(entry.parent.name)
    return None


def test_kernel_thread(ctx):
    pid = kernel_thread()
    if pid is None:
        raise ctx.Skip("no kernel thread is visible here (a container)")
    refused(ctx, USAGE, r"kernel", pid, "-d", "1s")


def test_zombie(ctx):
    target = ctx.target("zombie")
    message = refused(ctx, GONE, r"has ended|zombie", target.said_before[0], "-d", "1s")
    assert str(target.pid) in message, "the message does not name the parent"


def test_32_bit(ctx):
    target = ctx.target("bits32")
    before = ctx.health(target.pid)
    refused(ctx, FAILED, r"32-bit[^\n]*\n.*perf", target.pid, "-d", "1s")
    untouched(ctx, target, before)


def test_kernel_without_schedstat(ctx):
    """A mount of nothing over it stands for such a kernel."""
    target = ctx.target("naps")
    before = ctx.health(target.pid)
    hide = ("unshare", "--mount", "sh", "-c", "mount --bind /dev/null /proc/$0/schedstat && "
            'exec "$@"', target.pid)
    if subprocess.run([*map(str, hide), "true"], capture_output=True).returncode != 0:
        raise ctx.Skip("cannot mount over a file of /proc")
    refused(ctx, FAILED, r"schedstat.*\n.*CONFIG_SCHED_INFO", target.pid, "-d", "1s", prefix=hide)
    done = ctx.run("dump-threads", target.pid, prefix=hide)
    assert done.returncode == FAILED and "CONFIG_SCHED_INFO" in done.stderr, done.stderr
    untouched(ctx, target, before)


def traced_by(ctx, target, tracer):
    """tracer: a Process that traces the target by now."""
    ctx.eventually(lambda: ctx.health(target.pid).traced, "the target is traced")
    message = refused(ctx, DENIED, r"trac", target.pid, "-d", "1s")
    assert str(tracer.pid) in message and tracer.name in message, "the tracer is not named"
    tracer.kill()
    ctx.eventually(lambda: not ctx.health(target.pid).traced, "the tracer is gone")
    ctx.profile(target.pid, "-d", "200ms")  # and now it works


def test_traced(ctx):
    target = ctx.target("split")
    traced_by(ctx, target, ctx.spawn(ctx.build / "tests" / "live" / "trace", target.pid, "hold"))


def test_traced_by_strace(ctx):
    if not shutil.which("strace"):
        raise ctx.Skip("no strace")
    target = ctx.target("split")
    traced_by(ctx, target, ctx.spawn("strace", "-q", "-f", "-o", "/dev/null", "-p", target.pid))


def test_traced_by_gdb(ctx):
    if not shutil.which("gdb"):
        raise ctx.Skip("no gdb")
    target = ctx.target("split")
    traced_by(ctx, target, ctx.spawn("gdb", "-nx", "-batch", "-p", target.pid, "-ex", "continue"))


# --- permission

def as_nobody(ctx):
    if os.geteuid() != 0:
        raise ctx.Skip("needs root, to become another user")
    return ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")


def test_other_user(ctx):
    prefix = as_nobody(ctx)
    target = ctx.target("split")
    before = ctx.health(target.pid)
    message = refused(ctx, DENIED, r"user 0\b", target.pid, "-d", "1s", prefix=prefix)
    assert "sudo" in message, "no remedy"
    untouched(ctx, target, before)


def test_same_user(ctx):
    """Nobody may sample what belongs to nobody, without any privilege."""
    prefix = as_nobody(ctx)
    target = ctx.spawn(*prefix, ctx.program("split"))
    assert target.line() == "ready"
    output = ctx.tmp / "of-nobody"
    output.mkdir()
    os.chown(output, NOBODY, NOBODY)
    # Without real-time priority one long hold can use up the stop budget of a second.
    done = ctx.run("attach", target.pid, "-d", "2s", "--max-stop", "10", "-o",
                   output / "out.json", prefix=prefix)
    assert done.returncode == DONE, f"exit status {done.returncode}"
    assert json.loads((output / "out.json").read_text())["run"]["samples"] > 5


def test_not_dumpable(ctx):
    prefix = as_nobody(ctx)
    target = ctx.spawn(*prefix, ctx.program("split"), "--undumpable", "yes")
    assert target.line() == "ready"
    before = ctx.health(target.pid)
    refused(ctx, DENIED, r"dumpable", target.pid, "-d", "1s", prefix=prefix)
    untouched(ctx, target, before)


def samples_of(profile, name):
    return sum(stack["samples"] for stack in profile["stacks"]
               if name in [frame["function"] for frame in stack["frames"]])


def test_root_of_a_container(ctx):
    """Root without the right to become somebody else, as with --cap-drop=ALL
    --cap-add=SYS_PTRACE: samples, and names what it sampled."""
    as_nobody(ctx)
    target = ctx.target("split")
    before = ctx.health(target.pid)
    profile = ctx.profile(target.pid, "-d", "2s", "--max-stop", "10", prefix=(
        "setpriv", "--inh-caps=-all", "--bounding-set=-all,+sys_ptrace"))
    assert samples_of(profile, "heavy") > 5, "nothing has its name"
    untouched(ctx, target, before)


def test_seccomp(ctx):
    """As in a container whose filter forbids ptrace."""
    target = ctx.target("split")
    before = ctx.health(target.pid)
    deny = ctx.build / "tests" / "live" / "deny"
    refused(ctx, DENIED, r"seccomp", target.pid, "-d", "1s", prefix=(deny, "ptrace"))
    untouched(ctx, target, before)


def test_check(ctx):
    """Says whether it would work, and tries nothing."""
    target = ctx.target("idle")
    ctx.eventually(lambda: all(state == "S" for state, _ in ctx.thread_states(target.pid).values()),
                   "every thread sleeps")
    before = switches(target.pid)
    done = ctx.run("check", target.pid)
    assert done.returncode == DONE and not done.stderr, f"{done.returncode} {done.stderr}"
    done = ctx.run("check", target.pid, prefix=as_nobody(ctx))
    assert done.returncode == DENIED and "NO" in done.stdout and "sudo" in done.stdout, done.stdout
    assert switches(target.pid) == before, "the target was touched"
    assert ctx.run("check", 2 ** 22).returncode == GONE


# --- options

def test_rate(ctx):
    target = ctx.target("split")
    before = ctx.health(target.pid)
    for rate in "0", "-5", "5000", "1e9", "fast", "":
        message = refused(ctx, USAGE, r"rate", target.pid, "-d", "1s", f"--rate={rate}")
        assert rate != "5000" or "--force" in message, "no way out named"
    untouched(ctx, target, before)


def test_duration(ctx):
    target = ctx.target("split")
    before = ctx.health(target.pid)
    for duration in "abc", "0", "-1s", "5x", "1h30", "", "1e400":
        refused(ctx, USAGE, r"duration", target.pid, f"--duration={duration}")
    untouched(ctx, target, before)


def test_durations_that_work(ctx):
    target = ctx.target("split")
    for duration, ns in ("500ms", 500e6), ("0.5", 500e6), ("1s", 1e9):
        done = ctx.run("attach", target.pid, "-d", duration, "-f", "json")
        facts = json.loads(done.stdout)["run"]
        took = facts["duration_ns"]
        assert facts["held_share"] > 0 or not facts["stops"], f"{facts['stops']} stops of no time"
        assert ns <= took < 8 * ns * max(ctx.slowdown, 1), f"{duration} took {took / 1e9:.2f} s"
    run = ctx.start("attach", target.pid, "-d", "1h30m", "-o", ctx.tmp / "long.json")
    run.says("1h ?30m")
    run.signal(signal.SIGINT)
    assert run.wait() == DONE


def test_unknown_words(ctx):
    target = ctx.target("split")
    refused(ctx, USAGE, r"--duration", target.pid, "--duratoin", "1s")
    refused(ctx, USAGE, r"svg", target.pid, "-d", "1s", "-f", "svg")
    refused(ctx, USAGE, r"regular expression", target.pid, "-d", "1s", "--threads", "(")
    for words in ("atach", target.pid), (target.pid,):
        done = ctx.run(*words)
        assert done.returncode == USAGE and "attach" in done.stderr and not done.stdout


def test_quality(ctx):
    """Written, and worse than was asked for."""
    target = ctx.target("recursion", 100000)
    profile = ctx.profile(target.pid, "-d", "1s", "--min-quality", "99", status=QUALITY)
    assert profile["run"]["cut"] > 0


# --- output

def test_directory_is_missing(ctx):
    """Said before anything is sampled."""
    target = ctx.target("split")
    before = ctx.health(target.pid)
    begin = time.monotonic()
    refused(ctx, FAILED, r"No such file or directory", target.pid, "-d", "60s", "-o",
            ctx.tmp / "missing" / "out.json")
    assert time.monotonic() - begin < 30, "found out only at the end"
    untouched(ctx, target, before)


def test_symlink(ctx):
    """An existing symbolic link is never followed: in /tmp somebody else may have made it."""
    target = ctx.target("split")
    victim, link = ctx.tmp / "victim.json", ctx.tmp / "link.json"
    victim.write_text("precious")
    link.symlink_to(victim)
    refused(ctx, USAGE, r"symbolic link", target.pid, "-d", "60s", "-o", link)
    assert victim.read_text() == "precious" and link.is_symlink()


def test_picture(ctx):
    """A file named .svg that holds something else opens nowhere."""
    target = ctx.target("split")
    message = refused(ctx, USAGE, r"\.svg", target.pid, "-d", "60s", "-o", ctx.tmp / "flame.svg")
    assert "--flamegraph FILE.html or FILE.svg" in message, "no way to a picture named"


def test_current_directory_is_not_ours(ctx):
    prefix = as_nobody(ctx)
    target = ctx.spawn(*prefix, ctx.program("split"))
    assert target.line() == "ready"
    done = ctx.run("attach", target.pid, "-d", "60s", prefix=prefix)
    assert done.returncode == FAILED and "Permission denied" in done.stderr, done.stderr
    assert "-o FILE" in done.stderr, "no way out named"


def test_force(ctx):
    """--force replaces a link, never a device: root would lose /dev/null."""
    target = ctx.target("split")
    victim, link, fifo = (ctx.tmp / name for name in ("victim.json", "link.json", "fifo.json"))
    victim.write_text("precious")
    link.symlink_to(victim)
    os.mkfifo(fifo)
    done = ctx.run("attach", target.pid, "-d", "200ms", "--force", "-o", link)
    assert done.returncode == DONE, f"exit status {done.returncode}"
    assert victim.read_text() == "precious" and not link.is_symlink()
    refused(ctx, USAGE, r"not a regular file", target.pid, "-d", "60s", "--force", "-o", fifo)
    assert fifo.is_fifo()


def test_file_of_somebody_else(ctx):
    prefix = as_nobody(ctx)
    target = ctx.spawn(*prefix, ctx.program("split"))
    assert target.line() == "ready"
    shared = ctx.tmp / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    other = shared / "letter.json"
    other.write_text("Dear all,\n")
    refused(ctx, USAGE, r"another user", target.pid, "-d", "60s", "-o", other, prefix=prefix)
    assert other.read_text() == "Dear all,\n"


def test_profile_is_replaced(ctx):
    target = ctx.target("split")
    for _ in range(2):
        done = ctx.run("attach", target.pid, "-d", "200ms", "-o", ctx.tmp / "same.json")
        assert done.returncode == DONE, f"exit status {done.returncode}"
    assert (ctx.tmp / "same.json").stat().st_mode & 0o777 == 0o600, "others may read it"


def test_binary_to_terminal(ctx):
    target = ctx.target("split")
    before = ctx.health(target.pid)
    master, slave = pty.openpty()
    try:
        done = ctx.run("attach", target.pid, "-d", "60s", "-f", "pprof", "-o", "-", stdout=slave)
        assert done.returncode == USAGE and "terminal" in done.stderr, done.stderr
    finally:
        os.close(slave)
        os.close(master)
    untouched(ctx, target, before)


def saved_elsewhere(ctx, stderr, path_of_failure):
    """The message names a file that holds what was collected."""
    named = [ctx.tmp / word.rstrip(".,;:)") for word in stderr.split() if "/" in word]
    found = [path for path in named if path != path_of_failure and path.is_file() and
             path.stat().st_size > 100]
    assert found, "what was collected is lost: no file named in the message holds it"
    for path in found:
        path.unlink()


def test_disk_full(ctx):
    if os.geteuid() != 0:
        raise ctx.Skip("needs root, to mount a small tmpfs")
    full = ctx.tmp / "full"
    full.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "none", full])
    if mount.returncode != 0:
        raise ctx.Skip("cannot mount a tmpfs")
    try:
        (full / "filler").write_bytes(b"x" * 4096)
        target = ctx.target("recursion", 3000)
        before = ctx.health(target.pid)
        done = ctx.run("attach", target.pid, "-d", "500ms", "-o", full / "out.json")
        assert done.returncode == FAILED, f"exit status {done.returncode}"
        assert "No space left on device" in done.stderr and not done.stdout
        assert [path.name for path in full.iterdir()] == ["filler"], "half a file is left"
        saved_elsewhere(ctx, done.stderr, full / "out.json")
        untouched(ctx, target, before)
    finally:
        subprocess.run(["umount", full])


@contextlib.contextmanager
def closed_pipe():
    """The writing end of a pipe that nobody reads any more."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        yield writer
    finally:
        os.close(writer)


def test_closed_pipe(ctx):
    target = ctx.target("split")
    before = ctx.health(target.pid)
    with closed_pipe() as writer:
        done = ctx.run("attach", target.pid, "-d", "1s", "-f", "collapsed", "-o", "-",
                       stdout=writer)
    assert done.returncode == FAILED, f"exit status {done.returncode}"
    assert "Broken pipe" in done.stderr
    saved_elsewhere(ctx, done.stderr, None)
    untouched(ctx, target, before)


def test_closed_stdout(ctx):
    """No file of ours takes the number of a stream that is closed."""
    target = ctx.target("split")
    closed = ["sh", "-c", 'exec "$0" "$@" >&-']
    done = ctx.run("attach", target.pid, "-d", "1s", "-f", "collapsed", prefix=closed)
    assert done.returncode == FAILED, f"exit status {done.returncode}"
    assert "Bad file descriptor" in done.stderr
    saved_elsewhere(ctx, done.stderr, None)
    done = ctx.run("dump-threads", target.pid, prefix=closed)
    assert done.returncode == FAILED, f"exit status {done.returncode}"
    assert "Bad file descriptor" in done.stderr


def test_dump_to_a_closed_pipe(ctx):
    """As in `ptprof dump-threads PID | head`: the reader has what he wanted."""
    target = ctx.target("split")
    before = ctx.health(target.pid)
    with closed_pipe() as writer:
        done = ctx.run("dump-threads", target.pid, "--repeat", 3, "--interval", "100ms",
                       stdout=writer)
    assert (done.returncode, done.stderr) == (0, ""), f"{done.returncode}: {done.stderr}"
    untouched(ctx, target, before)


def test_collapsed_to_a_pipe(ctx):
    """Nothing but stacks on standard output."""
    target = ctx.target("split")
    done = ctx.run("attach", target.pid, "-d", "500ms", "-f", "collapsed")
    assert done.returncode == DONE
    lines = done.stdout.splitlines()
    assert lines and all(re.fullmatch(r".+;.+ \d+", line) for line in lines), lines[:3]
