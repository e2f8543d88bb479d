# SPDX-License-Identifier: MIT
"""Lines and inlined functions of programs built in every way that toolchains know, against
addr2line; debug files wherever they may lie; files and a symbol process that fail."""

import http.server
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import threading
import zlib

from measure import stacks

SIDE_BY_SIDE = True

ADDRESSES = 400
SOURCES = "main.cc", "grid.cc"


def need(ctx, *tools):
    for tool in tools:
        if not shutil.which(tool):
            raise ctx.Skip(f"{tool} is not installed")


def run(*command, cwd=None):
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True,
                          timeout=240)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def build(ctx, name, compiler, *options):
    """The program of tests/targets/inlines, in a directory of its own."""
    need(ctx, compiler)
    directory = ctx.tmp / name
    directory.mkdir(parents=True, exist_ok=True)
    sources = ctx.root / "tests" / "targets" / "inlines"
    for source in SOURCES:
        run(compiler, "-O2", *options, "-c", sources / source, "-o",
            directory / source.replace(".cc", ".o"), cwd=directory)
    run(compiler, "-O2", *options, "-Wl,--build-id", "main.o", "grid.o", "-o", "inlines",
        cwd=directory)
    return directory / "inlines"


OWN = r"physics|_ZL5churn|^main$|areas"


def own_code(binary):
    """Addresses in the functions of our own sources."""
    picked = []
    for line in run("nm", "-S", "--defined-only", binary).splitlines():
        words = line.split()
        if len(words) == 4 and words[2] in "tTW" and \
                re.search(OWN, words[3]):
            start, size = int(words[0], 16), int(words[1], 16)
            picked += range(start, start + size)
    chosen = random.Random(7).sample(picked, min(ADDRESSES, len(picked)))
    assert len(chosen) > 100
    return sorted(chosen)


def chains(text):
    """{address: [(function, file, line)]}, innermost first, as addr2line -a -i -f prints it."""
    found, lines = {}, text.splitlines()
    while lines:
        line = lines.pop(0)
        if line.startswith("0x"):
            chain = found.setdefault(int(line, 16), [])
            continue
        place, _, number = re.sub(r" \(discriminator \d+\)", "", lines.pop(0)).rpartition(":")
        chain.append((line, os.path.normpath(place), number.replace("?", "0")))
    return found


def symbolize(ctx, binary, addresses):
    done = subprocess.run([ctx.build / "tests/live/symbolize", binary], capture_output=True,
                          text=True, timeout=240, input="\n".join(map(hex, addresses)))
    assert done.returncode == 0, done.stderr
    return chains(done.stdout), done.stderr


ADDR2LINE = "addr2line", "-a", "-i", "-f", "-C", "-e"
# binutils 2.40 leaves out functions that clang inlined.
LLVM = "llvm-symbolizer", "-a", "-i", "-f", "-C", "--output-style=GNU", "-e"


def reference_chains(tool, binary, addresses):
    done = subprocess.run([*tool, binary], text=True, capture_output=True, timeout=240,
                          input="\n".join(map(hex, addresses)))
    return chains(done.stdout)


def plain(chain):
    """Its names, the last one without what only the symbol table knows: the marks of parts and
    clones, and the parameters of a function with internal linkage."""
    names = [name for name, *_ in chain]
    return [*names[:-1], re.sub(r"[(. ].*$", "", names[-1].replace("(anonymous namespace)", "{}"))
            .split("::")[-1]]


def assert_as_addr2line(ctx, binary, reference=None, tool=ADDR2LINE):
    addresses = own_code(reference or binary)
    ours, tried = symbolize(ctx, binary, addresses)
    theirs = reference_chains(tool, reference or binary, addresses)
    known = [at for at in addresses if any(line != "0" for _, _, line in theirs[at])]
    assert len(known) > len(addresses) / 2, "addr2line knows too little"
    wrong = [at for at in known
             if [place for _, *place in ours[at]] != [place for _, *place in theirs[at]]]
    assert len(wrong) <= len(known) / 100, \
        f"{len(wrong)} of {len(known)}: {hex(wrong[0])} {ours[wrong[0]]} not {theirs[wrong[0]]}"
    misnamed = [at for at in known if at not in wrong and plain(ours[at]) != plain(theirs[at])]
    assert len(misnamed) <= len(known) / 100, \
        f"{hex(misnamed[0])} {ours[misnamed[0]]} not {theirs[misnamed[0]]}"
    assert any(len(chain) > 2 for chain in ours.values()), "nothing was inlined"
    return tried


