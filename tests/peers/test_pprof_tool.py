# SPDX-License-Identifier: MIT
"""Our files, read by the tools that they are for: go tool pprof and flamegraph.pl.

The numbers in the names are those of the list of checks that a pprof file has to pass. Sample
weights are scaled to the CPU time that the kernel charged, so a value is not samples times period:
where a check is about that product, the totals are compared instead.
"""

import gzip
import json
import os
import pathlib
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
import zlib

from measure import ClockLog
from pprof_wire import decode, one
from serving import free_port

SIDE_BY_SIDE = True

SECONDS = 2
FLAMEGRAPH_DEBIAN = "/usr/share/perl5/Devel/NYTProf/flamegraph.pl"  # libdevel-nytprof-perl
WORK = ("heavy", "light")  # the functions of the target `split`, called by main

recorded = {}  # what several tests read, by name


class Recorded:
    """A profile and what was known of its target."""

    def __init__(self, data, exe, pid, log):
        self.data, self.exe, self.pid, self.log = data, exe, pid, log
        self.cpu_ns = None  # that its target used meanwhile


def record(ctx, process, path):
    done = ctx.run("attach", process.pid, "-d", f"{SECONDS}s", "-o", path)
    assert done.returncode == 0, f"exit status {done.returncode}: {done.stderr}"
    exe = os.readlink(f"/proc/{process.pid}/exe")
    return Recorded(pathlib.Path(path).read_bytes(), exe, process.pid, done.stderr)


def cpu_meanwhile(data, log):
    """ns that the target used in the time of its profile."""
    fields = decode(gzip.decompress(data))
    begin = one(fields, "time_nanos")
    return log.between(begin, begin + one(fields, "duration_nanos"))


def profile(ctx, name="a"):
    """The path of a profile of `split`; the same one for all tests that ask for the name."""
    path = ctx.tmp / f"{name}.pb.gz"
    if name not in recorded:
        log = ctx.new_path("clock-{}")
        process = ctx.target("split", "--clock", log)
        recorded[name] = record(ctx, process, path)
        recorded[name].cpu_ns = cpu_meanwhile(recorded[name].data, ClockLog(log))
        process.kill()
    path.write_bytes(recorded[name].data)
    return path


def pprof_command():
    return ["go", "tool", "pprof"]


def pprof_environment(ctx):
    return {**os.environ, "PPROF_TMPDIR": str(ctx.tmp), "PPROF_BINARY_PATH": str(ctx.tmp)}


def need_go(ctx):
    if not shutil.which("go"):
        raise ctx.Skip("go is not installed")


def try_pprof(ctx, *arguments):
    need_go(ctx)
    return subprocess.run([*pprof_command(), *map(str, arguments)], capture_output=True, text=True,
                          cwd=ctx.tmp, env=pprof_environment(ctx), timeout=240,
                          stdin=subprocess.DEVNULL)


def pprof(ctx, *arguments):
    """What pprof prints; it must end well."""
    done = try_pprof(ctx, *arguments)
    assert done.returncode == 0, f"pprof {arguments} gives {done.returncode}: {done.stderr}"
    assert "Local symbolization failed" not in done.stdout + done.stderr, done.stderr
    return done.stdout


def raw(ctx, *paths):
    done = try_pprof(ctx, "-symbolize=none", "-raw", *paths)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", done.stderr
    return done.stdout


