// SPDX-License-Identifier: MIT
// The parsers of /proc. The first byte of an input says which one.
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "process/mapping_kind.h"
#include "process/memory_status.h"
#include "process/procfs.h"
#include "process/smaps.h"

static void require(bool good)
{
    if (!good)
        abort();
}

static void try_maps(char *text)
{
    struct proc_map map;
    char *cursor = text, *end = text + strlen(text);
    while (proc_map_parse(&cursor, &map)) {
        require(map.start < map.end && cursor <= end && map.path >= text && map.path <= end);
        free(escape_text_dup(map.path));
    }
    require(cursor == end);
}

static void try_stat(char *text)
{
    struct proc_stat stat;
    if (proc_stat_parse(text, &stat))
        require(strlen(stat.comm) < COMM_MAX);
}

static void try_status(char *text)
{
    struct proc_status status;
    if (proc_status_parse(text, &status))
        require(status.tgid > 0);
}

static void try_schedstat(char *text)
{
    struct schedstat stat;
    if (schedstat_parse(text, &stat))
        require(strchr(text, ' '));
    proc_syscall_is_running(text);
}

// What is made of hostile names must be harmless in its turn.
static void try_escape(char *text)
{
    static void (*const escapes[])(struct buf *, const char *) = {escape_text, escape_json,
                                                                  escape_utf8, escape_folded};
    for (size_t i = 0; i < ARRAY_LENGTH(escapes); i++) {
        AUTO_BUF struct buf out = {0};
        escapes[i](&out, text);
        require(strlen(out.data) == out.length);
        for (size_t k = 0; k < out.length; k++)
            require((unsigned char)out.data[k] >= ' ' && out.data[k] != 0x7f);
    }
}

// smaps are not sorted here, as those of a kernel are.
static void try_smaps(char *text)
{
    enum { MOST = 64 };
    struct smaps_mapping mapping;
    struct proc_map list[MOST];
    struct mapping_use uses[MOST];
    size_t count = 0;
    uint64_t pointers[] = {0x1000, 0x7f0000000800, UINT64_MAX};
    struct stack_points points = {.list = pointers, .count = 3, .unknown = 2, .stack_size = 0x3000};
    char *cursor = text, *end = text + strlen(text);
    for (; count < MOST && smaps_parse(&cursor, &mapping); count++)
        list[count] = mapping.map;
    require(cursor <= end && (count == MOST || cursor == end));
    struct mapping_stacks stacks = mapping_kinds(list, count, &points, uses);
    require(stacks.found <= count && stacks.by_size <= points.unknown);
    for (size_t i = 0; i < count; i++)
        require(uses[i].kind < MAPPING_KIND_COUNT && uses[i].file < count);
}

static void try_memory_status(char *text)
{
    struct memory_status status;
    memory_status_parse(text, &status);
    for (size_t i = 0; i < MEMORY_FIGURE_COUNT; i++)
        require(status.bytes[i] == MEMORY_UNKNOWN || status.bytes[i] % 1024 == 0);
}

static void (*const parsers[])(char *) = {try_maps, try_stat, try_status, try_schedstat,
                                          try_escape, try_smaps, try_memory_status};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (!length)
        return 0;
    AUTO_FREE char *text = xstrndup((const char *)bytes + 1, length - 1);
    parsers[bytes[0] % ARRAY_LENGTH(parsers)](text);
    return 0;
}

bool fuzz_seed(size_t number, struct buf *out)
{
    static const char *const seeds[] = {
        "55d0c0a00000-55d0c0a22000 r-xp 00002000 fd:01 1234567      /usr/bin/a\\012b\n"
        "7f0000000000-7f0000001000 rw-s 00000000 00:05 8            /dev/zero (deleted)\n"
        "7ffd0000-7ffd1000 ---p 00000000 00:00 0 \n"
        "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0    [vsyscall]\n",
        "4242 (a) R 1 (b\n)) S 7 4242 4242 34816 4242 4194560 1 2 3 4 5 6 7 8 20 0 3 0 987 1 2\n",
        "Name:\tcat\nState:\tT (stopped)\nTgid:\t4242\nPid:\t4243\nPPid:\t17\nTracerPid:\t99\n"
        "Uid:\t1\t2\t3\t4294967295\nGid:\t1\t2\t3\t4\nNSpid:\t4243\t11\t2\nThreads:\t25\n"
        "CapEff:\t00000000a80425fb\nSeccomp:\t2\n",
        "123456789 4242 17\n",
        "libfoo.so\x1b[31m\xc2\x9b\xe2\x80\xae\xed\xa0\x80\xf4\x90\x80\x80;\"\\<",
        "7f0000000000-7f0000001000 ---p 00000000 00:00 0\nRss: 4 kB\n"
        "7f0000001000-7f0000003000 rw-p 00000000 00:00 0\nSwap: 18446744073709551615 kB\n"
        "7f0000004000-7f0000005000 r-xp 00000000 08:01 5 /a\nPss: 4 kB\nVmFlags: rd ex\n",
        "VmRSS:\t  1700 kB\nVmSwap:\t99999999999999999999 kB\nVmPTE:\t-1 kB\nThreads:\t12\n",
    };
    if (number >= ARRAY_LENGTH(seeds))
        return false;
    buf_putc(out, (char)number);
    buf_puts(out, seeds[number]);
    return true;
}
