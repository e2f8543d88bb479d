// SPDX-License-Identifier: MIT
// Why each thread of a process does not run, according to its task/TID/syscall line, reads of
// memory and /proc, and the names of its innermost functions. No thread is stopped. Besides /proc
// only sock_diag is used, for the other end of a unix socket.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "process/procfs.h"

enum wait_kind {
    WAIT_NONE,      // the thread is on a CPU
    WAIT_CPU,       // runnable, waiting for a CPU
    WAIT_LOCK,      // mutex, rwlock: another thread holds it
    WAIT_CONDITION,
    WAIT_SEMAPHORE,
    WAIT_BARRIER,
    WAIT_JOIN,      // another thread is to end
    WAIT_FUTEX,     // a futex of unknown use
    WAIT_POLL,      // epoll, poll, select
    WAIT_SOCKET,
    WAIT_PIPE,
    WAIT_FILE,      // any other descriptor: eventfd, timerfd, terminal, inotify, regular file
    WAIT_SLEEP,
    WAIT_FAULT,     // a page fault
    WAIT_DISK,      // uninterruptible, for a reason that the kernel does not show
    WAIT_CHILD,     // wait4, vfork
    WAIT_SIGNAL,    // pause, sigwait
    WAIT_STOPPED,   // by a signal or by its tracer
    WAIT_OTHER,
};
extern const char *const wait_kind_names[]; // [enum wait_kind], such as "lock"; for JSON and labels

struct wait_frame {
    uint64_t pc, sp;  // sp: stack pointer in this frame; 0: not known
    const char *name; // as in the symbol table, raw; NULL: not known
};

#define WAIT_CALL_UNKNOWN (-2) // call.number: where the thread sleeps could not be read

struct wait_thread { // a thread as it was seen; all is borrowed
    pid_t tid;
    pid_t inner_tid; // tid in its own PID namespace, as in lock words; 0: not known
    char comm[COMM_MAX];
    char state;      // from stat: R S D T t Z X I
    bool running;    // according to task/TID/syscall; then `call` means nothing
    bool starved;    // runnable, but its CPU time stays while its queue time grows
    struct proc_syscall call;
    const struct wait_frame *frames; // leaf first
    size_t frame_count;
    const void *stack;               // a copy of its stack; NULL: there is none
    size_t stack_length;
    uint64_t stack_address; // address of stack[0]; 0: call.sp
};

struct wait_process {
    pid_t pid;
    const char *proc; // where /proc is; NULL: "/proc"
    const struct wait_thread *threads;
    size_t count;
    void *context;
    // Copies memory of the process as it is now; returns false when some of it is not mapped.
    bool (*read)(void *context, uint64_t address, void *to, size_t length);
    // Returns the raw name of the data object (a lock's variable) at the address, and the offset in
    // it; NULL when there is none.
    const char *(*object)(void *context, uint64_t address, uint64_t *offset);
    // Returns the escaped path of the file mapped at the address, or NULL.
    const char *(*file)(void *context, uint64_t address);
};

#define WAIT_NOBODY SIZE_MAX

struct wait {
    enum wait_kind kind;
    const char *syscall;  // name of the system call; NULL: it is in none
    char *text;           // for people, escaped, lower case: "epoll_wait on fd 5, no timeout"
    uint64_t object;      // address of the lock, condition, ...; 0: none
    char *object_name;    // escaped: "queue_lock", "workers+0x28"; NULL: it has no symbol
    const char *object_kind; // "mutex", "recursive mutex", "rwlock (to write)", "semaphore"; NULL
    size_t owner;         // index of the thread that holds it or is waited for, or WAIT_NOBODY
    pid_t owner_tid;      // as in the lock, in our PID namespace; 0: none. It may have ended
    bool timed;           // its timeout will end the wait
    bool probable;        // the owner was found by the lock's address on its stack, or the lock
                          // is shared memory of a container and the tid may mean another thread
    size_t owner_frame;   // the frame that has the address; WAIT_NOBODY: not known
    size_t rivals;        // how many other threads have the address on their stacks
    size_t holder_at, holder_length; // the part of text that names the owner
};

// Fills in waits[i] for each thread. Owners are translated through PID namespaces. Since memory
// changes while it is read, an owner is certain only if neither of the two threads ran from before
// it was seen until after this returns. The caller compares their switch counts, and calls
// wait_forget_owner if one of them ran.
void wait_find_all(const struct wait_process *process, struct wait *waits);

// Removes the owner from the wait and from its text.
void wait_forget_owner(struct wait *wait);
void wait_fini(struct wait *wait);
