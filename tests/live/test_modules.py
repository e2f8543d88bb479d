# SPDX-License-Identifier: MIT
"""The right file for names and unwinding, whatever became of it since it was loaded."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

from measure import (assert_share, count, functions, rooted_share, samples_with, stacks,
                     twice)

SIDE_BY_SIDE = True

OLD, NEW = "works_in_the_old_one", "works_in_the_new_one"

# Without the right to look at map_files.
UNPRIVILEGED = ("setpriv", "--inh-caps=-sys_admin,-checkpoint_restore",
                "--bounding-set=-sys_admin,-checkpoint_restore")


def library(ctx, name="old"):
    """A copy of a library that the test may do with as it likes."""
    path = ctx.tmp / "libplugin.so"
    shutil.copy(ctx.program(f"libplugin_{name}.so"), path)
    return path


def assert_known(ctx, target, *, prefix=(), name=OLD, wrong=NEW):
    """Samples carry the name that is loaded and reach the root; the target is unharmed."""
    before = ctx.health(target.pid)
    for duration in "1s", "10s":  # the longer one where the target hardly ran
        profile = ctx.profile(target.pid, "-d", duration, "-r", "200", "--max-stop", "20", "-v",
                              prefix=prefix)
        if count(stacks(profile)) > 20:
            break
    assert target.alive(), f"the target ended with {target.popen.returncode}"
    after = ctx.health(target.pid)
    assert after == before and not after.traced and not after.stopped, f"{before}, {after}"
    everything = count(stacks(profile))
    assert everything > 20, f"only {everything} samples"
    named = samples_with(profile, name)
    assert named >= 0.95 * everything, f"{named} of {everything} samples in {name}"
    assert not samples_with(profile, wrong), f"samples in {wrong}"
    assert rooted_share(profile) >= 0.99, "stacks end early"
    return profile


def assert_known_both_ways(ctx, target, **expected):
    assert_known(ctx, target, **expected)
    assert_known(ctx, target, prefix=UNPRIVILEGED, **expected)


# --- another library in the same place

def swapped(ctx, how):
    """Two libraries of the same size that take turns at one address: each name under its own
    library, and each as often as is true."""
    one, two = (ctx.program(f"libswap_{name}.so") for name in ("one", "two"))

    def look():
        target = ctx.target("swaps", how, one, two)
        profile = ctx.profile(target.pid, "-d", "5s", "-r", "200", "--max-stop", "20")
        truth = target.stop()["first"]
        n = {name: samples_with(profile, f"swap_in_{name}") for name in ("one", "two")}
        everything = sum(n.values())
        assert everything > 100, f"only {everything} samples"
        assert_share(n["one"] / everything, truth, everything, how)
        for stack in stacks(profile):
            for frame in stack["frames"]:
                if frame["function"].startswith("swap_in_"):
                    assert frame["module"] == f"libswap_{frame['function'][8:]}.so", frame
        assert rooted_share(profile) >= 0.97, "stacks end early"

    twice(look)


def test_another_library_at_the_same_address(ctx):
    swapped(ctx, "dlopen")


def test_another_library_in_a_namespace_of_its_own(ctx):
    swapped(ctx, "dlmopen")


def test_another_text_mapped_by_hand(ctx):
    swapped(ctx, "mmap")


# --- code that is no file's

def moved(ctx, how):
    """A program whose machine code was put in its place again as a copy: as if it had not been."""
    target = ctx.target("moved", how)
    assert_known(ctx, target, name="works_in_the_copy", wrong="never_called")


def test_text_on_anonymous_memory(ctx):
    moved(ctx, "anonymous")


def test_text_on_shared_memory(ctx):
    moved(ctx, "shared")


def test_text_on_a_file_without_a_name(ctx):
    moved(ctx, "memfd")


def test_middle_of_the_text_on_anonymous_memory(ctx):
    moved(ctx, "middle")


def test_text_that_is_not_a_copy(ctx):
    """One byte of it is another one: nothing is called after the file."""
    target = ctx.target("moved", "changed")
    profile = ctx.profile(target.pid, "-d", "1s", "-r", "200", "--max-stop", "20")
    assert count(stacks(profile)) > 20
    assert not samples_with(profile, "works_in_the_copy"), "named after what it is no copy of"


def made(ctx, *how):
    """Code in no ELF file, without a frame pointer: read from memory and followed to its return."""
    target = ctx.target("made", *how)
    before = ctx.health(target.pid)
    profile = ctx.profile(target.pid, "-d", "1s", "-r", "200", "--max-stop", "20")
    assert ctx.health(target.pid) == before
    everything = count(stacks(profile))
    assert everything > 20, f"only {everything} samples"
    whole = count(stack for stack in stacks(profile)
                  if functions(stack)[1:3] == ["calls_the_code", "main"])
    assert whole >= 0.95 * everything, f"{whole} of {everything} from its caller"
    assert rooted_share(profile) >= 0.99, "stacks end early"


def test_code_on_anonymous_memory(ctx):
    made(ctx, "anonymous")


def test_code_on_the_stack(ctx):
    made(ctx, "stack")


def test_code_in_a_file_of_another_kind(ctx):
    made(ctx, "file", ctx.tmp / "code")


# --- files that are gone, or others now

def test_program_deleted(ctx):
    path = ctx.tmp / "split"
    shutil.copy(ctx.program("split"), path)
    target = ctx.spawn(path)
    assert target.line() == "ready"
    path.unlink()
    for prefix in (), UNPRIVILEGED:
        profile = ctx.profile(target.pid, "-d", "1s", prefix=prefix)
        everything = count(stacks(profile))
        assert samples_with(profile, "heavy") + samples_with(profile, "light") > 0.9 * everything
        assert rooted_share(profile) >= 0.99


def test_library_deleted(ctx):
    path = library(ctx)
    target = ctx.target("plugin", path)
    path.unlink()
    assert_known_both_ways(ctx, target)
    assert "read from memory" in ctx.stderr


def test_library_replaced(ctx):
    path = library(ctx)
    target = ctx.target("plugin", path)
    fresh = ctx.tmp / "fresh"
    shutil.copy(ctx.program("libplugin_new.so"), fresh)
    fresh.rename(path)
    assert_known_both_ways(ctx, target)


def test_library_replaced_by_the_same(ctx):
    """The same build in a new file is as good as the old one."""
    path = library(ctx)
    target = ctx.target("plugin", path)
    fresh = ctx.tmp / "fresh"
    shutil.copy(path, fresh)
    fresh.rename(path)
    assert_known(ctx, target, prefix=UNPRIVILEGED)
    assert "read from memory" not in ctx.stderr


def test_library_without_section_headers(ctx):
    path = library(ctx)
    image = bytearray(path.read_bytes())
    sections = int.from_bytes(image[0x28:0x30], "little")
    image[0x28:0x30] = bytes(8)       # e_shoff
    image[0x3c:0x40] = bytes(4)       # e_shnum, e_shstrndx
    path.write_bytes(image[:sections])
    target = ctx.target("plugin", path)
    assert_known_both_ways(ctx, target)


def test_library_unreadable(ctx):
    if os.geteuid():
        raise ctx.Skip("root is needed to start a process of another user")
    path = library(ctx)
    ctx.tmp.chmod(0o777)
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    target = ctx.target("plugin", path, prefix=nobody)
    path.chmod(0)
    assert_known(ctx, target, prefix=nobody)


# --- what else may lie at the path

def fifo(path):
    os.mkfifo(path)


def directory(path):
    path.mkdir()


def symlink_loop(path):
    path.symlink_to(path)


def symlink_to_device(path):
    path.symlink_to("/dev/zero")


def unix_socket(path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


def sparse_terabyte(path):
    with open(path, "wb") as file:
        file.truncate(1 << 40)


def claims_many_sections(path):
    """e_shnum 0: the number stands in the first section header, which lies in a hole's end."""
    header = bytearray(64)
    header[:6] = b"\x7fELF\x02\x01"
    header[6] = 1
    header[18:20] = (62).to_bytes(2, "little")
    header[0x28:0x30] = (64).to_bytes(8, "little")
    header[0x34:0x36] = (64).to_bytes(2, "little")
    header[0x3a:0x3c] = (64).to_bytes(2, "little")
    first = bytearray(64)
    first[0x20:0x28] = (1 << 29).to_bytes(8, "little")
    with open(path, "wb") as file:
        file.write(header + first)
        file.truncate(60 << 30)


