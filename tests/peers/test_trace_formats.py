# SPDX-License-Identifier: MIT
"""Timelines in the formats of viewers: true to the timeline, by the rules that each viewer has, and
in the viewers themselves where they can be had: stackcollapse-perf.pl or inferno, speedscope in
headless Chromium, and the loader of Firefox Profiler.

The timeline is one at random (tests/live/timeline.c), whose events the same program lists.
"""

import collections
import json
import os
import re
import shutil
import subprocess

SIDE_BY_SIDE = True

THREADS, PID = 6, 100
RANDOM = ("switches", 3000, THREADS, 4, 5)  # events, threads, CPUs, seed
TICKS = ("ticks", *RANDOM[1:])
DAMAGED = ("damaged", *RANDOM[1:])
ODD = ("odd",)  # with names that are hard to write
PERIOD = 10_000_000  # ns of CPU time that a record of perf stands for
SPEEDSCOPE, FIREFOX_PROFILER = "speedscope@1.25.0", "@firefox-devtools/profiler-cli@0.10.0"
STATES = {"Running", "Runnable", "Blocked"}
PATIENCE = 240

Event = collections.namedtuple("Event", "tid state time duration cpu waker wait depth")
Record = collections.namedtuple("Record", "name pid tid cpu time period frames")

packages = {}  # archives of npm, by name


