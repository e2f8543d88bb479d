# SPDX-License-Identifier: MIT
"""Profiles of other profilers: what ptprof convert makes of them is what go tool pprof, jeprof and
perf read in the same files, which the test has made with Debian's packages."""

import collections
import ctypes.util
import os
import re
import shutil
import subprocess
import urllib.request

from test_fetch import go_server
from test_pprof_tool import need_go, pprof, raw

SIDE_BY_SIDE = True


# --- what a file says ---

def converted(ctx, path, ending):
    out = ctx.tmp / f"{path.name}.{ending}"
    done = ctx.run("convert", path, "-o", out)
    assert done.returncode == 0, done.stderr
    return out


def contents(text):
    """Types and period of `pprof -raw`, and the sums of values by stack, (address, file, offset) of
    each location, and labels. Code in no file lies in a mapping of pprof's own, or in none."""
    head, rest = text.split("Samples:\n")
    samples, rest = rest.split("Locations\n")
    locations, mappings = rest.split("Mappings\n")
    places = {"": ("", 0)}
    for number, start, offset, file in re.findall(
            r"^(\d+): (0x[0-9a-f]+)/0x[0-9a-f]+/(0x[0-9a-f]+) (\S*)", mappings, re.M):
        places[number] = (file, int(offset, 16) - int(start, 16))
    codes = {number: (address, places[mapping] if places[mapping][0] else ("", 0))
             for number, address, mapping in
             re.findall(r"^ *(\d+): (0x[0-9a-f]+) (?:M=(\d+))?", locations, re.M)}
    types, *lines = samples.splitlines()
    sums, key, values = collections.defaultdict(collections.Counter), None, []
    blocks = re.findall(r"^ *((?:-?\d+ +)*-?\d+): ([\d ]*)\n((?: +[a-z].*\n)*)",
                        "\n".join(lines) + "\n", re.M)
    assert blocks, samples
    for numbers, stack, labels in blocks:
        key = tuple(codes[number] for number in stack.split()), " ".join(labels.split())
        for column, value in enumerate(numbers.split()):
            sums[key][column] += int(value)
    head = re.findall(r"^(?:PeriodType|Period): .*$", head, re.M)
    return head, types.split("[")[0], {key: dict(row) for key, row in sums.items()
                                       if any(row.values())}


def same_as_pprof(ctx, path):
    """Says what pprof reads in a file, after we have read the same."""
    theirs = contents(raw(ctx, path))
    ours = contents(raw(ctx, converted(ctx, path, "pb.gz")))
    assert ours[:2] == theirs[:2], f"{ours[:2]} instead of {theirs[:2]}"
    assert ours[2] == theirs[2], \
        f"only ours: {[row for row in ours[2].items() if row not in theirs[2].items()][:3]}, " \
        f"only theirs: {[row for row in theirs[2].items() if row not in ours[2].items()][:3]}"
    return theirs


def stacks(path):
    """[(frames, count)] of collapsed text."""
    rows = [line.rsplit(" ", 1) for line in path.read_text().splitlines()]
    return [(stack.split(";"), int(count)) for stack, count in rows]


def by_function(path):
    sums = collections.Counter()
    for frames, count in stacks(path):
        for frame in set(frames):
            sums[frame] += count
    return sums


# --- profilers that are loaded into a program ---

def profiled(ctx, library, pattern, **environment):
    """The file that a library writes when `allocations` runs with it."""
    found = ctypes.util.find_library(library)
    if not found:
        raise ctx.Skip(f"lib{library} is not installed")
    done = subprocess.run([ctx.program("allocations")], cwd=ctx.tmp, capture_output=True, text=True,
                          timeout=120, env={**os.environ, "LD_PRELOAD": found, **environment})
    assert done.returncode == 0, done.stderr
    paths = sorted(ctx.tmp.glob(pattern))
    if not paths:
        raise ctx.Skip(f"{found} writes no profile: {done.stderr[-200:]}")
    return paths[-1]


def test_cpu_profile_of_gperftools(ctx):
    need_go(ctx)
    path = profiled(ctx, "profiler", "cpu.prof", CPUPROFILE="cpu.prof",
                    CPUPROFILE_FREQUENCY="1000")
    same_as_pprof(ctx, path)
    ours = by_function(converted(ctx, path, "folded"))
    top = pprof(ctx, "-top", "-sample_index=samples", path)
    theirs = {name: int(flat) for flat, name in
              re.findall(r"^ *(\d+) +\S+ +\S+ +\d+ +\S+ +(heavy|light)", top, re.M)}
    assert set(theirs) <= set(ours) and "heavy" in ours and "light" in ours, f"{ours}\n{top}"
    assert ours["heavy"] > ours["light"] > 0, ours
    ctx.figure = f"{sum(count for _, count in stacks(converted(ctx, path, 'folded')))} samples"


