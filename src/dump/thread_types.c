// SPDX-License-Identifier: MIT
#include "dump/thread_types.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "collect/creations.h"
#include "dump/dump_profile.h"
#include "dump/dumper.h"
#include "profile/plain_filter.h"
#include "profile/plain_merge.h"

#define TIMEOUT_NS (2ll * NS_PER_S)

struct thread_look { // at one process
    pid_t pid;
    struct plain_profile *threads, *starts; // NULL: not asked for, or there is none
    struct plain_profile *later;            // starts of a second look; NULL: none
    struct map tids;                        // of all that were there -> 1
    int64_t ended;                          // CLOCK_MONOTONIC ns
};

struct thread_types {
    unsigned types;
    char *threads; // NULL: all
    int64_t timeout;
    bool only_later;
    struct thread_look *looks;
    size_t count;
    struct creations *creations; // NULL: not asked for
    size_t there, late;          // threads of the first looks; those that only the second found
    size_t partly;               // processes of which not all could be read
    bool stopped;
};

static bool wants(const struct thread_types *types, enum profile_kind kind)
{
    return types->types & PROFILE_BIT(kind);
}

// --- looks ---

static size_t samples_of(const struct plain_profile *profile)
{
    return profile ? profile->samples.count : 0;
}

typedef void keeping(struct thread_types *types, struct thread_look *look,
                     const struct dump *dump, struct modules *modules);

static void keep_first(struct thread_types *types, struct thread_look *look,
                       const struct dump *dump, struct modules *modules)
{
    if (wants(types, PROFILE_THREADS))
        look->threads = dump_threads_profile(dump, modules);
    if (wants(types, PROFILE_THREADCREATE) && !types->only_later)
        look->starts = dump_starts_profile(dump, modules, &look->tids); // which has none yet
    for (size_t i = 0; i < dump->count; i++) {
        map_put(&look->tids, (uint64_t)dump->threads[i].tid, 1);
        types->there += dump->threads[i].wanted;
    }
    types->partly += dump->end != DUMP_COMPLETE;
    look->ended = clock_now();
}

static void keep_second(struct thread_types *types, struct thread_look *look,
                        const struct dump *dump, struct modules *modules)
{
    look->later = dump_starts_profile(dump, modules, &look->tids);
    types->late += samples_of(look->later);
}

static enum rc look_at(struct thread_types *types, struct thread_look *look, keeping *keep,
                       struct err *err)
{
    const struct dumper_options options = {.threads = types->threads, .timeout = types->timeout};
    struct dumper *dumper = NULL;
    struct dump dump;
    enum rc rc = dumper_open(look->pid, &options, &dumper, err);
    if (rc == RC_OK)
        rc = dumper_take(dumper, &dump, err);
    if (rc == RC_OK) {
        keep(types, look, &dump, dumper_modules(dumper));
        dump_fini(&dump);
    }
    dumper_close(dumper);
    return rc;
}

// What was started while the look was taken is known by its creator.
static void leave_out_seen(const struct thread_types *types, struct thread_look *look)
{
    struct plain_profile *starts = look->starts;
    const int64_t less = -1;
    for (uint32_t i = 0; i < samples_of(starts); i++) {
        const struct plain_label *tid =
            plain_label(starts, starts->samples.list[i].labels, "tid");
        if (tid && creations_has_seen(types->creations, (pid_t)tid->number, look->ended))
            plain_add(starts, i, &less);
    }
}

// --- from the first to the last ---

static struct thread_types *types_new(const pid_t *pids, size_t count,
                                      const struct thread_types_options *options)
{
    struct thread_types *types = xcalloc(1, sizeof *types);
    types->types = options->types;
    types->threads = options->threads ? xstrdup(options->threads) : NULL;
    types->only_later = options->only_later;
    types->timeout = options->timeout ? options->timeout : TIMEOUT_NS;
    types->looks = xcalloc(count, sizeof *types->looks);
    types->count = count;
    for (size_t i = 0; i < count; i++)
        types->looks[i].pid = pids[i];
    return types;
}

// The events come first: so no thread is missed between them and the look.
enum rc thread_types_start(const pid_t *pids, size_t count,
                           const struct thread_types_options *options,
                           struct thread_types **out, struct err *err)
{
    struct thread_types *types = types_new(pids, count, options);
    if (wants(types, PROFILE_THREADCREATE))
        types->creations = creations_start(pids, count);
    size_t failed = 0;
    enum rc rc = RC_OK;
    for (size_t i = 0; i < count; i++) {
        enum rc one = look_at(types, &types->looks[i], keep_first, failed ? NULL : err);
        rc = one != RC_OK && !failed ? one : rc;
        failed += one != RC_OK;
    }
    types->partly += failed;
    if (failed < count) {
        *out = types;
        return RC_OK;
    }
    thread_types_free(types);
    return rc;
}

void thread_types_stop(struct thread_types *types)
{
    if (types->stopped)
        return;
    types->stopped = true;
    if (!types->creations)
        return;
    creations_stop(types->creations);
    struct creations_facts facts = creations_facts(types->creations);
    for (size_t i = 0; i < types->count; i++) {
        struct thread_look *look = &types->looks[i];
        leave_out_seen(types, look);
        if (!facts.watched && look->ended && look_at(types, look, keep_second, NULL) != RC_OK)
            look->later = NULL; // it has ended
    }
}