class Raw:
    """The text of `pprof -raw`, taken apart."""

    SAMPLE = re.compile(r"\s*(\d+)\s+(\d+): ([\d ]+?)\s*$", re.M)
    LOCATION = re.compile(r"\s*(\d+): (0x[0-9a-f]+) (?:M=(\d+) )?(.*)$", re.M)
    MAPPING = re.compile(r"(\d+): (0x[0-9a-f]+)/(0x[0-9a-f]+)/(0x[0-9a-f]+) (.*)$", re.M)

    def __init__(self, text):
        self.text = text
        self.head, rest = text.split("Samples:\n")
        samples, rest = rest.split("Locations\n")
        locations, mappings = rest.split("Mappings\n")
        self.types, samples = samples.split("\n", 1)
        self.samples = [(int(count), int(cpu), [int(word) for word in stack.split()])
                        for count, cpu, stack in self.SAMPLE.findall(samples)]
        self.locations = {int(number): (int(address, 16), int(mapping or 0), name)
                          for number, address, mapping, name in self.LOCATION.findall(locations)}
        self.mappings = {int(number): (int(start, 16), int(limit, 16), int(offset, 16), text)
                         for number, start, limit, offset, text in self.MAPPING.findall(mappings)}

    def total(self, column):
        return sum(sample[column] for sample in self.samples)


def field(pattern, text):
    match = re.search(pattern, text, re.M)
    assert match, f"no {pattern!r} in:\n{text}"
    return match


def top_rows(text):
    """function -> cum%, of a -top report."""
    rows = {}
    for line in text.split("cum%\n", 1)[1].splitlines():
        words = line.split(None, 5)
        rows[words[5]] = float(words[4].rstrip("%"))
    return rows


def test_01_one_gzip_member(ctx):
    data = profile(ctx).read_bytes()
    assert data[:2] == b"\x1f\x8b"
    member = zlib.decompressobj(31)
    member.decompress(data)
    assert member.eof and not member.unused_data, "not one whole gzip member"


def test_02_raw_has_the_head_of_a_cpu_profile(ctx):
    text = raw(ctx, profile(ctx))
    head = re.sub(r"(?m)^Comment: .*\n", "", text)
    field(r"\APeriodType: cpu nanoseconds\nPeriod: 10101010\nTime: .*\nDuration: .*\nSamples:\n"
          r"samples/count cpu/nanoseconds\[dflt\]\n", head)
    assert "Comment: " in text
    assert Raw(text).samples, "no samples of a busy program"


def instructions_after_calls(exe):
    """Link-time addresses, from objdump."""
    listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn", exe], capture_output=True,
                             text=True, check=True).stdout
    after, was_call = set(), False
    for address, mnemonic in re.findall(r"^\s+([0-9a-f]+):\s+(\S+)", listing, re.M):
        if was_call:
            after.add(int(address, 16))
        was_call = mnemonic.startswith("call")
    return after


def link_time_shift(exe):
    """p_vaddr - p_offset of the executable segment."""
    listing = subprocess.run(["readelf", "-lW", exe], capture_output=True, text=True,
                             check=True).stdout
    match = field(r"^\s+LOAD\s+(0x\w+)\s+(0x\w+)\s+.* R E ", listing)
    return int(match[2], 16) - int(match[1], 16)


def test_03_values_and_addresses_are_true(ctx):
    parsed = Raw(raw(ctx, profile(ctx)))
    about = recorded["a"]
    cpu = parsed.total(1)
    assert 0.9 * about.cpu_ns <= cpu <= 1.1 * about.cpu_ns, \
        f"{cpu} ns in the profile, {about.cpu_ns} ns on the CPU clock of the process"
    for address, mapping, name in parsed.locations.values():
        start, limit, _, _ = parsed.mappings[mapping]
        assert start <= address < limit, f"{name} at {address:#x} outside its mapping"
    start, limit, offset, text = parsed.mappings[1]
    assert text.split()[0] == about.exe, text
    assert all("[FN]" in mapping[3] for mapping in parsed.mappings.values())


def test_03_callers_are_within_their_calls(ctx):
    if not shutil.which("objdump"):
        raise ctx.Skip("binutils is not installed")
    parsed = Raw(raw(ctx, profile(ctx)))
    exe = recorded["a"].exe
    after, shift = instructions_after_calls(exe), link_time_shift(exe)
    start, _, offset, _ = parsed.mappings[1]
    callers = {number for _, _, stack in parsed.samples for number in stack[1:]
               if parsed.locations[number][1] == 1}
    assert callers
    for number in callers:
        address = parsed.locations[number][0] - start + offset + shift
        assert address + 1 in after, f"{parsed.locations[number][2]}: {address:#x} is in no call"


