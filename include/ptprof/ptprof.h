/* SPDX-License-Identifier: MIT */
/*
 * libptprof: profiles of running processes, from inside a program of yours: of CPU time, of wall
 * time, of what threads wait for, and of who holds the locks that they wait for; and what their
 * memory is used for. A server that answers about them over HTTP is at the end.
 *
 *     struct ptprof_session *session;
 *     char error[1024];
 *     if (ptprof_open(&pid, 1, NULL, &session, error, sizeof error) != PTPROF_OK)
 *         ...                                     error says what failed and what to do
 *     ptprof_run(session, 10.0);                  blocks for ten seconds
 *     ptprof_write(session, "pprof", file);
 *     ptprof_close(session);
 *
 * Only a helper process touches the target. It ends when ptprof_run returns, or when the thread
 * that called ptprof_run ends. A second helper, which reads symbols, ends in ptprof_close. Both are
 * children of your process: you get SIGCHLD when they end, and you must not reap them by waiting
 * for any child (waitpid of -1), because the library waits for them. The library handles no
 * signals, prints nothing and never exits; without memory it aborts. Only one thread at a time may
 * use a session, but other threads and signal handlers may call ptprof_stop meanwhile.
 *
 * The library keeps no pointer to an argument after the function has returned.
 *
 * Programs that are linked with -static need -lbz2 besides the flags of
 * pkg-config --libs --static ptprof.
 */
#ifndef PTPROF_PTPROF_H
#define PTPROF_PTPROF_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum ptprof_result {
    PTPROF_OK,
    PTPROF_FAILED,   /* any other error: see the message */
    PTPROF_USAGE,    /* a wrong argument */
    PTPROF_GONE,     /* no such process, or every target ended before a sample was taken */
    PTPROF_DENIED,   /* a permission is missing, or another tracer has the process */
};

struct ptprof_options {
    size_t size;         /* sizeof(struct ptprof_options): later versions add members at the end */
    double rate;         /* Hz, of each running thread; 0: 99 */
    const char *threads; /* extended regular expression that names of threads match; NULL: all */
    int children;        /* not 0: descendants too, including those that start later */
    unsigned max_depth;  /* most frames of a stack; 0: 4096 */
    double max_stop;     /* most of a thread's time that it may be stopped, 1 is all; 0: 0.01 */
    int idle;            /* not 0: "wall" is one of the types */
    const char *types;   /* what to gather, separated by commas: "cpu,block"; NULL: "cpu", or "wall"
                            with idle. See ptprof_write_type */
    double min_block;    /* seconds: "block" leaves out waits that last less on average */
    int idle_waits;      /* not 0: "block" keeps waits for work, as of an idle worker or an event
                            loop; they have the label idle */
};

struct ptprof_session;

/*
 * Checks whether the processes can be profiled, without touching them. options may be NULL; a
 * member that is 0, except size, means its default. error gets a message of one or more lines
 * without a final newline, "" on success, truncated to error_size bytes including its NUL; it may
 * be NULL if error_size is 0. On success the caller closes *session with ptprof_close; on failure
 * it is NULL.
 *
 * Errors: PTPROF_USAGE, PTPROF_GONE, PTPROF_DENIED; PTPROF_FAILED, also for a 32-bit process.
 */
enum ptprof_result ptprof_open(const pid_t *pids, size_t count,
                               const struct ptprof_options *options,
                               struct ptprof_session **session, char *error, size_t error_size);

/*
 * Samples for so many seconds, or until ptprof_stop or the end of all targets. It may be called
 * once for a session. The result is PTPROF_OK also if it was stopped, if a target ended after
 * samples were taken, or if there are no samples because all threads slept.
 *
 * Errors: PTPROF_USAGE, PTPROF_GONE; PTPROF_DENIED if more stops were refused than samples taken,
 * as when another tracer has attached meanwhile; PTPROF_FAILED if there are no processes or memory.
 * The samples up to then can be written.
 */
enum ptprof_result ptprof_run(struct ptprof_session *session, double seconds);

/* Makes ptprof_run return soon, or at once if it is called later. Signal handlers and other threads
 * may call it until ptprof_close. */
void ptprof_stop(struct ptprof_session *session);

