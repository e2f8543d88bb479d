# SPDX-License-Identifier: MIT
"""ptprof heap: what it prints adds up, a leak is found to the block, and what goes wrong is said.
Whether counts are true of each allocator and kind other files ask."""

import json
import os
import pathlib
import pty
import re
import signal
import subprocess

SIDE_BY_SIDE = True

DONE, FAILED, USAGE, GONE, DENIED = range(5)
NOBODY = 65534
COUNT = 20000  # blocks of 200 bytes
LOST = 1000    # blocks of 488 bytes, at each signal
CLEAR = "\033[H\033[J"


def heap(ctx, *arguments, status=DONE, **popen):
    done = ctx.run("heap", *arguments, **popen)
    assert done.returncode == status, f"{done.returncode}: {done.stdout}{done.stderr}"
    return done


def leak(target, times=1):
    for _ in range(times):
        target.signal(signal.SIGUSR1)
        target.line()


def rows_of(document, **words):
    return [row for row in document["rows"]
            if all(row[key] == value for key, value in words.items())]


def blocks_of(document, size):
    return sum(row["blocks"] for row in rows_of(document, size=size))


def test_table(ctx):
    target = ctx.target("leaker", COUNT)
    with ctx.unharmed(target.pid):
        text = heap(ctx, target.pid, "--by", "size", "-n", 3).stdout
    head, table = text.split("\n\n")
    assert f"heap of {target.pid} (leaker): " in head and "nothing was stopped" in head, head
    assert re.search(r"^glibc\b.* from the kernel", head, re.M), head
    heading, *rows, more, total = table.splitlines()
    assert heading.split() == ["BYTES", "SHARE", "BLOCKS", "AVERAGE", "SIZE"], heading
    assert len(rows) == 3 and "more" in more and total.split()[-1] == "total", table
    _, _, blocks, average, *size = rows[0].split()
    assert int(blocks) in range(COUNT, COUNT + 20) and (average, size) == ("208B",
                                                                       ["200", "bytes"]), rows
    counts = [int(row.split()[2]) for row in (*rows, more, total)]
    assert sum(counts[:-1]) == counts[-1], table
    shares = [float(row.split()[1].rstrip("%")) for row in (*rows, more)]
    assert abs(sum(shares) - 100) < 0.3, table


def test_json_adds_up(ctx):
    target = ctx.target("leaker", COUNT)
    with ctx.unharmed(target.pid):
        found = json.loads(heap(ctx, target.pid, "--json", "--twice").stdout)
    assert found["schema"] == 1 and found["census"]["pid"] == target.pid
    assert found["census"]["complete"] and found["census"]["walks"] == 2
    for key in "blocks", "bytes":
        assert sum(row[key] for row in found["rows"]) == found["total"][key]
        assert found["moved"][key] == 0, found["moved"]
    row = rows_of(found, size=200)[0]
    assert row["kind"] == "unknown" and row["what"] == "200 bytes", row
    assert row["moved_blocks"] == 0 and len(row["examples"]) == 8, row
    assert all(set(example) == {"address"} for example in row["examples"]), row


def test_first_bytes_only_on_request(ctx):
    target = ctx.target("leaker", COUNT)
    for arguments in ((), ("--json",), ("--by", "size")):
        assert "[31m" not in heap(ctx, target.pid, *arguments).stdout
    text = heap(ctx, target.pid, "--examples", 2, "--by", "size").stdout
    assert text.count(r'"\x1b[31m<b>\x22\x5c\x00') == 2 and "\x1b" not in text, text
    row = rows_of(json.loads(heap(ctx, target.pid, "--json", "--examples", 1).stdout), size=200)[0]
    assert row["examples"][0]["bytes"].startswith(r'"\x1b[31m<b>'), row


