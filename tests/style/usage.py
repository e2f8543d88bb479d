# SPDX-License-Identifier: MIT
"""What `ptprof help` lists, for the tests that hold other texts against it."""

import re

OPTION = re.compile(r"^  (?:-(\w), |    )--([a-z-]+)(?:=(\S+))?", re.M)


def help_text(ctx, *arguments):
    done = ctx.run("help", *arguments)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout


def section(text, title):
    return re.search(rf"^{title}:\n((?:  .*\n)+)", text, re.M).group(1)


def commands(ctx):
    names = re.findall(r"^  (\S+) ", section(help_text(ctx), "Commands"), re.M)
    assert "check" in names and "help" in names, names
    return names


def options(ctx, *command):
    """(letter or "", name, value or "") of each option of a command; without one, of ptprof."""
    found = OPTION.findall(section(help_text(ctx, *command), "Options"))
    assert ("h", "help", "") in found, found
    return found


def spellings(found):
    """All ways to write them: {"-h", "--help"}."""
    return {f"--{name}" for _, name, _ in found} | \
        {f"-{letter}" for letter, _, _ in found if letter}
