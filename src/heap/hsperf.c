// SPDX-License-Identifier: MIT
#include "heap/hsperf.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "heap/word.h"

#define MAGIC 0xc0c0fecau // 0xcafec0c0, most significant byte first
#define LITTLE_ENDIAN_MARK 1
#define MAJOR 2
#define HEAD 32u
#define ENTRY 20u
#define ENTRIES_MAX 4096u
#define SIZE_MOST (1u << 20)
#define NAME_MOST 128u

// In the head.
#define BYTE_ORDER_AT 4u
#define MAJOR_AT 5u
#define ACCESSIBLE_AT 7u
#define USED_AT 8u
#define FIRST_AT 24u
#define COUNT_AT 28u

struct hsperf_entry {
    char name[NAME_MOST];
    bool is_text;
    uint64_t number;
    char text[HSPERF_TEXT];
};

// Copies a text that ends within `room` bytes, as much of it as fits.
static void copy_text(char *to, size_t size, const unsigned char *from, size_t room)
{
    size_t length = strnlen((const char *)from, room);
    if (length >= size)
        length = size - 1;
    memcpy(to, from, length);
    to[length] = '\0';
}

// An entry is its length, where its name is, how many elements it has (0: one number), their type,
// and where they are; both places count from where it begins.
static bool read_entry(const unsigned char *bytes, size_t room, struct hsperf_entry *entry)
{
    size_t length = half_at(bytes, 0), name = half_at(bytes, 4), elements = half_at(bytes, 8);
    size_t data = half_at(bytes, 16);
    char type = (char)bytes[12];
    if (length < ENTRY || length > room || name >= length || data >= length)
        return false;
    copy_text(entry->name, sizeof entry->name, bytes + name, length - name);
    entry->is_text = type == 'B' && elements;
    if (entry->is_text)
        copy_text(entry->text, sizeof entry->text, bytes + data,
                  elements < length - data ? elements : length - data);
    else if (type == 'J' && !elements && length - data >= 8)
        entry->number = word_at(bytes, (unsigned)data);
    else
        *entry->name = '\0';
    return true;
}

// --- what is kept ---

static const struct {
    const char *name;
    size_t offset;
} texts[] = {
    {"java.property.java.vm.name", offsetof(struct hsperf, name)},
    {"java.property.java.vm.version", offsetof(struct hsperf, version)},
    {"sun.gc.policy.name", offsetof(struct hsperf, policy)},
}, numbers[] = {
    {"sun.os.hrt.frequency", offsetof(struct hsperf, frequency)},
    {"sun.os.hrt.ticks", offsetof(struct hsperf, ticks)},
    {"sun.rt.createVmBeginTime", offsetof(struct hsperf, started_ms)},
}, of_collectors[] = {
    {"invocations", offsetof(struct hsperf_collector, count)},
    {"time", offsetof(struct hsperf_collector, time)},
    {"lastEntryTime", offsetof(struct hsperf_collector, entered)},
    {"lastExitTime", offsetof(struct hsperf_collector, left)},
};

static void keep_text(struct hsperf *hsperf, const struct hsperf_entry *entry)
{
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        if (strcmp(texts[i].name, entry->name) == 0)
            memcpy((char *)hsperf + texts[i].offset, entry->text, HSPERF_TEXT);
}

static void keep_number(struct hsperf *hsperf, const struct hsperf_entry *entry)
{
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++)
        if (strcmp(numbers[i].name, entry->name) == 0)
            memcpy((char *)hsperf + numbers[i].offset, &entry->number, sizeof entry->number);
}

// "sun.gc.collector.0.invocations"
static void keep_of_collector(struct hsperf *hsperf, const struct hsperf_entry *entry)
{
    static const char before[] = "sun.gc.collector.";
    const char *at = entry->name + sizeof before - 1;
    if (strncmp(entry->name, before, sizeof before - 1) != 0 || *at < '0' ||
        *at >= '0' + HSPERF_COLLECTORS || at[1] != '.')
        return;
    struct hsperf_collector *collector = &hsperf->collectors[*at - '0'];
    if (entry->is_text && strcmp(at + 2, "name") == 0)
        memcpy(collector->name, entry->text, HSPERF_TEXT);
    for (size_t i = 0; !entry->is_text && i < ARRAY_LENGTH(of_collectors); i++)
        if (strcmp(of_collectors[i].name, at + 2) == 0)
            memcpy((char *)collector + of_collectors[i].offset, &entry->number,
                   sizeof entry->number);
}

// "sun.gc.generation.0.space.1.used"
static void keep_of_space(struct hsperf *hsperf, const struct hsperf_entry *entry)
{
    unsigned generation, space;
    int end = 0;
    if (entry->is_text || sscanf(entry->name, "sun.gc.generation.%1u.space.%2u.%n", &generation,
                                 &space, &end) != 2 || !end || entry->number > 1ull << 50)
        return;
    if (strcmp(entry->name + end, "used") == 0)
        hsperf->used += entry->number;
    else if (strcmp(entry->name + end, "capacity") == 0)
        hsperf->capacity += entry->number;
}

static void keep(struct hsperf *hsperf, const struct hsperf_entry *entry)
{
    (entry->is_text ? keep_text : keep_number)(hsperf, entry);
    keep_of_collector(hsperf, entry);
    keep_of_space(hsperf, entry);
}

bool hsperf_parse(const unsigned char *bytes, size_t size, struct hsperf *hsperf)
{
    *hsperf = (struct hsperf){0};
    if (size < HEAD || half_at(bytes, 0) != MAGIC ||
        bytes[BYTE_ORDER_AT] != LITTLE_ENDIAN_MARK || bytes[MAJOR_AT] != MAJOR ||
        !bytes[ACCESSIBLE_AT])
        return false;
    size_t used = half_at(bytes, USED_AT), at = half_at(bytes, FIRST_AT);
    uint32_t count = half_at(bytes, COUNT_AT);
    size = used < size ? used : size;
    for (uint32_t i = 0; i < count && i < ENTRIES_MAX && at <= size && size - at >= ENTRY; i++) {
        struct hsperf_entry entry = {0};
        if (!read_entry(bytes + at, size - at, &entry))
            break;
        keep(hsperf, &entry);
        at += half_at(bytes, (unsigned)at);
    }
    return hsperf->frequency > 0;
}

// --- of a process ---

static const struct proc_map *find_map(const struct heap_target *target)
{
    for (size_t i = 0; i < target->regions.count; i++) {
        const struct proc_map *map = &target->regions.list[i];
        if (map->readable && map->shared && strstr(map->path, "/hsperfdata_") &&
            map->end - map->start <= SIZE_MOST)
            return map;
    }
    return NULL;
}

bool hsperf_read(struct heap_target *target, struct hsperf *hsperf)
{
    const struct proc_map *map = find_map(target);
    if (!map)
        return false;
    size_t size = map->end - map->start;
    AUTO_FREE unsigned char *bytes = xcalloc(size, 1);
    // Its last pages may never have been touched.
    for (size_t at = 0; at < size; at += 4096)
        if (!heap_view_read(&target->view, map->start + at, bytes + at, 4096))
            size = at;
    return hsperf_parse(bytes, size, hsperf);
}

uint64_t hsperf_ns(const struct hsperf *hsperf, uint64_t ticks)
{
    double ns = (double)ticks / (double)hsperf->frequency * NS_PER_S;
    return ns < (double)INT64_MAX ? (uint64_t)ns : INT64_MAX;
}
