// SPDX-License-Identifier: MIT
// Why each thread of a process does not run: from its task/TID/syscall line, reads of memory and
// /proc, and the names of its innermost functions. Nothing is stopped; besides /proc only sock_diag
// is asked, for the other end of a unix socket.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "process/procfs.h"

enum wait_kind {
    WAIT_NONE,      // it is on a CPU
    WAIT_CPU,       // runnable, waiting for a CPU
    WAIT_LOCK,      // mutex, rwlock: somebody holds it
    WAIT_CONDITION,
    WAIT_SEMAPHORE,
    WAIT_BARRIER,
    WAIT_JOIN,      // for another thread to end
    WAIT_FUTEX,     // a futex of unknown use
    WAIT_POLL,      // epoll, poll, select
    WAIT_SOCKET,
    WAIT_PIPE,
    WAIT_FILE,      // any other descriptor: eventfd, timerfd, terminal, inotify, regular file
    WAIT_SLEEP,
    WAIT_FAULT,     // a page fault
    WAIT_DISK,      // uninterruptible, for reasons that are not told
    WAIT_CHILD,     // wait4, vfork
    WAIT_SIGNAL,    // pause, sigwait
    WAIT_STOPPED,   // by a signal, or by its tracer
    WAIT_OTHER,
};
extern const char *const wait_kind_names[]; // [enum wait_kind], "lock", for JSON and labels

struct wait_frame {
    uint64_t pc, sp;  // sp: the stack pointer in this frame, 0: not known
    const char *name; // as in the symbol table, raw; NULL: not known
};

#define WAIT_CALL_UNKNOWN (-2) // call.number: nobody could read where it sleeps

struct wait_thread { // as the thread was seen; borrowed
    pid_t tid;
    pid_t inner_tid; // in its own PID namespace: what lock words hold. 0: not known
    char comm[COMM_MAX];
    char state;      // of stat: R S D T t Z X I
    bool running;    // task/TID/syscall said so; then `call` means nothing
    bool starved;    // runnable, and its CPU time stands still while its queue time grows
    struct proc_syscall call;
    const struct wait_frame *frames; // leaf first
    size_t frame_count;
    const void *stack;               // a copy of its stack; NULL: none
    size_t stack_length;
    uint64_t stack_address; // where stack[0] lies; 0: at call.sp
};

struct wait_process {
    pid_t pid;
    const char *proc; // where its /proc is; NULL: "/proc"
    const struct wait_thread *threads;
    size_t count;
    void *context;
    // Copies memory of the process as it is now; false when it is not all there.
    bool (*read)(void *context, uint64_t address, void *to, size_t length);
    // The raw name of the data object (a lock's variable) at the address, and how far into it;
    // NULL: none is known.
    const char *(*object)(void *context, uint64_t address, uint64_t *offset);
    // The escaped path of the file mapped at the address, NULL: none.
    const char *(*file)(void *context, uint64_t address);
};

#define WAIT_NOBODY SIZE_MAX

struct wait {
    enum wait_kind kind;
    const char *syscall;  // its name, NULL: in none
    char *text;           // for people, escaped, lower case: "epoll_wait on fd 5, no timeout"
    uint64_t object;      // address of the lock, condition, ...; 0: none
    char *object_name;    // escaped: "queue_lock", "workers+0x28"; NULL: it has no symbol
    const char *object_kind; // "mutex", "recursive mutex", "rwlock (to write)", "semaphore"; NULL
    size_t owner;         // index of the thread that holds or is waited for, or WAIT_NOBODY
    pid_t owner_tid;      // as the lock says, in our PID namespace; 0: none. May be dead
    bool timed;           // it ends by its timeout at the latest
    bool probable;        // the owner was found by the lock's address on its stack, or the lock is
                          // shared memory of a container and names the tid of a thread in any one
    size_t owner_frame;   // where that address was; WAIT_NOBODY: not known
    size_t rivals;        // other threads that have it on their stacks
    size_t holder_at, holder_length; // the part of text that names the owner
};

// Fills in waits[i] for each thread. Owners are translated through PID namespaces. What is read
// changes meanwhile: an owner is certain only if neither thread ran from before it was seen until
// after this returns. The caller compares their switch counts and forgets owners of those that did.
void wait_find_all(const struct wait_process *process, struct wait *waits);

// Takes the owner out of the wait and of its text.
void wait_forget_owner(struct wait *wait);
void wait_fini(struct wait *wait);