# --- compilers and forms of DWARF

def test_gcc_dwarf(ctx):
    for version in 2, 3, 4, 5:
        assert_as_addr2line(ctx, build(ctx, f"gcc{version}", "g++", f"-gdwarf-{version}"))


def test_clang_dwarf(ctx):
    need(ctx, LLVM[0])
    for version in 4, 5:
        binary = build(ctx, f"clang{version}", "clang++", f"-gdwarf-{version}")
        assert_as_addr2line(ctx, binary, tool=LLVM)


def test_without_index(ctx):
    binary = build(ctx, "no_aranges", "g++", "-g")
    run("objcopy", "--remove-section", ".debug_aranges", binary)
    assert_as_addr2line(ctx, binary)


def test_link_time_optimization(ctx):
    assert_as_addr2line(ctx, build(ctx, "lto", "g++", "-g", "-flto"))


def test_link_time_optimization_by_clang(ctx):
    need(ctx, "clang++", LLVM[0])
    try:
        binary = build(ctx, "clang_lto", "clang++", "-g", "-flto")
    except AssertionError as error:
        raise ctx.Skip("no linker here knows clang's -flto") from error
    assert_as_addr2line(ctx, binary, tool=LLVM)


def test_rust(ctx):
    """Names of either kind of mangling, without the hashes that addr2line shows of legacy ones."""
    need(ctx, "rustc")
    for mangling in (), ("-C", "symbol-mangling-version=v0"):
        binary = ctx.tmp / f"areas{len(mangling)}"
        run("rustc", "-O", "-g", *mangling, ctx.root / "tests/targets/inlines/areas.rs", "-o",
            binary)
        addresses = own_code(binary)
        ours, _ = symbolize(ctx, binary, addresses)
        theirs = reference_chains(ADDR2LINE, binary, addresses)
        for at in addresses:
            known = [re.sub(r"::h[0-9a-f]{16}$", "", name) for name, *_ in theirs[at]]
            assert [name for name, *_ in ours[at]] == known, f"{hex(at)} {ours[at]} {theirs[at]}"
            if any(line != "0" for *_, line in theirs[at]):
                assert [place for _, *place in ours[at]] == [place for _, *place in theirs[at]]
        assert any(len(chain) > 3 for chain in ours.values()), "nothing was inlined"


def test_static(ctx):
    assert_as_addr2line(ctx, build(ctx, "static", "g++", "-g", "-static"))


def test_compressed(ctx):
    for form in "zlib", "zlib-gnu", "zstd":
        whole = build(ctx, f"{form}_whole", "g++", "-g")
        packed = whole.parent / "packed"
        run("objcopy", f"--compress-debug-sections={form}", whole, packed)
        assert packed.stat().st_size < whole.stat().st_size, form
        assert_as_addr2line(ctx, packed, whole)


def test_split_dwarf(ctx):
    ways = *itertools.product(("g++", "clang++"), (4, 5), ((),)), \
        ("g++", 5, ("-fdebug-types-section",))
    for compiler, version, options in ways:
        name = f"{compiler}{version}{len(options)}"
        whole = build(ctx, f"whole_{name}", compiler, f"-gdwarf-{version}", *options)
        split = build(ctx, f"split_{name}", compiler, f"-gdwarf-{version}", "-gsplit-dwarf",
                      *options)
        assert list(split.parent.glob("*.dwo"))
        addresses = own_code(whole)
        ours, theirs = (symbolize(ctx, binary, addresses)[0] for binary in (split, whole))
        assert ours == theirs


def test_split_units_compressed(ctx):
    for form in "zlib", "zstd":
        for version in 4, 5:
            name = f"{form}{version}"
            split = build(ctx, f"split_{name}", "g++", f"-gdwarf-{version}", "-gsplit-dwarf")
            addresses = own_code(split)
            theirs, _ = symbolize(ctx, split, addresses)
            assert any(len(chain) > 2 for chain in theirs.values()), name
            for unit in split.parent.glob("*.dwo"):
                before = unit.stat().st_size
                run("objcopy", f"--compress-debug-sections={form}", unit)
                assert unit.stat().st_size < before, name
            ours, _ = symbolize(ctx, split, addresses)
            assert ours == theirs, name


