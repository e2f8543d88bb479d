# SPDX-License-Identifier: MIT
"""`ptprof report --list` has the lines of `go tool pprof -list`, --graph the picture of -dot."""

import json
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import pprof_by_chance
from pprof_wire import message, number, varint
from test_report import golden, made_up, pprof_programs, run_pprof, run_report

SIDE_BY_SIDE = True

TYPES = ("cpu", "wall", "block", "threads")
SVG = "{http://www.w3.org/2000/svg}"


# --- lines ---

def routines(text):
    """(function, name of file) -> its lines, of which the first one has the sums. Which part of a
    path is shown differs when --source-path is given."""
    found, current = {}, None
    for line in text.splitlines():
        if match := re.match(r"ROUTINE =+ (.*) in (?:.*/)?(.*)$", line):
            current = found[match.groups()] = []
        elif line.startswith(("No source information", "Total:")):
            current = found[line, ""] = []
        elif not line.startswith((" Error:", " (")):
            current.append(line)
    return found


def line_number(line):
    return int(re.match(r" +\S+ +\S+ +(\d+):", line).group(1))


def within(wanted, found):
    """Of our lines those from pprof's first to its last: which ones those are is chance where a
    function has lines before its first one, as none has that a compiler made."""
    first, last = line_number(found[1]), line_number(found[-1])
    outside = [line for line in wanted[1:] if not first <= line_number(line) <= last]
    return [line for line in wanted if line not in outside]


def same_lines(ctx, files, expression, theirs=(), ours=(), form=lambda wanted, found: wanted):
    """Returns how many routines there are, and of how many there is a text."""
    wanted = routines(run_report(ctx, ["--list", expression, *ours], files))
    texts = 0
    for program in pprof_programs(ctx):
        found = routines(run_pprof(ctx, program, [f"-list={expression}", *theirs], files))
        told = {(f"No source information for {name}", "") for name, file in found if file}
        differ = found.keys() ^ wanted.keys()  # pprof is silent on what else such functions have
        assert differ <= told or not found, (program, files, expression, differ)
        for routine, lines in found.items():
            if len(lines) > 1:
                expected = form(wanted[routine], lines)
                assert lines == expected, (program, files, routine, lines, expected)
                texts += 1
            elif lines:
                assert lines[0] == wanted[routine][0], (program, files, routine, lines)
    return len(wanted), texts


def test_lines_of_go_profiles(ctx):
    source = ctx.root / "tests" / "golden"
    for path in golden(ctx):
        for expression in ".", r"^main\.", r"(?i)MALLOC|hot$":
            same_lines(ctx, [path], expression)
        _, texts = same_lines(ctx, [path], r"^main\.", [f"-source_path={source}"],
                              ["--source-path", source])
        assert texts or "threadcreate" in path.name, path


def test_lines_of_any_profile(ctx):
    source = ctx.tmp / "src"
    source.mkdir()
    for name in "main.c", "alloc.c":
        (source / name).write_text("".join(f"\tline {at} of {name}\n" for at in range(1, 120)))
    texts = 0
    for seed in range(8):
        path = made_up(ctx, seed, **({"least": -50} if seed % 2 else {}))
        same_lines(ctx, [path], ".")
        for filters in [], ["focus=main"], ["hide=alloc"], ["tagfocus=thread=io"]:
            texts += same_lines(ctx, [path], "main|alloc|int",
                                [f"-source_path={source}", *(f"-{one}" for one in filters)],
                                ["--source-path", source, *(f"--{one}" for one in filters)],
                                within)[1]
    assert texts > 50, texts


def test_lines_of_ours(ctx):
    process = ctx.target("split")
    paths = []
    for kind in TYPES:
        paths.append(ctx.tmp / f"{kind}.pb.gz")
        done = ctx.run("attach", process.pid, "-d", "1s", "--type", kind, "-o", paths[-1])
        assert done.returncode == 0, done.stderr
    process.kill()
    texts = sum(same_lines(ctx, [path], "heavy|light|main")[1] for path in paths)
    assert texts >= 3, texts


