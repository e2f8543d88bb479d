# SPDX-License-Identifier: MIT
"""`ptprof top` in a terminal emulator (tmux): what it shows, and how it leaves things."""

import fcntl
import gzip
import os
import pty
import re
import select
import shlex
import shutil
import signal
import struct
import subprocess
import termios
import time

SIDE_BY_SIDE = True

# Beside a note, such as that the rate falls on a slow machine, there is room for less.
ENDED = r"process ended - q quit, s save| ended: q, s"


class Terminal:
    """A shell in a tmux of our own."""

    def __init__(self, ctx, cols=100, rows=24):
        if not shutil.which("tmux"):
            raise ctx.Skip("tmux is not installed")
        self.ctx = ctx
        self.socket = ctx.tmp / "tmux"
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(ctx.tmp),
                       "TERM": "xterm"}
        ctx.spawn("tmux", "-S", self.socket, "-f", "/dev/null", "-D", env=environment)
        ctx.eventually(self.socket.exists, "a tmux")
        self.tmux("new-session", "-d", "-x", cols, "-y", rows, "bash --norc --noprofile -i")
        self.shows(r"[$#] *$")
        self.modes = self.stty()

    def tmux(self, *words):
        done = subprocess.run(["tmux", "-S", self.socket, *map(str, words)], timeout=60,
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def screen(self):
        return self.tmux("capture-pane", "-p")

    def keys(self, *names):
        self.tmux("send-keys", *names)

    def type(self, line):
        self.tmux("send-keys", "-l", line)
        self.keys("Enter")

    def shows(self, pattern, seconds=60.0):
        """Waits until the screen shows it and returns the match."""
        last = []

        def seen():
            last[:] = [self.screen()]
            return re.search(pattern, last[0], re.M)
        try:
            return self.ctx.eventually(seen, f"the screen shows {pattern!r}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{last[0]}") from None

    def stty(self):
        """The terminal's modes, as the shell's children find them."""
        path = self.ctx.tmp / "stty"
        path.unlink(missing_ok=True)
        self.type(f"stty -g > {path}.new; mv {path}.new {path}")
        self.ctx.eventually(path.exists, "stty")
        return path.read_text()

    def top(self, pid, *options, term=""):
        words = ["clear;", f"TERM={term}" if term else "", shlex.quote(str(self.ctx.ptprof)),
                 "top", str(pid), *options]
        self.type(" ".join(words) + "; echo status $?")
        self.shows(r"\[1\]Top")
        return self.profiler(pid)

    def profiler(self, pid):
        """The pid of the ptprof that looks at `pid`; its sampler is a child."""
        shell = int(self.tmux("display-message", "-p", "#{pane_pid}"))
        return self.ctx.eventually(lambda: next(iter(self.ctx.children(shell)), None), "a ptprof")

    def is_sane(self):
        flags = self.tmux("display-message", "-p",
                          "#{alternate_on} #{cursor_flag} #{mouse_any_flag} #{keypad_flag}")
        assert flags.split() == ["0", "1", "0", "0"], f"alternate, cursor, mouse, keypad: {flags}"
        assert self.stty() == self.modes, "other modes than before"


def busy(ctx):
    path = ctx.build / "examples" / "busy"
    if not path.exists():
        raise ctx.Skip("examples/busy is not built")
    target = ctx.spawn(path, 100)
    ctx.eventually(lambda: ctx.health(target.pid).threads == 3, "its threads")
    return target


def test_views_of_busy(ctx):
    target = busy(ctx)
    before = ctx.health(target.pid)
    terminal = Terminal(ctx)
    terminal.top(target.pid)
    terminal.shows(r"^ +[45]\d\.\d +\d.* parse +busy$")  # its half
    terminal.shows(r"hash_table_lookup")
    terminal.shows(r"held \S+ p50 \S+ p99  overhead \d\.\d% OK$")
    terminal.shows(r"F1Help .*F10Quit")
    terminal.keys("2")
    terminal.shows(r"[├└]─ .*(answer|read_message)")
    terminal.keys("3")
    terminal.shows(r"ROOT AT THE TOP")
    terminal.shows(r"read_message")
    terminal.keys("4")
    terminal.shows(r"worker-1 .*\d\.\d")
    terminal.keys("?")
    terminal.shows(r"key goes back")
    terminal.keys("x", "1", "/")
    terminal.tmux("send-keys", "-l", "checks")
    terminal.keys("Enter")
    terminal.shows(r"/checks +1 of \d+ rows")
    terminal.keys("p")
    terminal.shows(r"frozen 0m0\ds")
    terminal.keys("q")
    terminal.shows(r"status 0")
    terminal.shows(r"ptprof: \S+s, .* samples of")
    terminal.is_sane()
    assert ctx.health(target.pid) == before


def test_keys_typed_ahead(ctx):
    """Those that come before the first picture are for it."""
    target = busy(ctx)
    terminal = Terminal(ctx)
    terminal.type(f"sleep 1; {shlex.quote(str(ctx.ptprof))} top {target.pid}; echo status $?")
    terminal.keys("2", "?")
    terminal.shows(r"key goes back")
    terminal.keys("x")
    terminal.shows(r"\[2\]Tree")
    terminal.keys("q")
    terminal.shows(r"^status 0")
    terminal.is_sane()


def test_saved_profile(ctx):
    target = busy(ctx)
    terminal = Terminal(ctx)
    terminal.top(target.pid)
    terminal.shows(r"parse +busy$")
    terminal.keys("s", "C-u")
    terminal.tmux("send-keys", "-l", str(ctx.tmp / "saved.pb.gz"))
    terminal.keys("Enter")
    terminal.shows(r"profile written to")
    saved = (ctx.tmp / "saved.pb.gz").read_bytes()
    assert saved[:2] == b"\x1f\x8b"
    # Nothing is lost by a name that is taken, nor by none.
    terminal.keys("s", "C-u")
    terminal.tmux("send-keys", "-l", str(ctx.tmp / "saved.pb.gz"))
    terminal.keys("Enter")
    terminal.shows(r"is there already: choose another name")
    assert (ctx.tmp / "saved.pb.gz").read_bytes() == saved
    terminal.keys("s", "C-u", "Enter")
    terminal.shows(r"^ row 1 of")
    terminal.keys("q")
    terminal.shows("status 0")


def test_suspended_and_continued(ctx):
    target = busy(ctx)
    before = ctx.health(target.pid)
    terminal = Terminal(ctx)
    profiler = terminal.top(target.pid)
    terminal.shows(r"parse +busy$")
    terminal.keys("C-z")
    terminal.shows(r"Stopped")
    assert ctx.state_of(profiler) == "T"
    terminal.is_sane()
    looked = time.monotonic() + 1  # many rounds of a sampler that would go on
    while time.monotonic() < looked:
        assert ctx.health(target.pid) == before, "it is not left alone"
    assert "Z" not in map(ctx.state_of, ctx.children(profiler)), "a zombie"
    terminal.type("fg")
    terminal.shows(r"\[1\]Top")
    terminal.shows(r"parse +busy$")
    terminal.keys("q")
    terminal.shows(r"samples of")
    terminal.is_sane()
    # The same by a signal.
    profiler = terminal.top(target.pid)
    os.kill(profiler, signal.SIGTSTP)
    terminal.shows(r"Stopped")
    terminal.is_sane()
    terminal.type("fg")
    terminal.shows(r"\[1\]Top")
    terminal.shows(r"parse +busy$")  # without a sample there is no summary
    terminal.keys("q")
    terminal.shows(r"samples of")
    assert ctx.health(target.pid) == before


def test_terminals_without_a_second_screen(ctx):
    """The picture stays; the last line of it is the shell's. Ctrl-Z is a key of its own on some."""
    target = busy(ctx)
    terminal = Terminal(ctx)
    for term in "linux", "vt100":
        terminal.top(target.pid, term=term)
        terminal.shows(r"parse +busy$")
        terminal.keys("C-z")
        terminal.shows(r"Stopped")
        terminal.type("fg")
        terminal.shows(r"F10Quit$")
        terminal.keys("q")
        terminal.shows(r"^ptprof: \S+s, .* of CPU time$")
        terminal.shows(r"^  top +\d[^$]*[$#] *$")  # and the shell
        assert "F10Quit" not in terminal.screen(), terminal.screen()


def test_ended_by_signals(ctx):
    target = busy(ctx)
    before = ctx.health(target.pid)
    terminal = Terminal(ctx)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGSEGV, signal.SIGABRT):
        profiler = terminal.top(target.pid)
        terminal.shows(r"parse +busy$")
        os.kill(profiler, number)
        terminal.shows(r"status \d+$")
        terminal.is_sane()
        ctx.eventually(lambda: ctx.health(target.pid) == before, "the target is left alone")


