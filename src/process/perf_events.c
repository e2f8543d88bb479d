// SPDX-License-Identifier: MIT
#include "process/perf_events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

// --- records ---

struct record_reader { // of one record
    const unsigned char *at, *end;
    bool failed;
};

static const void *take(struct record_reader *reader, size_t length)
{
    const unsigned char *at = reader->at;
    if (length > (size_t)(reader->end - at)) {
        reader->failed = true;
        reader->at = reader->end;
        return NULL;
    }
    reader->at += length;
    return at;
}

static uint64_t take64(struct record_reader *reader)
{
    uint64_t value = 0;
    const void *at = take(reader, sizeof value);
    if (at)
        memcpy(&value, at, sizeof value);
    return value;
}

static uint32_t take32(struct record_reader *reader)
{
    uint32_t value = 0;
    const void *at = take(reader, sizeof value);
    if (at)
        memcpy(&value, at, sizeof value);
    return value;
}

static void take_thread(struct record_reader *reader, pid_t *pid, pid_t *tid)
{
    *pid = (pid_t)take32(reader);
    *tid = (pid_t)take32(reader);
}

// What is the same in the body of a sample and at the end of each other record, in one order.
static void take_origin(struct record_reader *reader, uint64_t type, struct perf_record *record)
{
    if (type & PERF_SAMPLE_TID)
        take_thread(reader, &record->pid, &record->tid);
    if (type & PERF_SAMPLE_TIME)
        record->time = (int64_t)take64(reader);
    if (type & PERF_SAMPLE_ADDR)
        record->address = take64(reader);
    if (type & PERF_SAMPLE_ID)
        record->id = take64(reader);
    if (type & PERF_SAMPLE_STREAM_ID)
        take64(reader);
    if (type & PERF_SAMPLE_CPU) {
        record->cpu = take32(reader);
        take32(reader);
    }
}

static void take_registers(struct record_reader *reader, uint64_t mask, struct perf_record *record)
{
    size_t count = (size_t)__builtin_popcountll(mask);
    if (take64(reader) == PERF_SAMPLE_REGS_ABI_NONE) // of a kernel's thread
        return;
    record->registers = take(reader, count * sizeof(uint64_t));
    record->register_count = record->registers ? count : 0;
}

// Behind the bytes that were asked for is told how many of them are the stack's.
static void take_stack(struct record_reader *reader, struct perf_record *record)
{
    uint64_t asked = take64(reader);
    if (!asked)
        return;
    const void *stack = take(reader, asked);
    uint64_t copied = take64(reader);
    if (reader->failed)
        return;
    record->stack = stack;
    record->stack_length = copied < asked ? copied : asked;
}

static void take_sample(struct record_reader *reader, const struct perf_format *format,
                        struct perf_record *record)
{
    uint64_t type = format->sample_type;
    if (type & PERF_SAMPLE_IDENTIFIER)
        record->id = take64(reader);
    if (type & PERF_SAMPLE_IP)
        record->ip = take64(reader);
    take_origin(reader, type, record);
    if (type & PERF_SAMPLE_PERIOD)
        take64(reader);
    if (type & PERF_SAMPLE_REGS_USER)
        take_registers(reader, format->registers, record);
    if (type & PERF_SAMPLE_STACK_USER)
        take_stack(reader, record);
}

// The end of each record that is no sample is as long as its format says.
static size_t trailer_length(uint64_t type)
{
    const uint64_t members = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID |
                             PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU | PERF_SAMPLE_IDENTIFIER;
    return sizeof(uint64_t) * (size_t)__builtin_popcountll(type & members);
}

static void take_trailer(struct record_reader *reader, uint64_t type, struct perf_record *record)
{
    take_origin(reader, type & ~(uint64_t)PERF_SAMPLE_ADDR, record);
    if (type & PERF_SAMPLE_IDENTIFIER)
        record->id = take64(reader);
}

static void take_name(struct record_reader *body, struct perf_record *record)
{
    take_thread(body, &record->pid, &record->tid);
    size_t length = (size_t)(body->end - body->at);
    size_t most = sizeof record->comm - 1;
    length = length < most ? length : most;
    const void *name = take(body, length);
    memcpy(record->comm, name, length);
    record->comm[length] = '\0';
}

static void take_birth_or_end(struct record_reader *body, struct perf_record *record)
{
    record->pid = (pid_t)take32(body);
    record->parent_pid = (pid_t)take32(body);
    record->tid = (pid_t)take32(body);
    record->parent = (pid_t)take32(body);
    record->time = (int64_t)take64(body);
}