void thread_types_free(struct thread_types *types)
{
    if (!types)
        return;
    creations_free(types->creations);
    for (size_t i = 0; i < types->count; i++) {
        plain_free(types->looks[i].threads);
        plain_free(types->looks[i].starts);
        plain_free(types->looks[i].later);
        map_fini(&types->looks[i].tids);
    }
    free(types->looks);
    free(types->threads);
    free(types);
}

// --- words ---

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

// Says why stacks are not known that a breakpoint would have recorded.
static void describe_unknown(const struct creations_facts *facts, struct buf *out)
{
    buf_printf(out, "of %" PRIu64 " of them the creator's stack is not known", facts->unknown);
    if (facts->error)
        buf_printf(out, ": no breakpoint could be had (%s)", strerror(facts->error));
    else if (facts->unfound)
        buf_puts(out, ": no system call that starts threads was found in the code");
    buf_putc(out, '\n');
}

static void describe_watched(const struct creations_facts *facts, struct buf *out)
{
    buf_printf(out, "%" PRIu64 " thread%s started meanwhile: each under the stack of its creator, "
                    "recorded at the system call\n", facts->seen, plural(facts->seen));
    if (facts->unknown)
        describe_unknown(facts, out);
    if (facts->cut)
        buf_printf(out, "%" PRIu64 " stack%s of creators do not reach the root\n", facts->cut,
                   plural(facts->cut));
    if (facts->lost)
        buf_printf(out, "we could not keep up: %" PRIu64 " record%s of births and stacks are "
                        "lost\n", facts->lost, plural(facts->lost));
    if (facts->without)
        buf_printf(out, "%zu thread%s were not watched, nor those that they started: there are no "
                        "descriptors left for their events\n", facts->without,
                   plural(facts->without));
}

static void describe_unwatched(const struct thread_types *types,
                               const struct creations_facts *facts, struct buf *out)
{
    bool denied = facts->error == EACCES || facts->error == EPERM;
    buf_printf(out, "an approximation, because perf events cannot be had (%s%s): of the threads "
                    "that started meanwhile only the %zu that were there at the end are known, and "
                    "not who started them\n",
               strerror(facts->error),
               denied ? ": kernel.perf_event_paranoid or a filter of system calls" : "",
               types->late);
}

static void describe_creations(const struct thread_types *types, struct buf *out)
{
    struct creations_facts facts = creations_facts(types->creations);
    buf_printf(out, "%zu thread%s existed at the beginning%s\n", types->there,
               plural(types->there),
               types->only_later ? ", which are not among these"
                                 : ": each under the function that it started in, its creator was "
                                   "not seen");
    if (facts.watched)
        describe_watched(&facts, out);
    else
        describe_unwatched(types, &facts, out);
    if (facts.execs)
        buf_printf(out, "another program was executed %u time%s, whose first thread%s not told\n",
                   facts.execs, plural(facts.execs), facts.execs == 1 ? " is" : "s are");
}

static void describe(const struct thread_types *types, enum profile_kind kind, struct buf *out)
{
    if (kind == PROFILE_THREADCREATE)
        describe_creations(types, out);
    else
        buf_printf(out, "%zu thread%s of %zu process%s, as they were at the beginning\n",
                   types->there, plural(types->there), types->count,
                   types->count == 1 ? "" : "es");
    if (types->partly)
        buf_printf(out, "%zu process%s could not be read, or not as a whole\n", types->partly,
                   types->partly == 1 ? "" : "es");
}

// --- profiles ---

// Returns what was recorded of the creators with a wanted name.
static struct plain_profile *created(const struct thread_types *types)
{
    struct plain_profile *all = creations_profile(types->creations), *part = NULL;
    const struct plain_filter filter = {.label = "thread", .text = types->threads};
    if (!types->threads || plain_filter(all, &filter, &part, NULL) != RC_OK)
        return all;
    plain_free(all);
    return part;
}

static void add_comments(const struct thread_types *types, enum profile_kind kind,
                         struct plain_profile *profile)
{
    AUTO_BUF struct buf text = {0};
    describe(types, kind, &text);
    char *rest = text.data;
    for (char *line; (line = strsep(&rest, "\n")) && *line;)
        plain_add_comment(profile, line);
}

struct plain_profile *thread_types_profile(const struct thread_types *types,
                                           enum profile_kind kind)
{
    const struct plain_profile **parts = xcalloc(2 * types->count + 1, sizeof *parts);
    struct plain_profile *sum = NULL, *creations = NULL;
    bool threads = kind == PROFILE_THREADS;
    size_t count = 0;
    for (size_t i = 0; i < types->count; i++) {
        const struct thread_look *look = &types->looks[i];
        parts[count] = threads ? look->threads : look->starts;
        count += parts[count] != NULL;
        parts[count] = threads ? NULL : look->later;
        count += parts[count] != NULL;
    }
    if (!threads)
        parts[count++] = creations = created(types);
    // All are of one type.
    if (plain_merge(parts, count, &sum, NULL) != RC_OK)
        sum = plain_new();
    plain_free(creations);
    free(parts);
    add_comments(types, kind, sum);
    return sum;
}
