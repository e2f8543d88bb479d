# SPDX-License-Identifier: MIT
"""The rules of the house: who includes and calls what, names, and the form of files."""

import pathlib
import re
import runpy
import shutil
import subprocess

SIDE_BY_SIDE = True

# Each knows itself and those before it. tui/ is at the top; unwind/x86_64, */reader and */front
# are parts of the rooms that they lie in.
ROOMS = ["base", "process", "reader", "sample", "unwind", "symbol", "wait", "profile", "rows",
         "output", "collect", "dump", "monitor", "heap", "serve", "session", "tui", "commands"]
TOP = ["src", "include", "tui", "proto", "tests", "examples"]
WRITTEN = {  # by hand, line by line
    ".c", ".h", ".py", ".mk", ".sh", ".proto", ".js", ".css", ".html"}
GUARDED = {"include/ptprof/ptprof.h"}  # for any C or C++ compiler: no #pragma once

COLUMNS = 100
FILE_LINES = 500
FUNCTION_LINES = 45
HEADER_LINES = 120
STRUCT_MEMBERS = 24
TABLES = {"tui/keymap.h"}  # headers that are one table
LARGE_STRUCTS = {"snapshot": 33}  # flat: saved screens name its members

CALLERS = {  # the only files that may call these
    "ptrace": {"src/sample/tracer.c"},
    "waitid": {"src/sample/tracer.c"},
    "wait4": set(),
    "waitpid": {"src/sample/sampler.c", "src/reader/reader.c",
                "src/symbol/debuginfod.c", "src/commands/checkpoint.c",
                "src/serve/worker_process.c", "src/session/api_serve.c",
                "src/commands/graphviz.c", "tui/guard.c"},
}
# Words of one machine stand in its folders, src/*/x86_64; but these files:
MACHINE_WORDS = re.compile(
    r"[xX]86|amd64|ia32|(?i:aarch)64|arm64|user_regs|gregs|endbr|AUDIT_ARCH_|\bEM_\w|"
    r"(?<!%)\b(?:orig_)?[re](?:[abcd]x|[sd]i|[sbi]p)\b|\br(?:8|9|1[0-5])\b|\bREG_R")
MACHINE_FILES = {
    "src/process/machine.h",  # chooses the folder
    "src/symbol/package.c",   # the name of a package
}
PREFIXES = {  # beyond what announced() gives; regular expressions
    "base/mem.c": {"x[a-z]+", "array", "cleanup", "steal"},
    "sample/sampler.c": {"control"},
    "wait/deadlock.c": {"verdicts"},
    "tui/table.c": {"slot"},
    "tui/act.c": {"app"}, "tui/act_move.c": {"app"}, "tui/act_find.c": {"app"},
}


def files(ctx, *suffixes):
    found = [ctx.root / "Makefile"] if "" in suffixes else []
    for top in TOP:
        found += [path for path in sorted((ctx.root / top).rglob("*"))
                  if path.is_file() and path.suffix in suffixes and path.suffix]
    return [(str(path.relative_to(ctx.root)), path.read_text()) for path in found]


def code(text):
    """C without comments and what stands between quotes; lines stay where they are."""
    def blank(match):
        word = match.group()
        return word[0] + word[-1] if word[0] in "\"'" else "\n" * word.count("\n")
    return re.sub(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*|/\*.*?\*/', blank, text,
                  flags=re.S)


def none_of(problems):
    assert not problems, "\n".join(problems)


def test_layers(ctx):
    bad = []
    for name, text in files(ctx, ".c", ".h"):
        if not name.startswith(("src/", "tui/")) or name == "src/main.c":
            continue
        folder = name.removeprefix("src/").split("/")[0]
        for included in re.findall(r'^#include "(\w+)/', text, re.M):
            if ROOMS.index(included) > ROOMS.index(folder):
                bad.append(f"{name} includes {included}/")
    none_of(bad)


def test_top_level_is_fixed(ctx):
    allowed = {*TOP, "Makefile", "LICENSE", "README.md", "build", "demo.pb.gz", "demo.folded",
               "demo.html"}
    none_of([ascii(path.name) for path in ctx.root.iterdir()
             if path.name not in allowed and not path.name.startswith(".")])


