#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the tests: the unit suites, then every test_*(ctx) of the test_*.py files below tests/.

    tests/run.py [FILTER...]    only tests whose name contains one of the words
    tests/run.py --soak         only tests that have a long form (test.soak = SECONDS), in that form
    tests/run.py --list         the names

The unit suites run side by side, on all CPUs, and so do the files of tests that say SIDE_BY_SIDE:
what they assert does not depend on who else uses the machine, but for those of their tests that
have an attribute `alone`. After them one test runs at a time:
most live tests measure, and need the machine for themselves. A test gets a context (class Context)
that starts targets and ptprof and ends them afterwards. It passes by returning, fails by any
exception, and is skipped by ctx.Skip(reason). The last line is exactly "N passed, N failed,
N skipped", checks of the unit suites included. The exit status is 1 if any failed, and 2 if there
was none to run.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import ctypes
import importlib.util
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent
# All limits are against hanging only: a loaded machine takes many times as long as an idle one.
DEADLINE = 300  # seconds for a test that sets none of its own (test.deadline = ...)
UNIT_DEADLINE = int(os.environ.get("UNIT_DEADLINE", 900))  # seconds for a suite
PATIENCE = 60  # seconds for one thing to happen, or one command to end
TERMINATION = 30  # seconds that a target has to end after SIGTERM
FAILURE_COLUMNS = 1000  # of a line shown with a failure
STDERR_TAIL = 25  # lines of ptprof's messages shown with a failure


class Skip(Exception):
    """What a test needs is not there; the text says what."""


class Deadline(Exception):
    pass


def eventually(fact, what, seconds=PATIENCE):
    """Waits until fact() is true and returns what it gave. The deadline is generous, no measure."""
    end = time.monotonic() + seconds
    while not (result := fact()):
        assert time.monotonic() < end, f"not after {seconds:g} s: {what}"
        time.sleep(0.005)
    return result


def slowdown():
    """How many times longer than alone a program takes now, because others use the CPUs too."""
    wall, cpu = time.monotonic(), time.thread_time()
    while time.monotonic() - wall < 0.01:
        pass
    return (time.monotonic() - wall) / (time.thread_time() - cpu)


def lengthened(duration, factor):
    """"1500ms" times 2 is "3000ms"."""
    number, unit = re.fullmatch(r"([0-9.]+)(\D*)", duration).groups()
    return f"{float(number) * factor:g}{unit}"


def cpu_ns(pid):
    """CPU time of a process so far: its CPU clock (the kernel's encoding of a pid as a clock)."""
    return time.clock_gettime_ns(~pid << 3 | 2)


def uses(pid, ms):
    """Waits until a process has used so much more CPU time: the longer, the busier the machine."""
    enough = cpu_ns(pid) + ms * 1_000_000
    eventually(lambda: cpu_ns(pid) > enough, f"{comm_of(pid)} gets {ms} ms of CPU")


