# SPDX-License-Identifier: MIT
"""`ptprof report` has the numbers of go tool pprof, to the digit and in its order: of Go files,
of ours, and of files made by chance, in each view and through each filter."""

import json
import os
import re
import shutil
import subprocess

import pprof_by_chance

SIDE_BY_SIDE = True

SHOWS_ALL = "; --top 0 shows all"
TYPES = ("cpu", "wall", "block", "mutex", "threads", "threadcreate")

VIEWS = [  # what pprof and what we are told
    (["-top"], ["--top", "0"]),
    (["-top", "-cum"], ["--top", "0", "--sort", "total"]),
    (["-top", "-nodecount=4"], ["--top", "4"]),
    (["-tree"], ["--tree"]),
    (["-tree", "-cum"], ["--tree", "--sort", "total"]),
    (["-tree", "-nodecount=5"], ["--tree", "--top", "5"]),
    (["-peek=."], ["--peek", "."]),
    (["-peek=main|alloc"], ["--peek", "main|alloc"]),
    (["-traces"], ["--traces"]),
]

FILTERS = [
    {"focus": "main"}, {"focus": "alloc|free", "ignore": "loop"}, {"ignore": "libc"},
    {"hide": "runtime|alloc"}, {"show": "main|run"}, {"show": "libc", "hide": "loop"},
    {"focus": "main", "hide": r"\(\*?\w+\)"}, {"focus": r"\.go$|\.c$"}, {"hide": "libc"},
    {"tagfocus": "thread=main"}, {"tagfocus": "bytes=1kb:"}, {"tagfocus": ":2kb"},
    {"tagfocus": "bytes=16:1024b"}, {"tagfocus": "bytes=4kb"}, {"tagfocus": "request=2:4"},
    {"tagfocus": "request=2s:"}, {"tagfocus": "3x"}, {"tagfocus": "thread:.*,er"},
    {"tagfocus": "thread=io,main"}, {"tagignore": "thread=work"}, {"tagignore": "bytes=:1kb"},
    {"tagfocus": "thread=main", "ignore": "free"},
]

resolved = []


def pprof_programs(ctx):
    """The pprofs of all Go releases here, the newest last."""
    if not resolved:
        found = {}
        places = [shutil.which("go"), "/usr/bin/go", "/usr/local/go/bin/go"]
        for go in {os.path.realpath(place) for place in places if place and os.path.exists(place)}:
            version = subprocess.run([go, "version"], capture_output=True, text=True).stdout
            number = tuple(map(int, re.search(r"go(\d+)\.(\d+)", version).groups()))
            path = subprocess.run([go, "tool", "-n", "pprof"], capture_output=True, text=True)
            found[number] = path.stdout.strip() if path.returncode == 0 else None
        resolved.extend(found[number] for number in sorted(found) if found[number])
    if not resolved:
        raise ctx.Skip("go is not installed")
    return resolved


def run_pprof(ctx, program, arguments, files):
    environment = {**os.environ, "PPROF_TMPDIR": str(ctx.tmp), "PPROF_BINARY_PATH": str(ctx.tmp)}
    done = subprocess.run([program, "-symbolize=none", *arguments, *map(str, files)],
                          capture_output=True, text=True, cwd=ctx.tmp, env=environment,
                          timeout=120, stdin=subprocess.DEVNULL)
    assert done.returncode == 0 or "no matches found" in done.stderr, done.stderr
    return done.stdout


def run_report(ctx, arguments, files):
    done = ctx.run("report", *arguments, *files)
    assert done.returncode == 0 or "no function matches" in done.stderr, done.stderr
    return done.stdout


def body(text):
    """What comes after the head, which tells of files and dates in words of each tool's own."""
    text = text.replace("[[", "[").replace("]]", "]").replace(SHOWS_ALL, "")
    lines = [line.rstrip() for line in text.splitlines()]
    starts = [at for at, line in enumerate(lines) if line.startswith(("Showing nodes", "-------"))]
    return lines[starts[0]:] if starts else []


