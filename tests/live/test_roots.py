# SPDX-License-Identifier: MIT
"""Where stacks begin: an end that is a root is told as one, and what goes on on another stack or
behind a return probe of the kernel goes on to it."""

import json
import os
import pathlib
import shutil
import subprocess

from measure import count, functions, rooted_share, samples_with, stacks, twice

DENSE = ("-r", "200", "--max-stop", "20")


def has_chain(stack, wanted):
    """Whether its functions hold these, leaf first, with others in between."""
    left = list(wanted)
    for name in functions(stack):
        if left and name.partition("(")[0] == left[0]:
            left.pop(0)
    return not left


def chain_share(profile, *wanted):
    found = list(stacks(profile))
    return count(stack for stack in found if has_chain(stack, wanted)) / max(count(found), 1)


def profile_of(ctx, target, *extra, grows=False):
    before = ctx.health(target.pid)
    profile = ctx.profile(target.pid, "-d", "1s", *DENSE, *extra, grows=grows)
    assert target.alive(), f"{target.name} ended with {target.popen.returncode}"
    after = ctx.health(target.pid)
    assert not after.traced and not after.stopped and before.traced == after.traced
    assert count(stacks(profile)) > 20, profile["run"]
    return profile


def assert_rooted(ctx, target, *chain, cut=0.01):
    """All stacks hold the chain, and are told to reach their root."""
    profile = profile_of(ctx, target)
    run = profile["run"]
    assert run["cut"] <= cut * run["samples"], run
    assert chain_share(profile, *chain) >= 0.95, [functions(s) for s in stacks(profile)][:5]
    return profile


def built(ctx, name, *command, **options):
    """A program made for this test only."""
    if not shutil.which(command[0]):
        raise ctx.Skip(f"{command[0]} is not installed")
    path = ctx.tmp / name
    subprocess.run([*command, "-o", path], check=True, capture_output=True, timeout=240,
                   **options)
    return path


def spawned(ctx, path, *arguments):
    target = ctx.spawn(path, *arguments)
    assert target.line() == "ready"
    return target


def ends_of(ctx, target):
    done = ctx.run("dump-threads", target.pid, "--json", "--timeout", "20s")
    return [thread["end"] for thread in json.loads(done.stdout)["threads"]]


# --- roots

def test_makecontext(ctx):
    """The frame where the coroutine's first function returns to has libc's name for it, where
    libc has one: it was not called, and the byte before it belongs to something else."""
    target = ctx.target("coroutines")
    profile = assert_rooted(ctx, target, "work", "step", "body")
    for stack in stacks(profile):
        if "body" in functions(stack):
            last = stack["frames"][functions(stack).index("body") + 1:]
            assert len(last) == 1 and last[0]["module"].startswith("libc.so"), functions(stack)
            assert last[0]["function"] in ("__start_context", "") or \
                last[0]["function"].startswith("libc.so"), last
    target.stop()


def test_bare_coroutines(ctx):
    target = ctx.target("coroutines", "--bare")
    profile = assert_rooted(ctx, target, "work", "step", "bare_body")
    roots = {functions(stack)[-1] for stack in stacks(profile) if "work" in functions(stack)}
    assert roots == {"bare_body"}, roots
    target.stop()


def test_boost_fiber(ctx):
    if not pathlib.Path("/usr/include/boost/context/fiber.hpp").exists():
        raise ctx.Skip("libboost-context-dev is not installed")
    path = built(ctx, "fiber", "g++", "-O2", "-g", "-std=c++17",
                 ctx.root / "tests/targets/fiber.cc", "-lboost_context")
    target = spawned(ctx, path)
    assert_rooted(ctx, target, *["deeper"] * 5)
    target.stop()


def test_musl(ctx):
    """Neither musl nor the start of the program and of threads in it has tables; a static program
    without symbols has nothing at all."""
    include = subprocess.run(["gcc", "-print-multiarch"], capture_output=True, text=True,
                             check=True).stdout.strip()
    for flags in (), ("-static",), ("-static", "-Os"), ("-static", "-s"):
        path = built(ctx, "callbacks", "musl-gcc", "-O2", "-g", "-pthread", "-D_GNU_SOURCE",
                     "-idirafter", "/usr/include", "-idirafter", f"/usr/include/{include}",
                     *flags, ctx.root / "tests/targets/callbacks.c")
        target = spawned(ctx, path)
        chain = () if "-s" in flags else ("compare", "sort", "task")
        twice(lambda: assert_rooted(ctx, target, *chain, cut=0.02))
        ends = ends_of(ctx, target)
        assert len(ends) == 2 and set(ends) == {"root"}, (flags, ends)
        target.kill()


