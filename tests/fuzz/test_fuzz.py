# SPDX-License-Identifier: MIT
"""Each fuzz program for a short time; `make fuzz` runs them longer."""

import subprocess

SIDE_BY_SIDE = True
RUNS = 2000


def run(ctx, name):
    path = ctx.build / "fuzz" / name
    if not path.exists():
        raise ctx.Skip(f"fuzz/{name} is not built")
    done = subprocess.run([str(path), str(RUNS)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, errors="backslashreplace", timeout=290)
    assert done.returncode == 0, \
        f"{path}.crash is what it died of\n" + "\n".join(done.stderr.splitlines()[:40])
    assert done.stdout == f"{name}: {RUNS} runs\n", done.stdout


def test_maps(ctx):
    run(ctx, "fuzz_maps")


def test_image(ctx):
    run(ctx, "fuzz_image")


def test_cfi(ctx):
    run(ctx, "fuzz_cfi")


def test_dwarf(ctx):
    run(ctx, "fuzz_dwarf")


def test_options(ctx):
    run(ctx, "fuzz_options")


def test_perf_map(ctx):
    run(ctx, "fuzz_perf_map")


def test_pprof(ctx):
    run(ctx, "fuzz_pprof")


def test_memory_image(ctx):
    run(ctx, "fuzz_memory_image")


def test_collapsed(ctx):
    run(ctx, "fuzz_collapsed")


def test_perf_script(ctx):
    run(ctx, "fuzz_perf_script")


def test_speedscope(ctx):
    run(ctx, "fuzz_speedscope")


def test_census(ctx):
    run(ctx, "fuzz_census")


def test_legacy(ctx):
    run(ctx, "fuzz_legacy")


def test_heap_musl(ctx):
    run(ctx, "fuzz_heap_musl")


def test_heap_mimalloc(ctx):
    run(ctx, "fuzz_heap_mimalloc")


def test_heap_go(ctx):
    run(ctx, "fuzz_heap_go")


def test_kinds(ctx):
    run(ctx, "fuzz_kinds")


def test_heap_python(ctx):
    run(ctx, "fuzz_heap_python")


def test_heap_glibc(ctx):
    run(ctx, "fuzz_heap_glibc")


def test_heap_jemalloc(ctx):
    run(ctx, "fuzz_heap_jemalloc")


def test_heap_tcmalloc(ctx):
    run(ctx, "fuzz_heap_tcmalloc")


def test_http(ctx):
    run(ctx, "fuzz_http")


def test_yaml(ctx):
    run(ctx, "fuzz_yaml")