def packages(ctx, split):
    """Makers of a .dwp; those of binutils up to 2.41 do not know DWARF 5."""
    for tool in "dwp", "llvm-dwp":
        made = split.parent / f"{tool}.made"
        if shutil.which(tool) and subprocess.run([tool, "-e", split, "-o", made],
                                                 capture_output=True, timeout=240).returncode == 0:
            yield made


def test_split_dwarf_in_a_package(ctx):
    seen = set()
    for compiler in "g++", "clang++":
        for version in 4, 5:
            name = f"{compiler}{version}"
            split = build(ctx, f"dwp_{name}", compiler, f"-gdwarf-{version}", "-gsplit-dwarf")
            whole = build(ctx, f"dwp_whole_{name}", compiler, f"-gdwarf-{version}")
            addresses = own_code(whole)
            theirs, _ = symbolize(ctx, whole, addresses)
            made = list(packages(ctx, split))
            for unit in split.parent.glob("*.dwo"):
                unit.unlink()
            lost, _ = symbolize(ctx, split, addresses)
            assert all(len(set(chain)) == 1 for chain in lost.values()), "units are still found"
            for package in made:
                package.rename(f"{split}.dwp")
                ours, tried = symbolize(ctx, split, addresses)
                assert f"{split}.dwp: used" in tried, tried
                assert ours == theirs, f"{name}, {package.name}"
                seen.add(version)
    if not seen:
        raise ctx.Skip("nothing here makes packages")


# --- debug files

def stripped(binary):
    """What is left of it, beside it; the whole program keeps its name."""
    short = binary.parent / "stripped" / "inlines"
    short.parent.mkdir(exist_ok=True)
    run("objcopy", "--strip-all", binary, short)
    return short


def keep_debug(binary, path):
    path.parent.mkdir(exist_ok=True, parents=True)
    run("objcopy", "--only-keep-debug", binary, path)
    return path


def test_debug_link(ctx):
    for place in "inlines.debug", ".debug/inlines.debug":
        binary = build(ctx, f"link_{place.count('/')}", "g++", "-g")
        short = stripped(binary)
        debug = keep_debug(binary, short.parent / place)
        run("objcopy", f"--add-gnu-debuglink={debug}", short)
        tried = assert_as_addr2line(ctx, short, binary)
        assert f"{debug}: used" in tried, tried


def test_debug_link_out_of_its_directory(ctx):
    """The name is the file's, and a name only: no path leads anywhere."""
    binary = build(ctx, "link_out", "g++", "-g")
    for name in "../outside.debug", "below/inside.debug", "/{}/absolute.debug":
        short = stripped(binary)
        name = name.format(short.parent)
        debug = keep_debug(binary, pathlib.Path(os.path.normpath(short.parent / name)))
        link = ctx.tmp / "link"
        text = name.encode() + b"\0" * (4 - len(name) % 4)
        link.write_bytes(text + zlib.crc32(debug.read_bytes()).to_bytes(4, "little"))
        run("objcopy", f"--add-section=.gnu_debuglink={link}", short)
        ours, tried = symbolize(ctx, short, own_code(binary))
        assert debug.name not in tried, tried
        assert all(name == "??" for chain in ours.values() for name, *_ in chain), name


def test_package_beside_the_debug_file(ctx):
    split, other = (build(ctx, f"dwp_debug{macro}", "g++", "-gdwarf-4", "-gsplit-dwarf",
                          f"-DX={macro}", f"-O{macro}") for macro in (1, 2))
    theirs, _ = symbolize(ctx, split, own_code(split))
    packages_made = [next(packages(ctx, program), None) for program in (split, other)]
    if not all(packages_made):
        raise ctx.Skip("nothing here makes packages")
    for unit in split.parent.glob("*.dwo"):
        unit.unlink()
    short = stripped(split)
    debug = keep_debug(split, short.parent / ".debug" / "inlines.debug")
    place = debug.with_name("inlines.debug.dwp")
    shutil.copy(packages_made[1], place)
    ours, tried = symbolize(ctx, short, own_code(split))
    assert f"{place}: used" in tried, tried
    assert all(len(set(chain)) == 1 for chain in ours.values()), "units of another build"
    shutil.copy(packages_made[0], place)
    ours, _ = symbolize(ctx, short, own_code(split))
    assert [[place for _, *place in chain] for chain in ours.values()] == \
        [[place for _, *place in chain] for chain in theirs.values()]


