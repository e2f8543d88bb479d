// SPDX-License-Identifier: MIT
// Events of threads that the kernel records by itself (perf_event_open): opening them, the rings
// that it writes records into, and the records. Parsing is pure, and nothing in a ring is believed.
//
// An event of a thread on any CPU needs a ring of its own, and threads that it starts do not
// inherit it. Events of threads on one CPU can share the ring of that CPU and are inherited: so
// they take one descriptor for each pair of thread and CPU, and one ring for each CPU.
#pragma once

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "process/procfs.h"

// What PERF_RECORD_SAMPLE may hold, beside what each record holds (struct perf_format).
#define PERF_SAMPLE_KNOWN                                                                          \
    (PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |                \
     PERF_SAMPLE_ADDR | PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU |                 \
     PERF_SAMPLE_PERIOD | PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER)

struct perf_format { // of the records of a ring: all of its events have the same
    uint64_t sample_type;     // of PERF_SAMPLE_KNOWN
    uint64_t registers;       // the mask sample_regs_user
};

struct perf_record {
    uint32_t type;            // PERF_RECORD_*
    uint16_t misc;            // PERF_RECORD_MISC_*
    pid_t pid, tid;           // the thread that it is of
    pid_t parent_pid, parent; // FORK: the process and the thread that started it
    int64_t time;             // ns, by the clock of the event; 0: not known
    uint32_t cpu;             // valid if the format has PERF_SAMPLE_CPU
    uint64_t id;              // of the event; 0: the format lacks it
    uint64_t lost;            // LOST: so many records
    char comm[COMM_MAX];      // COMM: its name, raw bytes
    // SAMPLE. The pointers are valid as long as the record is.
    uint64_t ip, address;
    const void *registers;    // uint64_t, one for each bit of the mask; NULL: it has none
    size_t register_count;
    const void *stack;        // a copy from the stack pointer up; NULL: there is none
    size_t stack_length;
};

// Parses the record at the beginning of a buffer. Returns its length, or 0 when nothing in the
// buffer can be read: it is cut off or lies about its length. A record that is too short for its
// type has type 0.
size_t perf_record_parse(const struct perf_format *format, const void *data, size_t length,
                         struct perf_record *record);

struct perf_ring {
    int fd; // of an event; borrowed
    struct perf_event_mmap_page *page;
    const unsigned char *data;
    size_t size;              // of the data, a power of two
    struct perf_format format;
    uint64_t read, next;      // what was taken out, and where the record behind it begins
    uint64_t broken;          // how often what was in the ring could not be read
    unsigned char *whole;     // a record that goes on at the beginning of the ring; owned
};

// Fills in what all events have: nothing of the kernel, times of CLOCK_MONOTONIC, and who, when and
// where in each record. The caller adds what the event is.
struct perf_event_attr perf_event_attr_new(uint64_t sample_type);

// Opens an event of a thread. cpu: -1: on any. Returns a descriptor that is not inherited by
// programs, or -1 and errno.
int perf_event_new(struct perf_event_attr *attr, pid_t tid, int cpu);

// Maps a ring of so many bytes, a power of two, for an event. Returns false and errno (EPERM: that
// is more memory than may be locked).
bool perf_ring_map(struct perf_ring *ring, int fd, size_t size, struct perf_format format);
void perf_ring_unmap(struct perf_ring *ring);

// Has the records of another event of the same CPU written into the ring. Returns false and errno.
bool perf_ring_share(const struct perf_ring *ring, int fd);

// Returns false when the ring is empty. Else the record is valid until perf_ring_release gives its
// room back to the kernel; without that the same one is returned again.
bool perf_ring_peek(struct perf_ring *ring, struct perf_record *record);
void perf_ring_release(struct perf_ring *ring);