def test_hostile_paths(ctx):
    path = library(ctx)
    target = ctx.target("plugin", path)
    path.unlink()
    for plant in (fifo, directory, symlink_loop, symlink_to_device, unix_socket, sparse_terabyte,
                  claims_many_sections):
        plant(path)
        assert_known(ctx, target, prefix=UNPRIVILEGED)
        path.rename(ctx.tmp / plant.__name__)


def test_library_truncated(ctx):
    """It takes the code with it: the target ends, and we do not."""
    path = library(ctx)
    target = ctx.target("plugin", path)
    run = ctx.start("attach", target.pid, "-f", "json", "-o", ctx.tmp / "out.json")
    run.says("Sampling")
    run.sampler()
    used = ctx.cpu_ns(target.pid)
    ctx.eventually(lambda: ctx.cpu_ns(target.pid) > used + 500_000_000, "there are samples")
    os.truncate(path, 0)
    target.wait()
    assert run.wait() == 0, f"exit status {run.popen.returncode}"
    profile = json.loads((ctx.tmp / "out.json").read_text())
    assert count(stacks(profile)) > 3


# --- other roots and other mounts

def needs_root(ctx):
    if os.geteuid():
        raise ctx.Skip("root is needed for a chroot or a mount")


def libraries_of(program):
    """What the dynamic linker would load, by ldd."""
    text = subprocess.run(["ldd", str(program)], capture_output=True, text=True).stdout
    words = [word for line in text.splitlines() for word in line.split()]
    return sorted({word for word in words if word.startswith("/")})