def test_04_ids_strings_and_labels(ctx):
    fields = decode(gzip.decompress(profile(ctx).read_bytes()))
    for kind in "mapping", "location", "function":
        ids = [one(entry, "id") for entry in fields[kind]]
        assert ids == list(range(1, len(ids) + 1)), f"ids of {kind}: {ids}"
    strings = [text.decode("utf-8") for text in fields["string_table"]]
    assert strings[0] == ""
    for sample in fields["sample"]:
        assert len(sample["value"]) == len(fields["sample_type"]) == 2
        for label in sample["label"]:
            assert strings[one(label, "key")]
            assert not (one(label, "str") and one(label, "num")), label
        keys = [strings[one(label, "key")] for label in sample["label"]]
        assert set(keys) == {"thread", "thread_id", "tid", "comm", "pid"}, keys
    for location in fields["location"]:
        assert location["line"], "a location without a line"
    build_id = strings[one(fields["mapping"][0], "build_id")]
    assert re.fullmatch("(?:[0-9a-f]{2})*", build_id), build_id
    for comment in fields["comment"]:
        assert not strings[comment].startswith("executableInfo=")


def test_05_top_needs_no_binary(ctx):
    copy = ctx.tmp / "gone"
    shutil.copy(ctx.program("split"), copy)
    process = ctx.spawn(copy)
    assert process.line() == "ready"
    path = ctx.tmp / "gone.pb.gz"
    done = ctx.run("attach", process.pid, "-d", f"{SECONDS}s", "-o", path)
    assert done.returncode == 0, done.stderr
    process.kill()
    copy.unlink()
    rows = top_rows(pprof(ctx, "-top", "-nodecount=1000", path))
    assert set(WORK) <= set(rows), rows


def test_06_traces_go_from_leaf_to_root(ctx):
    blocks = re.split(r"^-+\+-+$", pprof(ctx, "-traces", profile(ctx)), flags=re.M)[1:]
    hot = [block for block in blocks if re.search(r"\bheavy$", block, re.M)]
    assert hot
    for block in hot:
        assert re.search(r"^\s+thread:  split$", block, re.M), block
        names = [line.split()[-1] for line in block.splitlines() if line and ":  " not in line]
        assert names.index("heavy") < names.index("main"), names


def test_07_tags_select_a_thread(ctx):
    # The one thread of the target has all but what no sample stands for.
    path = profile(ctx)
    pid = recorded["a"].pid
    tags = pprof(ctx, "-tags", path)
    for key, value in ("thread", "split"), ("tid", pid), ("comm", "split"), ("pid", pid):
        part = field(rf"^ +{key}: Total.*\n(?:.*\S.*\n)*?.*\( *([\d.]+)%\): {value}$", tags)
        assert float(part[1]) > 98, part[0]
    rows = top_rows(pprof(ctx, "-tagroot=thread", "-top", "-cum", "-nodecount=1000", path))
    assert rows["split"] > 98, rows
    done = try_pprof(ctx, f"-tagfocus=tid={pid}", "-top", path)
    assert done.returncode == 0, done.stderr
    assert f"Interpreted '{pid}' as range" in done.stderr, done.stderr
    assert float(field(r"accounting for \S+, ([\d.]+)% of", done.stdout)[1]) > 98


def test_08_list_shows_lines(ctx):
    path = profile(ctx)
    text = pprof(ctx, "-list=heavy", path)
    assert "Error:" not in text
    # Of its two lines: a machine where the call is dear may have found it in that one only.
    field(r"^\s+\S+\s+[1-9]\S*s\s+\d+:.*(thread_cpu|burn)\(", text)


