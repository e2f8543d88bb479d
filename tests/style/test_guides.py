# SPDX-License-Identifier: MIT
"""The pages for users, README.md and examples/*.md, hold to the program and to each other."""

import re
import shlex

import usage

BLOCK = re.compile(r"^```.*?\n(.*?)^```", re.M | re.S)
LINK = re.compile(r"\]\(([^)\s]+)\)")
ENDS = {"|", "||", "&&", ";", "&", ">", "2>", ">>", "2>&1"}  # of a command's words


def pages(ctx):
    found = [ctx.root / "README.md", *sorted((ctx.root / "examples").glob("*.md"))]
    assert len(found) > 5, found
    return {str(path.relative_to(ctx.root)): path.read_text() for path in found}


def configuration(ctx):
    """Units, manifests and the like, without their comments."""
    paths = [path for path in sorted((ctx.root / "examples").rglob("*"))
             if path.is_file() and path.suffix not in {".c", ".md", ".png", ".json"}]
    return {str(path.relative_to(ctx.root)): re.sub(r"^ *(//|#).*$", "", path.read_text(),
                                                    flags=re.M) for path in paths}


def typed(name, text):
    """What a page shows as typed: lines with a prompt; the README's lists have none."""
    for block in BLOCK.findall(text):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            if line.startswith("$ ") or name == "README.md" and re.match(r"ptprof [a-z]", line):
                yield line.removeprefix("$ ")


def calls(line):
    """The words after each `ptprof` in it; a quoted command, as for ssh, is looked into."""
    try:
        words = shlex.split(line.replace(";", " ; "), comments=True)
    except ValueError:
        words = line.split()
    for at, word in enumerate(words):
        if re.search(r"\bptprof\b.* ", word):
            yield from calls(word)
        elif re.fullmatch(r"(?:\S*/)?ptprof", word):
            rest = words[at + 1:]
            yield rest[:next((i for i, one in enumerate(rest) if one in ENDS), len(rest))]


def check_call(ctx, where, words):
    if not words:
        return []
    command, *rest = words
    if command.startswith("-"):
        return []
    if command not in usage.commands(ctx):
        return [f"{where}: there is no ptprof {command}"]
    known = usage.spellings(usage.options(ctx, command))
    used = {word.split("=")[0] for word in rest if re.match(r"--?[a-z]", word)}
    return [f"{where}: {option} of {' '.join(words)}" for option in sorted(used - known)]


def none_of(problems):
    assert not problems, "\n".join(problems)


def test_commands_exist(ctx):
    bad, count = [], 0
    for name, text in pages(ctx).items():
        for line in typed(name, text):
            for words in calls(line):
                bad += check_call(ctx, name, words)
                count += 1
    for name, text in configuration(ctx).items():
        for command in re.findall(r"\bptprof (serve\b.*)", re.sub(r"\\\n\s*", "", text)):
            bad += check_call(ctx, name, command.split())
            count += 1
    none_of(bad)
    assert count > 30, count


def anchor(heading):
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_links_lead_somewhere(ctx):
    bad, texts = [], pages(ctx)
    for name, text in texts.items():
        for target in LINK.findall(re.sub(r"`[^`\n]*`", "", BLOCK.sub("", text))):
            path, _, place = target.partition("#")
            if re.match(r"https?:", target):
                continue
            found = (ctx.root / name).parent / path if path else ctx.root / name
            if not found.exists():
                bad.append(f"{name}: {target}")
            elif place and place not in {anchor(heading) for heading in
                                         re.findall(r"^#+ (.*)$", found.read_text(), re.M)}:
                bad.append(f"{name}: {target}: no such heading")
    none_of(bad)


def test_every_guide_is_linked(ctx):
    index = (ctx.root / "examples" / "README.md").read_text()
    none_of([path.name for path in (ctx.root / "examples").glob("*")
             if path.suffix in {".md", ".c"} and path.name not in {"README.md"} | set(
                 LINK.findall(index))])


def test_programs_are_built(ctx):
    listed = re.search(r"^EXAMPLES +:= .*?/examples/,([^)]*)\)",
                       (ctx.root / "Makefile").read_text(), re.M)
    none_of([path.name for path in (ctx.root / "examples").glob("*.c")
             if path.stem not in listed.group(1).split()])
