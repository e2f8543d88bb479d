#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs each fuzz program of a build with --coverage, and prints how many lines of the files that it
is for its inputs reach.

    coverage.py DIRECTORY RUNS
"""

import os
import pathlib
import re
import subprocess
import sys

FILES = {
    "fuzz_cfi": ["src/unwind/cfi.c", "src/unwind/step.c", "src/unwind/unwinder.c",
                 "src/unwind/debug_frame.c", "src/unwind/walk.c"],
    "fuzz_collapsed": ["src/output/collapsed_parse.c", "src/output/scan.c", "src/output/known.c"],
    "fuzz_dwarf": ["src/symbol/reader/binary.c", "src/symbol/reader/units.c",
                   "src/symbol/reader/functions.c", "src/symbol/reader/split_file.c",
                   "src/symbol/reader/split_package.c", "src/symbol/reader/split_unit.c",
                   "src/symbol/reader/debug_sections.c", "src/symbol/reader/elf_file.c",
                   "src/symbol/reader/server.c", "src/symbol/wire.c"],
    "fuzz_heap_glibc": ["src/heap/glibc.c", "src/heap/glibc_caches.c", "src/heap/glibc_find.c",
                        "src/heap/glibc_mapped.c", "src/heap/glibc_pieces.c",
                        "src/heap/glibc_walk.c"],
    "fuzz_heap_jemalloc": ["src/heap/jemalloc.c", "src/heap/jemalloc_base.c",
                           "src/heap/jemalloc_extents.c"],
    "fuzz_heap_tcmalloc": ["src/heap/tcmalloc.c", "src/heap/tcmalloc_caches.c",
                           "src/heap/tcmalloc_spans.c"],
    "fuzz_http": ["src/serve/front/auth.c", "src/serve/front/guard.c", "src/serve/front/host.c"],
    "fuzz_image": ["src/process/image.c", "src/symbol/reader/symtab.c", "src/symbol/reader/plt.c",
                   "src/symbol/reader/demangle.c"],
    "fuzz_kinds": ["src/heap/kinds.c", "src/heap/kind_class.c", "src/heap/vtable.c",
                   "src/heap/kind_container.c", "src/heap/kind_text.c", "src/heap/kind_pattern.c",
                   "src/heap/file_memory.c"],
    "fuzz_legacy": ["src/output/gperf_cpu_parse.c", "src/output/heap_text_parse.c",
                    "src/output/jemalloc_parse.c", "src/output/contention_parse.c",
                    "src/output/count_text_parse.c", "src/output/legacy.c",
                    "src/output/legacy_maps.c"],
    "fuzz_maps": ["src/process/procfs.c"],
    "fuzz_memory_image": ["src/process/memory_image.c"],
    "fuzz_options": ["src/commands/option.c", "src/commands/attach_options.c"],
    "fuzz_perf_map": ["src/process/perf_map.c"],
    "fuzz_perf_script": ["src/output/perf_script_parse.c", "src/output/perf_line.c",
                         "src/output/mapped_file.c"],
    "fuzz_pprof": ["src/output/parser.c", "src/output/pprof_parse.c", "src/output/gunzip.c",
                   "src/profile/plain.c", "src/profile/plain_merge.c", "src/profile/plain_frame.c",
                   "src/profile/measure.c", "src/profile/totals.c"],
    "fuzz_census": ["src/output/census_parse.c", "src/profile/block_profile.c",
                    "src/heap/heap_table.c", "src/heap/heap_growth.c"],
    "fuzz_speedscope": ["src/output/speedscope_parse.c"],
    "fuzz_yaml": ["src/commands/yaml_file.c"],
}


def lines_of(directory, source):
    """(reached, all) of a file, as gcov counts."""
    found = subprocess.run(["gcov", "-n", "-o", (directory / source).parent, source],
                           capture_output=True, text=True).stdout
    match = re.search(rf"File '{re.escape(source)}'\nLines executed:([0-9.]+)% of (\d+)", found)
    if not match:
        return 0, 0
    count = int(match.group(2))
    return round(float(match.group(1)) * count / 100), count


def main():
    directory, runs = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    for program, sources in FILES.items():
        for data in directory.rglob("*.gcda"):
            data.unlink()
        done = subprocess.run([directory / program, runs], capture_output=True, text=True,
                              env={**os.environ, "GCOV_PREFIX_STRIP": "0"})
        if done.returncode:
            print(f"{program}: exit status {done.returncode}\n{done.stderr[-2000:]}")
        counts = {source: lines_of(directory, source) for source in sources}
        reached, count = (sum(column) for column in zip(*counts.values()))
        share = 100 * reached / max(count, 1)
        print(f"{program}: {share:.0f} % of {count} lines after {runs} runs", flush=True)
        for source, (some, every) in counts.items():
            print(f"    {source} {some} of {every}")


if __name__ == "__main__":
    main()