def test_chroot(ctx):
    """At the same path outside lies another file."""
    needs_root(ctx)
    root = ctx.tmp / "root"
    for source in libraries_of(ctx.program("plugin")):
        to = root / source.lstrip("/")
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, to)
    shutil.copy(ctx.program("plugin"), root / "plugin")
    shutil.copy(ctx.program("libplugin_old.so"), root / "libplugin.so")
    shutil.copy(ctx.program("libplugin_new.so"), ctx.tmp / "libplugin.so")
    target = ctx.spawn("chroot", root, "/plugin", "/libplugin.so")
    assert target.line() == "ready"
    assert_known_both_ways(ctx, target)
    assert "read from memory" not in ctx.stderr


def test_mount_namespace(ctx):
    needs_root(ctx)
    path = library(ctx, "new")
    inner = ctx.tmp / "inner.so"
    shutil.copy(ctx.program("libplugin_old.so"), inner)
    script = 'mount --bind "$1" "$2" && exec "$3" "$2"'
    target = ctx.spawn("unshare", "-m", "sh", "-c", script, "sh", inner, path,
                       ctx.program("plugin"))
    assert target.line() == "ready"
    assert_known_both_ways(ctx, target)
    assert "read from memory" not in ctx.stderr


def test_overlay(ctx):
    """Its files may have other numbers in maps than for fstat."""
    needs_root(ctx)
    script = ('mount -t tmpfs none "$1" && cd "$1" && mkdir lower upper work merged && '
              'cp "$2" lower/libplugin.so && mount -t overlay none '
              '-olowerdir=lower,upperdir=upper,workdir=work merged || { echo refused; exit 1; }; '
              'exec "$3" "$1/merged/libplugin.so"')
    target = ctx.spawn("unshare", "-m", "sh", "-c", script, "sh", ctx.tmp,
                       ctx.program("libplugin_old.so"), ctx.program("plugin"),
                       stderr=subprocess.DEVNULL)
    if (line := target.line()) != "ready":
        raise ctx.Skip(f"an overlay cannot be mounted here ({line})")
    assert_known_both_ways(ctx, target)
    assert "read from memory" not in ctx.stderr


