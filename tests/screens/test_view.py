# SPDX-License-Identifier: MIT
"""`ptprof view` on a terminal: what it says before the screen is touched, and how it leaves it."""

import fcntl
import gzip
import os
import pathlib
import pty
import random
import select
import struct
import subprocess
import termios
import time

SIDE_BY_SIDE = True
HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE.parent / "golden"
SECONDS = 120


class Terminal:
    """A pseudo terminal with ptprof on it."""

    def __init__(self, ctx, *arguments, given=None, **environment):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.slave = slave

        def own():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        self.process = subprocess.Popen(
            [ctx.ptprof, "view", *arguments], stdin=subprocess.PIPE if given else slave,
            stdout=slave, stderr=slave, preexec_fn=own, cwd=ctx.tmp, pass_fds=[slave],
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TERM": "xterm", **environment})
        if given:
            self.process.stdin.write(given)
            self.process.stdin.close()
        self.text = b""

    def shows(self, wanted):
        end = time.monotonic() + SECONDS
        while wanted not in self.text:
            assert time.monotonic() < end, self.text[-2000:]
            if select.select([self.master], [], [], 0.05)[0]:
                self.text += os.read(self.master, 65536)
        self.text = self.text[self.text.index(wanted) + len(wanted):]

    def type(self, keys):
        os.write(self.master, keys)

    def rest(self):
        """All that is left when the program has ended, and its exit status."""
        status, end = None, time.monotonic() + SECONDS
        while status is None or select.select([self.master], [], [], 0.1)[0]:
            assert time.monotonic() < end, self.text[-2000:]
            if select.select([self.master], [], [], 0.05)[0]:
                self.text += os.read(self.master, 65536)
            status = self.process.poll() if status is None else status
        assert termios.tcgetattr(self.slave) == self.before, "the terminal is not as it was"
        os.close(self.slave)
        os.close(self.master)
        return self.text, status


def folded(path, stacks):
    path.write_text("".join(f"{stack} {count}\n" for stack, count in stacks))
    return path


def test_screen_and_back(ctx):
    terminal = Terminal(ctx, GOLDEN / "go-heap.pb.gz")
    terminal.shows(b"main.main")
    terminal.type(b"3")
    terminal.shows(b"the whole width is")
    terminal.type(b"a")
    terminal.shows(b"alloc_objects, in count")
    terminal.type(b"q")
    text, status = terminal.rest()
    assert status == 0 and b"ptprof:" not in text, text


def test_standard_input(ctx):
    given = (GOLDEN / "go-cpu.pb.gz").read_bytes()
    terminal = Terminal(ctx, "-", given=given)
    terminal.shows(b"standard input")
    terminal.type(b"2")
    terminal.shows(b"CALL TREE")
    terminal.type(b"q")
    assert terminal.rest()[1] == 0


def test_errors_come_before_the_screen(ctx):
    whole = gzip.decompress((GOLDEN / "go-heap.pb.gz").read_bytes())
    (ctx.tmp / "cut.pb.gz").write_bytes((GOLDEN / "go-heap.pb.gz").read_bytes()[:700])
    (ctx.tmp / "cut.pb").write_bytes(whole[:len(whole) // 2])
    (ctx.tmp / "empty").write_bytes(b"")
    (ctx.tmp / "text").write_text("this is no profile\x1b[31m\n")
    folded(ctx.tmp / "good.folded", [("main;work", 3)])
    heap = GOLDEN / "go-heap.pb.gz"
    for arguments, status, said in (
            (["nowhere"], 1, b"nowhere: it cannot be opened"),
            (["cut.pb.gz"], 1, b"cut.pb.gz: "),
            (["cut.pb"], 1, b"cut.pb: "),
            (["empty"], 1, b"empty: it is empty"),
            (["text"], 1, b"text: it is no profile"),
            (["good.folded", "cut.pb"], 1, b"cut.pb: "),
            (["nowhere", "good.folded"], 1, b"nowhere: "),
            (["good.folded", heap], 2, b"no values in common"),
            (["good.folded", "--sample-type", "delay"], 2, b"delay; it has samples"),
            ([heap, "good.folded", "--sample-type", "inuse_space"], 2, b"it has samples")):
        text, code = Terminal(ctx, *arguments).rest()
        assert said in text and code == status, (arguments, code, text)
        assert b"\x1b" not in text, text


def test_without_a_usable_terminal(ctx):
    text, status = Terminal(ctx, GOLDEN / "go-heap.pb.gz", TERM="dumb").rest()
    assert status == 2 and b"ptprof report FILE prints the same" in text, text
    assert b"\x1b" not in text, text
    old, new = HERE / "old.folded", HERE / "new.folded"
    done = ctx.run("view", old, new)
    assert done.returncode == 2 and not done.stdout
    assert "ptprof diff OLD NEW prints the same" in done.stderr


def test_what_is_saved_can_be_viewed(ctx):
    terminal = Terminal(ctx, HERE / "old.folded", HERE / "new.folded")
    terminal.shows(b"compress")
    terminal.type(b"s")
    terminal.shows(b"save profile as")
    terminal.type(b"\x15difference.pb.gz\r")
    terminal.shows(b"profile written to difference.pb.gz")
    terminal.type(b"q")
    assert terminal.rest()[1] == 0
    terminal = Terminal(ctx, "difference.pb.gz")
    terminal.shows(b"-180")
    terminal.type(b"q")
    assert terminal.rest()[1] == 0


def test_a_stack_without_end(ctx):
    path = folded(ctx.tmp / "deep.folded", [
        (";".join(f"f{number}" for number in range(300000)), 5),
        (";".join("again" for _ in range(300000)), 3), ("main;work", 2)])
    terminal = Terminal(ctx, path)
    terminal.shows(b"2 stacks are cut at 4096 frames")
    for keys, wanted in ((b"2E", b"CALL TREE"), (b"i", b"ED FROM"), (b"3", b"LEAVES"),
                         (b"1c", b"CALLERS"), (b"4", b"MOSTLY IN")):
        terminal.type(keys)
        terminal.shows(wanted)
    terminal.type(b"q")
    assert terminal.rest()[1] == 0


def processor_time(pid):
    words = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(words[11]) + int(words[12])


def test_large_file_costs_nothing_while_nobody_types(ctx):
    chance = random.Random(7)
    stacks = set()
    while len(stacks) < 100000:
        way = [0]
        for _ in range(chance.randrange(6, 20)):
            way.append((way[-1] * 3 + chance.randrange(4)) % 3000)
        stacks.add(";".join(f"function_{number}" for number in way))
    path = folded(ctx.tmp / "large.folded", ((stack, 1 + len(stack) % 7) for stack in stacks))
    terminal = Terminal(ctx, path)
    terminal.shows(b"100000 stacks")
    for keys, wanted in (b"3", b"the whole width is"), (b"2", b"CALL TREE"), (b"1", b"FUNCTION"):
        terminal.type(keys)
        terminal.shows(wanted)

    def idle():
        before = processor_time(terminal.process.pid)
        time.sleep(2.5)  # a run is drawn anew each second
        return processor_time(terminal.process.pid) == before
    ctx.eventually(idle, "2.5 seconds without any work")
    terminal.type(b"q")
    assert terminal.rest()[1] == 0
