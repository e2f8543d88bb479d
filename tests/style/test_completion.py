# SPDX-License-Identifier: MIT
"""The completion scripts parse, and offer exactly what the program takes."""

import os
import re
import shutil
import subprocess

import usage


def script(ctx, shell):
    """Its path; the shell has accepted it."""
    if not shutil.which(shell):
        raise ctx.Skip(f"{shell} is not installed")
    done = ctx.run("completion", shell)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    path = ctx.tmp / f"completion.{shell}"
    path.write_text(done.stdout)
    parsed = subprocess.run([shell, "-n", path], capture_output=True, text=True)
    assert parsed.returncode == 0 and parsed.stderr == "", parsed.stderr
    return path


def ask(shell, text, path, *words, cwd=None):
    """Runs `text` in the shell with the script and words as its arguments; the lines it prints."""
    flags = {"bash": ["--norc", "--noprofile"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    name = [] if shell == "fish" else ["test"]
    done = subprocess.run([shell, *flags, "-c", text, *name, path, *words], capture_output=True,
                          text=True, cwd=cwd, timeout=120)
    assert done.stderr == "", done.stderr
    return done.stdout.splitlines()


# The line as bash splits it, the last word is the one to complete.
BASH = """source "$1"; shift
COMP_WORDS=(ptprof "$@"); COMP_CWORD=$#
_ptprof
printf '%s\\n' "${COMPREPLY[@]}" """

FISH = 'source $argv[1]; complete -C "ptprof $argv[2]"'

# _arguments and _describe print what they were given.
ZSH = """compdef() { : }
_arguments() { print -rl -- "$@" }
_describe() { print -rl -- "${(@P)2}" }
source "$1"; shift
words=(ptprof "$@"); CURRENT=$(( $# + 1 ))
_ptprof"""


def sleeper(name, ctx):
    """A process of ours called `name`."""
    path = ctx.tmp / name
    shutil.copy(shutil.which("sleep"), path)
    return subprocess.Popen([path, "60"])


def test_bash(ctx):
    path = script(ctx, "bash")
    (ctx.tmp / "a file").touch()

    def complete(*words):
        return ask("bash", BASH, path, *words, cwd=ctx.tmp)

    commands = usage.commands(ctx)
    assert set(complete("")) == set(commands) | usage.spellings(usage.options(ctx))
    assert complete("che") == ["check"]
    assert complete("help", "comp") == ["completion"]
    assert complete("completion", "") == ["bash", "zsh", "fish"]
    for name in commands:
        expected = usage.spellings(usage.options(ctx, name))
        assert set(complete(name, "-")) == expected, name
        assert set(complete(name, "4242", "-")) == expected, name
    assert complete("attach", "--col") == ["--color"]
    assert complete("attach", "--color", "=") == ["auto", "always", "never"]
    assert complete("attach", "--color", "=", "al") == ["always"]
    assert complete("attach", "-f", "coll") == ["collapsed"]
    assert complete("attach", "-d", "") == [""]
    assert complete("attach", "-o", "a") == ["a file"]


def test_bash_pids(ctx):
    path = script(ctx, "bash")
    process = sleeper("name $(x)", ctx)
    try:
        for command in "attach", "check":
            lines = ask("bash", BASH, path, command, "")
            assert f"{process.pid} (name???x?)" in lines, lines
            assert all(re.fullmatch(r"\d+ \([\w.+?-]+\)", line) for line in lines), lines
        exact = [line for line in lines if line.startswith(str(process.pid))]
        if len(exact) == 1:
            assert ask("bash", BASH, path, "attach", str(process.pid)) == [str(process.pid)]
    finally:
        process.kill()
        process.wait()


def test_zsh(ctx):
    path = script(ctx, "zsh")
    for name in usage.commands(ctx):
        specs = "\n".join(ask("zsh", ZSH, path, name, ""))
        found = set(re.findall(r"^(?:\([^)]*\)|\*)?(--?[A-Za-z-]+)[+=]?\[", specs, re.M))
        assert found == usage.spellings(usage.options(ctx, name)), (name, specs)
    specs = "\n".join(ask("zsh", ZSH, path, ""))
    found = set(re.findall(r"^(?:\([^)]*\))?(--?[A-Za-z-]+)\[", specs, re.M))
    assert found == usage.spellings(usage.options(ctx)), specs


def test_zsh_pids(ctx):
    path = script(ctx, "zsh")
    text = ZSH.rsplit("\n", 2)[0] + "\n_ptprof_pids"
    lines = ask("zsh", text, path)
    assert f"{os.getpid()}:python3" in lines or any(
        line.startswith(f"{os.getpid()}:") for line in lines), lines


def test_fish(ctx):
    path = script(ctx, "fish")

    def complete(line):
        return [found.split("\t")[0] for found in ask("fish", FISH, path, line, cwd=ctx.tmp)]

    commands = usage.commands(ctx)
    assert set(complete("")) == set(commands)
    assert complete("completion ") == ["bash", "fish", "zsh"]
    assert set(complete("--")) == {f"--{name}" for _, name, _ in usage.options(ctx)}
    for name in commands:
        expected = {f"--{option}" + ("=" if value else "") for _, option, value in
                    usage.options(ctx, name)}
        found = {word for word in complete(f"{name} --")}
        assert {word.rstrip("=") for word in found} == {word.rstrip("=") for word in expected}, name
    assert set(complete("attach --color=")) == {"--color=auto", "--color=always", "--color=never"}
    assert complete("attach -f coll") == ["collapsed"]
    assert str(os.getpid()) in complete("attach ")
