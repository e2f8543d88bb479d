// SPDX-License-Identifier: MIT
// The CPU profiles of gperftools (ProfilerStart, CPUPROFILE), words of 64 bits:
//   0, 3, 0, period in microseconds, 0      the header
//   count, depth, address...                a record: the leaf, then return addresses
//   0, 1, 0                                 the end
// and then the text of /proc/self/maps. A program that was killed leaves the rest out.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "output/legacy.h"
#include "output/parsers.h"

#define HEADER_WORDS 5
#define HANDLER_FRAMES 2 // that the taking of a sample may leave behind the leaf

struct cpu_record {
    uint64_t count, depth;
    size_t first;  // byte of its first address
    unsigned skip; // frames behind the leaf that are not the program's
};

struct cpu {
    const char *bytes;
    size_t length, at;
    struct cpu_record *records;
    size_t count, capacity;
    struct legacy legacy;
};

// --- words ---

static uint64_t word_of(const char *bytes, size_t number, size_t width, bool big)
{
    uint64_t word = 0;
    for (size_t i = 0; i < width; i++) {
        size_t from = big ? i : width - 1 - i;
        word = word << 8 | (unsigned char)bytes[number * width + from];
    }
    return word;
}

// Says whether the header has words of that kind. Its third one is 1 if a Java program wrote it.
static bool has_header(const char *bytes, size_t length, size_t width, bool big)
{
    return length >= HEADER_WORDS * width && !word_of(bytes, 0, width, big) &&
           word_of(bytes, 1, width, big) == 3 && word_of(bytes, 2, width, big) <= 1 &&
           word_of(bytes, 3, width, big) && !word_of(bytes, 4, width, big);
}

bool gperf_cpu_recognizes(const char *bytes, size_t length)
{
    return has_header(bytes, length, 8, false) || has_header(bytes, length, 8, true) ||
           has_header(bytes, length, 4, false) || has_header(bytes, length, 4, true);
}

static uint64_t take_word(struct cpu *cpu)
{
    uint64_t word = word_of(cpu->bytes + cpu->at, 0, 8, false);
    cpu->at += 8;
    return word;
}

// --- records ---

static enum rc truncated(struct cpu *cpu)
{
    return err_set(cpu->legacy.err, RC_FORMAT,
                   "it ends at byte %zu within a record: the program that wrote it was ended "
                   "before ProfilerStop, or the file is not complete", cpu->length);
}

static bool is_end(const struct cpu *cpu, const struct cpu_record *record)
{
    return !record->count && record->depth == 1 &&
           !word_of(cpu->bytes + record->first, 0, 8, false);
}

static enum rc take_records(struct cpu *cpu)
{
    while (cpu->at < cpu->length) {
        if (cpu->length - cpu->at < 16)
            return truncated(cpu);
        struct cpu_record record = {.count = take_word(cpu)};
        record.depth = take_word(cpu);
        record.first = cpu->at;
        if (record.depth > (cpu->length - cpu->at) / 8)
            return truncated(cpu);
        cpu->at += record.depth * 8;
        if (is_end(cpu, &record))
            return RC_OK;
        if (record.count > INT64_MAX)
            return err_set(cpu->legacy.err, RC_FORMAT, "the record at byte %zu has no number of "
                           "samples", record.first - 16);
        ARRAY_RESERVE(cpu->records, cpu->count, cpu->capacity);
        cpu->records[cpu->count++] = record;
    }
    return RC_OK;
}

// The leaf is where the program was; the others are behind a call.
static uint64_t address_of(const struct cpu *cpu, const struct cpu_record *record, uint64_t number)
{
    uint64_t word = word_of(cpu->bytes + record->first + number * 8, 0, 8, false);
    return number ? word - 1 : word;
}

// --- frames that are not the program's ---

static bool second(const struct cpu *cpu, const struct cpu_record *record, uint64_t *address)
{
    if (record->depth < 2 + (uint64_t)record->skip)
        return false;
    *address = address_of(cpu, record, 1 + record->skip);
    return true;
}