def test_formats_tell_the_same(ctx):
    target = ctx.target("leaker", COUNT)
    found = json.loads(heap(ctx, target.pid, "--json").stdout)
    folded = heap(ctx, target.pid, "-f", "collapsed").stdout
    assert sum(int(line.rpartition(" ")[2]) for line in folded.splitlines()) == \
        found["total"]["bytes"]
    for name in "h.pb.gz", "h.json", "h.json.gz", "h.folded", "h.speedscope.json":
        path = ctx.tmp / name
        assert heap(ctx, target.pid, "-o", path).stdout == ""
        done = ctx.run("report", path, "--json", "--top", 0)
        assert done.returncode == 0, done.stderr
        rows = {row["name"]: row["self"] for row in json.loads(done.stdout)["functions"]}
        assert rows["200 bytes"] == rows_of(found, size=200)[0]["bytes"], name
    made = heap(ctx, target.pid, "-f", "pprof", cwd=ctx.tmp)
    written = [path.name for path in ctx.tmp.glob(f"ptprof-leaker-{target.pid}-*.pb.gz")]
    assert made.stdout == "" and f"ptprof: wrote {written[0]} (" in made.stderr, made.stderr
    assert heap(ctx, target.pid, "-o", ctx.tmp / "h.txt").stdout == ""
    assert "200 bytes" in (ctx.tmp / "h.txt").read_text()


def test_difference_is_the_leak(ctx):
    target = ctx.target("leaker", COUNT)
    for old, new in (("a.pb.gz", "b.pb.gz"), ("a.json", "b.json"), ("c.json", "c.pb.gz")):
        old, new = ctx.tmp / old, ctx.tmp / new
        heap(ctx, target.pid, "-o", old)
        leak(target, 3)
        heap(ctx, target.pid, "-o", new)
        found = json.loads(heap(ctx, "--diff", old, new, "--json").stdout)
        first = found["rows"][0]
        assert first["what"] == "488 bytes" and first["kind"] == "unknown", first
        assert first["grown"]["blocks"] == 3 * LOST and first["grown"]["bytes"] == 3 * LOST * 496
        rate = first["grown"]["bytes"] / (found["since_before_ns"] / 1e9)
        assert abs(first["grown"]["bytes_per_second"] - rate) < 1, first
        assert found["total"]["grown"]["blocks"] == \
            sum(row["grown"]["blocks"] for row in found["rows"])
    text = heap(ctx, "--diff", ctx.tmp / "a.pb.gz", ctx.tmp / "b.json", "-n", 1).stdout
    assert re.search(r"^ +\+2\.8M +\+\S+ +\+6000 +2\.8M +unknown +488 bytes$", text, re.M), text
    assert text.splitlines()[-1].split()[-1] == "total", text
    done = heap(ctx, "--diff", ctx.root / "tests" / "golden" / "go-cpu.pb.gz", ctx.tmp / "a.json",
                status=USAGE)
    assert "go-cpu.pb.gz is no profile of memory in use" in done.stderr
    old, new = (ctx.root / "tests" / "golden" / f"go-{name}.pb.gz" for name in ("heap", "allocs"))
    assert " total" in heap(ctx, "--diff", old, new).stdout  # other programs' are read too


def test_damaged_files(ctx):
    target = ctx.target("leaker", 1)
    for name in "a.pb.gz", "a.json":
        path, cut = ctx.tmp / name, ctx.tmp / f"cut-{name}"
        heap(ctx, target.pid, "-o", path)
        cut.write_bytes(path.read_bytes()[:-20])
        done = heap(ctx, "--diff", path, cut, status=FAILED)
        assert done.stdout == "" and str(cut) in done.stderr, done.stderr
    done = heap(ctx, "--diff", path, ctx.tmp / "none", status=FAILED)
    assert "none" in done.stderr and "No such file" in done.stderr, done.stderr


def watched(run, path, count):
    """The documents that a watch has written so far, when there are so many."""
    def written():
        text = path.read_text()
        lines = text[:text.rfind("\n") + 1].splitlines()
        return [json.loads(line) for line in lines] if len(lines) >= count else None
    return run, written