def test_killed(ctx):
    """Somebody else has to clean up then."""
    target = busy(ctx)
    before = ctx.health(target.pid)
    terminal = Terminal(ctx)
    profiler = terminal.top(target.pid)
    terminal.shows(r"parse +busy$")
    os.kill(profiler, signal.SIGKILL)
    ctx.eventually(lambda: terminal.tmux("display-message", "-p", "#{alternate_on}") == "0\n",
                   "the screen is left")
    terminal.is_sane()
    ctx.eventually(lambda: ctx.health(target.pid) == before, "the target is left alone")


def test_stopped_and_continued(ctx):
    """By SIGSTOP, which cannot be taken: the shell has the terminal meanwhile."""
    target = busy(ctx)
    terminal = Terminal(ctx)
    profiler = terminal.top(target.pid)
    terminal.shows(r"parse +busy$")
    os.kill(profiler, signal.SIGSTOP)
    terminal.shows(r"Stopped")
    terminal.type("fg")
    terminal.shows(r"\[1\]Top")
    terminal.keys("2")
    terminal.shows(r"CALL TREE")
    terminal.keys("q")
    terminal.shows(r"samples of")
    terminal.is_sane()


def test_resized_all_the_time(ctx):
    target = busy(ctx)
    terminal = Terminal(ctx)
    profiler = terminal.top(target.pid)
    for cols, rows in [(40, 6), (200, 60), (10, 3), (79, 11), (1, 1), (120, 40)] * 10:
        terminal.tmux("resize-window", "-x", cols, "-y", rows)
    for _ in range(2000):
        os.kill(profiler, signal.SIGWINCH)
    terminal.tmux("resize-window", "-x", 30, "-y", 5)
    terminal.shows("need 40x6, have 30x5")
    terminal.tmux("resize-window", "-x", 80, "-y", 24)
    terminal.shows(r"\[1\]Top 2:Tree 3:Flame 4:Threads$")
    terminal.shows(r"parse +busy$")
    terminal.shows(r"F10Quit$")
    terminal.keys("q")
    terminal.shows("status 0")
    terminal.is_sane()


