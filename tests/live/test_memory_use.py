# SPDX-License-Identifier: MIT
"""ptprof memory: what it says is what the target knows and what the kernel's smaps says, and the
target is as it was."""

import contextlib
import ctypes
import json
import os
import pathlib
import re
import signal
import subprocess
import time

SIDE_BY_SIDE = True

DONE, FAILED, USAGE, GONE, DENIED = range(5)
KIB, MIB = 1 << 10, 1 << 20
PAGE = 4 * KIB


def memory(ctx, pid, *extra, status=DONE, prefix=()):
    done = ctx.run("memory", pid, "--json", *extra, prefix=prefix)
    assert done.returncode == status, f"exit status {done.returncode}: {done.stderr}"
    return json.loads(done.stdout)


def truth(target):
    """What the target has, by name."""
    return {row["name"]: row for row in map(json.loads, target.said_before)}


def documents_of(text):
    found, at = [], 0
    while at < len(text):
        document, at = json.JSONDecoder().raw_decode(text, at)
        found.append(document)
        at += len(text[at:]) - len(text[at:].lstrip())
    return found


def newest_of(path):
    """The last document of those that are being written, {} if there is none yet."""
    try:
        return documents_of(path.read_text())[-1]
    except (IndexError, json.JSONDecodeError):  # one is half written
        return {}


def smaps_of(pid):
    """(start, end) -> figures in bytes."""
    found = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text(errors="replace").splitlines():
        if match := re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line):
            figures = found[tuple(int(word, 16) for word in match.groups())] = {}
            figures["name"] = line.split(maxsplit=5)[5:]
        elif match := re.match(r"(\w+): +(\d+) kB$", line):
            figures[match.group(1)] = int(match.group(2)) * KIB
    return found


@contextlib.contextmanager
def untouched(ctx, target):
    """Neither stopped nor traced, with not one page more or less in any mapping, and with no switch
    of a thread that sleeps."""
    def seen():
        pages = {key: (figures["Rss"], figures["Swap"])
                 for key, figures in smaps_of(target.pid).items()}
        switches = {tid: pathlib.Path(f"/proc/{target.pid}/task/{tid}/schedstat").read_text()
                    for tid, (state, _) in ctx.thread_states(target.pid).items() if state != "R"}
        traced = [tracer for _, tracer in ctx.thread_states(target.pid).values() if tracer]
        return pages, switches, traced
    before, health = seen(), ctx.health(target.pid)
    yield
    assert target.alive()
    assert seen() == before, f"{before} before, {seen()} after"
    assert ctx.health(target.pid) == health


def ready(ctx, *arguments):
    """Its threads have touched their stacks when all but one sleep, and that one computes."""
    target = ctx.target("mappings", *arguments)
    ctx.eventually(lambda: sorted(state for state, _ in ctx.thread_states(target.pid).values()
                                  if state != "Z")[:1] == ["R"] and
                   sum(state == "R" for state, _ in ctx.thread_states(target.pid).values()) == 1,
                   "one thread runs")
    ctx.eventually(lambda: ctx.cpu_ns(target.pid) > 50_000_000, "it computes")
    return target


# --- figures

def test_mappings_are_what_the_target_made(ctx):
    target = ready(ctx)
    with untouched(ctx, target):
        document = memory(ctx, target.pid, "--maps")
    made, found = truth(target), {row["start"]: row for row in document["mappings"]}
    kinds = {"anonymous": "anonymous", "untouched": "anonymous", "code": "generated_code",
             "shared": "shared", "memfd": "shared", "locked": "anonymous", "huge": "anonymous",
             "only_read": "anonymous", "file": "file"}
    for name, kind in kinds.items():
        if name not in made:
            assert name == "locked" and "not_locked" in made
            continue
        row = found[made[name]["start"]]
        assert row["kind"] == kind, (name, row)
        assert row["end"] - row["start"] == row["size"] == made[name]["size"], (name, row)
        assert row["resident"] == made[name]["touched"], (name, row)
        assert row["locked"] == (64 * KIB if name == "locked" else 0), row
    path = found[made["memfd"]["start"]]["path"]
    assert path.startswith("/memfd:ptprof \n\x1b[31m<b>"), path