def test_server_of_the_file_stopped(ctx):
    """What lies on a file system that does not answer any more is not waited for."""
    needs_root(ctx)
    if not os.path.exists("/dev/fuse"):
        raise ctx.Skip("there is no /dev/fuse")
    directory = ctx.tmp / "served"
    directory.mkdir()
    path = library(ctx)
    target = ctx.spawn("unshare", "-m", sys.executable, ctx.root / "tests/live/serve_file.py",
                       0, directory, path, ctx.program("plugin"), directory / path.name)
    if target.line() != "ready":
        raise ctx.Skip("a file system cannot be mounted here")
    server, = ctx.children(target.pid)
    before = ctx.health(target.pid)
    os.kill(server, signal.SIGSTOP)
    try:
        profile = ctx.profile(target.pid, "-d", "1s", "-r", "200", "--max-stop", "20", "-v")
        assert ctx.health(target.pid) == before
    finally:
        os.kill(server, signal.SIGCONT)
        ctx.kill(target.pid)
        ctx.kill(server)
    inside = [stack for stack in stacks(profile) if any(
        frame["module"] == path.name for frame in stack["frames"])]
    assert count(inside) > 20, profile["run"]
    assert re.search(r"libplugin.so .*its file system does not answer", ctx.stderr), ctx.stderr


def test_file_system_of_somebody_else(ctx):
    """Root may not read what another user mounted for himself: what is loaded of it does, and the
    reason is said."""
    ctx.tmp.chmod(0o755)
    directory = ctx.tmp / "served"
    directory.mkdir()
    path = library(ctx)
    target = ctx.spawn("unshare", "-m", sys.executable, ctx.root / "tests/live/serve_file.py",
                       65534, directory, path, ctx.program("plugin"), directory / path.name)
    if target.line() != "ready":
        raise ctx.Skip("a file system cannot be mounted here")
    server, = ctx.children(target.pid)
    try:
        assert_known(ctx, target)
    finally:
        ctx.kill(target.pid)
        ctx.kill(server)
    assert re.search(r"libplugin.so .*FUSE file system that only its owner may read", ctx.stderr), \
        ctx.stderr


def replaced(ctx, path):
    shutil.move(shutil.copy(ctx.program("libplugin_new.so"), ctx.tmp / "other"), path)


def removed(_, path):
    path.unlink()


def test_reasons_of_files(ctx):
    """A file that is gone is not called another one, nor the other way round."""
    for change, reason in (removed, "its file is gone"), (replaced, "its file is another one now"):
        path = library(ctx)
        target = ctx.spawn(ctx.program("plugin"), path)
        assert target.line() == "ready"
        change(ctx, path)
        profile = ctx.profile(target.pid, "-d", "1s", "-r", "200", "-v", prefix=UNPRIVILEGED)
        assert count(stacks(profile)) > 5
        assert re.search(rf"libplugin.so .*{reason}", ctx.stderr), ctx.stderr
        ctx.kill(target.pid)


# --- stacks that the tables of the modules alone do not give

def split_is_whole(ctx, name):
    target = ctx.target(name)
    profile = ctx.profile(target.pid, "-d", "1s", "-r", "200", "--max-stop", "20")
    everything = count(stacks(profile))
    named = samples_with(profile, "heavy") + samples_with(profile, "light")
    assert everything > 20 and named >= 0.95 * everything, f"{named} of {everything}"
    assert rooted_share(profile) >= 0.99, "stacks end early"
    return profile["run"]


def test_debug_frame(ctx):
    """Tables in .debug_frame only, compressed."""
    run = split_is_whole(ctx, "split_debug_frame")
    assert run["frame_pointers"] == 0, run


def test_debug_frame_in_the_debug_file(ctx):
    """Stripping takes .debug_frame away; the debug file has it, if it is of the same build."""
    if not shutil.which("objcopy"):
        raise ctx.Skip("objcopy is not installed")
    whole, program = ctx.program("split_debug_frame"), ctx.tmp / "program"
    debug = ctx.tmp / ".debug" / "program.debug"
    debug.parent.mkdir()
    for flags, result in (("--only-keep-debug", "--compress-debug-sections=zstd"), debug), \
            (("--strip-debug",), program):
        subprocess.run(["objcopy", *flags, whole, result], check=True)
    for has_debug in True, False:
        target = ctx.spawn(program)
        assert target.line() == "ready"
        profile = ctx.profile(target.pid, "-d", "1s", "-r", "200", "--max-stop", "20")
        rooted = rooted_share(profile)
        assert rooted >= 0.99 if has_debug else rooted < 0.5, (has_debug, rooted)
        if has_debug:
            assert profile["run"]["frame_pointers"] == 0, profile["run"]
        debug.unlink(missing_ok=True)