def written(ctx, form, *arguments):
    done = ctx.helper("timeline", form, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def truth(ctx, *arguments):
    rows = [line.split() for line in
            written(ctx, "events", *(arguments or RANDOM)).splitlines()]
    tids = {int(thread): int(tid) for thread, tid, *_ in rows}
    assert len(set(tids.values())) == len(tids) == THREADS
    assert {state.capitalize() for _, _, state, *_ in rows} == STATES
    return [Event(int(tid), state.capitalize(), int(time), int(duration), int(cpu),
                  tids.get(int(waker)), wait, int(depth))
            for _, tid, state, time, duration, cpu, waker, wait, depth in rows]


def sums(events):
    """(tid, state) -> ns"""
    total = collections.Counter()
    for event in events:
        total[event.tid, event.state] += event.duration
    return total


def by_thread(events):
    threads = collections.defaultdict(list)
    for event in events:
        threads[event.tid].append(event)
    return threads


def nanoseconds(number):
    """What a number with decimals is in units of the last one, exactly."""
    whole, _, rest = number.partition(".")
    return int(whole + rest)


# --- perf script text

# What each reader takes for the first line of a record, and for a frame of it.
RECORD_LINES = {
    "stackcollapse-perf.pl": r"^(?P<name>\S.+?)\s+(?P<pid>\d+)\/*(?P<tid>\d+)*\s+"
                             r".*:\s*(\d+)*\s+(\S+):\s*$",
    "speedscope": r"^(?P<name>\S.+?)\s+(?P<pid>\d+)(?:\/?(?P<tid>\d+))?\s+"
                  r".*\s+(?P<time>\d+\.\d+):\s+.*(\S+):\s*$",
    "Firefox": r"^(?P<name>\S.*?)\s+(?:(?P<pid>\d+)\/)?(?P<tid>\d+)\s+"
               r"(?:\[\d+\]\s+)?(?P<time>[\d.]+):",
    "flamescope": r"^ *(?P<name>[^0-9]+).* +(?P<time>[0-9.]+): .+?:",
    "Perfetto": r"^(?P<name>\S+) +(?P<pid>\d+)/(?P<tid>\d+) +"
                r"(?:\[\d+\] +)?(?P<time>\d+\.\d{6}):",
}
FRAMES = {
    "stackcollapse-perf.pl": r"^\s*(\w+)\s*([^(].*) \((.*)\)$",
    "speedscope": r"^\s*(\w+)\s*(.+) \((\S*)\)$",
    "Firefox": r"^\s*(\w+)\s*([^(].*) \(([^)]*)\)$",
    "flamescope": r"^\t+ *([0-9a-fA-F]+) (.+) \((.*?)\)$",
    "Perfetto": r"^\s*(\S+) ([^ ].*) \(([^(]*)\)$",
}
RECORD = re.compile(r"(?P<name>\S+)  (?P<pid>\d+)/(?P<tid>\d+)(?: \[(?P<cpu>\d{3,})\])? +"
                    r"(?P<time>\d+\.\d{6}): +(?P<period>\d+) cpu-clock: ")


def records(text):
    """Of perf script text; what follows the last record is one line without an end."""
    *blocks, last = text.split("\n\n")
    assert last.startswith("# ") and "\n" not in last, repr(last)
    result = []
    for first, *frames in map(str.splitlines, blocks):
        match = RECORD.fullmatch(first)
        assert match and frames, first
        result.append(Record(match["name"], int(match["pid"]), int(match["tid"]),
                             int(match["cpu"] or -1), nanoseconds(match["time"]) * 1000,
                             int(match["period"]), frames))
    return result


def test_perf_text_is_what_its_readers_take(ctx):
    for arguments in ODD, RANDOM, TICKS, DAMAGED:
        text = written(ctx, "perf", *arguments)
        found = records(text)
        assert found
        for block in text.split("\n\n")[:-1]:
            first, *frames = block.splitlines()
            own = RECORD.fullmatch(first)
            for reader, pattern in RECORD_LINES.items():
                match = re.match(pattern, first)
                assert match, f"{reader}: {first!r}"
                for key, value in match.groupdict().items():
                    cut = reader == "flamescope" and key == "name"  # at the first digit
                    assert own[key].startswith(value.rstrip()) if cut else value == own[key], \
                        f"{reader} has {key} {value}: {first!r}"
            for reader, pattern in FRAMES.items():
                for frame in frames:
                    assert re.match(pattern, frame), f"{reader}: {frame!r}"
                    assert not re.match(pattern, first), f"{reader}: a frame: {first!r}"


def test_perf_text_is_a_sample_of_the_cpu_time(ctx):
    events, found = truth(ctx), records(written(ctx, "perf", *RANDOM))
    assert [record.time for record in found] == sorted(record.time for record in found)
    ran, threads = sums(events), by_thread(events)
    counts = collections.Counter(record.tid for record in found)
    for tid in threads:
        assert abs(counts[tid] * PERIOD - ran[tid, "Running"]) <= PERIOD, tid
    for record in found:
        assert record.period == PERIOD
        assert any(event.state == "Running" and event.cpu == record.cpu and
                   event.time // 1000 * 1000 <= record.time < event.time + event.duration and
                   max(event.depth, 1) == len(record.frames)
                   for event in threads[record.tid]), record


def test_perf_text_in_stackcollapse(ctx):
    program = shutil.which("stackcollapse-perf.pl") or shutil.which("inferno-collapse-perf")
    if not program:
        raise ctx.Skip("neither stackcollapse-perf.pl nor inferno-collapse-perf is installed")
    path = ctx.tmp / "a.perf.txt"
    for arguments in ODD, RANDOM, TICKS:
        path.write_text(written(ctx, "perf", *arguments))
        done = subprocess.run([program, "--tid", path], capture_output=True, text=True,
                              timeout=PATIENCE)
        assert done.returncode == 0 and "nrecognized" not in done.stderr, done.stderr
        totals = collections.Counter()
        for line in done.stdout.splitlines():
            thread, rest = line.split(";", 1)
            totals[int(thread.rsplit("/", 1)[1])] += int(rest.rsplit(" ", 1)[1])
        expected = collections.Counter(record.tid for record in records(path.read_text()))
        assert totals == {tid: count * PERIOD for tid, count in expected.items()}, done.stdout


# --- Chrome's trace events


def chrome(ctx, *arguments):
    return json.loads(written(ctx, "chrome", *arguments), parse_float=nanoseconds)["traceEvents"]


def test_chrome_slices_are_the_timeline(ctx):
    """To the nanosecond: each slice ends one early."""
    for arguments in RANDOM, TICKS:
        slices = (found for found in chrome(ctx, *arguments) if found["ph"] in "Xi")
        for event, found in zip(truth(ctx, *arguments), slices, strict=True):
            assert (found["tid"], found["cat"], found["ts"], found.get("dur", -1) + 1) == \
                (event.tid, event.state, event.time, event.duration), (event, found)
            assert found.get("args", {}).get("cpu", -1) == event.cpu
            stack = found.get("args", {}).get("stack", "")
            assert event.state == "Runnable" or len(stack.split(";")) == max(event.depth, 1)
            if event.state == "Blocked":
                assert found["name"] == (event.wait if event.wait != "-" else "Blocked")


def test_chrome_slices_do_not_overlap_in_doubles(ctx):
    """As JavaScript adds them up after it has made the first time 0."""
    for arguments in RANDOM, TICKS, DAMAGED:
        slices = collections.defaultdict(list)
        for found in json.loads(written(ctx, "chrome", *arguments))["traceEvents"]:
            if found["ph"] == "X":
                slices[found["tid"]].append((found["ts"], found["dur"]))
        assert len(slices) == THREADS
        for own in slices.values():
            first = own[0][0]
            for (begin, duration), (following, _) in zip(own, own[1:]):
                assert (begin - first) + duration < following - first


def test_chrome_arrows_lead_to_what_follows_the_wait(ctx):
    events = truth(ctx)
    expected = [(event.waker, event.tid, event.time + event.duration)
                for event in events if event.waker is not None]
    found = chrome(ctx, *RANDOM)
    begins = {event["id"]: event for event in found if event["ph"] == "s"}
    ends = [event for event in found if event["ph"] == "f"]
    assert len(begins) == len(ends) == len(expected)
    for (waker, woken, time), end in zip(expected, ends):
        begin = begins[end["id"]]
        assert (begin["tid"], begin["ts"], end["tid"], end["ts"]) == (waker, time, woken, time)
        assert (begin["name"], begin["cat"]) == (end["name"], end["cat"]) and "bp" not in end
    # A slice that begins at the time of an arrow's end stands behind it in the file.
    place = {(event["tid"], event["ts"]): number for number, event in enumerate(found)
             if event["ph"] == "f"}
    for number, event in enumerate(found):
        if event["ph"] == "X":
            assert place.get((event["tid"], event["ts"]), -1) < number


def test_chrome_names_threads(ctx):
    names = {(event["name"], event["tid"]): event["args"]["name"]
             for event in chrome(ctx, *ODD) if event["ph"] == "M"}
    assert names == {("process_name", 4242): "server", ("thread_name", 4242): "server",
                     ("thread_name", 4243): "worker\u2003 7", ("thread_name", 4244): "#1 {\ufffd"}


# --- Firefox Profiler's profiles


def lengths(table):
    return {key: len(value) for key, value in table.items()
            if isinstance(value, list)}, table["length"]


def firefox(ctx, *arguments):
    return json.loads(written(ctx, "firefox", *arguments), parse_float=nanoseconds)


def test_firefox_profile_keeps_the_rules(ctx):
    for arguments in ODD, RANDOM, TICKS, DAMAGED:
        assert written(ctx, "firefox", *arguments).startswith('{"meta":{'), "so Perfetto knows it"
        profile = firefox(ctx, *arguments)
        shared, meta = profile["shared"], profile["meta"]
        assert meta["preprocessedProfileVersion"] == 60
        assert any(category["color"] == "grey" for category in meta["categories"])
        assert {schema["name"] for schema in meta["markerSchema"]} == STATES
        tables = [table for key, table in shared.items() if key != "stringArray"]
        tables += [thread[key] for thread in profile["threads"] for key in ("samples", "markers")]
        for table in tables:
            columns, length = lengths(table)
            assert set(columns.values()) <= {length}, columns
        texts, stacks = len(shared["stringArray"]), shared["stackTable"]
        assert all(prefix is None or prefix < row for row, prefix in enumerate(stacks["prefix"]))
        for numbers, limit in [
                (stacks["frame"], shared["frameTable"]["length"]),
                (shared["frameTable"]["func"], shared["funcTable"]["length"]),
                (shared["frameTable"]["category"], len(meta["categories"])),
                (shared["funcTable"]["name"], texts),
                (shared["funcTable"]["resource"], shared["resourceTable"]["length"]),
                (shared["resourceTable"]["lib"], len(profile["libs"])),
                (shared["sources"]["filename"], texts)]:
            assert max((number for number in numbers if number is not None), default=-1) < limit
        for thread in profile["threads"]:
            assert isinstance(thread["pid"], str)
            assert thread["samples"]["time"] == sorted(thread["samples"]["time"])
            begins, ends = thread["markers"]["startTime"], thread["markers"]["endTime"]
            assert all(end <= begin for end, begin in zip(ends, begins[1:]))
            assert all(begin <= end for begin, end in zip(begins, ends))


def test_firefox_markers_and_samples_are_the_timeline(ctx):
    profile = firefox(ctx, *RANDOM)
    texts, events = profile["shared"]["stringArray"], by_thread(truth(ctx))
    assert len(profile["threads"]) == len(events)
    for thread in profile["threads"]:
        own, markers, samples = events[thread["tid"]], thread["markers"], thread["samples"]
        assert set(markers["phase"]) == {1}
        for event, name, start, end, data in zip(own, markers["name"], markers["startTime"],
                                                 markers["endTime"], markers["data"], strict=True):
            assert (texts[name], start, end) == (event.state, event.time,
                                                 event.time + event.duration)
            assert data["type"] == event.state and data.get("waker") == event.waker
            assert (texts[data["wait"]] if "wait" in data else "-") == event.wait
            assert ("cause" in data) == (event.state == "Blocked" and event.depth > 0)
        runs = [event for event in own if event.state == "Running"]
        ran, known = (sum(event.duration for event in runs),
                      sum(event.depth > 0 for event in runs))
        unknown = ran - sum(event.duration for event in runs if event.depth)
        assert [weight for weight, stack in zip(samples["weight"], samples["stack"])
                if stack is not None] == \
            [event.duration + unknown // known if event.depth else 0 for event in runs]
        assert sum(samples["threadCPUDelta"]) == ran and samples["weightType"] == "tracing-ms"
        assert thread["registerTime"] == own[0].time


# --- the viewers


def package(ctx, name):
    """A folder with what npm has of that name."""
    if not shutil.which("npm"):
        raise ctx.Skip("npm is not installed")
    folder = ctx.tmp / name.rsplit("@", 1)[0].rsplit("/", 1)[-1]
    folder.mkdir(exist_ok=True)
    if name not in packages:
        try:
            done = subprocess.run(["npm", "pack", "--silent", "--ignore-scripts", name], cwd=folder,
                                  capture_output=True, text=True, timeout=PATIENCE,
                                  stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired as error:
            raise ctx.Skip(f"npm does not give {name} in {PATIENCE} s") from error
        if done.returncode != 0:
            raise ctx.Skip(f"npm does not give {name}: {done.stderr.strip()[-200:]}")
        packages[name] = next(folder.glob("*.tgz")).read_bytes()
    subprocess.run(["tar", "xz", "-C", folder], input=packages[name], check=True)
    return folder / "package"


def loaded(ctx, name, text):
    """Loads a file into Firefox Profiler's own code; returns a function that asks about it."""
    program = package(ctx, FIREFOX_PROFILER) / "dist" / "profiler-cli.js"
    version = shutil.which("node") and subprocess.run(
        ["node", "--version"], capture_output=True, text=True, check=True).stdout
    if not version or int(re.match(r"v(\d+)", version)[1]) < 20:
        raise ctx.Skip("there is no node, or one older than 20")
    path = ctx.tmp / name
    path.write_text(text)
    sessions = ctx.tmp / "s"
    environment = {**os.environ, "PROFILER_CLI_SESSION_DIR": str(sessions)}
    daemon = ctx.spawn("node", program, "--daemon", path, "--session", name, env=environment)

    def try_asking(*arguments):
        return subprocess.run(["node", program, *arguments, "--session", name, "--json"], text=True,
                              capture_output=True, env=environment, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL)

    def ask(*arguments):
        done = try_asking(*arguments)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return json.loads(done.stdout)

    # Who asks while the session is being made takes it for one that is left over, and removes it.
    def made():
        assert daemon.alive(), f"{name} is not loaded"
        return all((sessions / file).exists() for file in
                   (f"{name}.sock", f"{name}.json", "current.txt"))

    def ready():
        assert daemon.alive(), f"{name} is not loaded"
        return try_asking("profile", "meta").returncode == 0

    ctx.eventually(made, f"the session of {name} is made", PATIENCE)
    ctx.eventually(ready, f"{name} is loaded", PATIENCE)
    return ask


def threads_of(ask):
    return {int(str(thread["tid"]).split(":")[-1]): thread
            for process in ask("profile", "info", "--all")["processes"]
            for thread in process["threads"]}


def test_firefox_profiler_reads_our_profile(ctx):
    events = truth(ctx)
    ask = loaded(ctx, "random", written(ctx, "firefox", *RANDOM))
    threads = threads_of(ask)
    assert set(threads) == set(by_thread(events))
    for tid, own in by_thread(events).items():
        ran = sum(event.duration for event in own if event.state == "Running") / 1e6
        handle = ("--thread", threads[tid]["threadHandle"])
        tree = ask("thread", "samples-top-down", *handle)["regularCallTree"]
        assert abs(threads[tid]["cpuMs"] - ran) < 1e-3 * ran, (threads[tid], ran)
        assert abs(tree["totalSamples"] - ran) < 1e-3 * ran, (tree["totalSamples"], ran)
        assert {row["markerName"]: row["count"]
                for row in ask("thread", "markers", *handle)["byType"]} == \
            collections.Counter(event.state for event in own)


def test_firefox_profiler_shows_what_a_thread_waited_for(ctx):
    ask = loaded(ctx, "odd", written(ctx, "firefox", *ODD))
    assert "states change when the kernel" in json.dumps(ask("profile", "meta"))
    blocked, = [row for row in ask("thread", "markers", "--thread", "t-1")["byType"]
                if row["markerName"] == "Blocked"]
    first = min(blocked["topMarkers"], key=lambda marker: marker["start"])
    marker = ask("marker", "info", first["handle"])
    fields = {field["label"]: field["value"] for field in marker["fields"]}
    assert fields == {"Waits for": "lock", "Lock": "q<1>", "Woken by": 4242}, marker
    frames = [frame["nameWithLibrary"] for frame in marker["stack"]["frames"]]
    assert frames[-2:] == ["server!Ptr<Job>::operator->()", "server!main"], frames


def test_firefox_profiler_reads_perf_text_and_trace_events(ctx):
    text = written(ctx, "perf", *RANDOM)
    expected = collections.Counter(record.tid for record in records(text))
    ask = loaded(ctx, "perf", text)
    assert {tid: ask("thread", "info", "--thread", thread["threadHandle"])["sampleCount"]
            for tid, thread in threads_of(ask).items()} == expected
    ask = loaded(ctx, "chrome", written(ctx, "chrome", *RANDOM))
    assert set(threads_of(ask)) == set(expected)


def speedscope(ctx, name, text):
    """(what speedscope says on its console, profile -> its total weight) of a file."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        raise ctx.Skip("chromium is not installed")
    page = package(ctx, SPEEDSCOPE) / "dist" / "release" / "index.html"
    script = ctx.tmp / "profile.js"
    script.write_text("speedscope.loadFileFromBase64("
                      f"{json.dumps(name)}, btoa({json.dumps(text.encode().decode('latin-1'))}))")
    done = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader",
         f"--user-data-dir={ctx.tmp / 'chromium'}", "--virtual-time-budget=10000",
         "--enable-logging=stderr", "--dump-dom",
         f"file://{page}#localProfilePath={script}&view=sandwich"],
        capture_output=True, text=True, errors="replace", timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    rows = re.findall(r'<tr title="([^"]*)"[^>]*>(.*?)</tr>', done.stdout)
    return (re.findall(r'CONSOLE[^"]*"(.*)", source:', done.stderr),
            {title: re.findall(r"<td[^>]*>([^<]*)</td>", row)[-1] for title, row in rows})


def seconds(weight):
    number, unit = re.fullmatch(r"([\d.]+)(\D+)", weight).groups()
    return float(number) * {"s": 1, "ms": 1e-3, "µs": 1e-6}[unit]


def test_speedscope_reads_trace_events(ctx):
    for arguments in RANDOM, TICKS:
        console, weights = speedscope(ctx, "a.trace.json", written(ctx, "chrome", *arguments))
        assert any("Importing as Trace Event" in line for line in console), console
        assert not [line for line in console if "ried to" in line or "still open" in line], console
        spans = [(own[-1].time + own[-1].duration - own[0].time) / 1e9
                 for own in by_thread(truth(ctx, *arguments)).values()]
        for span, weight in zip(sorted(spans), sorted(map(seconds, weights.values())), strict=True):
            assert abs(span - weight) <= 0.01 * span, (spans, weights)


def test_speedscope_reads_perf_text(ctx):
    for arguments in ODD, RANDOM:
        text = written(ctx, "perf", *arguments)
        console, weights = speedscope(ctx, "a.perf.txt", text)
        assert any("linux perf script" in line for line in console), console
        assert set(weights) == {f"{record.name} pid: {record.pid}" +
                                (f" tid: {record.tid}" if record.tid else "")
                                for record in records(text)}