// Finds the address of which there are most, if they are more than all others together.
static uint64_t find_candidate(const struct cpu *cpu)
{
    uint64_t candidate = 0, address;
    size_t lead = 0;
    for (size_t i = 0; i < cpu->count; i++) {
        if (!second(cpu, &cpu->records[i], &address))
            continue;
        if (!lead)
            candidate = address;
        lead = candidate == address ? lead + 1 : lead - 1;
    }
    return candidate;
}

// What lies behind the leaf in all but one of 32 records is the handler of the signal.
static void skip_handler(struct cpu *cpu)
{
    uint64_t candidate = find_candidate(cpu), address;
    size_t count = 0;
    for (size_t i = 0; i < cpu->count; i++)
        count += second(cpu, &cpu->records[i], &address) && address == candidate;
    if (!count || count < cpu->count - cpu->count / 32)
        return;
    for (size_t i = 0; i < cpu->count; i++)
        if (second(cpu, &cpu->records[i], &address) && address == candidate)
            cpu->records[i].skip++;
}

// Some leaves are there twice: as the signal and as the stack told them.
static void skip_second_leaves(struct cpu *cpu)
{
    uint64_t address;
    for (size_t i = 0; i < cpu->count; i++)
        if (second(cpu, &cpu->records[i], &address) &&
            address_of(cpu, &cpu->records[i], 0) == address + 1)
            cpu->records[i].skip++;
}

// --- the profile ---

static enum rc add_record(struct cpu *cpu, const struct cpu_record *record)
{
    int64_t count = (int64_t)record->count;
    const int64_t values[] = {count, legacy_product(count, cpu->legacy.to->period)};
    for (uint64_t i = 0; i < record->depth; i++)
        if (i == 0 || i > record->skip)
            legacy_push(&cpu->legacy, address_of(cpu, record, i));
    return legacy_add(&cpu->legacy, 0, values);
}

static void put_head(struct cpu *cpu, uint64_t period)
{
    struct plain_profile *to = cpu->legacy.to;
    plain_add_type(to, "samples", "count");
    plain_add_type(to, "cpu", "nanoseconds");
    to->period_type = to->types[1];
    to->period = legacy_product((int64_t)period, 1000);
    legacy_set_drops(&cpu->legacy, LEGACY_DROPS_CPU);
}

static enum rc take_all(struct cpu *cpu)
{
    uint64_t period = word_of(cpu->bytes, 3, 8, false);
    if (period > INT64_MAX / 1000)
        return err_set(cpu->legacy.err, RC_FORMAT, "its period is too long");
    put_head(cpu, period);
    cpu->at = HEADER_WORDS * 8;
    enum rc rc = take_records(cpu);
    for (int i = 0; i < HANDLER_FRAMES; i++)
        skip_handler(cpu);
    skip_second_leaves(cpu);
    for (size_t i = 0; i < cpu->count && rc == RC_OK; i++)
        rc = add_record(cpu, &cpu->records[i]);
    if (rc == RC_OK)
        legacy_maps(&cpu->legacy, cpu->bytes + cpu->at, cpu->length - cpu->at);
    return rc;
}

#define NOT_READ                                                                                   \
    "it is the CPU profile of a %s, which ptprof does not read; "                                  \
    "`go tool pprof -proto -output=FILE.pb.gz FILE` converts it"

static enum rc refuse(const char *bytes, size_t length, struct err *err)
{
    if (has_header(bytes, length, 4, false) || has_header(bytes, length, 4, true))
        return err_set(err, RC_FORMAT, NOT_READ, "32-bit program");
    if (!has_header(bytes, length, 8, false))
        return err_set(err, RC_FORMAT, NOT_READ, "big-endian program");
    if (word_of(bytes, 2, 8, false))
        return err_set(err, RC_FORMAT, NOT_READ, "Java program");
    return RC_OK;
}

enum rc gperf_cpu_parse(const char *bytes, size_t length, size_t room,
                        struct plain_profile **profile, struct err *err)
{
    *profile = NULL;
    enum rc rc = refuse(bytes, length, err);
    if (rc != RC_OK)
        return rc;
    struct cpu cpu = {.bytes = bytes, .length = length, .legacy = legacy_new(room, err)};
    rc = take_all(&cpu);
    free(cpu.records);
    return legacy_end(&cpu.legacy, rc, profile);
}