# A file system whose process takes no question, mounted on the first argument; then a program.
SILENT_MOUNT = """
import ctypes, os, sys
device = os.open("/dev/fuse", os.O_RDWR)
os.set_inheritable(device, True)
options = f"fd={device},rootmode=40000,user_id=0,group_id=0".encode()
if ctypes.CDLL(None, use_errno=True).mount(b"silent", os.fsencode(sys.argv[1]), b"fuse", 0,
                                           options) != 0:
    sys.exit(77)
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_silent_file_system(ctx):
    """Looking for a debug file there never returns; names come from the file itself."""
    if os.geteuid() != 0 or not os.path.exists("/dev/fuse"):
        raise ctx.Skip("a file system cannot be mounted here")
    binary = build(ctx, "silent", "g++", "-g")
    run("objcopy", "--strip-debug", binary)
    hanging = binary.parent / ".debug"
    hanging.mkdir()
    done = subprocess.run(["unshare", "-m", "python3", "-c", SILENT_MOUNT, hanging,
                           ctx.build / "tests/live/symbolize", binary], text=True, timeout=240,
                          capture_output=True, input="\n".join(map(hex, own_code(binary))))
    if done.returncode == 77:
        raise ctx.Skip("a file system cannot be mounted here")
    assert done.returncode == 0, done.stderr
    assert f"{hanging}/inlines.debug: it takes too long to open" in done.stderr, done.stderr
    assert "churn(int)" in done.stdout


def test_other_build_is_refused(ctx):
    binary, other = (build(ctx, f"build{macro}", "g++", "-g", f"-DX={macro}", f"-O{macro}")
                     for macro in (1, 2))
    short = stripped(binary)
    debug = keep_debug(other, short.parent / "inlines.debug")
    run("objcopy", f"--add-gnu-debuglink={debug}", short)
    ours, tried = symbolize(ctx, short, own_code(binary))
    assert "another build id" in tried, tried
    assert all(name == "??" for chain in ours.values() for name, *_ in chain)


def test_mini_debug_info(ctx):
    need(ctx, "xz")
    binary = build(ctx, "mini", "g++", "-g")
    short, debug = stripped(binary), binary.parent / "mini.debug"
    run("objcopy", "--only-keep-debug", binary, debug)
    run("objcopy", "--strip-debug", debug)
    run("xz", "-k", debug)
    run("objcopy", f"--add-section=.gnu_debugdata={debug}.xz", short)
    ours, tried = symbolize(ctx, short, own_code(binary))
    assert ".gnu_debugdata: used" in tried, tried
    names = {name for chain in ours.values() for name, *_ in chain}
    assert "physics::settle(physics::Grid<double>&, int)" in names, names


def test_dwz(ctx):
    need(ctx, "dwz")
    binaries = [build(ctx, f"dwz{number}", "g++", "-gdwarf-4") for number in (1, 2)]
    whole = ctx.tmp / "dwz_whole"
    shutil.copy(binaries[0], whole)
    run("dwz", "-m", ctx.tmp / "common.debug", "-M", ctx.tmp / "common.debug", *binaries)
    tried = assert_as_addr2line(ctx, binaries[0], whole)
    assert "common.debug: used" in tried, tried
    (ctx.tmp / "common.debug").unlink()
    run("objcopy", whole, ctx.tmp / "common.debug")  # another build
    ours, tried = symbolize(ctx, binaries[0], own_code(whole))
    assert "common.debug: another build id" in tried, tried
    assert all(line == "0" for chain in ours.values() for *_, line in chain)


# --- in profiles

def profile_of_inlines(ctx, *extra, binary=None):
    binary = binary or build(ctx, "attached", "g++", "-g")
    target = ctx.spawn(binary)
    assert target.line() == "ready"
    before = ctx.health(target.pid)
    profile = ctx.profile(target.pid, "-d", "1s", "-r", "500", "--max-stop", "20", *extra)
    assert ctx.health(target.pid) == before
    return profile


def hot_frames(profile):
    return [stack["frames"] for stack in profile["stacks"] if
            any("physics::settle" in frame["function"] for frame in stack["frames"])]


def addresses(library):
    """Link-time addresses of its functions, by their names."""
    lines = subprocess.run(["nm", library], capture_output=True, text=True, check=True).stdout
    return {name: int(address, 16) for address, _, name in
            (line.split() for line in lines.splitlines() if len(line.split()) == 3)}


def test_functions_without_a_name(ctx):
    """Of a stripped library: told apart by where they begin, in every format, and never called
    after an exported label that lies before them."""
    shipped = ctx.program("libsizeless_stripped.so")
    at = addresses(ctx.program("libsizeless.so"))
    names = {f"{shipped.name}+{at[name]:#x}" for name in ("first_nameless", "second_nameless")}
    target = ctx.spawn(ctx.program("plugin"), shipped)
    assert target.line() == "ready"
    profile = ctx.profile(target.pid, "-d", "2s", "-r", "200", "--max-stop", "20")
    seen = {}
    for stack in stacks(profile):
        leaf = stack["frames"][0]
        assert leaf["function"] in ("", "plugin_work"), f"called after something else: {leaf}"
        if not leaf["function"]:
            seen[leaf["unnamed"]] = seen.get(leaf["unnamed"], 0) + stack["samples"]
    assert set(seen) == names, f"{seen}, should be {names}"
    assert min(seen.values()) > 0.3 * sum(seen.values()), seen
    assert profile["run"]["unresolved"] == sum(seen.values()), profile["run"]["unresolved"]
    rows = {row.get("unnamed") for row in profile["functions"]}
    assert names <= rows, f"{rows}"
    for form in "collapsed", "text":
        out = ctx.tmp / form
        ctx.run("attach", target.pid, "-d", "1s", "-r", "200", "--max-stop", "20", "-f", form,
                "-o", out)
        text = out.read_text()
        assert all(name in text for name in names) and "sizeless_probe" not in text, text
    dump = ctx.run("dump-threads", target.pid).stdout
    assert any(name + "+0x" in dump for name in names) or "plugin_work+" in dump, dump


def test_inlined_frames_in_json(ctx):
    stacks = hot_frames(profile_of_inlines(ctx))
    assert stacks
    names = [[frame["function"].split("(")[0] for frame in frames] for frames in stacks]
    assert any(chain[:3] == ["physics::Grid<double>::relax", "physics::Grid<double>::sweep",
                             "physics::settle"] or
               chain[1:4] == ["physics::Grid<double>::relax", "physics::Grid<double>::sweep",
                              "physics::settle"] for chain in names), names
    for frames in stacks:
        for frame in frames:
            if "physics::" in frame["function"]:
                assert frame["file"].startswith("/") and frame["line"] > 0, frame
                assert frame["inlined"] != ("settle" in frame["function"]), frame


def test_pprof_reads_lines(ctx):
    need(ctx, "go")
    binary = build(ctx, "pprof", "g++", "-g")
    target = ctx.spawn(binary)
    assert target.line() == "ready"
    path = ctx.tmp / "inlines.pb.gz"
    assert ctx.run("attach", target.pid, "-d", "1s", "-o", path).returncode == 0
    listed = run("go", "tool", "pprof", "-list", "relax", path)
    assert re.search(r"\d+ms .* cells\[i\] = bounded", listed) or \
        re.search(r"\d+ms .*\breturn value > Number", listed), listed
    traces = run("go", "tool", "pprof", "-traces", path)
    assert re.search(r"Grid<double>::sweep\(\) \(inline\)\n\s+physics::settle", traces), traces
    assert "physics::settle" in run("go", "tool", "pprof", "-peek", "sweep", path)


def test_text_marks_inlined(ctx):
    target = ctx.spawn(build(ctx, "text", "g++", "-g"))
    assert target.line() == "ready"
    done = ctx.run("attach", target.pid, "-d", "1s", "-f", "text")
    assert done.returncode == 0
    assert re.search(r"physics::Grid<double>::sweep\(\) \(inlined\)", done.stdout), done.stdout
    assert re.search(r"physics::settle\(.*\)  ", done.stdout)


def test_debug_file_in_the_targets_root(ctx):
    if os.geteuid():
        raise ctx.Skip("only root may chroot")
    binary = build(ctx, "chroot", "g++", "-g", "-static")
    root = ctx.tmp / "root"
    (root / "app").mkdir(parents=True)
    shutil.copy(stripped(binary), root / "app" / "inlines")
    build_id = re.search(r"Build ID: (\w+)", run("readelf", "-n", binary)).group(1)
    keep_debug(binary, root / f"usr/lib/debug/.build-id/{build_id[:2]}/{build_id[2:]}.debug")
    target = ctx.spawn("chroot", root, "/app/inlines")
    assert target.line() == "ready"
    stacks = hot_frames(ctx.profile(target.pid, "-d", "1s"))
    assert any(frame["file"].endswith("grid.h") for frames in stacks for frame in frames)


def test_debug_file_in_the_root_of_a_child(ctx):
    if os.geteuid():
        raise ctx.Skip("only root may chroot")
    binary = build(ctx, "nested", "g++", "-g", "-static")
    root = ctx.tmp / "child_root"
    (root / "app").mkdir(parents=True)
    shutil.copy(stripped(binary), root / "app" / "inlines")
    build_id = re.search(r"Build ID: (\w+)", run("readelf", "-n", binary)).group(1)
    keep_debug(binary, root / f"usr/lib/debug/.build-id/{build_id[:2]}/{build_id[2:]}.debug")
    parent = ctx.spawn("sh", "-c", f"chroot {root} /app/inlines; true")
    assert parent.line() == "ready"
    child = ctx.children(parent.pid)[0]
    before = ctx.health(child)
    stacks = hot_frames(ctx.profile(parent.pid, "--children", "-d", "1s"))
    assert ctx.health(child) == before
    ctx.kill(child)
    assert any(frame["file"].endswith("grid.h") for frames in stacks for frame in frames)


class Server(http.server.BaseHTTPRequestHandler):
    """A debuginfod server that knows one file."""
    build_id = path_of_file = ""

    def do_GET(self):
        known = self.path == f"/buildid/{self.build_id}/debuginfo"
        body = pathlib.Path(self.path_of_file).read_bytes() if known else b""
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *ignored):
        pass


def with_server(ctx, name, debug_of):
    """The summary and hot frames of a stripped program whose debug file a server has."""
    if not any(pathlib.Path("/").glob("usr/lib/*/libdebuginfod.so.1")):
        raise ctx.Skip("libdebuginfod1 is not installed")
    binary = build(ctx, name, "g++", "-g")
    Server.build_id = re.search(r"Build ID: (\w+)", run("readelf", "-n", binary)).group(1)
    Server.path_of_file = keep_debug(debug_of or binary, ctx.tmp / f"{name}.debug")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    target = ctx.spawn(stripped(binary))
    assert target.line() == "ready"
    path = ctx.tmp / f"{name}.json"
    environment = {**os.environ, "DEBUGINFOD_URLS": f"http://127.0.0.1:{server.server_port}",
                   "DEBUGINFOD_CACHE_PATH": str(ctx.tmp / f"{name}-cache")}
    assert ctx.run("attach", target.pid, "-d", "1s", "-v", "-o", path,
                   env=environment).returncode == 0
    server.shutdown()
    return hot_frames(json.loads(path.read_text()))


def test_debuginfod(ctx):
    stacks = with_server(ctx, "served", None)
    assert re.search(r"served-cache/\w+/debuginfo: used", ctx.stderr), ctx.stderr
    assert any(frame["file"].endswith("grid.h") for frames in stacks for frame in frames)


def test_debuginfod_knows_nothing(ctx):
    need(ctx, "gcc")
    short = stripped(build(ctx, "unserved", "g++", "-g"))
    target = ctx.spawn(short)
    assert target.line() == "ready"
    done = ctx.run("attach", target.pid, "-d", "1s", "-v", "-o", ctx.tmp / "none.json",
                   env={**os.environ, "DEBUGINFOD_URLS": "http://127.0.0.1:1",
                        "DEBUGINFOD_CACHE_PATH": str(ctx.tmp / "no-cache")})
    assert done.returncode == 0
    assert re.search(r"^ +debuginfod: \w+", ctx.stderr, re.M), ctx.stderr


def test_debuginfod_with_another_build(ctx):
    stacks = with_server(ctx, "misled", build(ctx, "another", "g++", "-g", "-O1"))
    assert "another build id" in ctx.stderr, ctx.stderr
    assert not stacks


# --- distribution programs, with and without their debug packages

DISTRIBUTION = {  # module: a program that spends its time there
    "python3.11": ("/usr/bin/python3.11", "-c", "while True: sorted(map(str, range(999)))"),
    "libc.so.6": ("/usr/bin/perl", "-e", "while (1) { my @a = map { 'x' x ($_ % 99) } 1..999 }"),
    "libopcodes-2.40-system.so": ("/usr/bin/objdump", "-D", "/usr/bin/python3.11"),
}


def package_of(path):
    done = subprocess.run(["dpkg", "-S", path], capture_output=True, text=True)
    return done.stdout.split(":")[0]


def debug_package(ctx, module):
    """Which package has its debug file, by the file itself."""
    need(ctx, "dpkg", "unshare", "nsenter")
    program = DISTRIBUTION[module][0]
    libraries = run("ldd", program) if os.path.exists(program) else ""
    found = re.search(rf"=> (\S*/{re.escape(module)}) ", libraries)
    path = found.group(1) if found else program
    if not os.path.exists(path):
        raise ctx.Skip(f"{path} is not installed")
    build_id = re.search(r"Build ID: (\w+)", run("readelf", "-n", path)).group(1)
    package = package_of(f"/usr/lib/debug/.build-id/{build_id[:2]}/{build_id[2:]}.debug")
    if not package:
        raise ctx.Skip(f"the debug package of {module} is not installed")
    return package


def shares(ctx, module, hide):
    """Percent of the module's samples without a name and without a line."""
    setup = "mount -t tmpfs none /usr/lib/debug && " if hide else ""
    target = ctx.spawn("unshare", "-m", "sh", "-c", setup + 'exec "$@" > /dev/null', "sh",
                       *DISTRIBUTION[module])
    name = pathlib.Path(DISTRIBUTION[module][0]).resolve().name
    ctx.eventually(lambda: os.path.basename(os.readlink(f"/proc/{target.pid}/exe")) == name, name)
    stat = pathlib.Path(f"/proc/{target.pid}/stat")
    ctx.eventually(lambda: int(stat.read_text().split()[13]) > 10, "work")  # user time in ticks
    before = ctx.health(target.pid)
    profile = ctx.profile(target.pid, "-d", "1s", "-r", "400", "--max-stop", "20",
                          prefix=("nsenter", "-m", "-t", target.pid))
    assert ctx.health(target.pid) == before
    ctx.kill(target.pid)
    leaves = [(stack["frames"][0], stack["samples"]) for stack in profile["stacks"]
              if stack["frames"] and stack["frames"][0]["module"] == module]
    samples = sum(count for _, count in leaves)
    assert samples > 20, f"{samples} samples in {module}"
    return [100 * sum(count for frame, count in leaves if bad(frame)) / samples for bad in
            (lambda frame: frame["function"] == f"[{module}]", lambda frame: not frame["line"])]