def status_fields(path):
    """/proc/.../status as a dict, or None when the thread has ended."""
    try:
        text = path.read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def state_of(pid):
    """State letter of a process, None when it is gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


def threads_of(pid):
    try:
        return sorted(int(name) for name in os.listdir(f"/proc/{pid}/task"))
    except (FileNotFoundError, ProcessLookupError):
        return []


def thread_states(pid):
    """tid -> (state letter, pid of its tracer)."""
    states = {}
    for tid in threads_of(pid):
        fields = status_fields(pathlib.Path(f"/proc/{pid}/task/{tid}/status"))
        if fields:
            states[tid] = (fields["State"][0], int(fields["TracerPid"]))
    return states


def count_of(path):
    """Entries of a directory or lines of a file below /proc; 0 where that may not be read."""
    try:
        return len(os.listdir(path)) if path.is_dir() else path.read_bytes().count(b"\n")
    except OSError:
        return 0


# What a program may have more of than before by its own doing; whoever is read too far, or holds
# what is ours, has more. kB for memory; what is shared is never given back, and one stack is 64 kB.
MAY_GROW = {"RssAnon": 4096, "RssFile": 8192, "RssShmem": 32, "mappings": 24, "descriptors": 16}


class Health(collections.namedtuple("Health", "threads traced stopped handlers sizes at")):
    """State of a process; the later one is equal if it is as before, and has not grown."""

    def __eq__(self, other):
        return self[:4] == other[:4] and not self.growth(other)

    def __ne__(self, other):
        return not self == other

    __hash__ = None

    def growth(self, other):
        """What the later one has more of, by more than a program may grow by itself."""
        first, last = sorted((self, other), key=lambda health: health.at)
        return {key: (first.sizes[key], last.sizes[key]) for key, most in MAY_GROW.items()
                if last.sizes[key] - first.sizes[key] > most}


class Process:
    """A program that was started for a test, in a session of its own."""

    def __init__(self, command, stdin=subprocess.DEVNULL, **popen):
        self.name = pathlib.Path(command[0]).name
        self.lines = collections.deque()
        self.closed = False
        self.changed = threading.Condition()
        self.popen = subprocess.Popen(
            [str(word) for word in command], stdin=stdin, stdout=subprocess.PIPE,
            start_new_session=True, text=True, errors="backslashreplace", **popen)
        self.pid = self.popen.pid
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.popen.stdout:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def line(self, seconds=PATIENCE):
        """The next line it prints."""
        with self.changed:
            self.changed.wait_for(lambda: self.lines or self.closed, seconds)
            end = " and ended" if self.closed else ""
            assert self.lines, f"{self.name} printed nothing{end}"
            return self.lines.popleft()

    def drop_lines(self):
        with self.changed:
            dropped = list(self.lines)
            self.lines.clear()
            return dropped

    def say(self, word):
        """Writes a line to a program that was started with stdin=PIPE, and returns its answer."""
        self.popen.stdin.write(word + "\n")
        self.popen.stdin.flush()
        return self.line()

    def signal(self, number):
        os.kill(self.pid, number)

    def wait(self, seconds=PATIENCE):
        return self.popen.wait(seconds)

    def alive(self):
        return self.popen.poll() is None

    def stop(self):
        """Ends it by SIGTERM and returns what it printed last, parsed if it is JSON."""
        assert self.alive(), f"{self.name} ended by itself with {self.popen.returncode}"
        self.signal(signal.SIGTERM)
        self.popen.wait(TERMINATION)
        with self.changed:
            self.changed.wait_for(lambda: self.closed, TERMINATION)
        last = self.lines[-1] if self.lines else ""
        return json.loads(last) if last.startswith("{") else last

    def kill(self):
        """Ends the whole session, which may be more than the first process."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        try:
            self.popen.wait(TERMINATION)
        except subprocess.TimeoutExpired:
            print(f"     {self.name} ({self.pid}) does not die", file=sys.stderr)


class Run:
    """A ptprof in the background."""

    def __init__(self, command, stderr_path, **popen):
        self.stderr_path = stderr_path
        with open(stderr_path, "wb") as stderr:
            self.popen = subprocess.Popen([str(word) for word in command], stderr=stderr,
                                          stdin=subprocess.DEVNULL, start_new_session=True, **popen)
        self.pid = self.popen.pid

    @property
    def stderr(self):
        return self.stderr_path.read_text(errors="backslashreplace")

    def says(self, pattern, seconds=PATIENCE):
        """Waits for a message."""
        def seen():
            if match := re.search(pattern, self.stderr):
                return match
            assert self.popen.poll() is None, f"ptprof ended before it said {pattern!r}"
            return None
        return eventually(seen, f"ptprof says {pattern!r}", seconds)

    def signal(self, number):
        os.kill(self.pid, number)

    def sampler(self, seconds=PATIENCE):
        """The pid of the sampler."""
        return self.process("sampler", seconds)

    def process(self, name, seconds=PATIENCE):
        """The pid of the child of that name: sampler, unwind, headers or names."""
        return eventually(lambda: next((pid for pid in children(self.pid)
                                        if comm_of(pid) == f"ptprof-{name}"), None),
                          f"a process that is ptprof-{name}", seconds)

    def wait(self, seconds=PATIENCE):
        return self.popen.wait(seconds)

    def alive(self):
        return self.popen.poll() is None

    def kill(self):
        for pid in children(self.pid) if self.alive() else ():
            kill_quietly(pid)
        if self.alive():
            kill_quietly(self.pid)
        self.popen.wait(TERMINATION)