def check_kinds(document, made, pss):
    kinds = document["kinds"]
    stacks = made["stacks"]
    guards = 4 * PAGE
    assert 0 <= kinds["thread_stacks"]["size"] - stacks["size"] <= 2 * guards, kinds
    more = kinds["thread_stacks"]["resident"] - stacks["touched"]
    assert 0 <= more <= 4 * 8 * PAGE, more  # what is above the array
    assert document["stacks"]["found"] == 3 and document["stacks"]["by_size"] == 1, document
    assert kinds["thread_stacks"]["mappings"] == 8
    assert kinds["generated_code"]["resident"] == made["code"]["touched"]
    assert kinds["shared"]["resident"] == made["shared"]["touched"] + made["memfd"]["touched"]
    assert kinds["file"]["resident"] >= made["file"]["touched"]
    assert kinds["main_stack"]["mappings"] == 1 and kinds["main_stack"]["resident"] > 0
    assert kinds["anonymous"]["no_access"] >= 8 * MIB
    assert kinds["libraries"]["resident"] > 0 and kinds["kernel"]["mappings"] >= 2
    assert (kinds["anonymous"]["pss"] is None) != pss


def test_kinds_from_the_pagemap_are_those_of_smaps(ctx):
    target = ready(ctx)
    with untouched(ctx, target):
        quick, slow = memory(ctx, target.pid), memory(ctx, target.pid, "--pss")
    check_kinds(quick, truth(target), False)
    check_kinds(slow, truth(target), True)
    for name, kind in quick["kinds"].items():
        other = slow["kinds"][name]
        assert kind["resident_from"] == "pagemap" and other["resident_from"] == "smaps"
        same = ["mappings", "size", "no_access", "swapped", "huge_pages"]
        assert [kind[key] for key in same] == [other[key] for key in same], (name, kind, other)
        # The vdso counts for the pagemap only.
        assert name == "kernel" or kind["resident"] == other["resident"], (name, kind, other)
    assert quick["process"]["pss"] is None and "--pss" in quick["process"]["why"]["pss"]
    assert quick["took"]["smaps_ns"] == 0 < slow["took"]["smaps_ns"]


def test_sums_are_the_kernel_s(ctx):
    target = ready(ctx)
    document = memory(ctx, target.pid, "--maps")
    smaps = smaps_of(target.pid)
    rows = {(row["start"], row["end"]): row for row in document["mappings"]}
    assert set(rows) == set(smaps)
    for key, figures in smaps.items():
        if figures["name"] == ["[vdso]"]:
            continue  # looking for its symbols brings in a page of it
        # How much is shared with others, they decide.
        own = not figures["Shared_Clean"] + figures["Shared_Dirty"]
        for ours, theirs in ("resident", "Rss"), ("swapped", "Swap"), *[("pss", "Pss")] * own:
            assert rows[key][ours] == figures[theirs], (rows[key], figures)
        assert rows[key]["pss"] <= rows[key]["resident"]
    process, kinds = document["process"], document["kinds"].values()
    assert process["pss"] == sum(row["pss"] for row in rows.values()) > 8 * MIB
    assert process["rss"] == process["anonymous"] + process["file"] + process["shared"]
    # Before Linux 6.17 the kernel's own sum is rough: 64 pages for each CPU.
    rough = 64 * PAGE * os.cpu_count()
    assert abs(process["rss"] - sum(kind["resident"] for kind in kinds)) <= rough
    made = truth(target)
    assert process["locked"] == (64 * KIB if "locked" in made else 0)
    assert process["peak_rss"] + rough >= process["rss"] and process["page_tables"] > 0
    assert document["threads"] == 5
    assert document["memstats"]["StackSys"] == sum(
        document["kinds"][name]["size"] for name in ("thread_stacks", "main_stack"))
    assert document["memstats"]["Mallocs"] is None and document["memstats"]["why"]["Mallocs"]


def test_huge_pages(ctx):
    target = ready(ctx)
    start = truth(target)["huge"]["start"]
    huge = next(figures["AnonHugePages"] for (begin, _), figures in smaps_of(target.pid).items()
                if begin == start)
    if not huge:
        raise ctx.Skip("the kernel gave no huge pages")
    assert memory(ctx, target.pid)["process"]["huge_pages"] == huge == 4 * MIB


