// SPDX-License-Identifier: MIT
// System calls and descriptors, told from a /proc that the tests write.
#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "symbol/syscall_name.h"
#include "wait/sort.h"
#include "wait/syscall_form.h"
#include "wait/wait.h"

static char proc[] = "/tmp/ptprof-proc-XXXXXX";
static uint64_t memory[64]; // at MEMORY
#define REGULAR 30 // a descriptor
#define MEMORY 0x5000u

static char *path_to(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *path_to(const char *format, ...)
{
    static char path[512];
    int length = snprintf(path, sizeof path, "%s/", proc);
    va_list args;
    va_start(args, format);
    vsnprintf(path + length, sizeof path - length, format, args);
    va_end(args);
    return path;
}

static void make_dirs(const char *path)
{
    for (const char *at = path; (at = strchr(at, '/')); at++)
        mkdir(path_to("%.*s", (int)(at - path), path), 0700);
}

static void file(const char *path, const char *text)
{
    make_dirs(path);
    FILE *stream = fopen(path_to("%s", path), "w");
    ck_assert_ptr_nonnull(stream);
    fputs(text, stream);
    fclose(stream);
}

static void link_to(const char *path, const char *to)
{
    make_dirs(path);
    ck_assert_int_eq(symlink(to, path_to("%s", path)), 0);
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    (void)stat;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void write_processes(void)
{
    link_to("100/fd/3", "socket:[1001]");
    link_to("100/fd/4", "socket:[1003]");
    link_to("100/fd/5", "socket:[1005]");
    link_to("100/fd/6", "socket:[9999]");
    link_to("100/fd/14", "socket:[1008]");
    link_to("100/fd/7", "pipe:[2001]");
    link_to("100/fd/8", "anon_inode:[eventpoll]");
    link_to("100/fd/9", "anon_inode:[timerfd]");
    link_to("100/fd/10", "/data/\033[2Jtable\n");
    link_to("100/fd/11", "anon_inode:[eventfd]");
    link_to("100/fd/12", "socket:[1006]");
    link_to("100/fd/13", "socket:[");
    link_to("200/fd/7", "socket:[1002]");
    file("200/comm", "client\033[1m\n");
    file("300/comm", "locker\n");
    file("100/fdinfo/8", "pos:\t0\nflags:\t02\nmnt_id:\t15\nino:\t9\n"
                         "tfd:        3 events:       19 data:  3\n"
                         "tfd:       11 events:       19 data:  b\n"
                         "tfd:       12 events:       19 data:  c\n"
                         "tfd:        9 events:       19 data:  9\n"
                         "tfd:       77 events:       19 data:  9\n");
    file("100/fdinfo/9", "pos:\t0\nclockid: 1\nticks: 0\nsettime flags: 00\n"
                         "it_value: (90, 500000000)\nit_interval: (0, 0)\n");
    file("100/fdinfo/10", "pos:\t0\nflags:\t02\nmnt_id:\t15\nino:\t131\n");
    file("locks", "1: POSIX  ADVISORY  WRITE 400 08:02:131 0 EOF\n"
                  "2: FLOCK  ADVISORY  WRITE 300 08:02:131 0 EOF\n"
                  "2: -> FLOCK  ADVISORY  WRITE 100 08:02:131 0 EOF\n"
                  "nonsense\n3: ->\n");
    file("100/task/100/children", "250 300 ");
}

static void write_sockets(void)
{
    file("100/net/tcp",
         "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
         "   0: 0100007F:1F90 0100007F:A000 01 00000000:00000000 00:00000000 00000000  0 0 1001 1\n"
         "   1: 0100007F:A000 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  0 0 1002 1\n"
         "   2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0 0 1003 1\n"
         "   3: short\n   4: 01:1 02:2 01 0:0 0:0 0 0 0 1007\n"
         "   5: 0100007FZZZZ");
    file("100/net/tcp6",
         "  sl  local_address remote_address st\n"
         "   0: 00000000000000000000000001000000:0050 00000000000000000000000001000000:A001 08 "
         "00000000:00000000 00:00000000 00000000  0 0 1006 1\n");
    file("100/net/unix",
         "Num       RefCount Protocol Flags    Type St Inode Path\n"
         "0000000000000000: 00000002 00000000 00010000 0001 01 1005 /run/\033]0;x\007 s\n"
         // Made up: in the path of the last one, which holds newlines.
         "0000000000000000: 00000002 00000000 00000000 0001 03 1008 /run/true\n"
         "0000000000000000: 00000002 00000000 00000000 0001 03 1009 /tmp/x\n"
         "0000000000000000: 00000002 00000000 00010000 0001 01 1008 /run/forged\n"
         "0000000000000000: 00000002 00000000 00010000 0001 01 1003 /run/forged\n"
         "0000000000000000: 00000002\n");
}

static void setup(void)
{
    strcpy(proc + strlen(proc) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(proc));
    write_processes();
    write_sockets();
    memset(memory, 0, sizeof memory);
}

static void teardown(void)
{
    nftw(proc, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static bool read_memory(void *context, uint64_t address, void *to, size_t length)
{
    (void)context;
    if (address < MEMORY || address - MEMORY > sizeof memory ||
        length > sizeof memory - (address - MEMORY))
        return false;
    memcpy(to, (const char *)memory + (address - MEMORY), length);
    return true;
}

static const char *file_of(void *context, uint64_t address)
{
    (void)context;
    return address == 0x42 ? "/usr/lib/libdata.so" : NULL;
}

static struct wait find(struct wait_thread thread)
{
    struct wait wait;
    thread.tid = thread.inner_tid = 100;
    struct wait_process process = {
        .pid = 100,
        .proc = proc,
        .threads = &thread,
        .count = 1,
        .read = read_memory,
        .file = file_of,
    };
    wait_find_all(&process, &wait);
    return wait;
}

static const struct {
    long number;
    uint64_t args[6];
    enum wait_kind kind;
    bool timed;
    const char *text;
} calls[] = {
    {SYS_recvfrom, {3}, WAIT_SOCKET, false,
     "recvfrom on fd 3 (tcp 127.0.0.1:8080 to 127.0.0.1:40960 of 200 \"client\\x1b[1m\")"},
    {SYS_accept4, {4}, WAIT_SOCKET, false, "accept4 on fd 4 (tcp 0.0.0.0:80, listening)"},
    {SYS_read, {5}, WAIT_SOCKET, false,
     "read on fd 5 (unix socket /run/\\x1b]0;x\\x07 s, listening)"},
    {SYS_read, {14}, WAIT_SOCKET, false, "read on fd 14 (unix socket)"},
    {SYS_read, {6}, WAIT_SOCKET, false, "read on fd 6 (socket)"},
    {SYS_read, {13}, WAIT_SOCKET, false, "read on fd 13 (socket)"},
    {SYS_read, {12}, WAIT_SOCKET, false,
     "read on fd 12 (tcp [::1]:80 to [::1]:40961, closed by the peer)"},
    {SYS_read, {7}, WAIT_PIPE, false, "read on fd 7 (pipe, written by this process)"},
    {SYS_read, {9}, WAIT_FILE, false, "read on fd 9 (timerfd, due in 1m31s)"},
    {SYS_read, {11}, WAIT_FILE, false, "read on fd 11 (eventfd)"},
    {SYS_read, {99}, WAIT_FILE, false, "read on fd 99"},
    {SYS_read, {UINT64_MAX}, WAIT_FILE, false, "read on fd -1"},
    {SYS_pread64, {10}, WAIT_FILE, false, "pread64 on fd 10 (/data/\\x1b[2Jtable\\x0a)"},
    {SYS_flock, {10, 2}, WAIT_FILE, false,
     "flock on fd 10 (/data/\\x1b[2Jtable\\x0a), exclusive, held by 300 \"locker\""},
    {SYS_fcntl, {11, F_SETLKW}, WAIT_FILE, false, "fcntl on fd 11 (eventfd), record lock"},
    {SYS_epoll_wait, {8, 0, 0, UINT64_MAX}, WAIT_POLL, false,
     "epoll_wait on fd 8 (epoll of fd 3 (tcp 127.0.0.1:8080 to 127.0.0.1:40960), fd 11 "
     "(eventfd), fd 12 (tcp [::1]:80 to [::1]:40961, closed by the peer), fd 9 (timerfd, due in "
     "1m31s) and 1 more), no timeout"},
    {SYS_epoll_wait, {11, 0, 0, 1500}, WAIT_POLL, true,
     "epoll_wait on fd 11 (eventfd), timeout 1.5s"},
    {SYS_poll, {MEMORY, 2, 250}, WAIT_POLL, true,
     "poll on fd 9 (timerfd, due in 1m31s), fd 11 (eventfd), timeout 250ms"},
    {SYS_poll, {MEMORY, UINT64_MAX, UINT64_MAX}, WAIT_POLL, false, "poll, no timeout"},
    {SYS_poll, {0, 0, UINT64_MAX}, WAIT_POLL, false, "poll, no timeout"},
    {SYS_ppoll, {MEMORY, 1, MEMORY + 16}, WAIT_POLL, true,
     "ppoll on fd 9 (timerfd, due in 1m31s), timeout 12.3s"},
    {SYS_select, {12, MEMORY + 48, 0, 0, MEMORY + 16}, WAIT_POLL, false,
     "select on fd 9 (timerfd, due in 1m31s), fd 11 (eventfd)"}, // its microseconds are too many
    {SYS_select, {UINT64_MAX, 1, 2, 3, 0}, WAIT_POLL, false, "select, no timeout"},
    {SYS_nanosleep, {MEMORY + 16}, WAIT_SLEEP, true, "nanosleep for 12.3s"},
    {SYS_nanosleep, {1}, WAIT_SLEEP, false, "nanosleep"},
    {SYS_nanosleep, {MEMORY + 64}, WAIT_SLEEP, false, "nanosleep for ever"},
    {SYS_clock_nanosleep, {CLOCK_MONOTONIC, 0, MEMORY + 16}, WAIT_SLEEP, true,
     "clock_nanosleep for 12.3s"},
    {SYS_clock_nanosleep, {CLOCK_MONOTONIC, TIMER_ABSTIME, MEMORY + 80}, WAIT_SLEEP, true,
     "clock_nanosleep, to end in 0ns"},
    {SYS_openat, {(uint64_t)AT_FDCWD, MEMORY + 96}, WAIT_FILE, false,
     "openat of \"/tmp/\\x1b[1mfifo\""},
    {SYS_openat, {11, MEMORY + 101}, WAIT_FILE, false,
     "openat in fd 11 (eventfd) of \"\\x1b[1mfifo\""},
    {SYS_open, {2}, WAIT_FILE, false, "open"},
    {SYS_wait4, {300}, WAIT_CHILD, false, "wait4 for 300 \"locker\""},
    {SYS_wait4, {(uint64_t)-1}, WAIT_CHILD, false, "wait4 for any child"},
    {SYS_wait4, {(uint64_t)-7}, WAIT_CHILD, false, "wait4 for any child of process group 7"},
    {SYS_waitid, {1, 300}, WAIT_CHILD, false, "waitid for 300 \"locker\""},
    {SYS_vfork, {0}, WAIT_CHILD, false,
     "vfork of 300 \"locker\", until it ends or runs a program"},
    {SYS_pause, {0}, WAIT_SIGNAL, false, "pause"},
    {SYS_rt_sigtimedwait, {MEMORY + 112, 0, 0}, WAIT_SIGNAL, false,
     "rt_sigtimedwait for SIGUSR1, SIGTERM, no timeout"},
    {SYS_rt_sigsuspend, {MEMORY + 120}, WAIT_SIGNAL, false,
     "rt_sigsuspend for any of 64 signals"},
    {SYS_sched_yield, {0}, WAIT_OTHER, false, "sched_yield"},
    {400, {0}, WAIT_OTHER, false, "system call 400"},
};

static void fill_memory(void)
{
    struct pollfd polled[] = {{9, POLLIN, 0}, {11, POLLIN, 0}};
    memcpy(memory, polled, sizeof polled);
    memory[2] = 12;
    memory[3] = 340000000;
    memory[6] = 1 << 9 | 1 << 11;
    memory[8] = INT64_MAX; // seconds
    memory[10] = 1;        // of a clock that has long passed it
    strcpy((char *)&memory[12], "/tmp/\033[1mfifo");
    memory[14] = 1 << 9 | 1 << 14;
}

START_TEST(test_calls)
{
    struct wait_thread thread = {.state = 'S', .call = {.number = calls[_i].number}};
    memcpy(thread.call.args, calls[_i].args, sizeof thread.call.args);
    fill_memory();
    struct wait wait = find(thread);
    ck_assert_str_eq(wait.text, calls[_i].text);
    ck_assert_int_eq(wait.kind, calls[_i].kind);
    ck_assert_int_eq(wait.timed, calls[_i].timed);
    wait_fini(&wait);
}
END_TEST

static const struct {
    struct wait_thread thread;
    enum wait_kind kind;
    const char *text;
} states[] = {
    {{.state = 'R', .running = true}, WAIT_NONE, "running"},
    {{.state = 'R', .running = true, .starved = true}, WAIT_CPU, "a CPU: runnable, and not run"},
    {{.state = 'T', .call = {.number = SYS_read}}, WAIT_STOPPED, "stopped by a signal"},
    {{.state = 't', .call = {.number = -1}}, WAIT_STOPPED, "stopped by its tracer 300 \"locker\""},
    {{.state = 'D', .call = {.number = -1, .pc = 0x42}}, WAIT_FAULT,
     "a page fault in the code of /usr/lib/libdata.so"},
    {{.state = 'D', .call = {.number = -1, .pc = 1}}, WAIT_FAULT, "a page fault"},
    {{.state = 'D', .call = {.number = SYS_read, .args = {11}}}, WAIT_DISK,
     "read on fd 11 (eventfd), uninterruptible"},
    {{.state = 'D', .call = {.number = SYS_vfork}}, WAIT_CHILD,
     "vfork of 300 \"locker\", until it ends or runs a program"},
    {{.state = 'Z', .call = {.number = -1}}, WAIT_OTHER, "ended"},
};

// The kernel's own threads in a process have no user code, whether they run or sleep.
static const struct {
    const char *comm;
    bool running;
    const char *text;
} workers[] = {
    {"iou-sqp-100", false, "a thread of the kernel for io_uring: no user code"},
    {"iou-sqp-100", true, "a thread of the kernel for io_uring: no user code"},
    {"vhost-99", true, "a thread of the kernel for vhost: no user code"},
};

START_TEST(test_workers)
{
    struct wait_thread thread = {
        .state = workers[_i].running ? 'R' : 'S', .running = workers[_i].running,
        .call = {.number = WAIT_CALL_UNKNOWN}};
    snprintf(thread.comm, sizeof thread.comm, "%s", workers[_i].comm);
    file("100/task/100/stat", "100 (iou-sqp-100) R 1 1 1 0 -1 4210768 0 0 0 0 0 24 0 0 20 0 2 0 "
                              "4119056 17149952 3420\n");
    struct wait wait = find(thread);
    ck_assert_str_eq(wait.text, workers[_i].text);
    ck_assert_int_eq(wait.kind, WAIT_OTHER);
    wait_fini(&wait);
}
END_TEST

START_TEST(test_states)
{
    file("100/task/100/status", "Name:\tx\nState:\tt\nTgid:\t100\nPid:\t100\nTracerPid:\t300\n");
    struct wait wait = find(states[_i].thread);
    ck_assert_str_eq(wait.text, states[_i].text);
    ck_assert_int_eq(wait.kind, states[_i].kind);
    wait_fini(&wait);
}
END_TEST

// The kernel goes on with it as restart_syscall; the functions say what it was.
START_TEST(test_restarted)
{
    struct wait_frame frames[] = {{.name = "clock_nanosleep"}, {.name = "main"}};
    struct wait_thread thread = {
        .state = 'S',
        .call = {.number = SYS_restart_syscall, .args = {CLOCK_MONOTONIC, 0, MEMORY + 16}},
        .frames = frames,
        .frame_count = 2,
    };
    fill_memory();
    struct wait wait = find(thread);
    ck_assert_str_eq(wait.text, "clock_nanosleep for 12.3s");
    wait_fini(&wait);
    frames[0].name = "anything";
    wait = find(thread);
    ck_assert_str_eq(wait.text, "restart_syscall");
    wait_fini(&wait);
}
END_TEST

static const struct {
    char state;
    long number;
    uint64_t args[2];
    const char *label;
    enum wait_idle idle;
} sorts[] = {
    {'S', SYS_read, {7}, "pipe", WAIT_IDLE_NEVER},
    {'S', SYS_read, {11}, "file", WAIT_IDLE_NEVER},
    {'S', SYS_pread64, {REGULAR}, "disk", WAIT_IDLE_NEVER},
    {'D', SYS_fdatasync, {REGULAR}, "disk", WAIT_IDLE_NEVER},
    {'S', SYS_recvfrom, {3}, "socket", WAIT_IDLE_NEVER},
    {'S', SYS_accept4, {3}, "socket", WAIT_IDLE_ALWAYS},
    {'S', SYS_epoll_wait, {8}, "epoll", WAIT_IDLE_LOOP},
    {'D', SYS_epoll_wait, {8}, "epoll", WAIT_IDLE_LOOP}, // the state is of a moment later
    {'S', SYS_poll, {MEMORY, 2}, "poll", WAIT_IDLE_LOOP},
    {'S', SYS_poll, {MEMORY, 1}, "poll", WAIT_IDLE_NEVER},
    {'S', SYS_rt_sigtimedwait, {MEMORY}, "signal", WAIT_IDLE_LOOP},
    {'S', SYS_pause, {0}, "signal", WAIT_IDLE_LOOP},
    {'D', SYS_vfork, {0}, "child", WAIT_IDLE_NEVER},
    {'D', 400, {0}, "disk", WAIT_IDLE_NEVER},
    {'S', 400, {0}, "other", WAIT_IDLE_NEVER},
    {'S', -1, {0}, "page fault", WAIT_IDLE_NEVER},
};

START_TEST(test_sorts)
{
    struct wait_sort sort;
    struct wait_thread thread = {.tid = 100, .state = sorts[_i].state};
    thread.call.number = sorts[_i].number;
    memcpy(thread.call.args, sorts[_i].args, sizeof sorts[_i].args);
    struct wait_process process = {
        .pid = 100, .proc = proc, .threads = &thread, .count = 1, .read = read_memory};
    char fd[32];
    snprintf(fd, sizeof fd, "100/fd/%d", REGULAR);
    link_to(fd, "/proc/self/status");
    wait_sort(&process, 0, &sort);
    ck_assert_str_eq(sort.label, sorts[_i].label);
    ck_assert_int_eq(sort.idle, sorts[_i].idle);
    ck_assert_uint_eq(sort.owner_at | sort.scanned, 0);
}
END_TEST

START_TEST(test_forms)
{
    for (const struct syscall_form *form = syscall_forms; form->name; form++) {
        bool known = strcmp(form->name, "futex_wait") == 0; // newer than many headers
        for (long number = 0; number < 1000 && !known; number++) {
            const char *name = syscall_name(number);
            known = name && strcmp(name, form->name) == 0;
        }
        ck_assert_msg(known, "%s is no system call", form->name);
        ck_assert_ptr_eq(syscall_form_find(form->name), form);
    }
    ck_assert_ptr_null(syscall_form_find("nonsense"));
}
END_TEST

Suite *suite_wait_proc(void)
{
    Suite *suite = suite_create("wait_proc");
    TCase *tcase = tcase_create("wait_proc");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, test_calls, 0, ARRAY_LENGTH(calls));
    tcase_add_loop_test(tcase, test_states, 0, ARRAY_LENGTH(states));
    tcase_add_loop_test(tcase, test_workers, 0, ARRAY_LENGTH(workers));
    tcase_add_test(tcase, test_restarted);
    tcase_add_loop_test(tcase, test_sorts, 0, ARRAY_LENGTH(sorts));
    tcase_add_test(tcase, test_forms);
    suite_add_tcase(suite, tcase);
    return suite;
}
