# SPDX-License-Identifier: MIT
"""What blocks are: a target's own classes and containers are counted exactly, and no class is told
of a program that does not have it."""

import collections
import contextlib
import json
import pathlib
import re
import shutil
import subprocess
import time

SIDE_BY_SIDE = True

VARIANTS = ("pie", "stripped", "static", "static_stripped", "no_pie", "no_relro", "one_segment",
            "no_rtti")
CLASS, CONTAINER = "C++", "container"
LIST = "doubly linked list node"
TREE = "red-black tree node"
MAP = "std::map or std::set node"
HASHED = "std::unordered_map or std::unordered_set node"


def census(ctx, pid):
    """(kind, what it is) -> blocks."""
    with ctx.unharmed(pid):
        done = ctx.run("heap", pid, "--json")
    assert done.returncode == 0, done.stderr
    counts = collections.Counter()
    for row in json.loads(done.stdout)["rows"]:
        counts[row["kind"], row["what"] if row["kind"] != "unknown" else ""] += row["blocks"]
    return counts


def check_classes(ctx, variant):
    target = ctx.target("classes_" + variant)
    truth = json.loads(target.said_before[-1])
    counts = census(ctx, target.pid)
    tree = TREE if variant == "static_stripped" else MAP
    shared = truth.pop("shared")
    # The loader in a static program keeps where that lies.
    truth["text"] += counts["text", ""] == truth["text"] + 1 and "static" in variant
    expected = {(CONTAINER, tree): truth.pop("tree"), (CONTAINER, LIST): truth.pop("list"),
                (CONTAINER, HASHED): truth.pop("hashed"), ("text", ""): truth.pop("text")}
    expected.update({(CLASS, name): count for name, count in truth.items()})
    for key, count in expected.items():
        assert counts[key] == count, (key, counts[key], count)
    others = {what: count for (kind, what), count in counts.items()
              if kind == CLASS and what not in truth}
    assert list(others.values()) == [shared], others
    assert next(iter(others)).startswith("std::_Sp_counted_ptr_inplace<zoo::Plain, "), others
    containers = {what for kind, what in counts if kind == CONTAINER}
    assert containers == {tree, LIST, HASHED}, containers


def test_pie(ctx):
    check_classes(ctx, "pie")


def test_stripped(ctx):
    check_classes(ctx, "stripped")


def test_static(ctx):
    check_classes(ctx, "static")


def test_static_stripped(ctx):
    check_classes(ctx, "static_stripped")


def test_no_pie(ctx):
    check_classes(ctx, "no_pie")


def test_no_relro(ctx):
    check_classes(ctx, "no_relro")


def test_one_segment(ctx):
    check_classes(ctx, "one_segment")


def test_no_rtti(ctx):
    check_classes(ctx, "no_rtti")


def rust_counts(ctx, *options):
    """(truth, counts) of values that trait objects lead to."""
    if not shutil.which("rustc"):
        raise ctx.Skip("no rustc")
    program = ctx.tmp / "rust_boxes"
    subprocess.run(["rustc", "-O", *options, "-o", program,
                    ctx.root / "tests/targets/rust_boxes.rs"], check=True, timeout=240)
    target = ctx.spawn(program)
    truth = json.loads(target.line())
    assert target.line() == "ready"
    counts = census(ctx, target.pid)
    return truth, {what: count for (kind, what), count in counts.items() if kind == "Rust"}


def test_rust(ctx):
    truth, counts = rust_counts(ctx, "-g")
    assert counts == truth, (counts, truth)


def test_rust_v0(ctx):
    truth, counts = rust_counts(ctx, "-C", "symbol-mangling-version=v0")
    closures = [what for what in counts if "caller::{closure" in what]
    assert [counts.pop(what) for what in closures] == [50], counts
    assert counts == truth, (counts, truth)


def test_rust_stripped(ctx):
    """Where no symbol vouches for a type, none is told."""
    _, counts = rust_counts(ctx, "-C", "strip=symbols")
    assert not counts, counts


# --- programs that were not written for it