def test_files_are_those_that_are_mapped(ctx):
    target = ready(ctx)
    files = {row["path"]: row for row in memory(ctx, target.pid)["files"]}
    program = files[str(ctx.program("mappings"))]
    assert program["kind"] == "libraries" and program["mappings"] >= 4
    assert any("libc.so.6" in path for path in files)
    assert sum(row["resident"] for row in files.values() if row["kind"] == "libraries") == \
        memory(ctx, target.pid)["kinds"]["libraries"]["resident"]


def test_text_is_harmless(ctx):
    target = ready(ctx)
    for extra in (), ("--pss",), ("--maps",):
        done = ctx.run("memory", target.pid, *extra)
        assert done.returncode == DONE and done.stderr == "", done.stderr
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", done.stdout), done.stdout
        assert r"ptprof \x0a\x1b[31m<b>" in done.stdout, done.stdout
        assert re.search(r"4 thread stacks: .* \(1 known by guard and size\)", done.stdout)
        assert ("smaps took" in done.stdout) == bool(extra)


def test_allocator_is_named(ctx):
    target = ready(ctx)
    document = memory(ctx, target.pid)
    assert [row["name"] for row in document["allocators"]] == ["glibc"], document
    figures = document["allocators"][0]
    assert figures["system"] >= document["kinds"]["heap"]["size"] / 2
    for key, value in figures.items():
        assert value is not None or figures["why"][key], key
    for key, value in document["memstats"].items():
        assert value is not None or document["memstats"]["why"][key], key


# --- many mappings: one kind is what the others leave

def test_many_mappings(ctx):
    target = ready(ctx, "--many", 3000)
    quick, slow = memory(ctx, target.pid), memory(ctx, target.pid, "--pss")
    anonymous = quick["kinds"]["anonymous"]
    assert anonymous["resident_from"] == "difference" and anonymous["mappings"] >= 6000
    rough = 64 * PAGE * os.cpu_count()
    assert abs(anonymous["resident"] - slow["kinds"]["anonymous"]["resident"]) <= rough
    for name in "libraries", "heap", "main_stack":
        assert quick["kinds"][name]["resident"] == slow["kinds"][name]["resident"], name
    assert quick["process"]["huge_pages"] is None and quick["process"]["why"]["huge_pages"]
    assert len(memory(ctx, target.pid, "--maps")["mappings"]) == \
        sum(kind["mappings"] for kind in slow["kinds"].values())


# --- watching

def test_watch_sees_growth(ctx):
    target = ready(ctx, "--grow", 4)
    output = ctx.tmp / "watch.json"
    with open(output, "w") as stream:
        run = ctx.start("memory", target.pid, "--json", "--watch", "300ms", stdout=stream)
        ctx.eventually(lambda: output.read_text().count('"look":4'), "the fourth look")
        run.signal(signal.SIGINT)
        assert run.wait() == DONE, run.stderr
    documents = documents_of(output.read_text())
    assert documents[0]["since_last"] is None and documents[0]["since_first"] is None
    first, last, before = documents[0], documents[-1], documents[-2]
    for key, other in ("since_first", first), ("since_last", before):
        growth = last[key]
        assert growth["time_ns"] > 0
        assert growth["rss"] == last["process"]["rss"] - other["process"]["rss"] >= 0
        assert growth["resident"]["anonymous"] == \
            last["kinds"]["anonymous"]["resident"] - other["kinds"]["anonymous"]["resident"]
    assert last["since_first"]["resident"]["anonymous"] >= 4 * MIB
    assert last["since_first"]["resident"]["generated_code"] == 0


def test_watch_in_lines(ctx):
    target = ready(ctx, "--grow", 4)
    output = ctx.tmp / "watch.txt"
    with open(output, "w") as stream:
        run = ctx.start("memory", target.pid, "--watch", "300ms", stdout=stream)
        ctx.eventually(lambda: len(re.findall(r"^\S+  resident", output.read_text(), re.M)) >= 2,
                       "two lines")
        target.popen.kill()
        target.popen.wait()
        assert run.wait() == DONE
    text = output.read_text()
    assert text.count("KIND") == 1 and "\033" not in text, text
    assert re.search(r"^\S+  resident \S+ \+\S+ \+\S+  .*anonymous \S+ \+\S+ \+\S+", text,
                     re.M), text
    assert f"{target.pid} ended" in run.stderr, run.stderr