def test_a_machine_has_its_folders(ctx):
    bad = []
    for name, text in files(ctx, ".c", ".h"):
        if name.startswith(("src/", "tui/", "include/")) and "/x86_64/" not in name and \
                name not in MACHINE_FILES:
            bad += [f"{name}:{number}: {found.group()}"
                    for number, line in enumerate(text.splitlines(), 1)
                    if (found := MACHINE_WORDS.search(line))]
    none_of(bad)


def test_own_header_first(ctx):
    bad = []
    for name, text in files(ctx, ".c"):
        homes = {home.removesuffix(".c") + ".h" for home in (name, name.replace("/x86_64/", "/"))}
        own = [f'"{home.removeprefix("src/")}"' for home in homes if (ctx.root / home).exists()]
        if name.startswith(("src/", "tui/")) and own and \
                re.findall(r"^#include (.*)$", text, re.M)[0] not in own:
            bad.append(name)
    none_of(bad)


def test_curses_is_for_the_screen(ctx):
    none_of([name for name, text in files(ctx, ".c", ".h")
             if re.search(r"#include <n?curses", text) and name != "tui/screen.c"])


def test_callers(ctx):
    bad = []
    for name, text in files(ctx, ".c", ".h"):
        if not name.startswith(("src/", "tui/")):
            continue
        for called in re.findall(rf"\b({'|'.join(CALLERS)})\(", code(text)):
            if name not in CALLERS[called]:
                bad.append(f"{name} calls {called}()")
    none_of(bad)


def announced(ctx, name, text):
    """What exported names of src/NAME may begin with: the name of the file or its beginning, of
    the folder, of a struct that the file's own header declares, or that struct's first word."""
    folder, stem = name.removesuffix(".c").rsplit("/", 1)
    words = stem.split("_")
    prefixes = {*folder.split("/")} | {"_".join(words[:count + 1]) for count in range(len(words))}
    first = re.search(r'^#include ["<]([\w/]+\.h)[">]', text, re.M)
    for top in "src", "include", ".":
        header = ctx.root / top / first.group(1)
        if header.exists():
            structs = set(re.findall(r"^struct (\w+)", header.read_text(), re.M))
            prefixes |= structs | {struct.split("_")[0] for struct in structs}
    return prefixes | PREFIXES.get(name, set())


def test_prefixes(ctx):
    if not shutil.which("nm"):
        raise ctx.Skip("nm is not installed")
    objects = {(ctx.build / name).with_suffix(".o"): (name.removeprefix("src/"), text)
               for name, text in files(ctx, ".c")
               if name.startswith(("src/", "tui/")) and name != "src/main.c"}
    built = [path for path in objects if path.exists()]
    if not built:
        raise ctx.Skip("nothing is built")
    listed = subprocess.run(["nm", "-A", "--defined-only", "--extern-only", *built], check=True,
                            capture_output=True, text=True).stdout
    bad, patterns = [], {}
    for path, symbol in re.findall(r"^(\S+\.o):\S+ T (\S+)$", listed, re.M):
        if path not in patterns:
            words = announced(ctx, *objects[pathlib.Path(path)])
            patterns[path] = re.compile(rf"(?:{'|'.join(words)})(?:_|$)")
        if not patterns[path].match(symbol):
            bad.append(f"{objects[pathlib.Path(path)][0]}: {symbol}")
    assert patterns, "nm lists no symbol"
    none_of(bad)


def test_struct_tags_mean_one_thing(ctx):
    """Whoever finds a tag finds what it means."""
    homes = {}
    for name, text in files(ctx, ".c", ".h"):
        if name.startswith(("src/", "tui/", "include/")):
            for tag in re.findall(r"\b(?:struct|union|enum)\s+(\w+)\s*\{", code(text)):
                homes.setdefault(tag, []).append(name)
    none_of([f"{tag}: {' '.join(names)}" for tag, names in sorted(homes.items())
             if len(names) > 1])


def test_licence_line(ctx):
    none_of([name for name, text in files(ctx, "", *WRITTEN)
             if "SPDX-License-Identifier: MIT" not in "".join(text.splitlines(True)[:2])])


def test_headers_are_read_once(ctx):
    none_of([name for name, text in files(ctx, ".h")
             if (name in GUARDED) == bool(re.search(r"^#pragma once$", text, re.M))])


