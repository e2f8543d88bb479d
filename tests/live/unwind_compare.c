// SPDX-License-Identifier: MIT
// unwind_compare PID [N]: stops a random thread of PID N times (200), unwinds it from a copy of its
// stack and with libunwind-ptrace's own accessors while it is held, and compares the pcs. Prints
// one JSON line; exit status 0 when all were equal, or better: we reached the root where the live
// backend lost its way and gave up (static programs, or code that does not begin at a page in the
// file, for which libunwind 1.6.2 looks in the wrong place).
#include <dirent.h>
#include <elf.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/histogram.h"
#include "base/mem.h"
#include "process/module.h"
#include "process/space.h"
#include "unwind/live.h"
#include "unwind/walker.h"

#define STACK_MAX (1u << 20)
#define DEPTH_MAX 4096
#define PAGE 4096ull

struct tally {
    unsigned compared, equal, better, bottom, live_bottom, ends[UNWIND_PROBE + 1];
    unsigned vdso; // neither equal nor better, of a thread that was held in the vdso
    struct histogram walk, live; // ns
    uint64_t frames, stack_needed;
    struct buf difference;
};

// A random thread, 0 when the process is gone.
static pid_t thread_pick(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *task = opendir(path);
    pid_t picked = 0;
    unsigned seen = 0;
    for (struct dirent *entry; task && (entry = readdir(task));)
        if (entry->d_name[0] != '.' && rand() % (int)++seen == 0)
            picked = atoi(entry->d_name);
    if (task)
        closedir(task);
    return picked;
}

static bool hold(pid_t tid)
{
    int status;
    if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) != 0)
        return false;
    if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) == 0 && waitpid(tid, &status, __WALL) == tid &&
        WIFSTOPPED(status)) {
        if (status >> 16 == PTRACE_EVENT_STOP)
            return true;
        ptrace(PTRACE_DETACH, tid, NULL, (void *)(uintptr_t)WSTOPSIG(status)); // a signal came
        return false;
    }
    ptrace(PTRACE_DETACH, tid, NULL, NULL);
    return false;
}

// Page by page at the end, so that the copy goes up to the end of the mapping.
static uint32_t stack_copy(pid_t tid, uint64_t sp, unsigned char *to)
{
    uint32_t done = 0;
    while (done < STACK_MAX) {
        size_t part = STACK_MAX - done < 65536 ? STACK_MAX - done : 65536;
        struct iovec local = {to + done, part}, remote[17];
        size_t count = 0;
        for (uint64_t at = sp + done, end = at + part; at < end; count++) {
            uint64_t next = (at & -PAGE) + PAGE < end ? (at & -PAGE) + PAGE : end;
            remote[count] = (struct iovec){(void *)(uintptr_t)at, (size_t)(next - at)};
            at = next;
        }
        ssize_t got = process_vm_readv(tid, &local, 1, remote, count, 0);
        if (got <= 0)
            break;
        done += (uint32_t)got;
        if ((size_t)got < part)
            break;
    }
    return done;
}

static bool capture_take(pid_t tid, struct capture *capture)
{
    struct iovec regs = {&capture->regs, sizeof capture->regs};
    memset(capture, 0, sizeof *capture);
    if (ptrace(PTRACE_GETREGSET, tid, (void *)NT_PRSTATUS, &regs) != 0)
        return false;
    capture->stack_asked = STACK_MAX;
    capture->stack_length = stack_copy(tid, capture_sp(capture), capture->stack);
    return true;
}

static void describe(struct tally *tally, const struct unwind_result *ours, const uint64_t *pcs,
                     size_t count, enum unwind_end end, size_t at)
{
    if (tally->difference.length)
        return;
    buf_printf(&tally->difference, "frame %zu: %#" PRIx64 " live %#" PRIx64 "; %zu frames (%s), ",
               at, at < ours->count ? ours->frames[at].pc : 0, at < count ? pcs[at] : 0,
               ours->count, unwind_end_texts[ours->end]);
    buf_printf(&tally->difference, "live %zu (%s);", count, unwind_end_texts[end]);
    for (size_t i = 0; i <= at && i < ours->count; i++)
        buf_printf(&tally->difference, " %#" PRIx64, ours->frames[i].pc);
}

// How many pcs of the live backend are worth comparing: without unwind information it goes on with
// whatever lies there.
static size_t plausible(struct space *space, const uint64_t *pcs, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (!space_find(space, pcs[i] - 1))
            return i;
    return count;
}