FILTERS = ("cat", "sort", "wc", "uniq", "tac", "md5sum", "sha256sum", "base64", "nl", "fold",
           "fmt", "expand", "od", "factor", "tsort", "bc", "dc", "xxd", "m4", "c++filt",
           "llvm-cxxfilt", "addr2line", "troff", "dash", "bash", "jshell", "lua5.4", "sqlite3",
           "tclsh", "zsh", "cpio -o", "gzip -c", "xz -c", "bzip2 -c", "zstd -c", "openssl",
           "xargs echo", "ssh-agent -D", "tee", "sed p", "grep x", "tr a b", "jq .", "mawk 1",
           "gawk 1", "memcached -u root -p 0", "make -f -", "as", "git hash-object --stdin",
           "git cat-file --batch", "gdb -q -nx", "python3", "perl", "node", "ruby", "rustc -",
           "opt", "llc", "llvm-mc", "cmake -E sleep 99", "clang -cc1 -fsyntax-only -x c++ -",
           "/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus", "/usr/lib/gcc/x86_64-linux-gnu/12/cc1",
           "java -XX:+UseSerialGC -version:9x", "redis-server --port 0", "ninja -f /dev/stdin",
           "valgrind cat", "rsync --daemon --no-detach", "tail -f /dev/null", "sleep 99", "less",
           "socat - PIPE", "nc -l 127.0.0.1 0")
SHORT = ("cat", "bash", "python3", "gdb -q -nx", "troff")

COMPILERS = ("cc1plus", "cc1", "clang")  # of these, the program that they read
SOURCE = b"""
namespace zoo { template <typename T> struct Cage { T kept; virtual T get() { return kept; } }; }
int main() { zoo::Cage<int> cage{}; return cage.get(); }
"""


@contextlib.contextmanager
def running(ctx, words):
    """A program that waits for more on its standard input."""
    program = shutil.which(words[0])
    if not program:
        yield None
        return
    with subprocess.Popen([program, *words[1:]], stdin=subprocess.PIPE, cwd=ctx.tmp,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          start_new_session=True) as process:
        try:
            if words[0].endswith(COMPILERS):
                with contextlib.suppress(OSError):
                    process.stdin.write(SOURCE)
                    process.stdin.flush()
            time.sleep(ctx.length(0.3, 1))  # no truth depends on how far it has come
            yield process if process.poll() is None else None
        finally:
            process.kill()
            with contextlib.suppress(OSError):
                process.stdin.close()


def mapped_files(pid):
    lines = pathlib.Path(f"/proc/{pid}/maps").read_text(errors="replace").splitlines()
    paths = {line.split(maxsplit=5)[5] for line in lines if line.count("/")}
    return [path for path in map(pathlib.Path, sorted(paths)) if path.is_file()]


def mangled_types(path, cache={}):
    """What may be names of types, and of virtual tables, in a file."""
    if path not in cache:
        content = path.read_bytes()
        names = re.findall(rb"(?<![A-Za-z0-9_$])[0-9NSZU][A-Za-z0-9_$.\x80-\xff]{1,4096}(?=\0)",
                           content)
        tables = re.findall(rb"_ZTV([A-Za-z0-9_$\x80-\xff]{2,4096})(?=\0)", content)
        cache[path] = set(names) | set(tables)
    return cache[path]


def types_of(pid):
    """The demangled names of all types that the files of a process describe."""
    names = sorted(set().union(*map(mangled_types, mapped_files(pid))))
    listed = b"\n".join(b"_ZTS" + name for name in names)
    done = subprocess.run(["c++filt"], input=listed, capture_output=True, check=True)
    about = "typeinfo name for "
    return {line.removeprefix(about) for line in done.stdout.decode(errors="replace").split("\n")
            if line.startswith(about)}


def check_program(ctx, process):
    """How many classes it has; each is one that its files describe."""
    with contextlib.suppress(ProcessLookupError, FileNotFoundError):
        types = types_of(process.pid)
        done = ctx.run("heap", process.pid, "--json")
        if process.poll() is not None:
            return 0
        assert done.returncode == 0, done.stderr
        rows = json.loads(done.stdout)["rows"]
        classes = {row["what"].removesuffix("[]").removeprefix("begins with ")
                   for row in rows if row["kind"] == CLASS}
        assert classes <= types, (process.args, sorted(classes - types)[:10])
        return len(classes)
    return 0


def test_programs(ctx):
    """No class that a program does not have; a program without C++ has none."""
    if not shutil.which("c++filt"):
        raise ctx.Skip("no c++filt")
    classes, tried = {}, ctx.length(SHORT, FILTERS)
    for command in tried:
        with running(ctx, command.split()) as process:
            if process:
                classes[command] = check_program(ctx, process)
    assert classes.get("cat", 0) == classes.get("bash", 0) == 0
    ctx.figure = (f"{sum(classes.values())} classes in {sum(map(bool, classes.values()))} of "
                  f"{len(classes)} programs, {len(tried) - len(classes)} not there or ended")


test_programs.soak = 1200
test_programs.deadline = 600