def test_columns(ctx):
    none_of([f"{name}:{number}: {len(line)} columns"
             for name, text in files(ctx, "", *WRITTEN)
             for number, line in enumerate(text.splitlines(), 1) if len(line) > COLUMNS])


def test_no_blanks_at_the_end(ctx):
    none_of([f"{name}:{number}" for name, text in files(ctx, "", *WRITTEN)
             for number, line in enumerate(text.splitlines(), 1) if line != line.rstrip()]
            + [f"{name}: its last line has no end" for name, text in files(ctx, "", *WRITTEN)
               if not text.endswith("\n")]
            + [f"{name}: blank lines at its end" for name, text in files(ctx, "", *WRITTEN)
               if text.endswith("\n\n")])


def test_length_of_files(ctx):
    none_of([f"{name}: {text.count(chr(10))} lines" for name, text in files(ctx, "", *WRITTEN)
             if text.count("\n") > FILE_LINES and not name.startswith("tests/")])


def test_length_of_headers(ctx):
    none_of([f"{name}: {text.count(chr(10))} lines" for name, text in files(ctx, ".h")
             if name.startswith(("src/", "tui/")) and name not in TABLES
             and text.count("\n") > HEADER_LINES])


def test_length_of_functions(ctx):
    bad = []
    for name, text in files(ctx, ".c", ".h"):
        if name.startswith(("tests/", "examples/")):
            continue
        start = 0
        for number, line in enumerate(text.splitlines(), 1):
            if line == "{":
                start = number
            elif line == "}" and start and number - start > FUNCTION_LINES:
                bad.append(f"{name}:{start}: {number - start} lines")
    none_of(bad)


def members(body):
    """How many members a struct has; those of a struct within it count as one."""
    body = re.sub(r"\{[^{}]*\}", "", body)
    parts = [part for part in body.split(";") if part.strip()]
    return sum(1 if "(" in part else part.count(",") + 1 for part in parts)


def test_members_of_structs(ctx):
    """A newcomer can hold them in his head."""
    bad = []
    for name, text in files(ctx, ".c", ".h"):
        for tag, body in re.findall(r"^struct (\w+) \{(.*?)^\};", code(text), re.M | re.S):
            most = LARGE_STRUCTS.get(tag, STRUCT_MEMBERS)
            if name.startswith(("src/", "tui/")) and members(body) > most:
                bad.append(f"{name}: struct {tag} has {members(body)} members")
    none_of(bad)


def test_exported_names_have_users(ctx):
    """Outside of the file that defines them: in the program, or in a test of a part of it."""
    texts = {name: code(text) for name, text in files(ctx, ".c", ".h")}
    words = {name: set(re.findall(r"\w+", text)) for name, text in texts.items()}
    declared = re.compile(r"^(?!static|typedef|return|#|\s)[\w \*]*?\b(\w+)\([^;{]*;", re.M)
    bad = []
    for name, text in texts.items():
        if not name.startswith(("src/", "tui/")) or not name.endswith(".h"):
            continue
        own = name.replace("/x86_64/", "/").removesuffix(".h")
        others = [found for other, found in words.items()
                  if other.replace("/x86_64/", "/").rsplit(".")[0] != own]
        bad += [f"{name}: {function}" for function in declared.findall(text)
                if not any(function in found for found in others)
                and not text.count(function + "(") > 1]  # in a macro
    none_of(bad)


def test_no_unit_test_ends_without_a_word(ctx):
    """It ends by SKIP_IF, which says why and is counted."""
    bad = []
    for name, text in files(ctx, ".c"):
        bodies = re.findall(r"^START_TEST\((\w+)\)(.*?)^END_TEST", code(text), re.M | re.S)
        bad += [f"{name}: {test}" for test, body in bodies if re.search(r"\breturn;", body)]
    none_of(bad)


def test_faults_are_found(ctx):
    """Each fault that tests/mutants plants still has its text, exactly once."""
    faults = runpy.run_path(str(ctx.root / "tests/mutants/faults.py"))["FAULTS"]
    texts = dict(files(ctx, ".c", ".h"))
    none_of([f"{what}: its text stands {texts.get(file, '').count(old)} times in {file}"
             for what, file, old, new, tests in faults if texts.get(file, "").count(old) != 1])