def test_debug_frame_by_debug_link(ctx):
    """The link leads to a debug file of any name; without build ids its checksum is the proof."""
    if not shutil.which("objcopy"):
        raise ctx.Skip("objcopy is not installed")
    whole, plain = ctx.program("split_debug_frame"), ctx.tmp / "plain"
    for remove, name in ((), "linked"), (("--remove-section=.note.gnu.build-id",), "by_checksum"):
        program, debug = ctx.tmp / name, ctx.tmp / ".debug" / f"of-{name}"
        debug.parent.mkdir(exist_ok=True)
        subprocess.run(["objcopy", *remove, whole, plain], check=True, capture_output=True)
        subprocess.run(["objcopy", "--only-keep-debug", plain, debug], check=True)
        subprocess.run(["objcopy", "--strip-debug", f"--add-gnu-debuglink={debug}", plain,
                        program], check=True)
        target = ctx.spawn(program)
        assert target.line() == "ready"
        for damaged in False, True:
            rooted = rooted_share(ctx.profile(target.pid, "-d", "1s", "-r", "200"))
            by_id = not remove
            assert rooted >= 0.99 if by_id or not damaged else rooted < 0.5, (name, rooted)
            with debug.open("ab") as file:
                file.write(b"another checksum")


def test_frame_pointers(ctx):
    """No tables at all in the program, and the summary says what that meant."""
    run = split_is_whole(ctx, "split_frame_pointer")
    assert run["frame_pointers"] >= 0.95 * run["samples"], run
    assert "frame pointers" in ctx.stderr


GO_SOURCE = """
package main

import "fmt"

//go:noinline
func leaf(n int) int {
	s := 0
	for i := 0; i < n; i++ {
		s = (s*31 + i) % 1000003
	}
	return s
}

//go:noinline
func middle(n int) int { return leaf(n) + leaf(n+1) }

//go:noinline
func worker(n int) {
	for {
		if middle(n) < 0 {
			fmt.Println(n)
		}
	}
}

func main() {
	fmt.Println("ready")
	worker(20000)
}
"""


def go_program(ctx, *flags):
    go = shutil.which("go")
    if not go:
        raise ctx.Skip("go is not installed")
    source, program = ctx.tmp / "main.go", ctx.tmp / "goprogram"
    source.write_text(GO_SOURCE)
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod", "GO111MODULE": "off",
                   "GOCACHE": str(ctx.build / "go-cache")}
    subprocess.run([go, "build", *flags, "-o", program, source], check=True, env=environment,
                   capture_output=True)
    target = ctx.spawn(program)
    assert target.line() == "ready"
    return target


def test_go(ctx):
    """.debug_frame has all of a Go program: frames that keep no frame pointer too."""
    target = go_program(ctx)
    profile = ctx.profile(target.pid, "-d", "1s", "-r", "200", "--max-stop", "20")
    whole = [stack for stack in stacks(profile) if functions(stack)[:4] ==
             ["main.leaf", "main.middle", "main.worker", "main.main"]]
    assert count(whole) >= 0.8 * count(stacks(profile)) > 20
    assert all(functions(stack)[-1] == "runtime.goexit.abi0" for stack in whole)


def test_go_stripped(ctx):
    """Go keeps frame pointers, and its stacks end in a null one."""
    target = go_program(ctx, "-ldflags=-s -w")
    profile = ctx.profile(target.pid, "-d", "1s", "-r", "200", "--max-stop", "20")
    run = profile["run"]
    assert run["samples"] > 20 and run["cut"] <= 0.05 * run["samples"], run
    assert run["frame_pointers"] >= 0.9 * run["samples"], run


def test_alternate_signal_stack(ctx):
    """From the handler on its own stack to the root of the one that it interrupted."""
    target = ctx.target("altstack")
    profile = ctx.profile(target.pid, "-d", "2s", "-r", "200", "--max-stop", "20")
    found = [stack for stack in stacks(profile) if "in_handler" in functions(stack)]
    whole = count(stack for stack in found if functions(stack).count("calls") == 21 and
                  "interrupted" in functions(stack))
    assert count(found) > 50 and whole >= 0.98 * count(found) - 3, f"{whole} of {count(found)}"
    assert rooted_share(profile) >= 0.98
