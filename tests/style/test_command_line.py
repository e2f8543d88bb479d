# SPDX-License-Identifier: MIT
"""Streams and exit statuses of the command line, without attaching to anything."""

import os
import subprocess

import usage


def fails(ctx, status, *arguments):
    done = ctx.run(*arguments)
    assert done.returncode == status, (arguments, done.returncode)
    assert done.stderr.startswith("ptprof: ") and done.stderr.count("ptprof: ") == 1, done.stderr
    return done


def test_no_arguments(ctx):
    done = ctx.run()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("ptprof profiles"), done.stderr


def test_help_is_the_same_everywhere(ctx):
    assert ctx.run("--help").stdout == ctx.run("-h").stdout == usage.help_text(ctx)
    for name in usage.commands(ctx):
        expected = usage.help_text(ctx, name)
        for words in ["-h"], ["--nonsense", "--help"], ["a", "b", "c", "-h"]:
            done = ctx.run(name, *words)
            assert (done.returncode, done.stdout, done.stderr) == (0, expected, ""), (name, words)
        assert max(map(len, expected.splitlines())) <= 80, name


def test_version(ctx):
    done = ctx.run("--version")
    assert done.returncode == 0 and done.stdout.startswith("ptprof "), done.stdout


def test_usage_errors(ctx):
    assert "did you mean check?" in fails(ctx, 2, "chekc", "1").stderr
    assert "did you mean --help?" in fails(ctx, 2, "check", "--hlep").stderr
    for words in (["chec", "1"], ["-x"], ["check"], ["check", "1", "2"], ["check", "abc"],
                  ["check", "0"], ["check", "--hel", "1"], ["help", "nothing"], ["completion"],
                  ["completion", "csh"]):
        assert fails(ctx, 2, *words).stdout == "", words


def test_words_of_the_user_are_escaped(ctx):
    assert "\x1b" not in fails(ctx, 2, "\x1b]0;x\a").stderr
    assert "\x1b" not in fails(ctx, 2, "check", "\x1b]0;x\a").stderr


def test_full_disk(ctx):
    with open("/dev/full", "w") as full:
        done = ctx.run("help", stdout=full)
    assert done.returncode == 1, done.returncode
    assert done.stderr == "ptprof: cannot write to standard output: No space left on device\n"


def test_check(ctx):
    process = subprocess.Popen(["sleep", "60"])
    try:
        done = ctx.run("check", process.pid)
        assert f"Process {process.pid} (sleep)" in done.stdout
        assert done.stdout.endswith("can attach to it.\n" if done.returncode == 0 else
                                    "cannot attach to it.\n")
    finally:
        process.kill()
    # Dead, and not waited for yet: a zombie.
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert ctx.run("check", process.pid).returncode == 3
    process.wait()
    assert ctx.run("check", process.pid).returncode == 3
    assert ctx.run("check", os.getpid()).returncode == 2


def nobody(ctx, *caps):
    """What to put before a command that is to run as that user."""
    if os.geteuid() != 0:
        raise ctx.Skip("only root can become another user")
    given = [word for option in ("--inh-caps", "--ambient-caps") for word in
             (option, ",".join(caps))] if caps else []
    prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *given]
    if subprocess.run([*prefix, ctx.ptprof, "--version"], capture_output=True).returncode:
        raise ctx.Skip("cannot run ptprof as: " + " ".join(prefix[1:]))
    return prefix


def check_self(ctx, *prefix):
    """Process -> what is printed of it -> text."""
    done = ctx.run("check", "--self", prefix=prefix)
    assert done.returncode == 0 and not done.stderr, done.stderr
    said = {}
    for line in done.stdout.splitlines():
        if not line.startswith(" "):
            part = said.setdefault(line, {})
        else:
            part[line[2:20].strip()] = line[21:]
    return said


def test_check_self(ctx):
    said = check_self(ctx)
    sampler, symbols, own = said["sampler"], said["symbol process"], said["main process"]
    assert set(sampler["capabilities"].split(", ")) <= \
        {"sys_ptrace", "dac_read_search", "sys_nice", "none"}
    assert symbols["capabilities"] == "none"
    assert sampler["no new privileges"] == symbols["no new privileges"] == "yes"
    assert sampler["core file"] == symbols["core file"] == "none"
    assert int(symbols["oom_score_adj"]) == 1000 >= int(own["oom_score_adj"]) >= 500
    assert symbols["data"].endswith(" MiB") and own["data"].endswith(" MiB"), said
    assert sampler["system calls"] == symbols["system calls"], said
    fails(ctx, 2, "check", "--self", "1")
    fails(ctx, 2, "check")


def test_check_self_as_another_user(ctx):
    said = check_self(ctx, *nobody(ctx))
    assert said["sampler"]["capabilities"] == "none", said
    said = check_self(ctx, *nobody(ctx, "+sys_ptrace"))
    assert said["sampler"]["capabilities"] == "sys_ptrace", said


def test_check_as_another_user(ctx):
    process = ctx.spawn("sleep", "60")
    denied = ctx.run("check", process.pid, prefix=nobody(ctx))
    assert denied.returncode == 4 and "it runs as user 0, we are user 65534" in denied.stdout
    whole = ctx.run("check", process.pid, prefix=nobody(ctx, "+sys_ptrace"))
    assert whole.returncode == 0, whole.stdout