def assert_package_helps(ctx, module):
    if os.geteuid():
        raise ctx.Skip("only root may hide the debug files")
    package = debug_package(ctx, module)
    nameless, lineless = shares(ctx, module, hide=True)
    advice = re.search(rf"in {re.escape(module)} without a name: install ([^,\s]+)", ctx.stderr)
    assert lineless == 100, lineless
    assert not advice or advice.group(1) == package, f"{advice.group(1)} is not {package}"
    assert advice or nameless < 10, ctx.stderr
    nameless_then, lineless_then = shares(ctx, module, hide=False)
    print(f"{module}: {nameless:.1f} % without a name, with {package} {nameless_then:.1f} %; "
          f"without a line {lineless_then:.1f} %; advised: {advice and advice.group(1)}")
    assert nameless_then <= min(nameless, 2) and lineless_then < 20
    assert f"in {module} without a name" not in ctx.stderr, ctx.stderr


def test_python_with_and_without_its_debug_package(ctx):
    assert_package_helps(ctx, "python3.11")


def test_libc_with_and_without_its_debug_package(ctx):
    assert_package_helps(ctx, "libc.so.6")


def test_objdump_with_and_without_its_debug_package(ctx):
    assert_package_helps(ctx, "libopcodes-2.40-system.so")


# --- the symbol process

