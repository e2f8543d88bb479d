// SPDX-License-Identifier: MIT
// What the process that reads HTTP may ask the collector for: one of a few things, by number, and
// never by a path or an address. Questions and answers are messages over a channel
// (reader/channel.h); what an answer consists of is in memory that comes with it.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

// name, word, what it is
#define ASK_TYPES(X) /* of profiles, which can be switched off */                                  \
    X(PROFILE, "profile", "CPU time of a window")                                                  \
    X(WALL, "wall", "wall time of a window, by state")                                             \
    X(BLOCK, "block", "what threads waited for")                                                   \
    X(MUTEX, "mutex", "locks: who waited, and who held them")                                      \
    X(THREADS, "goroutine", "where each thread is now")                                            \
    X(THREADCREATE, "threadcreate", "who started the threads")                                     \
    X(HEAP, "heap", "blocks of memory in use")                                                     \
    X(TRACE, "trace", "what threads did in a window, event by event")

#define ASKS(X)                                                                                    \
    ASK_TYPES(X)                                                                                   \
    X(SYMBOL, "symbol", "names of addresses")                                                      \
    X(INDEX, "index", "which process it is, for the list of its profiles")                         \
    X(CMDLINE, "cmdline", "arguments of the process")                                              \
    X(TARGETS, "targets", "which processes there are")                                             \
    X(METRICS, "metrics", "figures of all targets, for Prometheus")                                \
    X(DISCOVERY, "sd", "targets, for the HTTP service discovery of Prometheus")                    \
    X(FIGURES, "figures", "figures of one target now")                                             \
    X(HISTORY, "history", "figures of one target, the last so many")                               \
    X(MEMORY, "memory", "memory of one target")                                                    \
    X(COLLECTION, "gc", "garbage collection and the allocator of one target")                      \
    X(RUNTIME, "runtime", "what runs in one target")                                               \
    X(HEALTH, "health", "whether one target is well")                                              \
    X(GOROUTINES, "goroutines", "where each thread is now, as Go tells it")                        \
    X(STATS, "stats", "runtime statistics of one target, as Go programs have them")                \
    X(ACT, "act", "an action on one target")                                                       \
    X(SERIES, "series", "the last figures of one target, as EVENT has them")                       \
    X(EVENT, "event", "figures of one target, when the next are there")                            \
    X(VIEW, "view", "functions and threads of a range, for the page")                              \
    X(FLAME, "flame", "stacks of a range or of two, for the page")                                 \
    X(CANCEL, "cancel", "nobody waits for the answer to a question any more")                      \
    X(FINISH, "finish", "what is asked for is answered with what there is")                        \
    X(LOG, "log", "a line for the log: of who was refused and the like")

enum ask_what {
#define X(name, word, text) ASK_##name,
    ASKS(X)
#undef X
    ASK_COUNT
};

extern const char *const ask_words[ASK_COUNT];

enum ask_form {
    ASK_PPROF, // gzip-compressed profile, or what the thing is by itself
    ASK_TEXT,  // debug=1
    ASK_DUMP,  // debug=2
    ASK_JSON,
    ASK_OPENMETRICS,
};

#define ASK_FRONT_BITS 24   // of a question's number; a front's own number is above them
// For so long (ns) a front that is to leave takes new requests: some may be on their way to it.
#define ASK_GRACE 1000000000ll
#define ASK_AGAIN "this server ends or goes by other settings now: connect again"
#define ASK_TARGET_MOST 64  // bytes of a target's ID, with NUL
#define ASK_TEXT_MOST 1024  // of a filter
#define ASK_NO_FUNCTIONS UINT32_MAX // threads alone are asked for

struct ask {
    uint32_t id;        // chosen by who asks; the answer has it. CANCEL: which one is meant
    uint32_t what;      // enum ask_what
    uint32_t form;      // enum ask_form
    uint32_t count;     // HISTORY: how many at most; VIEW: functions at most, ASK_NO_FUNCTIONS
    int64_t window;     // ns from now on; 0: what is there, all since it was counted
    int64_t ranges[2][2]; // VIEW, FLAME: from and until, ns since 1970 UTC; 0, 0: the last seconds.
                          // The second range of a comparison is what the first is held against
    char type[16];      // VIEW, FLAME: word of a type; "": cpu. ACT: which one
    char target[ASK_TARGET_MOST]; // ID: name or pid; "": the only one
    char text[ASK_TEXT_MOST]; // LOG: the line; VIEW, FLAME: filter. A longer text (SYMBOL) comes as
                              // memory with the message
};

struct answer_head {
    uint32_t id;
    uint32_t rc;       // enum rc; then `text` says why
    uint32_t fresh_ms; // for so long the same question has the same answer
    uint32_t partial;  // not 0: the target ended meanwhile, or the time was over: what there is
    uint32_t unknown;  // not 0, with RC_GONE: there is no such target; 0: there was, it has ended
    uint64_t size;     // bytes of the memory that comes with it
    char text[sizeof(struct err)]; // for people; "": nothing to say
};

// Says whether two questions are the same, whoever asks.
bool ask_is_same(const struct ask *one, const struct ask *other);

// Return false when the peer has closed. memory: descriptor, -1: none.
bool ask_send(int channel, const struct ask *ask, int memory);
bool answer_send(int channel, const struct answer_head *answer, int memory);

// Receive a message that is waiting. The texts end in NUL and the numbers are within their enums,
// whoever sent it; the caller closes *memory, -1: none came. Return 1, 0 when the peer has closed,
// -1 when what came is no such message.
int ask_receive(int channel, struct ask *ask, int *memory);
int answer_receive(int channel, struct answer_head *answer, int *memory);

// Opens memory for what an answer consists of, to be written and then sealed; -1: there is none.
int answer_memory(void);

// Open a stream that writes to such memory (NULL, and a message: there is none), and close it. The
// second returns the first failure, its own or that of what was written.
FILE *answer_stream(int memory, struct err *err);
enum rc answer_written(FILE *stream, enum rc rc, struct err *err) MUST_CHECK;

// Seals memory, so that who gets it cannot be shown anything else later, and returns its size.
uint64_t answer_seal(int memory);
