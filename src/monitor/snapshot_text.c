// SPDX-License-Identifier: MIT
#include "monitor/snapshot_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "monitor/snapshot_set.h"
#include "profile/live.h"

#define WORDS_MAX 4200 // a line holds a stack
#define ENTRIES_MAX (1u << 16)

struct replay {
    struct snapshot **list;
    size_t count, capacity, next;
    // The lines so far have made what follows.
    struct snapshot now;
    struct plain_profile *profile;
    struct slices *slices;
    struct strtab locations; // text -> number of the location, + 1
    struct map mappings;     // number of a path's text -> mapping
    struct map sets;         // tid -> label set
    struct thread_fact *threads;
    size_t thread_count, thread_capacity;
    int64_t seconds;
    bool begun;
};

struct line {
    char *words[WORDS_MAX];
    size_t count;
};

// --- words ---

static int hex_digit(char byte)
{
    const char *digits = "0123456789abcdef", *at = byte ? strchr(digits, byte) : NULL;
    return at ? (int)(at - digits) : -1;
}

static void unescape(char *word)
{
    char *to = word;
    for (const char *from = word; *from; from++) {
        int high = from[0] == '\\' && from[1] == 'x' ? hex_digit(from[2]) : -1;
        int low = high >= 0 ? hex_digit(from[3]) : -1;
        if (low >= 0) {
            *to++ = (char)(high << 4 | low);
            from += 3;
        } else if (*from == '\\' && from[1]) {
            from++;
            *to++ = *from == 't' ? '\t' : *from == 'n' ? '\n' : *from;
        } else
            *to++ = *from;
    }
    *to = '\0';
}

static void split(char *text, struct line *line)
{
    line->count = 0;
    for (char *word; (word = strsep(&text, "\t")) && line->count < WORDS_MAX;) {
        unescape(word);
        line->words[line->count++] = word;
    }
}

// --- numbers ---

static bool take_set(struct replay *replay, const struct line *line)
{
    return snapshot_set(&replay->now, line->words[1], line->words[2]);
}

static bool take_cpu(struct replay *replay, const struct line *line)
{
    struct snapshot *now = &replay->now;
    for (size_t i = 1; i < line->count; i++) {
        if (now->cpu_count == CPU_HISTORY)
            memmove(now->cpu, now->cpu + 1, --now->cpu_count * sizeof *now->cpu);
        now->cpu_percent = strtod(line->words[i], NULL);
        now->cpu[now->cpu_count++] = (float)now->cpu_percent;
    }
    return true;
}

// --- threads ---

static struct thread_fact *thread_of(struct replay *replay, pid_t tid)
{
    for (size_t i = 0; i < replay->thread_count; i++)
        if (replay->threads[i].tid == tid)
            return &replay->threads[i];
    return NULL;
}

static bool take_thread(struct replay *replay, const struct line *line)
{
    struct thread_fact fact = {
        .pid = replay->now.pid,
        .tid = atoi(line->words[1]),
        .state = *line->words[2],
        .held_ns = line->count > 4 ? strtoll(line->words[4], NULL, 10) : 0,
        .owner = line->count > 6 ? atoi(line->words[6]) : 0,
    };
    snprintf(fact.comm, sizeof fact.comm, "%s", line->words[3]);
    snprintf(fact.wait, sizeof fact.wait, "%s", line->count > 5 ? line->words[5] : "");
    struct thread_fact *known = thread_of(replay, fact.tid);
    if (!known) {
        ARRAY_RESERVE(replay->threads, replay->thread_count, replay->thread_capacity);
        known = &replay->threads[replay->thread_count++];
    }
    *known = fact;
    return true;
}

static bool take_gone(struct replay *replay, const struct line *line)
{
    struct thread_fact *gone = thread_of(replay, atoi(line->words[1]));
    if (!gone)
        return false;
    size_t behind = (size_t)(replay->threads + replay->thread_count - (gone + 1));
    memmove(gone, gone + 1, behind * sizeof *gone);
    replay->thread_count--;
    return true;
}

// A thread that was renamed later keeps the name that it had.
static uint32_t set_of(struct replay *replay, pid_t tid)
{
    const struct thread_fact *fact = thread_of(replay, tid);
    uint32_t set = map_get(&replay->sets, (uint64_t)tid, 0);
    if (set)
        return set;
    set = plain_with_text(replay->profile, 0, "thread", fact ? fact->comm : "");
    set = plain_with_number(replay->profile, set, "tid", tid);
    set = plain_with_number(replay->profile, set, "pid", replay->now.pid);
    map_put(&replay->sets, (uint64_t)tid, set);
    return set;
}

// --- samples ---

struct frame_text {
    const char *function, *module, *file;
    uint32_t line;
};