def test_lines_of_what_go_writes_now(ctx):
    pprof_programs(ctx)
    done = subprocess.run(["go", "run", ctx.root / "tests/golden/go_profiles.go", ctx.tmp],
                          capture_output=True, text=True, timeout=240, cwd=ctx.tmp,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    written = [path for path in ctx.tmp.glob("*.pb.gz")]
    assert len(written) == len(golden(ctx)), written
    counts = [same_lines(ctx, [path], ".") for path in written]
    assert sum(texts for _, texts in counts) > 20, counts


# --- what is said of texts ---

def listed(ctx, path, *options):
    done = ctx.run("report", path, "--list", "main", *options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_text_that_is_not_here_is_told(ctx):
    path = made_up(ctx, 1)
    text = listed(ctx, path)
    assert "(no text: there is no such file here; --source-path DIR says" in text, text
    assert re.search(r"^ +\S+ +\S+ +\d+:$", text, re.M), text
    (ctx.tmp / "main.c").write_text("one\n")
    text = listed(ctx, path)
    assert "(text of main.c, which has only 1 lines: it is another version)" in text, text
    (ctx.tmp / "main.c").write_text("x\n" * 200)
    assert "(text of main.c, newer than the profile: lines may have moved)" in listed(ctx, path)
    os.utime(ctx.tmp / "main.c", (1, 1))
    text = listed(ctx, path)
    assert "(text of main.c)" in text and re.search(r"^ +\S+ +\S+ +\d+:x$", text, re.M), text
    trimmed = listed(ctx, path, "--trim-path", "/src", "--source-path", "/nowhere:.")
    assert "(text of main.c)" in trimmed, trimmed


def test_a_hostile_text_is_harmless(ctx):
    path = made_up(ctx, 1)
    source = ctx.tmp / "main.c"
    source.write_bytes(b"\x1b[2J\xff\x9b31m" + b"x" * 5000 + b"\n" + b"ok\n" * 200)
    text = listed(ctx, path)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", text), text
    assert max(map(len, text.splitlines())) < 500
    for make in (lambda: os.mkfifo(source), lambda: source.symlink_to("/dev/zero"),
                 lambda: source.write_bytes(b"\0" * 100), source.mkdir):
        source.unlink()
        make()
        assert "(no text: " in listed(ctx, path)


def test_the_document_has_the_lines(ctx):
    path = golden(ctx)[2]
    text = routines(run_report(ctx, ["--list", r"^main\.", "--source-path", "/nowhere"], [path]))
    document = json.loads(run_report(ctx, ["--list", r"^main\.", "--json"], [path]))
    assert len(document["routines"]) == len(text) - 1
    for row in document["routines"]:
        numbers = [int(re.match(r" +\S+ +\S+ +(\d+):", line).group(1))
                   for line in text[row["name"], os.path.basename(row["file"])][1:]]
        assert numbers == [line["line"] for line in row["lines"]], (row, numbers)
        assert row["self"] == sum(line["self"] for line in row["lines"])


def test_refusals(ctx):
    path = made_up(ctx, 1)
    done = ctx.run("report", path, "--list", "nosuch")
    assert (done.returncode, done.stdout) == (1, ""), done
    assert "no function matches /nosuch/" in done.stderr
    done = ctx.run("report", path, "--list", "(")
    assert done.returncode == 2, done.stderr
    for name in "graph", "graph.jpg", ".svg":
        done = ctx.run("report", path, "--graph", name)
        assert done.returncode == 2 and "must end in .svg" in done.stderr, done.stderr
    done = ctx.run("report", path, "--graph", "g.svg", "--json")
    assert done.returncode == 2, done.stderr
    done = ctx.run("report", path, "--graph", "nowhere/g.svg")
    assert done.returncode == 1 and "nowhere" in done.stderr, done.stderr
    (ctx.tmp / "link.svg").symlink_to("elsewhere")
    done = ctx.run("report", path, "--graph", "link.svg")
    assert done.returncode == 2 and "symbolic link" in done.stderr, done.stderr
    assert not (ctx.tmp / "elsewhere").exists()


# --- graphs ---

def statements(text):
    """Boxes and edges, without what is not a number: the parts of names, colours of areas."""
    found = []
    for line in text.splitlines():
        if not re.match(r"N", line):
            continue
        line = line.replace("[label = ", "[label=").replace("&amp;", "&")
        line = re.sub(r' fillcolor="[^"]*"|(?<= )(?:weight|penwidth)=1 |style="\w+"', "", line)
        line = re.sub(r'^(N\d+ \[label=")[^"]*?(?:\\n)?(0 of|-?[\d.]+[^\\"]* \([\d.e+-]+%\))',
                      r"\1\2", line)
        found.append(line.replace("  ", " ").replace(" ]", "]"))
    return found


def legend(text):
    lines = re.search(r'fontsize=16 label="((?:[^"\\]|\\.)*)"', text).group(1).split(r"\l")
    return [line.replace("; --top 0 shows all", "") for line in lines
            if line.startswith(("Showing", "Dropped"))]


def unordered(lines):
    """Boxes by name instead of number, and edges, in no order. Nor have tags of a function that
    differ in the sign alone one of pprof's."""
    numbers = {match[1]: match[2] for line in lines
               if (match := re.match(r'(N\d+) \[.* tooltip="(.*) \([^ ]*\)" color', line))}

    def named(match):
        return numbers["N" + match[1]] + "_" * len(match[2])

    return sorted(re.sub(r"\bN+(\d+)(\w*)", named, re.sub(r"\bid=\S+", "", line))
                  for line in lines)


def same_graph(ctx, files, theirs=(), ours=(), form=list):
    drawn = run_report(ctx, ["--graph", "-", *ours], files)
    wanted, shown = statements(drawn), legend(drawn)
    if "shape=box3d" not in drawn:  # pprof draws tags that all samples have, too
        theirs = [*theirs, "-taghide=."]
    found = run_pprof(ctx, pprof_programs(ctx)[-1], ["-dot", *theirs], files)
    found, wanted, drawing = form(statements(found)), form(wanted), found
    difference = [f"  pprof {a}\n   ours {b}" for a, b in zip(found, wanted) if a != b][:5]
    assert found == wanted, "\n".join([f"{files} {theirs}", *difference])
    assert set(legend(drawing)) <= set(shown), (files, legend(drawing), shown)
    return len(wanted)


def test_graphs_of_go_profiles(ctx):
    for path in golden(ctx):
        head = run_pprof(ctx, pprof_programs(ctx)[-1], ["-raw"], [path])
        types = re.search(r"^Samples:\n(.*)$", head, re.M).group(1).split()
        for at in range(len(types)):
            same_graph(ctx, [path], [f"-sample_index={at}"], ["--sample-type", str(at)])


def test_graphs_of_any_profile(ctx):
    lines = 0
    for seed in range(12):
        path = made_up(ctx, seed, samples=[120, 8, 1][seed % 3])
        lines += same_graph(ctx, [path])
        same_graph(ctx, [path], ["-nodecount=7"], ["--top", "7"])
        same_graph(ctx, [path], ["-focus=main", "-hide=loop"], ["--focus=main", "--hide=loop"])
        same_graph(ctx, [path], ["-tagfocus=thread=io"], ["--tagfocus=thread=io"])
    assert lines > 500, lines


def test_graphs_of_ours(ctx):
    process = ctx.target("contended", "normal")
    for kind in TYPES:
        path = ctx.tmp / f"{kind}.pb.gz"
        done = ctx.run("attach", process.pid, "-d", "1s", "--type", kind, "-o", path)
        assert done.returncode == 0, done.stderr
        same_graph(ctx, [path])
    process.kill()


def test_graphs_of_differences(ctx):
    for old, new in (0, 1), (2, 3):
        base = made_up(ctx, old)
        same_graph(ctx, [made_up(ctx, new)], [f"-diff_base={base}"], ["--diff-base", base],
                   form=unordered)  # pprof's order has the logarithms of what is below 0


# --- pictures ---

HOSTILE = ["<script>document.documentElement.id='owned'</script>", '"];evil [label="<b>',
           "a\" URL=\"javascript:document.documentElement.id='owned'", "&nope; &lt; &#0; &amp;",
           "]]> --> <!-- ?> <![CDATA[", "\\N \\E \\L \\", "\x1b[2J\x01\x7f\u202e", "<b>bold</b>",
           "' onload='alert(1)", "x" * 5000, "日本語::übung<int>", "end\\"]


def hostile_profile(ctx):
    writer = pprof_by_chance.Writer()
    writer.add(1, (1, writer.text("<cpu>&")), (2, writer.text("nanoseconds")))
    writer.add(3, (1, 1), (2, 0x1000), (3, 0x2000), (5, writer.text("/bin/<script>\"&x;\\")))
    for at, name in enumerate(HOSTILE, 1):
        writer.add(5, (1, at), (2, writer.text(name)), (3, writer.text(name)))
        line = message(4, number(1, at) + number(2, 3))
        head = b"".join(number(*field) for field in ((1, at), (2, 1), (3, 0x1000 + at)))
        writer.parts.append(message(4, head + line))
    for at in range(1, len(HOSTILE)):
        label = message(3, number(1, writer.text("k\"<&")) +
                        number(2, writer.text(HOSTILE[at])))
        stack = b"".join(map(varint, (at, at + 1)))
        writer.parts.append(message(2, message(1, stack) + message(2, varint(1000)) + label))
    comment = writer.text("</svg><script>document.documentElement.id='owned'</script>")
    writer.parts.append(number(13, comment))
    path = ctx.tmp / "hostile.pb.gz"
    path.write_bytes(writer.bytes())
    return path


def need_dot(ctx):
    if not shutil.which("dot"):
        raise ctx.Skip("graphviz is not installed")


def picture(ctx, path, name):
    done = ctx.run("report", path, "--graph", name)
    assert (done.returncode, done.stderr) == (0, ""), done
    return ctx.tmp / name


def test_pictures_have_their_formats(ctx):
    need_dot(ctx)
    path = golden(ctx)[2]
    assert picture(ctx, path, "a.png").read_bytes().startswith(b"\x89PNG")
    assert picture(ctx, path, "a.pdf").read_bytes().startswith(b"%PDF")
    assert picture(ctx, path, "a.dot").read_text().startswith("digraph")
    assert picture(ctx, path, "a.svg").read_text().rstrip().endswith("</svg>")
    assert picture(ctx, path, "a.svg").stat().st_mode & 0o777 == 0o600
    assert sorted(one.name for one in ctx.tmp.glob("a.*")) == ["a.dot", "a.pdf", "a.png", "a.svg"]


def test_no_name_does_harm_in_a_picture(ctx):
    need_dot(ctx)
    tree = ElementTree.parse(picture(ctx, hostile_profile(ctx), "hostile.svg"))
    elements = list(tree.iter())
    tags = {element.tag.removeprefix(SVG) for element in elements}
    harmless = {"svg", "g", "a", "title", "text", "polygon", "polyline", "path", "ellipse"}
    assert tags <= harmless, tags
    for element in elements:
        for name, value in element.attrib.items():
            assert not re.match(r"on|(\{.*\})?href$", name), (name, value)
            assert name == "{http://www.w3.org/1999/xlink}title" or "script" not in value, value
    texts = [element.text for element in elements if element.tag == SVG + "text"]
    for name in "<script>document.documentElement", "&nope; &lt; &#0; &amp;", "]]> --> <!-- ?>":
        assert any(text and name in text for text in texts), (name, texts)


def test_no_script_runs_in_a_browser(ctx):
    need_dot(ctx)
    browser = shutil.which("chromium")
    if not browser:
        raise ctx.Skip("chromium is not installed")
    shown = {}
    control = ctx.tmp / "control.svg"  # shows that a script would be noticed
    control.write_text('<svg xmlns="http://www.w3.org/2000/svg"><script>'
                       "document.documentElement.id='owned'</script></svg>")
    for path in control, picture(ctx, hostile_profile(ctx), "hostile.svg"):
        done = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu",
                               f"--user-data-dir={ctx.tmp / 'browser'}", "--dump-dom",
                               f"file://{path}"], capture_output=True, text=True, timeout=120)
        shown[path] = re.search(r"<svg[^>]*>", done.stdout)
        assert shown[path], (done.stdout[:2000], done.stderr[-2000:])
        assert "parsererror" not in done.stdout, done.stdout[:2000]
    assert "owned" in shown[control].group(), shown
    assert "owned" not in shown[path].group(), shown


def test_without_dot_the_text_is_written(ctx):
    path = golden(ctx)[2]
    (ctx.tmp / "bin").mkdir()
    environment = {**os.environ, "PATH": str(ctx.tmp / "bin")}
    done = ctx.run("report", path, "--graph", "b.svg", env=environment)
    assert done.returncode == 1 and not (ctx.tmp / "b.svg").exists(), done
    assert "Install graphviz, then: dot -Tsvg b.dot > b.svg" in done.stderr, done.stderr
    assert (ctx.tmp / "b.dot").read_text() == run_report(ctx, ["--graph", "-"], [path])
    dot = ctx.tmp / "bin" / "dot"
    dot.write_text("#!/bin/sh\necho 'Error: \033[1mno layout' >&2\nexit 1\n")
    dot.chmod(0o755)
    done = ctx.run("report", path, "--graph", "c.png", env=environment)
    assert done.returncode == 1 and not (ctx.tmp / "c.png").exists(), done
    assert r"graphviz's dot failed: Error: \x1b[1mno layout" in done.stderr, done.stderr