def test_heap_profile_of_tcmalloc(ctx):
    need_go(ctx)
    path = profiled(ctx, "tcmalloc", "heap.*.heap", HEAPPROFILE="heap")
    same_as_pprof(ctx, path)
    ours = by_function(converted(ctx, path, "folded"))
    assert ours["keep"] >= 4000 * 1000 and not ours["drop"], ours


# --- jemalloc, which pprof does not read ---

def as_tcmalloc(text):
    """The same profile in the form that pprof reads."""
    rate = re.match(r"heap_v2/(\d+)\n", text)[1]
    counts = re.compile(r"^\s*t\*: (.*)$", re.M)
    entries = re.findall(r"^@((?: 0x[0-9a-f]+)+)\n\s*t\*: (.*)$", text, re.M)
    assert entries
    rows = "".join(f"{values} @{stack}\n" for stack, values in entries)
    maps = text[text.index("MAPPED_LIBRARIES:"):]
    return f"heap profile: {counts.search(text)[1]} @ heap_v2/{rate}\n{rows}\n{maps}"


def test_heap_profile_of_jemalloc(ctx):
    need_go(ctx)
    path = profiled(ctx, "jemalloc", "je.*.heap",
                    MALLOC_CONF="prof:true,prof_final:true,lg_prof_sample:12,prof_prefix:je")
    twin = ctx.tmp / "twin.heap"
    twin.write_text(as_tcmalloc(path.read_text()))
    theirs = contents(raw(ctx, twin))
    ours = contents(raw(ctx, converted(ctx, path, "pb.gz")))
    assert ours == theirs, f"{ours} instead of {theirs}"
    ours = by_function(converted(ctx, path, "folded"))
    assert 3e6 < ours["keep"] < 12e6 and not ours["drop"], ours
    ctx.figure = f"keep() {ours['keep'] / 1e6:.1f} MB of 6.0"


def test_jeprof_finds_the_same_sum(ctx):
    if not shutil.which("jeprof"):
        raise ctx.Skip("jeprof is not installed")
    path = profiled(ctx, "jemalloc", "je.*.heap",
                    MALLOC_CONF="prof:true,prof_final:true,lg_prof_sample:14,prof_prefix:je")
    done = subprocess.run(["jeprof", "--text", "--show_bytes", ctx.program("allocations"), path],
                          capture_output=True, text=True, timeout=240, cwd=ctx.tmp)
    total = re.search(r"^Total: (\d+) B", done.stdout, re.M)
    assert total, done.stdout + done.stderr
    ours = sum(count for _, count in stacks(converted(ctx, path, "folded")))
    count = len(re.findall("^@", path.read_text(), re.M))
    assert abs(ours - int(total[1])) <= count, f"{ours} instead of {total[1]}"


# --- texts of Go ---

def test_texts_of_a_go_program(ctx):
    server, compared = go_server(ctx), []
    for name in ("heap", "allocs", "block", "mutex", "goroutine", "threadcreate"):
        path = ctx.tmp / f"{name}.txt"
        address = f"http://{server}/debug/pprof/{name}?debug=1"
        with urllib.request.urlopen(address, timeout=60) as reply:
            path.write_bytes(reply.read())
        text = path.read_text()
        # pprof leaves names in comments, by which it would drop frames, and refuses stacks of no
        # address, which threadcreate has.
        bare = ctx.tmp / f"{name}.bare.txt"
        bare.write_text(re.sub(r"^\d+ @ *\n|^#\t0x.*\n", "", text, flags=re.M))
        if re.search(r"@ 0x", text):
            same_as_pprof(ctx, bare)
            compared.append(name)
    assert any("main.keep" in frames for frames, _ in
               stacks(converted(ctx, ctx.tmp / "heap.txt", "folded"))), "no names"
    assert {"heap", "allocs", "goroutine"} <= set(compared), compared


# --- texts that a program may write ---