def test_watch(ctx):
    target = ctx.target("leaker", COUNT)
    path = ctx.tmp / "lines"
    with open(path, "w") as out, ctx.unharmed(target.pid, grows=True):
        run = ctx.start("heap", target.pid, "--watch", "300ms", "--json", stdout=out)
        _, lines = watched(run, path, 1)
        ctx.eventually(lines, "a first comparison")
        leak(target)
        before = len(path.read_text().splitlines())
        _, lines = watched(run, path, before + 3)
        ctx.eventually(lines, "three more")
        run.signal(signal.SIGINT)
        assert run.wait() == 0, run.stderr
    looks = [json.loads(line) for line in path.read_text().splitlines()]
    grown = [{row["what"]: row["grown"]["blocks"] for row in look["rows"]} for look in looks]
    assert sum(look.get("488 bytes", 0) for look in grown) == LOST, grown
    last = looks[-1]["rows"][0]
    assert last["what"] == "488 bytes", last
    assert last["grown_since_first"]["blocks"] == LOST and last["grown"]["blocks"] == 0, last


def test_watch_ends(ctx):
    target = ctx.target("leaker", COUNT)
    text = heap(ctx, target.pid, "--watch", "500ms", "-d", "2100ms").stdout
    assert 1 <= text.count(" FIRST is ") <= 4, text
    run = ctx.start("heap", target.pid, "--watch", "100ms", stdout=subprocess.PIPE, text=True)
    while " FIRST is " not in run.popen.stdout.readline():
        pass
    target.kill()
    run.popen.stdout.read()
    assert run.wait() == DONE and "has ended" in run.stderr, run.stderr


def test_watch_on_a_terminal(ctx):
    """A screen is drawn anew, within its lines."""
    target = ctx.target("leaker", COUNT)
    ours, theirs = pty.openpty()
    target.signal(signal.SIGUSR1)
    subprocess.run(["stty", "rows", "12", "cols", "80"], stdin=theirs, check=True)
    run = ctx.start("heap", target.pid, "--watch", "100ms", stdout=theirs)
    os.close(theirs)
    shown, asked = b"", False
    try:
        while piece := os.read(ours, 65536):
            shown += piece
            assert shown.count(b"total\r\n") < 200, shown[-500:]
            if not asked and shown.count(CLEAR.encode()) > 3 and shown.endswith(b"total\r\n"):
                run.signal(signal.SIGINT)  # a second one would kill it
                asked = True
    except OSError:
        pass  # it has ended
    os.close(ours)
    assert (status := run.wait()) == DONE, f"{status}: {run.stderr}"
    screens = shown.decode().split(CLEAR)[1:]
    assert len(screens) > 2 and " FIRST is " in screens[-1], screens
    for screen in screens:
        lines = screen.splitlines()
        assert len(lines) < 12 and all(len(line) <= 80 for line in lines), screen
    assert screens[-1].splitlines()[-1].split()[-1] == "total", screens[-1]


def test_whoever_holds_nobody_may_read(ctx):
    """A shell that we descend from, and a process that another one traces."""
    done = subprocess.run(["bash", "-c", f"{ctx.ptprof} heap $$; exit $?"], capture_output=True,
                          text=True, cwd=ctx.tmp)
    assert done.returncode == 0 and " (bash): " in done.stdout, done.stderr
    target = ctx.target("leaker", COUNT)
    ctx.spawn(ctx.build / "tests" / "live" / "trace", target.pid, "hold")
    ctx.eventually(lambda: ctx.thread_states(target.pid)[target.pid][1], "it is traced")
    found = json.loads(heap(ctx, target.pid, "--json").stdout)
    assert blocks_of(found, 200) in range(COUNT, COUNT + 20)


# --- what is incomplete