# --- stacks that go on elsewhere

def goes_on_elsewhere(ctx, target, mode, chain):
    profile = profile_of(ctx, target, grows=True)
    run = profile["run"]
    # Of each thread the first such stack tells where the other one is to be looked for.
    allowed = 0.03 * run["samples"] + 2 * len(profile["threads"])
    assert run["cut"] <= allowed, (mode, run)
    found = [stack for stack in stacks(profile) if not chain or chain[0] in functions(stack)]
    whole = count(stack for stack in found if has_chain(stack, chain))
    assert whole >= count(found) - allowed > 0, (mode, whole, count(found))
    assert not [stack for stack in stacks(profile) if
                "runtime.systemstack.abi0" in functions(stack) and
                "runtime.mstart0" in functions(stack)[
                    functions(stack).index("runtime.systemstack.abi0"):]]


def test_go(ctx):
    """From C, the runtime and the collector back to the goroutine that called them."""
    environment = {**os.environ, "CGO_ENABLED": "1", "GO111MODULE": "off",
                   "GOCACHE": str(ctx.build / "go-cache")}
    go = shutil.which("go")
    if not go:
        raise ctx.Skip("go is not installed")
    source = ctx.tmp / "stacks.go"
    shutil.copy(ctx.root / "tests/targets/stacks.go", source)
    path = ctx.tmp / "stacks"
    subprocess.run([go, "build", "-o", path, source], check=True, capture_output=True,
                   timeout=240, env=environment)
    for mode, chain in {"c": ("c_inner", "c_work", "main.callsC", "main.main"),
                        "callers": ("runtime.systemstack.abi0", "main.callers", "main.main"),
                        "garbage": ()}.items():
        target = spawned(ctx, path, mode)
        twice(lambda: goes_on_elsewhere(ctx, target, mode, chain))
        target.kill()


# --- return probes

class Probe:
    """A return probe on a function of a program."""

    def __init__(self, ctx, program, function):
        self.folder = ctx.tmp / "tracefs"
        self.folder.mkdir()
        self.group = f"ptprof{os.getpid()}"
        done = subprocess.run(["mount", "-t", "tracefs", "none", self.folder],
                              capture_output=True, text=True)
        if done.returncode:
            raise ctx.Skip(f"tracefs cannot be mounted here ({done.stderr.strip()})")
        symbols = subprocess.run(["nm", program], capture_output=True, text=True, check=True)
        offset = next(int(line.split()[0], 16) for line in symbols.stdout.splitlines()
                      if line.split()[-1] == function)
        try:
            self.append(f"r:{self.group}/back {program}:{offset:#x}")
            (self.folder / f"events/{self.group}/enable").write_text("1")
        except OSError as error:
            self.end()
            raise ctx.Skip(f"no return probe can be set here ({error})") from error

    def append(self, line):
        events = os.open(self.folder / "uprobe_events", os.O_WRONLY | os.O_APPEND)
        try:
            os.write(events, line.encode() + b"\n")
        finally:
            os.close(events)

    def end(self):
        try:
            (self.folder / f"events/{self.group}/enable").write_text("0")
            self.append(f"-:{self.group}/back")
        except OSError:
            pass # it was never set
        subprocess.run(["umount", self.folder], check=False)


def test_return_probe(ctx):
    """The kernel keeps the return address: who called is known by who called him."""
    if os.geteuid():
        raise ctx.Skip("only root may set a probe")
    program = ctx.tmp / "probed"
    shutil.copy(ctx.program("probed"), program)
    probe = Probe(ctx, program, "probed")
    try:
        target = spawned(ctx, program)
        maps = pathlib.Path(f"/proc/{target.pid}/maps")
        ctx.eventually(lambda: "[uprobes]" in maps.read_text(), "the probe is hit")
        profile = assert_rooted(ctx, target, "inner", "probed", "outer", "main")
        assert rooted_share(profile) >= 0.95
        assert samples_with(profile, "outer")
        target.stop()
    finally:
        probe.end()
