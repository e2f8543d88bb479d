# SPDX-License-Identifier: MIT
"""The man page says what the program does."""

import re
import shutil
import subprocess

import usage

ITEM = re.compile(r"^\.It (?:Fl (\w) , )?Fl -([a-z-]+)(?: Ns = Ns (?:Ar|Cm) (.*))?$", re.M)
# What mandoc says of our order of sections (examples come first) and of manuals not installed here.
ACCEPTED = re.compile(r"sections out of conventional order|referenced manual not found|"
                      r"typo in section name: Sh (REPORT|CONVERT|VIEW) instead|"
                      r"outdated mandoc.db")

SAME_LINE = {"config": "serve"}  # commands that take the command line of another one


def page(ctx):
    return ctx.root / "src" / "ptprof.1"


def sections(ctx):
    parts = re.split(r"^\.Sh (.*)\n", page(ctx).read_text(), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def documented(text):
    return [(letter, name, value.replace(" ", "")) for letter, name, value in ITEM.findall(text)]


def test_options_are_those_of_the_program(ctx):
    found = sections(ctx)
    commands = usage.commands(ctx)
    for name in commands:
        if name in SAME_LINE:
            assert usage.options(ctx, name) == usage.options(ctx, SAME_LINE[name])
            commands = [other for other in commands if other != name]
        else:
            assert documented(found[name.upper()]) == usage.options(ctx, name), name
    assert documented(found["OPTIONS"]) == usage.options(ctx)
    with_options = {title for title, text in found.items() if ITEM.search(text)}
    assert with_options == {"OPTIONS"} | {name.upper() for name in commands}, with_options


def test_defaults_are_those_of_the_program(ctx):
    text = sections(ctx)["ATTACH"]
    items = dict(re.findall(r"^\.It .*Fl -([a-z-]+).*\n((?:(?!\.It|\.El).*\n)*)", text, re.M))
    helped = usage.section(usage.help_text(ctx, "attach"), "Options")
    found = [re.match(r"(?:-\w, )?--([a-z-]+)(?:.|\n)*\(default:\s+([\w.]+)\)", entry.strip())
             for entry in re.split(r"\n(?=  -|      --)", helped)]
    found = [match.groups() for match in found if match]
    assert ("rate", "99") in found and ("max-depth", "4096") in found, found
    for name, value in found:
        assert re.search(rf"\b{re.escape(value)}\b", items[name]), (name, value)


def test_order_of_sections(ctx):
    titles = list(sections(ctx))
    assert titles[:4] == ["NAME", "SYNOPSIS", "DESCRIPTION", "EXAMPLES"], titles
    for title in "EXIT STATUS", "PERMISSIONS", "OVERHEAD", "FILES", "ENVIRONMENT":
        assert title in titles, title


def test_examples_use_options_that_exist(ctx):
    for line in re.findall(r"^ptprof (.*)$", sections(ctx)["EXAMPLES"], re.M):
        command, *words = line.split("|")[0].split()
        known = usage.spellings(usage.options(ctx, command))
        used = {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert used <= known, line


def test_mandoc_lint(ctx):
    if not shutil.which("mandoc"):
        raise ctx.Skip("mandoc is not installed")
    lint = subprocess.run(["mandoc", "-Tlint", page(ctx)], capture_output=True, text=True)
    bad = [line for line in lint.stdout.splitlines() if not ACCEPTED.search(line)]
    assert not bad, "\n".join(bad)
