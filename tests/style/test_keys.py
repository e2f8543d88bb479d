# SPDX-License-Identifier: MIT
"""The keys of `ptprof top`: help, function bar and man page are made of tui/keymap.h."""

import os
import re
import subprocess


def play(ctx, *lines, files=()):
    """What a script saves, by name; the help is that of a screen with room for all of it."""
    (ctx.tmp / "script").write_text("\n".join(lines) + "\n")
    screens = ctx.root / "tests" / "screens"
    shows = ["view", *(screens / name for name in files)] if files else [
        "top", "--replay", screens / "service.snapshots"]
    subprocess.run([ctx.ptprof, *shows, "--script", "script"], cwd=ctx.tmp, check=True,
                   env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}, timeout=120)
    return {path.name: path.read_text() for path in ctx.tmp.iterdir()}


def table(ctx):
    text = play(ctx, ":save-keys keys")["keys"]
    return {name: keys for name, *keys in map(str.split, text.splitlines())}


def test_no_key_has_two_actions(ctx):
    keys = [key for names in table(ctx).values() for key in names]
    assert len(set(keys)) == len(keys), sorted(key for key in keys if keys.count(key) > 1)


# What means something only for a process, for files, for two files.
RUN = {"FREEZE", "PAUSE", "RESET", "WINDOW", "DELAY"}
FILES = {"LABEL"}
PAIR = {"EQUAL"}
NOT_PAIR = {"STACKS"}


def test_help_shows_every_key(ctx):
    for cols in 80, 100, 120, 150:
        for files, without in (((), FILES | PAIR), (["new.folded"], RUN | PAIR),
                               (["old.folded", "new.folded"], RUN | NOT_PAIR)):
            screen = play(ctx, f":size {cols}x120", "?", ":save-screen help", files=files)["help"]
            for name, keys in table(ctx).items():
                found = re.search(r"(?:^|\s)" + re.escape(" ".join(keys)) + r"  \S", screen)
                assert bool(found) == (name not in without), (name, files)
            assert "…" not in screen


def test_bar_shows_function_keys(ctx):
    bar = play(ctx, ":save-screen top")["top"].splitlines()[-1]
    shown = re.findall(r"\bF\d+", bar)
    assert shown == [f"F{number}" for number in range(1, 11)], shown
    assert set(shown) <= {key for keys in table(ctx).values() for key in keys}


def test_manual_holds_the_table(ctx):
    page = ctx.root / "src" / "ptprof.1"
    made = play(ctx, ":save-manual manual")["manual"]
    text = page.read_text()
    if os.environ.get("UPDATE"):
        first = made.splitlines()[0]
        begin = text.index(first)
        text = text[:begin] + made + text[text.index(".Sh ", begin):]
        page.write_text(text)
    assert made in text, "the keys in src/ptprof.1 are others; UPDATE=1 rewrites them"
