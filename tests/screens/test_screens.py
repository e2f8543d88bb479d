# SPDX-License-Identifier: MIT
"""Screens of `ptprof top` and `ptprof view`: keys of NAME.script over replayed snapshots or files,
saved screens compared with those in expected/. UPDATE=1 rewrites them.

The first lines of a script say what it runs on:

    # replay: FILE.snapshots, or
    # view: FILE...
    # options: --ascii
    # locale: C
"""

import difflib
import os
import pathlib
import re
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
EXPECTED = HERE / "expected"
SCRIPTS = sorted(HERE.glob("*.script"))
NEVER = "never-after-quitting"  # a screen that a script asks for after `q`


def heading(script, name, otherwise=""):
    found = re.search(rf"^# {name}: (.*)$", script.read_text(), re.M)
    return found.group(1) if found else otherwise


def play(ctx, script, locale=None):
    """Runs a script in a directory of its own and returns the screens it saved."""
    folder = ctx.tmp / script.stem
    folder.mkdir()
    files = [HERE / name for name in heading(script, "view").split()]
    for path in files:
        shutil.copy(path, folder)
    shows = ["view", *(path.name for path in files)] if files else [
        "top", "--replay", HERE / heading(script, "replay")]
    command = [ctx.ptprof, *shows, "--script", script, *heading(script, "options").split()]
    environment = {"PATH": os.environ["PATH"],
                   "LC_ALL": locale or heading(script, "locale", "C.UTF-8")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=240)
    ctx.stderr = done.stderr
    assert done.returncode == 0, f"exit status {done.returncode}"
    assert not done.stdout and not done.stderr, done.stdout
    given = {path.name for path in files}
    return {path.name: path.read_text() for path in folder.iterdir()
            if path.name not in given and not path.name.endswith(".pb.gz")}


def difference(name, was, now):
    return "\n".join(difflib.unified_diff(was.splitlines(), now.splitlines(), f"expected/{name}",
                                          "now", lineterm=""))


def compare(ctx, script):
    screens = play(ctx, script)
    asked = re.findall(r"^:save-(?:screen|roles) (\S+)$", script.read_text(), re.M)
    missing = [name for name in asked if name not in screens and name != NEVER]
    assert not missing and NEVER not in screens, missing
    if os.environ.get("UPDATE"):
        for name in screens:
            (EXPECTED / name).write_text(screens[name])
    problems = [difference(name, (EXPECTED / name).read_text() if (EXPECTED / name).exists() else
                           "", text)
                for name, text in sorted(screens.items())]
    assert not any(problems), "\n".join(problem for problem in problems if problem)


for each in SCRIPTS:
    def run(ctx, script=each):
        compare(ctx, script)
    globals()["test_" + each.stem.replace("-", "_")] = run
del run


def test_every_screen_is_still_made(ctx):
    asked = {name for script in SCRIPTS
             for name in re.findall(r"^:save-(?:screen|roles) (\S+)$", script.read_text(), re.M)}
    asked |= {"saved.screen"}  # by a key
    kept = {path.name for path in EXPECTED.iterdir()}
    assert kept <= asked, sorted(kept - asked)


def test_every_action_has_a_screen(ctx):
    (ctx.tmp / "keys.script").write_text(f"# replay: service.snapshots\n:save-keys keys\n")
    keys = play(ctx, ctx.tmp / "keys.script")["keys"]
    used = {"mouse"}
    for script in SCRIPTS:
        lines = [line for line in script.read_text().splitlines()
                 if not line.startswith((":", "# "))]
        used |= {word for line in lines for word in line.split()}
    actions = [line.split() for line in keys.splitlines()]
    assert len(actions) > 50
    bare = [name for name, *names in actions if not used & set(names)]
    assert not bare, bare


def test_lines_are_as_wide_as_the_screen_at_most(ctx):
    sizes = [(1, 1), (20, 5), (40, 6), (41, 11), (50, 12), (79, 15), (80, 16), (100, 24),
             (300, 100)]
    views = "1", "2 E", "3", "4", "1 c", "4 b", "1 ?"
    shown = [f"replay: {name}.snapshots" for name in ("service", "hostile", "troubled")]
    shown += ["view: hostile.folded", "view: service.pb.gz", "view: old.folded new.folded"]
    for number, what in enumerate(shown):
        script = ctx.tmp / f"shown-{number}.script"
        lines = [f"# {what}"]
        for cols, rows in sizes:
            for view, keys in enumerate(views):
                lines += [f":size {cols}x{rows}", keys, f":save-roles {cols}x{rows}-{view}",
                          "Esc Esc"]
        script.write_text("\n".join(lines) + "\n")
        screens = play(ctx, script)
        assert len(screens) == len(sizes) * len(views)
        for name, text in screens.items():
            cols, rows = map(int, name.split("-")[0].split("x"))
            assert len(text.splitlines()) == rows, name
            assert max(map(len, text.splitlines())) <= cols, name