/*
 * Writes the profile of a type as "pprof" (gzip-compressed), "collapsed", "json" or "text". It may
 * be called several times after ptprof_run, for each of the types that the options name. It flushes
 * the stream and does not close it. The first call symbolizes, which may take seconds if there is
 * much debug information.
 *
 * Samples are stacks of threads, with these values and labels besides those of the thread:
 *   "cpu"     samples (count) and cpu (nanoseconds)
 *   "wall"    samples (count) and wall (nanoseconds), by state: running, runnable, blocked. Threads
 *             that sleep are not stopped
 *   "block"   contentions (count) and delay (nanoseconds) of blocked threads, by what they wait
 *             for: wait (lock, condition, epoll, disk ...), and lock, its symbol or address
 *   "mutex"   the same of locks, once where the waiters were and once where the holders were
 *             meanwhile, by lock and side (waiter, holder); both sides have the same sum
 *
 * Errors: PTPROF_USAGE, also for a type that was not gathered; PTPROF_FAILED if writing to the
 * stream fails.
 */
enum ptprof_result ptprof_write_type(struct ptprof_session *session, const char *type,
                                     const char *format, FILE *stream);

/* Does the same for the first of the types that were gathered, in the order above. */
enum ptprof_result ptprof_write(struct ptprof_session *session, const char *format, FILE *stream);

/* Returns the message of the last failed call on the session, "" if none failed. It is valid until
 * the next call that fails or ptprof_close. */
const char *ptprof_error(const struct ptprof_session *session);

/* Frees the session. It does nothing for NULL. */
void ptprof_close(struct ptprof_session *session);

struct ptprof_census_options {
    size_t size;    /* sizeof(struct ptprof_census_options) */
    double seconds; /* end it after this time with what was counted; 0: when all is */
    int swapped;    /* not 0: read pages that are swapped out too, which brings them back */
};

/*
 * Counts the blocks that a process has allocated, by what they are, and writes the census to the
 * stream, which it flushes and does not close:
 *   "pprof"       gzip-compressed, with inuse_objects (count) and inuse_space (bytes). A stack is
 *                 allocator, arena, kind and class or type; the labels allocator, arena, kind and
 *                 bytes, the largest size of the size class, say the same
 *   "collapsed"   these stacks with their bytes
 *   "json"        all of it, with what the allocators' own books say, as in ptprof(1)
 *   "text"        a table for people
 * Nothing of the process is stopped or changed, and no page of it is made or read in. It goes on
 * meanwhile: what is there all the time is counted once, of the rest some. Of a process whose
 * allocator is not known JSON and text have the mappings.
 *
 * options may be NULL; error is as in ptprof_open. One's own process is allowed. The call blocks
 * for about a second for each GiB. It starts a helper process as ptprof_open does, which has ended
 * when the call returns. Only one thread at a time may call it.
 *
 * Errors: PTPROF_USAGE; PTPROF_GONE, also if it executed another program meanwhile; PTPROF_DENIED;
 * PTPROF_FAILED for a 32-bit process, if writing to the stream fails, if the time was over (what
 * was counted up to then is written, and says that it is incomplete), or for a profile of a process
 * whose allocator is not known.
 */
enum ptprof_result ptprof_census(pid_t pid, const struct ptprof_census_options *options,
                                 const char *format, FILE *stream, char *error,
                                 size_t error_size);

#define PTPROF_UNKNOWN UINT64_MAX /* of a figure */