def test_09_sample_index(ctx):
    path = profile(ctx)
    parsed = Raw(raw(ctx, path))
    counted = pprof(ctx, "-sample_index=samples", "-top", path)
    assert int(field(r"Total samples = (\d+)", counted)[1]) == parsed.total(0)
    shown = field(r"Total samples = ([\d.]+)(m?)s", pprof(ctx, "-top", path))
    seconds = float(shown[1]) / (1000 if shown[2] else 1)
    assert abs(seconds - parsed.total(1) / 1e9) < 0.011, shown[0]


def test_10_a_profile_less_itself_is_nothing(ctx):
    path = profile(ctx)
    for base in "-diff_base", "-base":
        text = pprof(ctx, f"{base}={path}", "-top", path)
        field(r"^Showing nodes accounting for 0, ", text)
    field(r"Total samples = 0", text)  # of the last one: shares of the difference


def test_11_two_runs_compare(ctx):
    a, b = profile(ctx, "a"), profile(ctx, "b")
    both = Raw(raw(ctx, a, b))
    parts = [Raw(raw(ctx, path)) for path in (a, b)]
    if parts[0].mappings[1][0] == parts[1].mappings[1][0]:
        raise ctx.Skip("both runs lay at the same address")
    exe = recorded["a"].exe
    assert sum(mapping[3].split()[0] == exe for mapping in both.mappings.values()) == 1
    for column in 0, 1:
        assert both.total(column) == sum(part.total(column) for part in parts)
    ours = [sum(mapping == 1 for _, mapping, _ in run.locations.values()) for run in (both, *parts)]
    assert ours[0] < ours[1] + ours[2], f"no location of one run is one of the other: {ours}"
    text = pprof(ctx, f"-diff_base={a}", "-top", "-nodecount=1000", b)
    assert "Type: cpu" in text


def test_12_what_pprof_writes_reads_the_same(ctx):
    path, copy = profile(ctx), ctx.tmp / "copy.pb.gz"
    pprof(ctx, "-symbolize=none", "-proto", f"-output={copy}", path)
    assert raw(ctx, path) == raw(ctx, copy)


def test_20_an_idle_target_gives_a_valid_file(ctx):
    need_go(ctx)
    process = ctx.target("idle")
    ctx.eventually(lambda: all(state == "S" for state, _ in
                               ctx.thread_states(process.pid).values()), "every thread sleeps")
    path = ctx.tmp / "idle.pb.gz"
    done = ctx.run("attach", process.pid, "-d", "1s", "-o", path)
    assert done.returncode == 0, done.stderr
    text = raw(ctx, path)
    assert "samples/count cpu/nanoseconds[dflt]" in text
    assert not Raw(text).samples, text


def get(url, seconds=120):
    """Status and body; tries until somebody listens."""
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=seconds) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            assert time.monotonic() < end, f"nobody answers at {url}"
            time.sleep(0.1)


def test_21_the_web_pages(ctx):
    need_go(ctx)
    address = f"127.0.0.1:{free_port()}"
    # Not through ctx.spawn: `go tool` starts pprof as a child, in whose session all is ended.
    server = subprocess.Popen([*pprof_command(), f"-http={address}", "-no_browser", profile(ctx)],
                              cwd=ctx.tmp, env=pprof_environment(ctx), stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              start_new_session=True)
    try:
        for page in "top", "flamegraph", "peek?f=heavy", "source?f=heavy":
            status, body = get(f"http://{address}/ui/{page}")
            assert status == 200, f"/ui/{page}: {status}"
            # Without file names the source page has nothing to show.
            assert b"heavy" in body or page.startswith("source"), page
    finally:
        os.killpg(server.pid, 9)
        server.wait()


def test_22_pprof_notices_damage(ctx):
    whole = profile(ctx).read_bytes()
    plain = gzip.decompress(whole)
    nobody = bytes.fromhex("12 07 0a 01 7f 12 02 01 01")  # a sample at location 127
    damaged = {"truncated": whole[:-20], "twice": whole + whole,
               "dangling": gzip.compress(plain + nobody)}
    for name, data in damaged.items():
        path = ctx.tmp / f"{name}.pb.gz"
        path.write_bytes(data)
        done = try_pprof(ctx, "-symbolize=none", "-raw", path)
        assert done.returncode != 0, f"{name}: accepted"