def test_timeout(ctx):
    target = ctx.target("leaker", COUNT)
    done = heap(ctx, target.pid, "--timeout", "1us", status=FAILED)
    assert "could be counted in time" in done.stderr and "INCOMPLETE" in done.stdout
    done = heap(ctx, target.pid, "--timeout", "1us", "--json", status=FAILED)
    found = json.loads(done.stdout)
    assert not found["census"]["complete"] and 0 < found["total"]["blocks"] < COUNT, found["total"]
    path = ctx.tmp / "part.pb.gz"
    heap(ctx, target.pid, "--timeout", "1us", "-o", path, status=FAILED)
    assert "INCOMPLETE" in heap(ctx, "--diff", path, path).stdout


def test_interrupt(ctx):
    """The signal is there before the census begins, so that it always comes in the middle."""
    target = ctx.target("leaker", COUNT)

    def pending():
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        os.kill(os.getpid(), signal.SIGINT)
    done = heap(ctx, target.pid, status=FAILED, preexec_fn=pending)
    assert "interrupted: the census is incomplete" in done.stderr and "INCOMPLETE" in done.stdout
    found = re.search(r"in (\d+) blocks", done.stdout)
    assert 0 < int(found.group(1)) < COUNT, done.stdout


# --- what is no target

def refused(ctx, status, pattern, *arguments, **popen):
    done = heap(ctx, *arguments, status=status, **popen)
    assert done.stdout == "" and re.search(pattern, done.stderr), done.stderr
    assert done.stderr.startswith("ptprof: ") and len(done.stderr.splitlines()) <= 8, done.stderr


def test_no_target(ctx):
    refused(ctx, GONE, "no such process", 2 ** 22)
    for word in "abc", "0":
        refused(ctx, USAGE, re.escape(word), word)
    refused(ctx, USAGE, "--diff OLD NEW", 1, 2)
    refused(ctx, USAGE, "two files", "--diff", "a")
    refused(ctx, USAGE, "operand|PID", "--json")
    kernel = next((int(path.parent.name) for path in pathlib.Path("/proc").glob("[0-9]*/stat")
                   if int(path.read_text().rpartition(")")[2].split()[6]) & 0x200000), None)
    if kernel:
        refused(ctx, USAGE, "thread of the kernel", kernel)


def test_32_bit(ctx):
    target = ctx.target("bits32")
    refused(ctx, FAILED, "32", target.pid)


def test_other_user(ctx):
    if os.geteuid() != 0:
        raise ctx.Skip("only root can start ptprof as another user")
    target = ctx.target("leaker", 1)
    os.chmod(ctx.tmp, 0o755)
    refused(ctx, DENIED, str(target.pid), target.pid,
            prefix=("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"))


def test_options_that_exclude_each_other(ctx):
    target = ctx.target("leaker", 1)
    for arguments in (("--diff", "--watch", "1s", "a"), ("--watch", "1s", "--twice"), ("-d", "1s"),
                      ("--watch", "1s", "-f", "pprof", "-o", "-"), ("--json", "-f", "pprof"),
                      ("--json", "--by", "size"), ("-f", "collapsed", "--examples", "1"),
                      ("--by", "colour"), ("--examples", "9"), ("-f", "xml")):
        refused(ctx, USAGE, "heap|--", target.pid, *arguments)


def test_exec_and_end_meanwhile(ctx):
    """Whatever a census meets, it is one of three: whole, gone, or of the program before."""
    target = ctx.target("leaker", 5 * COUNT)
    for _ in range(5):
        run = ctx.start("heap", target.pid)
        target.signal(signal.SIGUSR2)
        assert run.wait() in (DONE, GONE), run.stderr
        while target.line() != "ready":
            pass
    run = ctx.start("heap", target.pid)
    target.kill()
    assert run.wait() in (DONE, GONE), run.stderr