static struct frame_text parse_frame(char *text)
{
    char *rest = *text == '~' ? text + 1 : text;
    char *function = strsep(&rest, "|");
    char *module = strsep(&rest, "|");
    char *colon = rest ? strrchr(rest, ':') : NULL;
    if (colon)
        *colon = '\0';
    return (struct frame_text){
        .function = function,
        .module = module ? module : "",
        .file = rest ? rest : "",
        .line = colon ? (uint32_t)strtoul(colon + 1, NULL, 10) : 0,
    };
}

static uint32_t mapping_of(struct replay *replay, const char *path)
{
    uint32_t file = plain_text(replay->profile, path);
    uint32_t mapping = file ? map_get(&replay->mappings, file, PLAIN_NONE) : PLAIN_NONE;
    if (!file || mapping != PLAIN_NONE)
        return mapping;
    mapping = plain_add_mapping(replay->profile, (struct plain_mapping){.file = file});
    map_put(&replay->mappings, file, mapping);
    return mapping;
}

// The first word is the frame that has code of its own; the others were inlined into it.
static uint32_t add_location(struct replay *replay, char *const *words, size_t count)
{
    struct plain_line lines[NAME_FRAMES_MAX];
    uint32_t mapping = PLAIN_NONE;
    for (size_t i = 0; i < count; i++) {
        struct frame_text frame = parse_frame(words[i]);
        struct plain_function function = {
            .name = plain_text(replay->profile, frame.function),
            .file = plain_text(replay->profile, frame.file),
        };
        if (i == 0)
            mapping = mapping_of(replay, frame.module);
        lines[count - 1 - i] = (struct plain_line){
            .function = plain_add_function(replay->profile, function), .line = frame.line};
    }
    return plain_add_location(replay->profile, mapping, 0, lines, count);
}

// Returns the location of the first word and of the inlined ones behind it: *used words.
static uint32_t parse_location(struct replay *replay, char *const *words, size_t most,
                               size_t *used)
{
    AUTO_BUF struct buf key = {0};
    size_t count = 0;
    do
        buf_printf(&key, "%s\n", words[count]);
    while (++count < most && count < NAME_FRAMES_MAX && *words[count] == '~');
    *used = count;
    uint32_t location = strtab_add(&replay->locations, key.data) - 1;
    if (location == replay->profile->code.location_count)
        add_location(replay, words, count);
    return location;
}

struct sample_labels { // beside those of its thread
    enum profile_state state;
    bool lock; // it was waited for
    struct {
        const char *key, *text;
    } list[4];
};

// words: tid, count, ns, frames.
static bool take_words(struct replay *replay, char *const *words, size_t most,
                       const struct sample_labels *labels)
{
    uint64_t samples = strtoull(words[1], NULL, 10), ns = strtoull(words[2], NULL, 10);
    uint32_t node = 0, set = set_of(replay, atoi(words[0]));
    for (size_t at = 3, used; at < most; at += used)
        node = plain_child(replay->profile, node,
                           parse_location(replay, words + at, most - at, &used));
    for (size_t i = 0; i < ARRAY_LENGTH(labels->list) && labels->list[i].key; i++)
        set = plain_with_text(replay->profile, set, labels->list[i].key, labels->list[i].text);
    uint32_t sample = plain_sample(replay->profile, node, set);
    live_add(replay->profile, sample, labels->state, labels->lock, samples, ns);
    return slices_add(replay->slices, sample, samples, ns);
}

static bool take_sample(struct replay *replay, const struct line *line)
{
    return take_words(replay, line->words + 1, line->count - 1, &(struct sample_labels){0});
}

static bool take_wall(struct replay *replay, const struct line *line)
{
    enum profile_state state = profile_state_named(line->words[1]);
    return state != STATE_CPU &&
           take_words(replay, line->words + 2, line->count - 2,
                      &(struct sample_labels){state, false, {{"state", line->words[1]}}});
}

static bool take_delay(struct replay *replay, const struct line *line)
{
    bool holder = strcmp(line->words[0], PLAIN_HOLDER) == 0;
    const char *lock = strcmp(line->words[2], "-") != 0 ? line->words[2] : NULL;
    bool idle = strcmp(line->words[0], PLAIN_IDLE) == 0;
    struct sample_labels labels = {
        holder ? STATE_HOLDING : STATE_DELAYED, lock,
        {{"wait", line->words[1]}, {"lock", lock ? lock : ""}, {PLAIN_IDLE, idle ? "yes" : ""},
         {PLAIN_SIDE, holder ? PLAIN_HOLDER : PLAIN_WAITER}}};
    return take_words(replay, line->words + 3, line->count - 3, &labels);
}