static bool is_in_vdso(struct space *space, uint64_t pc)
{
    const struct area *area = space_find(space, pc);
    const struct mapping *mapping = area ? space_mapping(space, area, pc) : NULL;
    return mapping && strcmp(mapping->module->path, "[vdso]") == 0;
}

static void compare(struct tally *tally, struct space *space, const struct unwind_result *ours,
                    const uint64_t *pcs, size_t count, enum unwind_end end)
{
    size_t at = 0;
    while (at < ours->count && at < count && ours->frames[at].pc == pcs[at])
        at++;
    bool equal = at == count || (at == ours->count && ours->end == UNWIND_LIMIT);
    tally->compared++;
    tally->equal += equal;
    tally->bottom += ours->end == UNWIND_BOTTOM;
    tally->live_bottom += end == UNWIND_BOTTOM;
    tally->ends[ours->end]++;
    tally->frames += ours->count;
    tally->stack_needed += ours->stack_needed;
    bool better = !equal && ours->end == UNWIND_BOTTOM && end != UNWIND_BOTTOM;
    tally->better += better;
    if (equal || better)
        return;
    tally->vdso += is_in_vdso(space, pcs[0]);
    describe(tally, ours, pcs, count, end, at);
}

static void refresh(struct space *space, struct walked *walked, pid_t tid)
{
    bool changed;
    if (space_refresh(space, tid, &changed) == RC_OK)
        walked_changed(walked, changed);
}

static bool once(struct space *space, struct walked *walked, pid_t pid, struct capture *capture,
                 struct tally *tally)
{
    static uint64_t pcs[DEPTH_MAX];
    enum unwind_end end;
    pid_t tid = thread_pick(pid);
    if (!tid || !hold(tid))
        return tid;
    bool taken = capture_take(tid, capture);
    refresh(space, walked, tid);
    int64_t start = clock_now();
    size_t count = unwind_live(tid, pcs, DEPTH_MAX, &end);
    histogram_add(&tally->live, (uint64_t)(clock_now() - start));
    ptrace(PTRACE_DETACH, tid, NULL, NULL);
    if (!taken || !count)
        return true;
    start = clock_now();
    struct unwind_result ours = walked_walk(walked, capture);
    histogram_add(&tally->walk, (uint64_t)(clock_now() - start));
    compare(tally, space, &ours, pcs, plausible(space, pcs, count), end);
    return true;
}

static void print(const struct tally *tally)
{
    AUTO_BUF struct buf difference = {0};
    escape_json(&difference, tally->difference.length ? tally->difference.data : "");
    printf("{\"compared\":%u,\"equal\":%u,\"better\":%u,\"bottom\":%u,\"live_bottom\":%u,",
           tally->compared, tally->equal, tally->better, tally->bottom, tally->live_bottom);
    printf("\"vdso\":%u,", tally->vdso);
    printf("\"ends\":[");
    for (size_t i = 0; i <= UNWIND_LIMIT; i++)
        printf("%s%u", i ? "," : "", tally->ends[i]);
    unsigned count = tally->compared ? tally->compared : 1;
    printf("],\"frames\":%" PRIu64 ",\"stack_needed\":%" PRIu64 ",", tally->frames / count,
           tally->stack_needed / count);
    printf("\"walk_p50_ns\":%" PRIu64 ",\"walk_p90_ns\":%" PRIu64 ",\"live_p50_ns\":%" PRIu64 ",",
           histogram_quantile(&tally->walk, 0.5), histogram_quantile(&tally->walk, 0.9),
           histogram_quantile(&tally->live, 0.5));
    printf("\"first_difference\":\"%s\"}\n", difference.data);
}

int main(int argc, char **argv)
{
    if (argc < 2 || atoi(argv[1]) <= 0) {
        fprintf(stderr, "usage: unwind_compare PID [N]\n");
        return 2;
    }
    static struct tally tally;
    pid_t pid = atoi(argv[1]);
    int times = argc > 2 ? atoi(argv[2]) : 200;
    AUTO_FREE struct capture *capture = xmalloc(sizeof *capture + STACK_MAX);
    struct modules *modules = modules_new();
    struct space *space = space_new(modules, pid, pid);
    struct walker *walker = walker_new(DEPTH_MAX);
    struct walked *walked = walked_new(walker, space);
    srand(1);
    for (int i = 0; i < times && once(space, walked, pid, capture, &tally); i++)
        usleep((useconds_t)(rand() % 5000));
    print(&tally);
    walked_free(walked);
    walker_free(walker);
    space_free(space);
    modules_free(modules);
    buf_fini(&tally.difference);
    return tally.compared && tally.equal + tally.better == tally.compared ? 0 : 1;
}