/* Bytes, but for counts. */
struct ptprof_memory {
    size_t size; /* sizeof(struct ptprof_memory): set it before; later versions add members */
    /* Anybody may know: */
    uint64_t threads;   /* count */
    uint64_t rss;       /* resident: anonymous + file + shared */
    uint64_t peak_rss;
    uint64_t anonymous;
    uint64_t file;
    uint64_t shared;
    uint64_t swap;
    uint64_t locked;
    uint64_t hugetlb;     /* of the pool of huge pages; not in rss */
    uint64_t page_tables;
    uint64_t mapped;
    uint64_t cgroup_use;   /* of the memory cgroup, all its processes together */
    uint64_t cgroup_limit; /* the lowest one of it and its ancestors; PTPROF_UNKNOWN: none, too */
    /* With the permission to read its mappings: */
    uint64_t mappings;   /* count */
    uint64_t huge_pages; /* resident in huge pages */
    uint64_t heap_resident;      /* of the area of brk */
    uint64_t anonymous_resident; /* of other private memory without a file */
    uint64_t thread_stacks_resident; /* the first thread's not counted */
    uint64_t thread_stacks_reserved;
    uint64_t libraries_resident; /* the program counts */
    uint64_t files_resident;
    uint64_t shared_resident;
    uint64_t generated_code_resident;
    /* With PTPROF_MEMORY_PSS: */
    uint64_t pss;
    /* With PTPROF_MEMORY_ALLOCATORS, of all allocators whose books were read: */
    uint64_t heap_system; /* obtained from the kernel */
    uint64_t heap_in_use; /* of blocks that the program has */
    uint64_t heap_free;
    uint64_t heap_trimmable; /* of whole free pages that could go back to the kernel */
};

enum ptprof_memory_part { /* a set of them; 0: none of these */
    PTPROF_MEMORY_PSS = 1,        /* reads smaps: the process may have to wait meanwhile, some
                                     milliseconds for a thousand mappings, before it maps memory */
    PTPROF_MEMORY_ALLOCATORS = 2, /* starts a helper process as ptprof_open does, which has ended
                                     when the call returns */
};

/*
 * Says what the memory of a process is used for now; 0 of pid is no process, one's own is allowed.
 * Nothing of it is stopped or changed. What is not known is PTPROF_UNKNOWN. error is as in
 * ptprof_open. With PTPROF_MEMORY_ALLOCATORS only one thread at a time may call it.
 *
 * Errors: PTPROF_USAGE; PTPROF_GONE; PTPROF_DENIED when the mappings may not be read: the figures
 * before them are known all the same.
 */
enum ptprof_result ptprof_memory(pid_t pid, unsigned parts, struct ptprof_memory *memory,
                                 char *error, size_t error_size);

struct ptprof_server;

struct ptprof_serve_options {
    size_t size;       /* sizeof(struct ptprof_serve_options) */
    const pid_t *pids; /* which processes can be asked about, besides those of the rules */
    size_t pid_count;
    const char *const *rules; /* as --match of `ptprof serve` takes them */
    size_t rule_count;
    const char *listen; /* NULL: "127.0.0.1:6060"; port 0: a free one, see ptprof_serve_address */
    const char *prefix; /* of the paths that Go programs have; NULL: "/debug/pprof" */
    double rate;             /* Hz, of each running thread; 0: 99 */
    double metrics_interval; /* seconds from one reading of figures to the next; 0: 2 */
    unsigned history;        /* readings that are kept of each process; 0: 1000 */
    /* As the options of `ptprof serve` with these names, which see: */
    const char *password_file, *token_file;
    const char *tls_certificate, *tls_key;
    const char *allowed_hosts;
    int no_auth, insecure_http;
    int log; /* not 0: lines for people on standard error */
};

/*
 * Starts what `ptprof serve` is, in a child process, and returns when it answers requests. The
 * child keeps no descriptor of yours but the standard streams, and no settings but the options:
 * neither configuration files nor the environment are read. It ends with ptprof_serve_stop, or when
 * the thread that started it ends. It may look at your own process only if the kernel lets a child
 * trace its parent: see PR_SET_PTRACER in prctl(2). The rest is as with ptprof_open. On failure
 * *server is NULL.
 *
 * Errors: PTPROF_USAGE; PTPROF_GONE; PTPROF_DENIED; PTPROF_FAILED, also if an address is in use.
 */
enum ptprof_result ptprof_serve_start(const struct ptprof_serve_options *options,
                                      struct ptprof_server **server, char *error,
                                      size_t error_size);

/* Returns where it listens, "127.0.0.1:6060", of several addresses the first; it is valid until
 * ptprof_serve_stop. */
const char *ptprof_serve_address(const struct ptprof_server *server);

/*
 * Ends the server and frees it: nobody can connect any more, who waits for a profile gets what
 * there is within three seconds. It does nothing for NULL.
 *
 * Errors: PTPROF_FAILED if the server had ended before by itself.
 */
enum ptprof_result ptprof_serve_stop(struct ptprof_server *server);

#ifdef __cplusplus
}
#endif

#endif