def comm_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().removesuffix("\n")
    except OSError:
        return None


def kill_quietly(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def children(pid):
    found = []
    for tid in threads_of(pid):
        try:
            text = pathlib.Path(f"/proc/{pid}/task/{tid}/children").read_text()
        except OSError:
            continue
        found += [int(word) for word in text.split()]
    return found


class Context:
    """What a test may use. Everything it starts ends with it."""

    Skip = Skip
    root = ROOT
    build = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()
    ptprof = build / "ptprof"
    eventually = staticmethod(eventually)
    cpu_ns = staticmethod(cpu_ns)
    uses = staticmethod(uses)
    children = staticmethod(children)
    comm_of = staticmethod(comm_of)
    kill = staticmethod(kill_quietly)
    state_of = staticmethod(state_of)
    thread_states = staticmethod(thread_states)

    def __init__(self, tmp, soak=False):
        self.tmp = pathlib.Path(tmp)
        self.soak = soak  # the long form is wanted
        self.started = []
        self.stderr = ""  # of the last ptprof, for the report of a failure
        self.figure = ""  # what a test measured, shown beside "ok"
        self.numbers = itertools.count()
        self.waits_for_names = True
        self.slowdown = slowdown()  # before it starts anything itself

    def length(self, short, long):
        """What of the two is the length of this run."""
        return long if self.soak else short

    def new_path(self, name):
        """A path that no other call gives; name has {} for a number. Any thread may ask."""
        return self.tmp / name.format(next(self.numbers))

    # --- targets

    def program(self, name):
        path = self.build / "tests" / "targets" / name
        if not path.exists():
            raise Skip(f"{path.relative_to(self.build)} is not built")
        return path

    def spawn(self, *command, **popen):
        process = Process(command, **popen)
        self.started.append(process)
        return process

    def target(self, name, *arguments, prefix=(), **popen):
        """Starts build/tests/targets/NAME and waits until it is ready."""
        process = self.spawn(*prefix, self.program(name), *arguments, **popen)
        process.name = name
        process.said_before = []
        while (line := process.line()) != "ready":
            process.said_before.append(line)
        return process

    def helper(self, name, *arguments, **popen):
        """A program of tests/live, run to its end."""
        path = self.build / "tests" / "live" / name
        if not path.exists():
            raise Skip(f"{path.relative_to(self.build)} is not built")
        return subprocess.run([str(path), *map(str, arguments)], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=2 * PATIENCE, **popen)

    def health(self, pid):
        """What must be as before once we are gone: compare with =="""
        fields = status_fields(pathlib.Path(f"/proc/{pid}/status"))
        assert fields, f"process {pid} is gone"
        states = thread_states(pid)
        sizes = {key: int(fields.get(key, "0 kB").split()[0]) for key in MAY_GROW}
        sizes["mappings"] = count_of(pathlib.Path(f"/proc/{pid}/maps"))
        sizes["descriptors"] = count_of(pathlib.Path(f"/proc/{pid}/fd"))
        return Health(threads=len(states), sizes=sizes, at=time.monotonic(),
                      traced=sorted(tid for tid, (_, tracer) in states.items() if tracer),
                      stopped=sorted(tid for tid, (state, _) in states.items() if state in "Tt"),
                      handlers=(fields["SigIgn"], fields["SigCgt"]))

    def program_of(self, pid):
        """What tells one program of a process from the next; None when it has ended."""
        try:
            return os.readlink(f"/proc/{pid}/exe")
        except OSError:
            return None

    @contextlib.contextmanager
    def unharmed(self, pid, grows=False):
        """A process that is still there afterwards, and runs the same program, is neither traced
        nor stopped by us, and has not grown. grows: it does so by itself."""
        program = self.program_of(pid)
        before = self.health(pid) if program else None
        yield
        if not program or self.program_of(pid) != program:
            return
        try:
            after = self.health(pid)
        except AssertionError:
            return  # it has ended just now
        assert not after.traced, f"threads {after.traced} of {pid} are traced"
        assert set(after.stopped) <= set(before.stopped), f"{after.stopped} of {pid} are stopped"
        growth = {} if grows else after.growth(before)
        assert not growth, f"{pid} has grown: {growth}"

    # --- ptprof

    def command(self, arguments, prefix=()):
        """How long names take depends on the machine: who does not look at that, waits for them."""
        waits = self.waits_for_names and arguments[:1] == ("attach",)
        return [*map(str, prefix), str(self.ptprof), *map(str, arguments),
                *(["--wait-for-names"] if waits else [])]

    def _stderr_path(self):
        return self.new_path("ptprof-{}.stderr")

    def run(self, *arguments, timeout=2 * PATIENCE, prefix=(), **popen):
        """Runs ptprof to its end. prefix: a command that runs it, such as setpriv."""
        popen = {"cwd": self.tmp, "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, **popen}
        done = subprocess.run(self.command(arguments, prefix), stderr=subprocess.PIPE, text=True,
                              errors="backslashreplace", timeout=timeout, **popen)
        self.stderr = done.stderr
        return done

    def start(self, *arguments, prefix=(), **popen):
        """Starts ptprof in the background."""
        popen = {"cwd": self.tmp, "stdout": subprocess.DEVNULL, **popen}
        run = Run(self.command(arguments, prefix), self._stderr_path(), **popen)
        self.started.append(run)
        return run

    def profile(self, pid, *extra, prefix=(), timeout=2 * PATIENCE, status=0, grows=False):
        """Profiles a process for 3 s, or as the extra options say, and returns the JSON document.
        On a loaded machine for longer, up to eight times: what is counted are samples. ctx.stderr
        keeps the summary."""
        path = self.new_path("profile-{}.json")
        options = list(map(str, extra))
        if not {"-d", "--duration"} & set(options):
            options = ["-d", "3s", *options]
        at = next(i for i, option in enumerate(options) if option in ("-d", "--duration")) + 1
        if self.soak:
            timeout = max(timeout, 3600)  # the test has a deadline of its own
        elif self.slowdown > 1.5:
            options[at] = lengthened(options[at], min(self.slowdown, 8))
        with self.unharmed(pid, grows):
            done = self.run("attach", pid, *options, "-f", "json", "-o", path, prefix=prefix,
                            timeout=timeout)
        assert done.returncode == status, f"exit status {done.returncode}, not {status}"
        assert done.stdout == "", "something on standard output: " + done.stdout[:200]
        profile = json.loads(path.read_text())
        share = profile["run"]["held_share"]
        assert 0 <= share <= 1, f"a thread was held for {100 * share:g} % of its time"
        return profile

    # --- the end

    def clean_up(self):
        for started in reversed(self.started):
            if isinstance(started, Run):
                self.stderr = self.stderr or started.stderr
            started.kill()


# --- whether ptrace works here

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17


def ptrace_problem():
    """Why a child of ours cannot be traced, or None. Tried on a `sleep`."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
    libc.ptrace.restype = ctypes.c_long
    child = subprocess.Popen(["sleep", "60"])
    try:
        for request in PTRACE_SEIZE, PTRACE_INTERRUPT:
            if libc.ptrace(request, child.pid, None, None) != 0:
                return "ptrace does not work here: " + os.strerror(ctypes.get_errno())
        # Not through Popen, which would take the stop for the end of the child.
        os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WEXITED)
        libc.ptrace(PTRACE_DETACH, child.pid, None, None)
        return None
    finally:
        child.kill()
        child.wait()


# --- running

SIDE_BY_SIDE = set()  # beginnings of the names of tests that run so


def discover():
    """(name, function, folder) of all tests, in the order of the files."""
    tests = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        sys.path.insert(0, str(path.parent)) if str(path.parent) not in sys.path else None
        spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        prefix = f"{path.parent.name}/{path.stem.removeprefix('test_')}/"
        if getattr(module, "SIDE_BY_SIDE", False):
            SIDE_BY_SIDE.add(prefix)
        for name, function in list(vars(module).items()):
            if name.startswith("test_") and callable(function) and \
                    function.__module__ == module.__name__:
                tests.append((prefix + name.removeprefix("test_"), function, path.parent.name))
    return tests


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []  # their lines, for the end of the run

    def report(self, result, name, seconds, text=""):
        first, *rest = (text.strip() or " ").splitlines()
        if result == "FAIL":
            self.failures.append(f"FAIL {name} {first}".rstrip())
        print(f"{result:4} {name} ({seconds:.1f} s) {first}".rstrip())
        for line in rest:
            print("     " + line)
        sys.stdout.flush()


def unit_suites():
    """Of each tests/unit/test_NAME.c a suite NAME is compiled into one program."""
    sources = (ROOT / "tests" / "unit").glob("test_*.c")
    return sorted(path.stem.removeprefix("test_") for path in sources)


def run_suites(tally, suites):
    """Suites of the unit tests, each in a process of its own. Each check of theirs is a test."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for suite, (seconds, result) in zip(suites, pool.map(timed_checks, suites)):
            report_suite(tally, "unit/" + suite, seconds, *result)


def timed_checks(suite):
    """(seconds, (exit status, output)); the output of a suite that does not end is the error."""
    begin = time.monotonic()
    try:
        result = run_checks(suite)
    except (OSError, subprocess.TimeoutExpired) as error:
        result = 1, str(error)
    return time.monotonic() - begin, result


def report_suite(tally, name, seconds, status, output):
    checks, bad = checks_of(output, status)
    skips = re.findall(r"^skip (.*)$", output, re.M)
    tally.passed += checks - bad - len(skips)
    tally.failed += bad
    tally.skipped += len(skips)
    lines = [line for line in output.splitlines() if ":F:" in line or ":E:" in line]
    text = [f"{checks} checks"] if not bad else \
        [f"{bad} of {checks} checks failed", *(lines or output.splitlines()[-20:])]
    tally.report("FAIL" if bad else "ok", name, seconds,
                 "\n".join(text + ["skip " + skip for skip in skips]))


def run_checks(suite):
    """(exit status, output). At SIGTERM Check ends the test that it is at, and between two tests
    its own process group."""
    with subprocess.Popen([Context.build / "tests" / "unit-tests"], start_new_session=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="backslashreplace",
                          env={**os.environ, "CK_RUN_SUITE": suite}) as program:
        try:
            output, _ = program.communicate(timeout=UNIT_DEADLINE)
        except BaseException:
            program.terminate()
            raise
    return program.returncode, output


def checks_of(output, status):
    """How many checks there were, and how many of them failed: one at least if the program did."""
    counts = re.search(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)", output, re.M)
    checks, failures, errors = map(int, counts.groups()) if counts else (0, 0, 0)
    bad = failures + errors
    if not bad and (not checks or status != 0):
        return checks + 1, 1
    return checks, bad


def on_alarm(number, frame):
    raise Deadline()


def failure_text(error, stderr):
    """The failing statement and its message, then the last of what ptprof said."""
    where = [frame for frame in traceback.extract_tb(error.__traceback__) if "/tests/" in
             frame.filename and not frame.filename.endswith("run.py")]
    kind = "" if isinstance(error, AssertionError) else type(error).__name__ + ": "
    lines = [f"{kind}{error}".strip() or "assertion failed"]
    for frame in where[-2:]:
        lines.append(f"{os.path.relpath(frame.filename, ROOT)}:{frame.lineno}: {frame.line}")
    tail = stderr.strip().splitlines()[-STDERR_TAIL:]
    return "\n".join(line[:FAILURE_COLUMNS] for line in lines + ["| " + line for line in tail])


def run_test(tally, name, function, problem, soak):
    if problem:
        tally.skipped += 1
        tally.report("skip", name, 0, problem)
        return
    deadline = function.soak if soak else getattr(function, "deadline", DEADLINE)
    begin = time.monotonic()
    directory = tempfile.mkdtemp(prefix="ptprof-test-")
    os.chmod(directory, 0o755)
    ctx = Context(directory, soak)
    result, text = "ok", ""
    try:
        try:
            signal.alarm(deadline)
            function(ctx)
            text = ctx.figure
        finally:
            signal.alarm(0)
            ctx.clean_up()
    except Skip as reason:
        result, text = "skip", str(reason)
    except Deadline:
        result, text = "FAIL", f"not done after {deadline} s\n" + \
            "\n".join("| " + line for line in ctx.stderr.strip().splitlines()[-STDERR_TAIL:])
    except Exception as error:
        result, text = "FAIL", failure_text(error, ctx.stderr)
    shutil.rmtree(directory, ignore_errors=True)
    tally.passed += result == "ok"
    tally.failed += result == "FAIL"
    tally.skipped += result == "skip"
    tally.report(result, name, time.monotonic() - begin, text)


def run_side_by_side(tally, tests):
    """Runs each file of them in a process of its own; returns the tests that are left."""
    files = {prefix: [name for name, function, _ in tests
                      if name.startswith(prefix) and not hasattr(function, "alone")]
             for prefix in sorted(SIDE_BY_SIDE)}
    files = {prefix: names for prefix, names in files.items() if names}
    if len(files) < 2 or os.cpu_count() < 2:
        return tests

    def run_file(prefix):
        return subprocess.run([sys.executable, __file__, "--alone", *files[prefix]], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              errors="backslashreplace").stdout

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for prefix, output in zip(files, pool.map(run_file, files)):
            lines, counts = output.rstrip().rpartition("\n")[::2]
            found = re.fullmatch(r"(\d+) passed, (\d+) failed, (\d+) skipped", counts)
            numbers = [int(number) for number in found.groups()] if found else [0, 1, 0]
            tally.passed += numbers[0]
            tally.failed += numbers[1]
            tally.skipped += numbers[2]
            text = lines if found else output + f"\nFAIL {prefix} ended without a tally"
            tally.failures += [line for line in text.splitlines() if line.startswith("FAIL ")]
            print(text)
            sys.stdout.flush()
    done = {name for names in files.values() for name in names}
    return [test for test in tests if test[0] not in done]


def main():
    parser = argparse.ArgumentParser(description="Runs the tests of ptprof.")
    parser.add_argument("filters", nargs="*", metavar="FILTER", help="part of a test's name")
    parser.add_argument("--list", action="store_true", help="print the names")
    parser.add_argument("--soak", action="store_true", help="the long form of tests that have one")
    parser.add_argument("--alone", action="store_true", help="exactly these, one at a time")
    arguments = parser.parse_args()

    def wanted(name):
        if arguments.alone:
            return name in arguments.filters
        return not arguments.filters or any(word in name for word in arguments.filters)

    suites = [suite for suite in unit_suites() if not arguments.soak and wanted("unit/" + suite)]
    tests = [test for test in discover() if wanted(test[0]) and
             (not arguments.soak or hasattr(test[1], "soak"))]
    if arguments.list:
        print("\n".join(["unit/" + suite for suite in suites] + [name for name, _, _ in tests]))
        return 0
    signal.signal(signal.SIGALRM, on_alarm)
    tally = Tally()
    run_suites(tally, suites)
    if not arguments.soak and not arguments.alone:
        tests = run_side_by_side(tally, tests)
    problem = ptrace_problem() if any(folder == "live" for _, _, folder in tests) else None
    for name, function, folder in tests:
        run_test(tally, name, function, problem if folder == "live" else None, arguments.soak)
    if tally.failures and not arguments.alone:
        print("\n".join(["what failed:", *tally.failures]))
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    if tally.passed + tally.failed + tally.skipped == 0:
        print("no test has such a name", file=sys.stderr)
        return 2
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