def without_rights(ctx, run, name):
    """The process of that name, once it has given up its rights."""
    child = run.process(name)
    ctx.eventually(lambda: "Seccomp:\t2" in pathlib.Path(f"/proc/{child}/status").read_text(),
                   "a filter of system calls")
    return child


def symbol_process(ctx, run):
    """Of a ptprof that has just written a snapshot."""
    return without_rights(ctx, run, "names")


def start_with_snapshot(ctx, path, prefix=(), program=None):
    target = ctx.spawn(build(ctx, "process", "g++", "-g"))
    assert target.line() == "ready"
    ctx.ptprof = pathlib.Path(program or ctx.ptprof)
    run = ctx.start("attach", target.pid, "-r", "500", "--max-stop", "20", "-f", "json", "-o", path,
                    prefix=prefix)
    run.says("attached")
    run.sampler()
    begin = ctx.cpu_ns(target.pid)  # without a sample there are no names to look up
    ctx.eventually(lambda: ctx.cpu_ns(target.pid) > begin + 300_000_000, "there are samples")
    run.signal(10)
    run.says("snapshot written")
    return run


def ends(run):
    run.signal(signal.SIGINT)
    assert run.wait() == 0, run.stderr


def test_symbol_process_has_no_privileges(ctx):
    run = start_with_snapshot(ctx, ctx.tmp / "p.json")
    child = symbol_process(ctx, run)
    status = pathlib.Path(f"/proc/{child}/status").read_text()
    assert re.search(r"CapEff:\t0+$", status, re.M) and "NoNewPrivs:\t1" in status, status
    if not os.geteuid():
        assert re.search(r"Uid:\t65534\t65534\t65534\t65534$", status, re.M), status
        assert re.search(r"Groups:\s*$", status, re.M), status
    limits = pathlib.Path(f"/proc/{child}/limits").read_text()
    assert re.search(r"Max file size +0 +0 ", limits), limits
    assert re.search(r"Max cpu time +\d+ ", limits), limits
    maps = pathlib.Path(f"/proc/{child}/maps").read_text()
    assert not re.search(r"^\S+ rw.s ", maps, re.M), "it shares memory with the sampler"
    ends(run)