TEXTS = {
    "scaled": "heap profile: 3: 1048676 [3: 1048676] @ heap_v2/524288\n"
              "1: 100 [1: 100] @ 0x401001 0x402002\n2: 3 [2: 3] @ 0x401001\n"
              "7: 1048576 [7: 1048576] @ 0x500001\n",
    "growth": "heap profile: 1: 2 [3: 4] @ growthz\n1: 4096 [1: 4096] @ 0x401001\n",
    "fragmentation": "heap profile: 1: 2 [3: 4] @ fragmentation\n2: 40 [1: 40] @ 0x401001\n",
    "mutex": "--- mutex:\ncycles/second=2000000003\nsampling period=7\n"
             "40000001 3 @ 0x401001 0x402002\n3 1 @ 0x402002\n",
    "contentionz": "--- contentionz 1 ---\ncycles/second = 1000000000\nsampling period = 100\n"
                   "ms since reset = 16502\ndiscarded samples = 0\n"
                   "19490304 27 @ 0x401001 0x402002 0x500001\n",
    "count": "# a comment\ngoroutine profile: total 5\n3 @ 0x401001 0x402002\n\n2 @ 0x402002\n",
}
MAPS = ("--- Memory map: ---\n"
        "00500000-00600000 r-xp 00026000 00:00 326591 /usr/lib/libnowhere.so.6\n"
        "00401000-00402000 r-xp 00001000 00:00 7 /nowhere/program\n"
        "00402000-00403000 r-xp 00002000 00:00 7 /nowhere/program\n")


def test_texts_with_and_without_maps(ctx):
    need_go(ctx)
    for name, text in TEXTS.items():
        for kind, maps in ("bare", ""), ("mapped", MAPS):
            path = ctx.tmp / f"{name}.{kind}.txt"
            path.write_text(text + maps)
            same_as_pprof(ctx, path)


# --- perf ---

def perf_text(ctx, *options):
    if not shutil.which("perf"):
        raise ctx.Skip("perf is not installed")
    data = ctx.tmp / "perf.data"
    done = subprocess.run(["perf", "record", "-q", "-F", "997", *options, "-o", data,
                           ctx.program("allocations")], capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise ctx.Skip(f"perf may not record here: {done.stderr[-200:]}")
    done = subprocess.run(["perf", "script", "-i", data], capture_output=True, text=True,
                          errors="surrogateescape", timeout=120, stdin=subprocess.DEVNULL)
    path = ctx.tmp / "perf.txt"
    path.write_text(done.stdout, errors="surrogateescape")
    return path


def perf_records(text):
    """[(period, names from the leaf on)], read with patterns as simple as the text allows."""
    records = []
    for line in text.splitlines():
        if head := re.match(r" *\S+ +\d+ +\S+: +(\d+) +\S+: *(.*)$", line):
            records.append((int(head[1]), []))
            line = "\t" + head[2]
        if frame := re.match(r"\t\s*[0-9a-f]+ (.*) \((.*)\)$", line):
            records[-1][1].append(re.sub(r"\+0x[0-9a-f]+$", "", frame[1]))
    return records


def check_perf(ctx, path):
    records = perf_records(path.read_text(errors="surrogateescape"))
    assert len(records) > 50, len(records)
    theirs = collections.Counter()
    for _, names in records:
        theirs[names[0] if names else "[unknown]"] += 1
    ours = collections.Counter()
    for frames, count in stacks(converted(ctx, path, "folded")):
        ours[frames[-1]] += count
    unnamed = [name for name in set(theirs) | set(ours) if name.startswith("[")]
    for name in unnamed:  # perf says "[unknown]", we the file
        theirs.pop(name, None), ours.pop(name, None)
    assert ours == theirs, f"{ours} instead of {theirs}"
    assert theirs["heavy"] + theirs["burn"] + theirs["light"] or sum(theirs.values()), theirs
    return records


def test_perf_script_with_call_chains(ctx):
    path = perf_text(ctx, "-g")
    records = check_perf(ctx, path)
    if shutil.which("go"):
        text = raw(ctx, converted(ctx, path, "pb.gz"))
        rows = re.findall(r"^ *(\d+) +(\d+): ", text, re.M)
        assert sum(int(row[0]) for row in rows) == len(records)
        assert sum(int(row[1]) for row in rows) == sum(period for period, _ in records)
    ctx.figure = f"{len(records)} records"


def test_perf_script_without_call_chains(ctx):
    check_perf(ctx, perf_text(ctx))


# --- what we write ourselves ---

def test_what_we_convert_comes_back(ctx):
    golden = ctx.root / "tests" / "golden"
    for name in ("go-heap", "go-threads"):
        folded = converted(ctx, golden / f"{name}.pb.gz", "folded")
        again = converted(ctx, folded, "again.folded")
        assert again.read_text() == folded.read_text()
        document = converted(ctx, golden / f"{name}.pb.gz", "speedscope.json")
        again = converted(ctx, document, "again.folded")
        assert sorted(stacks(again)) == sorted(stacks(folded))