def blocks(lines):
    """The lines between rulers, without samples of nothing: of one file pprof shows those too."""
    found = [[]]
    for line in lines:
        if line.startswith("-------"):
            found.append([])
        else:
            found[-1].append(line)
    return [block for block in found if not any(re.match(r" +0   \S", line) for line in block)]


def unordered(lines):
    """Edges of one function that differ in the sign alone are in no order of pprof's."""
    return [sorted(block) for block in blocks(lines)]


def same(ctx, files, theirs, ours, programs=None, form=blocks):
    wanted = sum(form(body(run_report(ctx, ours, files))), [])
    for program in programs or pprof_programs(ctx):
        found = sum(form(body(run_pprof(ctx, program, theirs, files))), [])
        difference = [f"  pprof {a!r}\n   ours {b!r}" for a, b in zip(found, wanted) if a != b][:5]
        asked = f"{program} {theirs} {files} (report {ours}): {len(found)} and {len(wanted)} lines"
        assert found == wanted, "\n".join([asked, *difference])
    return len(wanted)


def filtered(filters):
    theirs = [f"-{name}={text}" for name, text in filters.items()]
    ours = [word for name, text in filters.items() for word in (f"--{name}", text)]
    return theirs, ours


def golden(ctx):
    return sorted((ctx.root / "tests" / "golden").glob("*.pb.gz"))


def made_up(ctx, seed, **how):
    path = ctx.tmp / f"chance-{seed}-{len(how)}.pb.gz"
    path.write_bytes(pprof_by_chance.make(seed, **how))
    return path


def test_views_of_go_profiles(ctx):
    lines = sum(same(ctx, [path], theirs, ours) for path in golden(ctx) for theirs, ours in VIEWS)
    assert lines > 500, lines


def test_views_of_any_profile(ctx):
    for seed in range(6):
        path = made_up(ctx, seed)
        for theirs, ours in VIEWS:
            same(ctx, [path], theirs, ours)


def test_values_below_zero(ctx):
    for seed in range(6):
        path = made_up(ctx, seed, least=-50)
        for theirs, ours in VIEWS:
            same(ctx, [path], theirs, ours, form=unordered)


def test_filters(ctx):
    newest = pprof_programs(ctx)[-1:]
    paths = [made_up(ctx, 1), made_up(ctx, 3), *golden(ctx)[1:4]]
    for path in paths:
        for filters in FILTERS:
            theirs, ours = filtered(filters)
            same(ctx, [path], [*theirs, "-top"], [*ours, "--top", "0"], newest)
            same(ctx, [path], [*theirs, "-tree"], [*ours, "--tree"], newest)
            if not {"hide", "show"} & set(filters):  # we add up stacks that have become the same
                same(ctx, [path], [*theirs, "-traces"], [*ours, "--traces"], newest)


def test_frames_that_a_file_drops(ctx):
    for drop in "alloc|free", "leaf", "main|operator\\(\\)", "std::vector<int>::push_back":
        path = made_up(ctx, 2, drop=drop)
        for theirs, ours in VIEWS:
            same(ctx, [path], theirs, ours)


def test_sample_types(ctx):
    for path in golden(ctx):
        head = run_pprof(ctx, pprof_programs(ctx)[-1], ["-raw"], [path])
        types = re.search(r"^Samples:\n(.*)$", head, re.M).group(1).split()
        for at, name in enumerate(types):
            name = name.split("/")[0]
            same(ctx, [path], [f"-sample_index={at}", "-top"], ["--sample-type", str(at), "-n0"])
            same(ctx, [path], [f"-sample_index={name}", "-tree"], ["--sample-type", name, "--tree"])
    heap = ctx.root / "tests/golden/go-heap.pb.gz"
    same(ctx, [heap], ["-sample_index=inuse_space", "-top"], ["--inuse", "--top", "0"])
    same(ctx, [heap], ["-sample_index=alloc_space", "-top"], ["--alloc", "--top", "0"])