// The trailer is of the thread that ran at that time, which is not always whom the record is of.
static void take_body(struct record_reader *body, struct perf_record *record)
{
    switch (record->type) {
    case PERF_RECORD_COMM:
        take_name(body, record);
        break;
    case PERF_RECORD_FORK:
    case PERF_RECORD_EXIT:
        take_birth_or_end(body, record);
        break;
    case PERF_RECORD_LOST:
        take64(body);
        record->lost = take64(body);
        break;
    case PERF_RECORD_LOST_SAMPLES:
        record->lost = take64(body);
        break;
    default:
        break;
    }
}

static bool parse_rest(const struct perf_format *format, struct record_reader *reader,
                       struct perf_record *record)
{
    if (record->type == PERF_RECORD_SAMPLE) {
        take_sample(reader, format, record);
        return !reader->failed;
    }
    size_t trailer = trailer_length(format->sample_type);
    if (trailer > (size_t)(reader->end - reader->at))
        return false;
    struct record_reader body = {reader->at, reader->end - trailer, false};
    reader->at = body.end;
    take_trailer(reader, format->sample_type, record);
    take_body(&body, record);
    return !reader->failed && !body.failed;
}

size_t perf_record_parse(const struct perf_format *format, const void *data, size_t length,
                         struct perf_record *record)
{
    struct perf_event_header header;
    memset(record, 0, sizeof *record);
    if (length < sizeof header)
        return 0;
    memcpy(&header, data, sizeof header);
    if (header.size < sizeof header || header.size > length)
        return 0;
    const unsigned char *bytes = data;
    struct record_reader reader = {bytes + sizeof header, bytes + header.size, false};
    record->type = header.type;
    record->misc = header.misc;
    if (!parse_rest(format, &reader, record))
        *record = (struct perf_record){0};
    return header.size;
}

// --- events ---

struct perf_event_attr perf_event_attr_new(uint64_t sample_type)
{
    return (struct perf_event_attr){
        .size = sizeof(struct perf_event_attr),
        .sample_type = sample_type | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU,
        .sample_id_all = 1,
        .exclude_kernel = 1,
        .exclude_hv = 1,
        .use_clockid = 1,
        .clockid = CLOCK_MONOTONIC,
    };
}

int perf_event_new(struct perf_event_attr *attr, pid_t tid, int cpu)
{
    return (int)syscall(SYS_perf_event_open, attr, tid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

// --- rings ---

#define RECORD_MOST (1u << 16) // bytes: the length of a record has 16 bits

bool perf_ring_map(struct perf_ring *ring, int fd, size_t size, struct perf_format format)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *mapped = mmap(NULL, page + size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED)
        return false;
    *ring = (struct perf_ring){
        .fd = fd,
        .page = mapped,
        .data = (const unsigned char *)mapped + page,
        .size = size,
        .format = format,
        .whole = xmalloc(RECORD_MOST),
    };
    return true;
}

void perf_ring_unmap(struct perf_ring *ring)
{
    if (!ring->page)
        return;
    munmap(ring->page, (size_t)(ring->data - (unsigned char *)ring->page) + ring->size);
    free(ring->whole);
    *ring = (struct perf_ring){.fd = -1};
}

bool perf_ring_share(const struct perf_ring *ring, int fd)
{
    return ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, ring->fd) == 0;
}

static void give_back(struct perf_ring *ring, uint64_t until)
{
    ring->read = ring->next = until;
    __atomic_store_n(&ring->page->data_tail, until, __ATOMIC_RELEASE);
}

// Returns the next `length` bytes in one piece.
static const void *in_one_piece(struct perf_ring *ring, size_t length)
{
    size_t at = (size_t)(ring->read & (ring->size - 1));
    if (length <= ring->size - at)
        return ring->data + at;
    memcpy(ring->whole, ring->data + at, ring->size - at);
    memcpy(ring->whole + (ring->size - at), ring->data, length - (ring->size - at));
    return ring->whole;
}

bool perf_ring_peek(struct perf_ring *ring, struct perf_record *record)
{
    uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
    uint64_t there = head - ring->read;
    if (!there)
        return false;
    struct perf_event_header header = {0};
    size_t known = there <= ring->size ? (size_t)there : 0; // more than it holds is a lie
    if (known >= sizeof header)
        memcpy(&header, in_one_piece(ring, sizeof header), sizeof header);
    size_t length = header.size <= known ? header.size : 0;
    length = perf_record_parse(&ring->format, length ? in_one_piece(ring, length) : &header,
                               length, record);
    if (!length) {
        ring->broken++;
        give_back(ring, head);
        return false;
    }
    ring->next = ring->read + length;
    return true;
}

void perf_ring_release(struct perf_ring *ring)
{
    give_back(ring, ring->next);
}