def test_target_ends(ctx):
    target = busy(ctx)
    terminal = Terminal(ctx)
    terminal.top(target.pid)
    terminal.shows(r"parse +busy$")
    target.kill()
    terminal.shows(ENDED)
    terminal.shows(r"parse +busy$")
    terminal.keys("2")
    terminal.shows(r"CALL TREE")
    terminal.keys("q")
    terminal.shows(r"status 0")
    terminal.is_sane()


def test_hostile_names(ctx):
    target = ctx.target("names")
    terminal = Terminal(ctx)
    terminal.top(target.pid)
    terminal.keys("4")
    terminal.shows(r"\[4\]Threads")
    terminal.shows(r"\\x1b")
    screen = terminal.screen()
    assert len(screen.splitlines()) <= 24 and "\x1b" not in screen
    terminal.keys("q")
    terminal.shows(r"status 0")
    terminal.is_sane()


def test_without_a_usable_terminal(ctx):
    target = busy(ctx)
    for term in "dumb", "no-such-terminal":
        terminal = pseudo_terminal(ctx, ctx.command(["top", target.pid, "-n", 1]), TERM=term)
        text = terminal.read_until(b"parse")
        assert text.count(b"printing blocks instead") == 1, text
        assert b"\x1b" not in text, text
        assert terminal.process.wait(60) == 0
    # Rows fit.
    terminal = pseudo_terminal(ctx, ctx.command(["top", target.pid, "-b", "-n", 2]), 80)
    rows = [row for row in terminal.read_until(b"\n\r\n# ptprof").splitlines()
            if row and not row.startswith(b"# ")]
    assert rows and max(map(len, rows)) <= 80, rows
    assert terminal.process.wait(60) == 0