def test_sums_and_differences(ctx):
    for old, new in (0, 1), (2, 3), (4, 5):
        files = [made_up(ctx, new)]
        base = made_up(ctx, old)
        for theirs, ours in VIEWS[:-1]:
            same(ctx, [*files, base], theirs, ours)
            same(ctx, files, [f"-base={base}", *theirs], ["--base", base, *ours])
            same(ctx, files, [f"-diff_base={base}", *theirs], ["--diff-base", base, *ours])
        same(ctx, files, [f"-diff_base={files[0]}", "-top"], ["--diff-base", files[0], "-n0"])


def go_program(ctx):
    go = shutil.which("go")
    if not go:
        raise ctx.Skip("go is not installed")
    program = ctx.tmp / "go_profiles"
    environment = {**os.environ, "GOCACHE": str(ctx.build / "go-cache"), "GO111MODULE": "off"}
    built = subprocess.run([go, "build", "-o", program, ctx.root / "tests/golden/go_profiles.go"],
                           capture_output=True, text=True, env=environment, timeout=300)
    assert built.returncode == 0, built.stderr
    return program


def test_profiles_that_go_writes_now(ctx):
    program = go_program(ctx)
    for at in "1", "2":
        (ctx.tmp / at).mkdir()
        subprocess.run([program, ctx.tmp / at], check=True, timeout=60)
    first = sorted((ctx.tmp / "1").glob("*.pb.gz"))
    assert len(first) == len(golden(ctx)), first
    for path in first:
        other = ctx.tmp / "2" / path.name
        for theirs, ours in VIEWS[:-1]:
            same(ctx, [path], theirs, ours)
        same(ctx, [path, other], ["-top"], ["--top", "0"])
        same(ctx, [path], [f"-base={other}", "-tree"], ["--base", other, "--tree"])
        same(ctx, [path], [f"-diff_base={other}", "-top"], ["--diff-base", other, "--top", "0"])


def test_profiles_of_ours(ctx):
    process = ctx.target("split")
    paths = []
    for kind in TYPES:
        path = ctx.tmp / f"{kind}.pb.gz"
        done = ctx.run("attach", process.pid, "-d", "1s", "--type", kind, "-o", path)
        assert done.returncode == 0, done.stderr
        paths.append(path)
    process.kill()
    for path in paths:
        for theirs, ours in VIEWS:
            same(ctx, [path], theirs, ours)


def test_labels_add_up_as_tags_do(ctx):
    """-tags lists the values of each label."""
    program = pprof_programs(ctx)[-1]
    for seed in range(4):
        path = made_up(ctx, seed)
        tags = run_pprof(ctx, program, ["-tags"], [path])
        for key in "thread", "bytes", "request":
            listed = re.search(rf"^ *{key}: .*\n((?: +\S+ \(.*\n)+)", tags, re.M).group(1)
            wanted = {line.split("): ")[1].strip(): line.split()[0] for line in listed.splitlines()}
            text = run_report(ctx, ["--by", key], [path]).split(f"%  {key}\n")[1]
            found = {line.split(None, 2)[2]: seconds(line.split()[0])
                     for line in text.splitlines() if not line.endswith("(none)")}
            assert found.keys() == wanted.keys(), (found, wanted)
            for name, value in wanted.items(): # as exact as the coarser one is written
                assert abs(found[name] / seconds(value) - 1) < 0.02, (name, value, found)


def seconds(text):
    number, unit = re.match(r"([\d.]+)(\w+)", text).groups()
    return float(number) * {"hrs": 3600, "s": 1, "ms": 1e-3, "us": 1e-6}[unit]


def test_input_by_standard_input(ctx):
    path = golden(ctx)[0]
    done = subprocess.run([ctx.ptprof, "report", "-"], stdin=path.open("rb"), capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == run_report(ctx, [], [path])


def test_document(ctx):
    lines = 0
    for path in golden(ctx):
        rows = body(run_report(ctx, ["--top", "0"], [path]))
        document = json.loads(run_report(ctx, ["--top", "0", "--json"], [path]))
        assert document["schema"] == 1
        lines += len(document["functions"])
        names = [re.sub(r" \((partial-)?inline\)$", "", line.split(None, 5)[5]) for line in rows
                 if re.match(r" +\S+ +[\d.e-]+% ", line)]
        assert [row["name"] for row in document["functions"]] == names
    assert lines > 30, lines