def test_a_first_thread_that_has_ended(ctx):
    """The others have the memory still."""
    target = ctx.target("zombie_leader")
    stat = pathlib.Path(f"/proc/{target.pid}/stat")
    ctx.eventually(lambda: ") Z " in stat.read_text(), "the first thread ends")
    done = ctx.run("heap", target.pid, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["allocators"][0]["name"] == "glibc" and found["total"]["blocks"], found["total"]
    assert found["census"]["complete"] and target.alive()


def test_without_a_heap(ctx):
    """Nothing is known of it: the signs that failed, and its mappings."""
    target = ctx.target("no_heap")
    text = heap(ctx, target.pid).stdout
    assert "no allocator was found" in text and "looked for: " in text, text
    assert re.search(r"^ +\S+ +\S+ +main stack +[0-9a-f]+-[0-9a-f]+ +\[stack\]$", text, re.M), text
    found = json.loads(heap(ctx, target.pid, "--json").stdout)
    assert found["allocators"] == [] and found["rows"] == [], found
    assert "main_stack" in [row["kind"] for row in found["mappings"]], found
    refused(ctx, FAILED, "no allocator was found", target.pid, "-f", "collapsed")
    path = ctx.tmp / "none.pb.gz"
    refused(ctx, FAILED, "no allocator was found", target.pid, "-o", path)
    assert not path.exists()


# --- output

def test_binary_to_terminal(ctx):
    target = ctx.target("leaker", 1)
    ours, theirs = pty.openpty()
    done = heap(ctx, target.pid, "-f", "pprof", "-o", "-", status=USAGE, stdout=theirs)
    assert "not writing a profile to a terminal" in done.stderr
    os.close(ours)
    os.close(theirs)


def test_outputs_that_fail(ctx):
    target = ctx.target("leaker", 1)
    for arguments in ((), ("--json",), ("-f", "collapsed"), ("--watch", "1s")):
        with open("/dev/full", "w") as full:
            done = heap(ctx, target.pid, *arguments, status=FAILED, stdout=full)
        assert "No space left" in done.stderr, done.stderr
    for arguments in (), ("--json",), ("--watch", "100ms"):
        read, write = os.pipe()
        os.close(read)
        done = heap(ctx, target.pid, *arguments, stdout=write)
        os.close(write)
        assert done.stderr == "", done.stderr
    refused(ctx, FAILED, "cannot write into", target.pid, "-o", ctx.tmp / "none" / "h.json")


def test_library(ctx):
    """The API writes what the command does."""
    target = ctx.target("leaker", COUNT)
    with ctx.unharmed(target.pid):
        for form in "json", "text", "collapsed":
            path = ctx.tmp / f"api-{form}"
            done = ctx.helper("census", target.pid, form, path)
            assert done.returncode == 0, done.stderr
            assert "200 bytes" in path.read_text()
        found = json.loads((ctx.tmp / "api-json").read_text())
        assert blocks_of(found, 200) in range(COUNT, COUNT + 20)
    heap(ctx, target.pid, "-o", ctx.tmp / "h.pb.gz")
    path = ctx.tmp / "api.pb.gz"
    assert ctx.helper("census", target.pid, "pprof", path).returncode == 0
    text = heap(ctx, "--diff", ctx.tmp / "h.pb.gz", path).stdout
    assert text.splitlines()[-1].split()[0] == "0B", text
    for arguments, result, says in (((target.pid, "xml", path), "usage", "no format 'xml'"),
                                    ((2 ** 22, "json", path), "gone", "no such process"),
                                    ((target.pid, "json", "/dev/full"), "failed", "No space"),
                                    ((target.pid, "json", path, "1e-6"), "failed", "in time"),
                                    ((target.pid, "json", path, "-1"), "usage", "negative")):
        done = ctx.helper("census", *arguments)
        assert done.returncode != 0 and done.stderr.startswith(f"{result}: "), done.stderr
        assert says in done.stderr, done.stderr