static bool take_second(struct replay *replay, const struct line *line)
{
    (void)line;
    slices_advance(replay->slices, ++replay->seconds * NS_PER_S);
    return true;
}

static bool take_reset(struct replay *replay, const struct line *line)
{
    (void)line;
    plain_reset(replay->profile);
    slices_clear(replay->slices);
    slices_advance(replay->slices, replay->seconds * NS_PER_S);
    return true;
}

// --- snapshots ---

static void finish_snapshot(struct replay *replay)
{
    if (!replay->begun)
        return;
    struct snapshot *made = xmalloc(sizeof *made);
    *made = replay->now;
    made->command_line = xstrdup(replay->now.command_line);
    made->moment = moment_of(plain_copy(replay->profile), slices_copy(replay->slices));
    made->moment.since_reset = replay->now.elapsed;
    made->moment.thread_count = replay->thread_count;
    made->moment.threads = xcopy(replay->threads, replay->thread_count, sizeof *replay->threads);
    made->threads = replay->thread_count;
    snapshot_count_states(made);
    ARRAY_RESERVE(replay->list, replay->count, replay->capacity);
    replay->list[replay->count++] = made;
}

static bool take_snapshot(struct replay *replay, const struct line *line)
{
    (void)line;
    finish_snapshot(replay);
    replay->begun = true;
    return true;
}

static const struct {
    const char *word;
    size_t least; // words, including the first
    bool (*take)(struct replay *, const struct line *);
} takers[] = {
    {"snapshot", 1, take_snapshot}, {"set", 3, take_set},       {"cpu", 2, take_cpu},
    {"thread", 4, take_thread},     {"gone", 2, take_gone},     {"second", 1, take_second},
    {"sample", 5, take_sample},     {"wall", 6, take_wall},
    {PLAIN_WAITER, 7, take_delay},  {PLAIN_HOLDER, 7, take_delay},
    {PLAIN_IDLE, 7, take_delay},
    {"reset", 1, take_reset},
};

static bool take_line(struct replay *replay, const struct line *line)
{
    for (size_t i = 0; i < ARRAY_LENGTH(takers); i++)
        if (strcmp(takers[i].word, line->words[0]) == 0)
            return line->count >= takers[i].least && takers[i].take(replay, line);
    return false;
}

static enum rc read_all(struct replay *replay, FILE *file, const char *path, struct err *err)
{
    AUTO_FREE struct line *line = xmalloc(sizeof *line);
    AUTO_FREE char *text = NULL;
    size_t size = 0;
    for (unsigned number = 1; getline(&text, &size, file) >= 0; number++) {
        text[strcspn(text, "\n")] = '\0';
        if (!*text || *text == '#')
            continue;
        split(text, line);
        if (!take_line(replay, line)) {
            AUTO_FREE char *shown = escape_text_dup(path);
            return err_set(err, RC_FORMAT, "%s:%u: not understood", shown, number);
        }
    }
    finish_snapshot(replay);
    return RC_OK;
}

enum rc replay_open(const char *path, struct replay **out, struct err *err)
{
    AUTO_FILE FILE *file = fopen(path, "re");
    AUTO_FREE char *shown = escape_text_dup(path);
    if (!file)
        return err_sys(err, RC_IO, errno, "cannot open %s", shown);
    struct replay *replay = xcalloc(1, sizeof *replay);
    replay->profile = plain_new();
    replay->slices = slices_new(ENTRIES_MAX);
    replay->now.command_line = xstrdup("");
    replay->now.process_count = 1;
    replay->now.pid = 1;
    strtab_init(&replay->locations);
    live_add_types(replay->profile);
    slices_advance(replay->slices, 0);
    enum rc rc = read_all(replay, file, path, err);
    if (rc == RC_OK)
        *out = replay;
    else
        replay_free(replay);
    return rc;
}

void replay_free(struct replay *replay)
{
    if (!replay)
        return;
    for (size_t i = 0; i < replay->count; i++)
        snapshot_free(replay->list[i]);
    free(replay->list);
    free(replay->threads);
    free(replay->now.command_line);
    plain_free(replay->profile);
    slices_free(replay->slices);
    strtab_fini(&replay->locations);
    map_fini(&replay->mappings);
    map_fini(&replay->sets);
    free(replay);
}

struct snapshot *replay_next(struct replay *replay)
{
    if (!replay->count)
        return NULL;
    const struct snapshot *from = replay->list[replay->next];
    if (replay->next + 1 < replay->count)
        replay->next++;
    struct snapshot *copy = xmalloc(sizeof *copy);
    *copy = *from;
    copy->command_line = xstrdup(from->command_line);
    copy->moment = moment_copy(&from->moment);
    return copy;
}
