# SPDX-License-Identifier: MIT
"""Names of code that a process makes as it runs, from /tmp/perf-PID.map."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

from measure import assert_share, count, functions, is_rooted, samples_with, stacks, twice

SIDE_BY_SIDE = True

JIT = "jit_anon; first", "jit_memfd", "jit_anon_second"
DENSE = ("-r", "200", "--max-stop", "20")


def map_of(pid):
    return pathlib.Path(f"/tmp/perf-{pid}.map")


def profile_unharmed(ctx, target, *extra, **options):
    before = ctx.health(target.pid)
    profile = ctx.profile(target.pid, *extra, *DENSE, **options)
    assert target.alive(), f"{target.name} ended with {target.popen.returncode}"
    after = ctx.health(target.pid)
    assert after == before and not after.traced and not after.stopped, f"{before}, {after}"
    return profile


def read_profile(path):
    return json.loads(path.read_text())


def named(profile):
    return [samples_with(profile, name) for name in JIT]


def test_names(ctx):
    """Of anonymous memory and of a memfd, with whole stacks above the frames."""
    target = ctx.target("jit")

    def look():
        profile = profile_unharmed(ctx, target, "-d", "2s")
        first, memfd, second = named(profile)
        assert not second and first + memfd >= 0.98 * count(stacks(profile))
        assert_share(first / (first + memfd), 0.5, first + memfd, JIT[0])
        assert all("run" in functions(stack) and is_rooted(stack) for stack in stacks(profile))
    twice(look)
    target.stop()


def test_suffix(ctx):
    target = ctx.target("jit")
    done = ctx.run("attach", target.pid, "-d", "1s", "-f", "collapsed", "--jit-suffix", "-o", "-")
    frames = {frame for line in done.stdout.splitlines()
              for frame in line.rpartition(" ")[0].split(";")[1:]}
    assert {"jit_anon: first_[j]", "jit_memfd_[j]", "run"} <= frames, frames
    assert sum(frame.endswith("_[j]") for frame in frames) == 2, frames
    target.stop()  # and its map with it


def test_names_as_they_were(ctx):
    """Memory that gets another name meanwhile: the samples before keep the old one."""
    target = ctx.target("jit")
    run = ctx.start("attach", target.pid, *DENSE, "-f", "json", "-o", ctx.tmp / "moved.json")
    run.says("Sampling")
    ctx.uses(target.pid, 1500)
    target.signal(signal.SIGUSR1)
    ctx.uses(target.pid, 1500)
    run.signal(signal.SIGINT)
    assert run.wait() == 0
    profile = read_profile(ctx.tmp / "moved.json")
    first, memfd, second = named(profile)
    assert first + memfd + second >= 0.98 * count(stacks(profile))
    assert first > 0.3 * memfd and second > 0.3 * memfd, (first, memfd, second)
    target.stop()


def code_of(target):
    """Where the code is that it made."""
    lines = pathlib.Path(f"/proc/{target.pid}/maps").read_text().splitlines()
    return [line.split("-")[0] for line in lines if " rwx" in line]


def test_file_that_comes_later(ctx):
    target = ctx.target("jit", "--no-map")
    path = map_of(target.pid)
    ranges = code_of(target)
    run = ctx.start("attach", target.pid, *DENSE, "-f", "json", "-o", ctx.tmp / "late.json")
    run.says("Sampling")
    ctx.uses(target.pid, 700)
    try:
        path.write_text("".join(f"{start} f code{i}\n" for i, start in enumerate(ranges)))
        ctx.uses(target.pid, 700)
        run.signal(signal.SIGINT)
        assert run.wait() == 0
    finally:
        path.unlink()
    profile = read_profile(ctx.tmp / "late.json")
    found = sum(samples_with(profile, f"code{i}") for i in range(len(ranges)))
    assert found >= 0.98 * count(stacks(profile)), f"{found} named"


def is_its_own(path, text):
    path.write_text(text)


def belongs_to_another(path, text):
    path.write_text(text)
    os.chown(path, 12345, 12345)


def is_of_an_earlier_process(path, text):
    path.write_text(text)
    os.utime(path, (time.time() - 3600,) * 2)


def is_a_link(path, text):
    real = path.with_suffix(".real")
    real.write_text(text)
    path.symlink_to(real)


def is_a_fifo(path, text):
    os.mkfifo(path)


def is_a_directory(path, text):
    path.mkdir()


def test_files_not_to_be_believed(ctx):
    if os.geteuid():
        raise ctx.Skip("root is needed to give a file away")
    target = ctx.target("jit", "--no-map")
    path = map_of(target.pid)
    text = "".join(f"{start} f planted\n" for start in code_of(target))
    for plant in (is_its_own, belongs_to_another, is_of_an_earlier_process, is_a_link, is_a_fifo,
                  is_a_directory):
        plant(path, text)
        try:
            profile = profile_unharmed(ctx, target, "-d", "600ms")
        finally:
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
            path.with_suffix(".real").unlink(missing_ok=True)
        named, taken = samples_with(profile, "planted"), count(stacks(profile))
        least, most = (0.9 * taken, taken) if plant is is_its_own else (0, 0)
        assert taken > 5 and least <= named <= most, \
            f"{plant.__name__}: {named} of {taken} named"


def test_inner_process_number(ctx):
    """In a PID namespace and a chroot: the file is below its /tmp, under its own number."""
    if os.geteuid():
        raise ctx.Skip("root is needed for a chroot")
    from test_modules import libraries_of
    root = ctx.tmp / "root"
    program = ctx.program("jit")
    for source in libraries_of(program):
        to = root / source.lstrip("/")
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, to)
    (root / "tmp").mkdir()
    shutil.copy(program, root / "jit")
    outer = ctx.spawn("unshare", "--pid", "--fork", "--kill-child", "chroot", root, "/jit")
    assert outer.line() == "ready"
    inner = ctx.children(outer.pid)[0]
    profile = ctx.profile(inner, "-d", "1s", *DENSE)
    assert (root / "tmp" / "perf-1.map").exists()
    assert sum(named(profile)) >= 0.98 * count(stacks(profile))


SCRIPT = """
function inner(n) { let s = 0; for (let i = 0; i < n; i++) s = (s * 31 + i) % 1000003; return s; }
function outer() { let t = 0; for (let i = 0; i < 50; i++) t += inner(20000 + i); return t; }
console.log("ready");
for (;;) outer();
"""


PYTHON_SCRIPT = """
def inner(n):
    total = 0
    for i in range(n):
        total = (total * 31 + i) % 1000003
    return total