def test_23_flamegraph_reads_collapsed_stacks(ctx):
    program = shutil.which("flamegraph.pl") or FLAMEGRAPH_DEBIAN
    if not os.path.exists(program) or not shutil.which("perl"):
        raise ctx.Skip("flamegraph.pl is not installed (libdevel-nytprof-perl)")
    path = ctx.tmp / "a.folded"
    process = ctx.target("split")
    log = record(ctx, process, path).log
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines == sorted(lines, key=lambda line: line.rsplit(" ", 1)[0].encode())
    counts = [int(line.rsplit(" ", 1)[1]) for line in lines]
    said = field(r"([\d ]+) samples", log)[1]
    assert sum(counts) == int(said.replace(" ", "")), f"{sum(counts)} samples, summary: {said}"
    assert all(line.startswith("split;") for line in lines)
    done = subprocess.run(["perl", program, path], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert "Ignored" not in done.stderr, done.stderr
    assert "<svg" in done.stdout and "heavy" in done.stdout


def converted(ctx, path, form):
    """A pprof file as our reader and one of our writers have it."""
    done = ctx.helper("convert", path, form)
    assert done.returncode == 0, f"{path} as {form}: {done.stderr}"
    return done.stdout


def test_what_pprof_writes_reaches_our_writers(ctx):
    path, copy = profile(ctx), ctx.tmp / "copy.pb.gz"
    pprof(ctx, "-symbolize=none", "-proto", f"-output={copy}", path)
    for form in "collapsed", "text":
        assert converted(ctx, path, form) == converted(ctx, copy, form), form
    assert converted(ctx, path, "collapsed").startswith("split;")


def raw_totals(ctx, path):
    """The sum of each column of what pprof shows of a profile."""
    samples = raw(ctx, path).split("Samples:\n")[1].split("Locations\n")[0].splitlines()[1:]
    rows = [re.match(r"\s*((?:\d+\s+)*\d+): [\d ]*$", line) for line in samples]
    return [sum(column) for column in zip(*([int(word) for word in row[1].split()]
                                            for row in rows if row))]


def test_what_go_writes_reaches_our_writers(ctx):
    need_go(ctx)
    done = subprocess.run(["go", "run", ctx.root / "tests/golden/go_profiles.go", ctx.tmp],
                          capture_output=True, text=True, timeout=240, cwd=ctx.tmp,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    shown = {"go-cpu": 0, "go-heap": 3, "go-block": 1, "go-threads": 0}  # which column
    for name, column in shown.items():
        path = ctx.tmp / f"{name}.pb.gz"
        lines = converted(ctx, path, "collapsed").splitlines()
        total = sum(int(line.rsplit(" ", 1)[1]) for line in lines)
        expected = raw_totals(ctx, path)[column] // (1000 if name == "go-block" else 1)
        assert abs(total - expected) <= (len(lines) if name == "go-block" else 0), \
            f"{name}: {total} in all, pprof says {expected}"
        functions = json.loads(converted(ctx, path, "json"))["functions"]
        assert any(row["function"].startswith("main.") for row in functions), (name, functions)
        assert "main." in converted(ctx, path, "text"), name


# --- arithmetic: what pprof makes of several files, and what we make of them ---

def computed(ctx, path, *operations):
    """A pprof file of what our functions make of one."""
    program = ctx.build / "tests" / "live" / "convert"
    if not program.exists():
        raise ctx.Skip("tests/live/convert is not built")
    done = subprocess.run([program, path, "pprof", *map(str, operations)], capture_output=True,
                          timeout=240, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{operations}: {done.stderr.decode()}"
    made = ctx.tmp / "computed.pb.gz"
    made.write_bytes(done.stdout)
    return made


def amounts(ctx, index, unit, *arguments):
    """function -> flat and cum of a -top report, of all functions that have any."""
    text = pprof(ctx, "-symbolize=none", "-top", "-trim=false", f"-unit={unit}",
                 f"-sample_index={index}", *arguments)
    rows = {}
    for line in text.split("cum%\n", 1)[1].splitlines():
        words = line.split(None, 5)
        if words[0] != "0" or words[3] != "0":
            flat, cum = rows.get(words[5], ((), ()))
            rows[words[5]] = (*flat, words[0]), (*cum, words[3])
    return {name: (sorted(flat), sorted(cum)) for name, (flat, cum) in rows.items()}


def check_computed(ctx, types, ours, *theirs):
    for index, unit in types.items():
        wanted = amounts(ctx, index, unit, *theirs)
        found = amounts(ctx, index, unit, ours)
        assert wanted == found, f"{index}, pprof {theirs}: {wanted}, ours: {found}"
    return found


CPU = {"samples": "count", "cpu": "ns"}
MEMORY = {"alloc_objects": "count", "alloc_space": "B", "inuse_objects": "count",
          "inuse_space": "B"}


def pairs(ctx):
    """Two runs of one native program, each at its own addresses; two profiles of a Go program."""
    golden = ctx.root / "tests" / "golden"
    yield CPU, profile(ctx), profile(ctx, "b")
    yield MEMORY, golden / "go-heap.pb.gz", golden / "go-allocs.pb.gz"


def test_sums_are_those_of_pprof(ctx):
    need_go(ctx)
    for types, a, b in pairs(ctx):
        assert check_computed(ctx, types, computed(ctx, a, "merge", b), a, b)
        assert check_computed(ctx, types, computed(ctx, a, "merge", b, "merge", a), a, b, a)


def test_differences_are_those_of_pprof(ctx):
    need_go(ctx)
    for types, a, b in pairs(ctx):
        rest = computed(ctx, a, "subtract", b)
        rows = [check_computed(ctx, types, rest, f"-base={b}", a),
                check_computed(ctx, types, rest, f"-diff_base={b}", a),
                check_computed(ctx, types, computed(ctx, b, "subtract", a), f"-base={a}", b)]
        assert any(row[0][0].startswith("-") for way in rows for row in way.values()), rows
        assert not check_computed(ctx, types, computed(ctx, a, "subtract", a), f"-base={a}", a)


def test_multiples_are_those_of_pprof(ctx):
    need_go(ctx)
    for types, a, b in pairs(ctx):
        factors = [theirs / ours if ours else 0
                   for theirs, ours in zip(raw_totals(ctx, b), raw_totals(ctx, a))]
        scaled = computed(ctx, a, "scale", ",".join(map(repr, factors)), "subtract", b)
        check_computed(ctx, types, scaled, "-normalize", f"-base={b}", a)


def test_parts_are_those_of_pprof(ctx):
    need_go(ctx)
    for types, path, _ in pairs(ctx):
        last = dict([list(types.items())[-1]])
        for expression in "heavy", "^main", "runtime|split$", "[a-h]+t$":
            for choice in "focus", "ignore":
                check_computed(ctx, last, computed(ctx, path, choice, expression),
                               f"-{choice}={expression}", path)


def test_labels_choose_as_in_pprof(ctx):
    need_go(ctx)
    path = profile(ctx)
    tid = recorded["a"].pid
    cases = (("label", "thread=^split$"), ("label", "thread=x"),
             ("number", f"tid={tid}:{tid}"), ("number", f"tid={2 ** 22}:{2 ** 23}"))
    for operation, theirs in cases:
        rows = check_computed(ctx, CPU, computed(ctx, path, operation, theirs),
                              f"-tagfocus={theirs}", path)
        assert bool(rows) == (theirs in ("thread=^split$", f"tid={tid}:{tid}")), (theirs, rows)