class Pseudo:
    def __init__(self, process, master):
        self.process, self.master = process, master

    def read_until(self, wanted, seconds=60.0):
        text, end = b"", time.monotonic() + seconds
        while wanted not in text:
            assert time.monotonic() < end, text[-2000:]
            if select.select([self.master], [], [], 0.2)[0]:
                try:
                    text += os.read(self.master, 65536)
                except OSError:  # everybody has closed the other end
                    break
        return text


def pseudo_terminal(ctx, command, cols=100, rows=24, **environment):
    """A terminal that reads only when we do."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def own():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, preexec_fn=own,
                               env={**os.environ, "LC_ALL": "C.UTF-8", **environment})
    os.close(slave)
    return Pseudo(process, master)


def waiting(terminal):
    """Bytes that the terminal has not read."""
    return struct.unpack("i", fcntl.ioctl(terminal.master, termios.FIONREAD, bytes(4)))[0]


def test_terminal_that_stops_reading(ctx):
    target = busy(ctx)
    before = ctx.health(target.pid)
    terminal = pseudo_terminal(ctx, ctx.command(["top", target.pid, "-D", "0.2s"]), 300, 100,
                               TERM="xterm-256color")
    terminal.read_until(b"parse")
    # Each key draws another view; nobody reads what comes of it.
    for _ in range(300):
        os.write(terminal.master, b"1?2E3i4")
        time.sleep(0.01)
    time.sleep(1)
    assert waiting(terminal) > 1000, "it does not stand still"
    os.write(terminal.master, b"??q")
    text = terminal.read_until(b"of CPU time")
    seconds, rounds = map(float, re.search(rb"([\d.]+)s\S*, (\d+) rounds", text).groups())
    assert rounds > 50 * seconds, (rounds, seconds)
    assert terminal.process.wait(60) == 0
    # One that never reads again does not keep it.
    terminal = pseudo_terminal(ctx, ctx.command(["top", target.pid, "-D", "0.2s"]), 300, 100,
                               TERM="xterm-256color")
    terminal.read_until(b"parse")
    for _ in range(300):
        os.write(terminal.master, b"1?2E3i4")
        time.sleep(0.01)
    terminal.process.terminate()
    ctx.eventually(lambda: ctx.health(target.pid) == before, "the target is left alone")
    os.close(terminal.master)
    terminal.process.wait(60)


def test_mouse(ctx):
    target = busy(ctx)
    terminal = pseudo_terminal(ctx, ctx.command(["top", target.pid]), TERM="xterm-256color")
    terminal.read_until(b"parse")
    press = "\x1b[<0;{};{}M\x1b[<0;{};{}m"  # column, row; and its release
    os.write(terminal.master, press.format(95, 1, 95, 1).encode())  # on "4:Threads"
    terminal.read_until(b"WHERE")
    os.write(terminal.master, press.format(3, 24, 3, 24).encode())  # on "F1Help"
    terminal.read_until(b"draw the screen anew")
    os.write(terminal.master, b"xq")
    terminal.read_until(b"of CPU time")
    assert terminal.process.wait(60) == 0


def test_left_alone_while_paused(ctx):
    target = busy(ctx)
    before = ctx.health(target.pid)
    terminal = Terminal(ctx)
    terminal.top(target.pid)
    terminal.shows(r"parse +busy$")
    terminal.keys("P")
    terminal.shows(r"not sampling: P goes on")

    def is_left_alone():  # but for the round that had begun
        looked = time.monotonic() + 1
        while time.monotonic() < looked:
            if ctx.health(target.pid) != before:
                return False
        return True
    ctx.eventually(is_left_alone, "it is left alone")
    terminal.keys("P")
    terminal.shows(r"sampling goes on")

    def begins_afresh():  # a second later there are more
        terminal.keys("r")
        return re.search(r"samples \d{1,2} ", terminal.screen())
    ctx.eventually(begins_afresh, "what was sampled before is left out")
    terminal.keys("q")
    terminal.shows(r"status 0")
    terminal.is_sane()


def symbol_process(ctx, profiler):
    """The child that has given up its privileges."""
    for pid in ctx.children(profiler):
        try:
            with open(f"/proc/{pid}/status") as file:
                status = file.read()
            if re.search(r"^Seccomp:\s+2$", status, re.M) and "ptprof-names" in status:
                return pid
        except OSError:
            pass
    return None


def test_names_that_do_not_come(ctx):
    """A symbol process that stands still: what has no name yet is called by its module."""
    target = busy(ctx)
    before = ctx.health(target.pid)
    terminal = Terminal(ctx)
    profiler = terminal.top(target.pid, "-D", "0.2s")
    process = ctx.eventually(lambda: symbol_process(ctx, profiler), "a symbol process")
    os.kill(process, signal.SIGSTOP)
    first = int(terminal.shows(r"samples (\d+)").group(1))
    ctx.eventually(lambda: int(terminal.shows(r"samples (\d+)").group(1)) > first + 300, "samples")
    terminal.keys("2")
    terminal.shows(r"CALL TREE")
    terminal.keys("1")
    os.kill(process, signal.SIGCONT)
    terminal.shows(r"^ +[45]\d\.\d +\d.* parse +busy$")
    process = ctx.eventually(lambda: symbol_process(ctx, profiler), "a symbol process")
    os.kill(process, signal.SIGSTOP)
    terminal.keys("q")  # nobody waits for it
    terminal.shows(r"status 0")
    assert "dropped" not in terminal.screen(), terminal.screen()
    terminal.is_sane()
    assert ctx.health(target.pid) == before


def test_names_that_come_while_frozen(ctx):
    """The target executes a program while the symbol process stands still."""
    go = ctx.tmp / "go"
    target = ctx.spawn("/bin/sh", "-c", f"while [ ! -e {go} ]; do :; done; "
                                        f"exec {ctx.program('split')}")
    terminal = Terminal(ctx)
    profiler = terminal.top(target.pid, "-D", "0.2s")
    process = ctx.eventually(lambda: symbol_process(ctx, profiler), "a symbol process")
    os.kill(process, signal.SIGSTOP)
    go.touch()
    terminal.shows(r"^ +[5-9]\d\.\d +\d.* \[split\] +split$")  # enough to be more than its clock
    terminal.keys("p")
    terminal.shows(r"frozen \d")
    quality = terminal.shows(r"^.*\bheld .*$").group(0)
    assert "[split]" in terminal.screen(), "its names came before"
    os.kill(process, signal.SIGCONT)
    terminal.shows(r"^ +\d+\.\d +\d.* (burn|heavy) +split$")
    screen = terminal.screen()
    assert "frozen" in screen and quality in screen and "[split]" not in screen, screen
    terminal.keys("q")
    terminal.shows(r"status 0")


def test_stack_of_a_thread_that_sleeps(ctx):
    target = busy(ctx)
    before = ctx.health(target.pid)
    terminal = Terminal(ctx)
    terminal.top(target.pid)
    terminal.keys("4")
    terminal.shows(rf"^ +\d+ .* R +\d+\.\d.*[^$]*^ +{target.pid} busy +S ")
    terminal.keys("End")
    terminal.keys("b")
    terminal.shows(rf"of thread {target.pid} now: \S")
    terminal.shows(r"^ +#\d+ main +.*busy$")
    terminal.keys("q")
    terminal.shows(r"status 0")
    assert ctx.health(target.pid) == before


def test_wall_time(ctx):
    """Key `a`: what sleeps is seen, in every view, and is no longer when `A` takes it back."""
    target = busy(ctx)
    before = ctx.health(target.pid)
    terminal = Terminal(ctx)
    terminal.top(target.pid)
    terminal.shows(r"parse +busy$")
    terminal.keys("a")
    terminal.shows(r"wall time: running \d+\.\d% queued \d+\.\d% blocked [1-9]\d\.\d%")
    terminal.shows(r"^ +3\d\.\d +3\d\.\d .* sys_\w+ +\[kernel\]$")  # its first thread
    terminal.shows(r"RUN%")
    terminal.keys("2")
    terminal.shows(r"RUN% CALL TREE")
    terminal.keys("3")
    terminal.shows(r"running \d+\.\d%  ")
    terminal.keys("4")
    terminal.shows(r"RUN% QUEUE%")
    terminal.keys("s", "C-u")
    terminal.tmux("send-keys", "-l", str(ctx.tmp / "wall.pb.gz"))
    terminal.keys("Enter")
    terminal.shows(r"profile written to")
    with gzip.open(ctx.tmp / "wall.pb.gz") as file:
        words = set(re.findall(rb"[a-z]+", file.read()))
    assert {b"wall", b"state", b"blocked", b"running"} <= words
    terminal.keys("1", "A")

    def is_taken_back():
        screen = terminal.screen()
        return re.search(r"parse +busy$", screen, re.M) and \
            not re.search("wall time|sys_nanosleep", screen)
    ctx.eventually(is_taken_back, "CPU time alone is shown")
    terminal.keys("q")
    terminal.shows(r"status 0")
    assert ctx.health(target.pid) == before


def test_measures(ctx):
    """A key goes from CPU time to wall time, block and mutex and on; each is counted while it is
    shown, locks and their holders are found, and what is saved is of the type that is shown."""
    target = ctx.target("contended", "normal", "--sleeps")
    before = ctx.health(target.pid)
    terminal = Terminal(ctx, rows=40, cols=130)  # holders stand below what they call
    saved = ctx.tmp / "mutex.pb.gz"
    terminal.top(target.pid)
    terminal.keys("a")
    terminal.shows(r"wall time: running")
    terminal.keys("a")
    terminal.shows(r"block \S+ in \d+ waits .*sorted by DELAY")
    terminal.shows(r"^ +\d\d\.\d +\d\d\.\d +\S+s +\d+ .*sys_futex +lock the_mutex")
    terminal.keys("a")
    terminal.shows(r"mutex: waiters and holders")
    terminal.shows(r"^ +\d+\.\d .* hold_long +the_mutex")
    terminal.keys("s", "C-u")
    terminal.type(str(saved))
    terminal.shows(r"profile written to")
    terminal.keys("a")
    terminal.shows(r"^ CPU time")
    terminal.keys("q")
    terminal.shows(r"^status 0")
    terminal.is_sane()
    assert b"contentions" in gzip.decompress(saved.read_bytes())
    assert target.alive() and ctx.health(target.pid) == before


def test_end_while_frozen(ctx):
    target = busy(ctx)
    terminal = Terminal(ctx)
    terminal.top(target.pid, "-D", "100s")
    terminal.keys("r")  # the first refresh is a hundred seconds away
    terminal.keys("p")
    terminal.shows(r"frozen \d")
    target.kill()
    target.wait()
    terminal.shows(ENDED)
    terminal.keys("q")
    terminal.shows(r"status 0")


def test_redis_under_load(ctx):
    if not shutil.which("redis-server") or not shutil.which("redis-benchmark"):
        raise ctx.Skip("redis is not installed")
    socket = ctx.tmp / "redis"
    server = ctx.spawn("redis-server", "--port", 0, "--unixsocket", socket, "--save", "",
                       "--dir", ctx.tmp)
    ctx.eventually(socket.exists, "a redis")
    ctx.spawn("redis-benchmark", "-s", socket, "-n", 100000000, "-t", "set,get", "-q")
    terminal = Terminal(ctx, 120, 30)
    terminal.top(server.pid)
    terminal.shows(r"redis-server$|redis-check-rdb$")
    terminal.keys("4")
    terminal.shows(r"bio_\S+ +S .*futex")
    before = ctx.health(server.pid)  # it goes on starting threads behind its socket
    terminal.keys("2")
    terminal.shows(r"CALL TREE")
    terminal.keys("q")
    terminal.shows(r"status 0")
    terminal.is_sane()
    after = ctx.health(server.pid)
    assert not after.traced and not after.stopped, after
    assert (after.threads, after.handlers) == (before.threads, before.handlers), (before, after)