class Worker:
    def method(self):
        return inner(2000)

def churn():
    while True:
        Worker().method()

print("ready", flush=True)
churn()
"""


def python_with_names(ctx):
    """One that has -X perf: 3.12 on."""
    of_pyenv = pathlib.Path(os.environ.get("PYENV_ROOT", pathlib.Path.home() / ".pyenv"))
    for python in ["python3.12", "python3.13", "python3",
                   *sorted(of_pyenv.glob("versions/3.1[2-9]*/bin/python3"))]:
        words = [python, "-X", "perf", "-c", "import sys; print(sys.is_stack_trampoline_active())"]
        if shutil.which(python) and \
                subprocess.run(words, capture_output=True, text=True).stdout == "True\n":
            return python
    raise ctx.Skip("no Python here has -X perf")


def test_python(ctx):
    """Its functions are named, and the stack goes on through trampolines that have no tables and
    keep no frame pointer."""
    python = python_with_names(ctx)
    script = ctx.tmp / "hot;\x1b[31m.py"
    script.write_text(PYTHON_SCRIPT)
    target = ctx.spawn(python, "-X", "perf", script)
    target.name = "python"
    try:
        assert target.line() == "ready"
        profile = profile_unharmed(ctx, target, "-d", "2s")
    finally:
        target.stop()
        map_of(target.pid).unlink(missing_ok=True)
    expected = [f"py::{name}:{script}" for name in
                ("inner", "Worker.method", "churn", "<module>")]
    whole = [stack for stack in stacks(profile) if is_rooted(stack) and
             [name for name in functions(stack) if name in expected] == expected]
    assert count(whole) >= 0.9 * count(stacks(profile)) > 20


def test_node(ctx):
    node = shutil.which("node") or shutil.which("nodejs")
    if not node:
        raise ctx.Skip("node is not installed")
    script = ctx.tmp / "hot.js"
    script.write_text(SCRIPT)
    target = ctx.spawn(node, "--perf-basic-prof", script, cwd=ctx.tmp)  # it writes logs there
    target.name = "node"
    try:
        assert target.line() == "ready"
        time.sleep(0.5)
        profile = profile_unharmed(ctx, target, "-d", "2s")
    finally:
        map_of(target.pid).unlink(missing_ok=True)
    main = [stack for stack in stacks(profile) if stack["tid"] == target.pid]
    script_frames = sum(stack["samples"] for stack in main
                        if any("hot.js" in name for name in functions(stack)))
    assert script_frames >= 0.95 * count(main), f"{script_frames} of {count(main)}"
    assert count(stack for stack in main if is_rooted(stack)) >= 0.95 * count(main)


JAVA_SOURCE = """
public class Hot {
    static int inner(int n) {
        int sum = 0;
        for (int i = 0; i < n; i++) sum = (sum * 31 + i) % 1000003;
        return sum;
    }
    public static void main(String[] words) {
        for (int round = 0, sum = 0; ; round++) {
            sum += inner(20000 + sum % 7);
            if (round == 2000) System.out.println("ready");
        }
    }
}
"""


def test_java(ctx):
    """The advice for code without names is one that helps."""
    if not shutil.which("java") or not shutil.which("jcmd"):
        raise ctx.Skip("java or jcmd is not installed")
    source = ctx.tmp / "Hot.java"
    source.write_text(JAVA_SOURCE)
    target = ctx.spawn("java", "-XX:+UseSerialGC", "-XX:-UsePerfData", source)
    target.name = "java"
    assert target.line() == "ready"
    try:
        ctx.profile(target.pid, "-d", "1s", "-v", *DENSE)
        advice = re.search(r"Java by (jcmd \d+ Compiler.perfmap)", ctx.stderr)
        assert advice, ctx.stderr
        done = subprocess.run(advice.group(1).split(), capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise ctx.Skip("this Java writes no names: " + done.stdout)
        profile = profile_unharmed(ctx, target, "-d", "1s")
    finally:
        target.stop()
        map_of(target.pid).unlink(missing_ok=True)
    hot = samples_with(profile, "int Hot.inner(int)") + samples_with(
        profile, "void Hot.main(java.lang.String[])")
    assert hot >= 0.9 * count(stacks(profile)) > 20, functions(next(iter(stacks(profile))))