def test_watch_on_a_terminal(ctx):
    target = ready(ctx, "--grow", 4)
    command = f"{ctx.ptprof} memory {target.pid} --watch 200ms"
    run = ctx.spawn("script", "-qfec", f"stty cols 80 rows 50; {command}", "/dev/null")
    ctx.eventually(lambda: sum("KIND" in line for line in run.lines) >= 3, "three looks")
    text = "\n".join(run.drop_lines())
    assert "\033[H\033[J" in text.replace(r"\x1b", "\033") and "look 2" in text, text
    assert re.search(r"anonymous +\S+ #+\++ .* \+\S+ +\+\S+", text), text


def test_watch_goes_on_after_an_exec(ctx):
    target = ctx.spawn("bash", "-c", "read go; exec sleep 100", stdin=subprocess.PIPE)
    output = ctx.tmp / "watch.json"
    with open(output, "w") as stream:
        run = ctx.start("memory", target.pid, "--json", "--watch", "200ms", stdout=stream)
        ctx.eventually(lambda: newest_of(output), "a look at the first one")
        target.popen.stdin.write("\n")
        target.popen.stdin.flush()
        run.says("has executed another program")
        ctx.eventually(lambda: (newest := newest_of(output)).get("comm") == "sleep" and
                       newest["since_last"], "growth of the new one")
        run.signal(signal.SIGTERM)
        assert run.wait() == DONE
    comms = [document["comm"] for document in documents_of(output.read_text())]
    assert comms[0] == "bash" and comms[-1] == "sleep", comms


# --- what cannot be read, or is odd

def test_without_rights(ctx):
    target = ready(ctx)
    prefix = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
    done = ctx.run("memory", target.pid, "--json", prefix=prefix)
    if "setpriv" in done.stderr:
        raise ctx.Skip(done.stderr.strip())
    document = json.loads(done.stdout)
    assert done.returncode == DENIED and "user" in done.stderr, done.stderr
    assert document["process"]["rss"] > 8 * MIB and document["kinds"] is None
    assert "permission" in document["mappings_why"] and document["threads"] == 5
    assert document["memstats"]["Sys"] > 0 and document["memstats"]["HeapSys"] is None
    text = ctx.run("memory", target.pid, prefix=prefix)
    assert text.returncode == DENIED and "resident" in text.stdout
    watching = ctx.run("memory", target.pid, "--watch", "1s", prefix=prefix)
    assert watching.returncode == DENIED, watching


def test_who_has_no_memory(ctx):
    zombie = subprocess.Popen(["true"])
    try:
        ctx.eventually(lambda: ctx.state_of(zombie.pid) == "Z", "it has ended")
        assert ctx.run("memory", zombie.pid).returncode == GONE
        assert ctx.run("memory", zombie.pid, "--watch", "1s").returncode == GONE
    finally:
        zombie.wait()
    assert ctx.run("memory", zombie.pid).returncode == GONE
    assert ctx.run("memory", "x").returncode == USAGE
    if ctx.state_of(2) and not os.path.exists("/proc/2/exe"):
        done = ctx.run("memory", 2)
        assert done.returncode == USAGE and "kernel" in done.stderr, done.stderr


def test_first_thread_has_ended(ctx):
    target = ctx.target("mappings", "--leader-ends")
    ctx.eventually(lambda: ctx.state_of(target.pid) == "Z", "the first thread has ended")
    document = memory(ctx, target.pid)
    assert document["process"]["rss"] > 8 * MIB
    assert document["kinds"]["generated_code"]["resident"] == truth(target)["code"]["touched"]


def test_32_bits(ctx):
    target = ctx.target("bits32")
    document = memory(ctx, target.pid)
    assert document["kinds"]["libraries"]["resident"] > 0 and document["process"]["rss"] > 0
    assert document["allocators"] == [] and "32" in " ".join(document["allocators_why"])


def test_ten_thousand_threads(ctx):
    try:
        target = ctx.target("parked", "--threads", 10000)
    except AssertionError:
        raise ctx.Skip("so many threads cannot be started here")
    document = memory(ctx, target.pid)
    assert document["stacks"]["found"] >= 10000, document["stacks"]
    stacks = document["kinds"]["thread_stacks"]
    assert stacks["mappings"] >= 20000 and stacks["resident"] >= 10000 * PAGE
    assert stacks["resident_from"] == "difference"