def test_symbol_process_of_an_able_user(ctx):
    """Capabilities that were given to the program, and not to root, are gone as well."""
    if os.geteuid():
        raise ctx.Skip("root is needed to give capabilities")
    able = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
            "--inh-caps=+sys_ptrace", "--ambient-caps=+sys_ptrace")
    os.chmod(ctx.tmp, 0o777)
    program = shutil.copy(ctx.ptprof, ctx.tmp / "ptprof-copy")
    run = start_with_snapshot(ctx, ctx.tmp / "a.json", prefix=able, program=program)
    able_status = pathlib.Path(f"/proc/{run.pid}/status").read_text()
    assert not re.search(r"CapEff:\t0+$", able_status, re.M), "it has no capability to lose"
    status = pathlib.Path(f"/proc/{symbol_process(ctx, run)}/status").read_text()
    for kind in "CapPrm", "CapEff", "CapInh", "CapAmb":
        assert re.search(rf"{kind}:\t0+$", status, re.M), status
    ends(run)


def test_killed_symbol_process_is_replaced(ctx):
    path = ctx.tmp / "k.json"
    run = start_with_snapshot(ctx, path)
    ctx.kill(symbol_process(ctx, run))
    ends(run)
    assert hot_frames(json.loads(path.read_text())), "names are gone"


def test_report_says_what_to_install(ctx):
    """A stripped program: build id, where its debug file was looked for."""
    short = stripped(build(ctx, "report", "g++", "-g"))
    target = ctx.spawn(short)
    assert target.line() == "ready"
    assert ctx.run("attach", target.pid, "-d", "1s", "-v", "-o", ctx.tmp / "r.json").returncode == 0
    build_id = re.search(r"Build ID: (\w+)", run("readelf", "-n", short)).group(1)
    assert re.search(rf"symbols +[\d.]+% of the samples are in inlines without a name: "
                     rf"no debug file for build id {build_id}", ctx.stderr), ctx.stderr
    assert re.search(rf"\.build-id/{build_id[:2]}/{build_id[2:]}\.debug: not there", ctx.stderr)
