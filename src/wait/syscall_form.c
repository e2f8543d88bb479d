// SPDX-License-Identifier: MIT
#include "wait/syscall_form.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "symbol/syscall_name.h"

#if defined __aarch64__
const enum syscall_machine syscall_form_machine = SYSCALL_AARCH64;
#else
const enum syscall_machine syscall_form_machine = SYSCALL_X86_64;
#endif

static const char *const names_aarch64[] = {
#include "syscall_names_aarch64.inc"
};

const char *syscall_form_name(enum syscall_machine machine, long number)
{
    if (number < 0 || number > INT32_MAX)
        return NULL;
    if (machine == syscall_form_machine)
        return syscall_name((int)number);
    bool known = machine == SYSCALL_AARCH64 && (size_t)number < ARRAY_LENGTH(names_aarch64);
    return known ? names_aarch64[number] : NULL;
}

// The key is the name, so that one table serves all machines. The table is sorted by it.
const struct syscall_form syscall_forms[] = {
    {"accept", WAIT_SOCKET, {ARG_FD}},
    {"accept4", WAIT_SOCKET, {ARG_FD}},
    {"clock_nanosleep", WAIT_SLEEP, {ARG_CLOCK_SLEEP}},
    {"clone", WAIT_CHILD, {ARG_NEW_CHILD}}, // with CLONE_VFORK; no other clone waits
    {"clone3", WAIT_CHILD, {ARG_NEW_CHILD}},
    {"close", WAIT_FILE, {ARG_FD}},
    {"connect", WAIT_SOCKET, {ARG_FD}},
    {"copy_file_range", WAIT_FILE, {ARG_FD}},
    {"epoll_pwait", WAIT_POLL, {ARG_EPOLL, ARG_SKIP, ARG_SKIP, ARG_TIMEOUT_MS}},
    {"epoll_pwait2", WAIT_POLL, {ARG_EPOLL, ARG_SKIP, ARG_SKIP, ARG_TIMEOUT}},
    {"epoll_wait", WAIT_POLL, {ARG_EPOLL, ARG_SKIP, ARG_SKIP, ARG_TIMEOUT_MS}},
    {"fallocate", WAIT_FILE, {ARG_FD}},
    {"fcntl", WAIT_FILE, {ARG_FD, ARG_FCNTL}},
    {"fdatasync", WAIT_FILE, {ARG_FD}},
    {"flock", WAIT_FILE, {ARG_FD, ARG_FLOCK}},
    {"fsync", WAIT_FILE, {ARG_FD}},
    {"ftruncate", WAIT_FILE, {ARG_FD}},
    {"futex", WAIT_FUTEX, {ARG_SKIP, ARG_FUTEX}},
    {"futex_wait", WAIT_FUTEX, {ARG_SKIP, ARG_SKIP, ARG_SKIP, ARG_SKIP, ARG_FUTEX2}},
    {"futex_waitv", WAIT_FUTEX, {ARG_SKIP, ARG_SKIP, ARG_SKIP, ARG_FUTEX2}},
    {"getdents64", WAIT_FILE, {ARG_FD}},
    {"io_getevents", WAIT_DISK, {ARG_SKIP, ARG_SKIP, ARG_SKIP, ARG_SKIP, ARG_TIMEOUT}},
    {"io_pgetevents", WAIT_DISK, {ARG_SKIP, ARG_SKIP, ARG_SKIP, ARG_SKIP, ARG_TIMEOUT}},
    {"io_uring_enter", WAIT_FILE, {ARG_FD}},
    {"ioctl", WAIT_FILE, {ARG_FD}},
    {"mkdir", WAIT_FILE, {ARG_PATH}},
    {"mq_timedreceive", WAIT_FILE, {ARG_FD}},
    {"mq_timedsend", WAIT_FILE, {ARG_FD}},
    {"msgrcv", WAIT_OTHER, {ARG_NONE}},
    {"msgsnd", WAIT_OTHER, {ARG_NONE}},
    {"nanosleep", WAIT_SLEEP, {ARG_SLEEP}},
    {"newfstatat", WAIT_FILE, {ARG_DIRECTORY, ARG_PATH}},
    {"open", WAIT_FILE, {ARG_PATH}},
    {"openat", WAIT_FILE, {ARG_DIRECTORY, ARG_PATH}},
    {"openat2", WAIT_FILE, {ARG_DIRECTORY, ARG_PATH}},
    {"pause", WAIT_SIGNAL, {ARG_NONE}},
    {"poll", WAIT_POLL, {ARG_POLL, ARG_SKIP, ARG_TIMEOUT_MS}},
    {"ppoll", WAIT_POLL, {ARG_POLL, ARG_SKIP, ARG_TIMEOUT}},
    {"pread64", WAIT_FILE, {ARG_FD}},
    {"preadv", WAIT_FILE, {ARG_FD}},
    {"preadv2", WAIT_FILE, {ARG_FD}},
    {"pselect6", WAIT_POLL, {ARG_SELECT, ARG_SKIP, ARG_SKIP, ARG_SKIP, ARG_TIMEOUT}},
    {"pwrite64", WAIT_FILE, {ARG_FD}},
    {"pwritev", WAIT_FILE, {ARG_FD}},
    {"pwritev2", WAIT_FILE, {ARG_FD}},
    {"read", WAIT_FILE, {ARG_FD}},
    {"readv", WAIT_FILE, {ARG_FD}},
    {"recvfrom", WAIT_SOCKET, {ARG_FD}},
    {"recvmmsg", WAIT_SOCKET, {ARG_FD, ARG_SKIP, ARG_SKIP, ARG_SKIP, ARG_TIMEOUT}},
    {"recvmsg", WAIT_SOCKET, {ARG_FD}},
    {"rename", WAIT_FILE, {ARG_PATH}},
    {"rt_sigsuspend", WAIT_SIGNAL, {ARG_MASK}},
    {"rt_sigtimedwait", WAIT_SIGNAL, {ARG_SIGNALS, ARG_SKIP, ARG_TIMEOUT}},
    {"select", WAIT_POLL, {ARG_SELECT, ARG_SKIP, ARG_SKIP, ARG_SKIP, ARG_TIMEOUT_MICROS}},
    {"semop", WAIT_SEMAPHORE, {ARG_NONE}},
    {"semtimedop", WAIT_SEMAPHORE, {ARG_SKIP, ARG_SKIP, ARG_SKIP, ARG_TIMEOUT}},
    {"sendfile", WAIT_FILE, {ARG_FD}},
    {"sendmmsg", WAIT_SOCKET, {ARG_FD}},
    {"sendmsg", WAIT_SOCKET, {ARG_FD}},
    {"sendto", WAIT_SOCKET, {ARG_FD}},
    {"splice", WAIT_FILE, {ARG_FD}},
    {"stat", WAIT_FILE, {ARG_PATH}},
    {"statx", WAIT_FILE, {ARG_DIRECTORY, ARG_PATH}},
    {"sync_file_range", WAIT_FILE, {ARG_FD}},
    {"syncfs", WAIT_FILE, {ARG_FD}},
    {"tee", WAIT_FILE, {ARG_FD}},
    {"unlink", WAIT_FILE, {ARG_PATH}},
    {"unlinkat", WAIT_FILE, {ARG_DIRECTORY, ARG_PATH}},
    {"vfork", WAIT_CHILD, {ARG_NEW_CHILD}},
    {"vmsplice", WAIT_FILE, {ARG_FD}},
    {"wait4", WAIT_CHILD, {ARG_CHILD}},
    {"waitid", WAIT_CHILD, {ARG_ID}},
    {"write", WAIT_FILE, {ARG_FD}},
    {"writev", WAIT_FILE, {ARG_FD}},
    {NULL, WAIT_OTHER, {ARG_NONE}},
};

static int compare(const void *name, const void *form)
{
    return strcmp(name, ((const struct syscall_form *)form)->name);
}

const struct syscall_form *syscall_form_find(const char *name)
{
    return bsearch(name, syscall_forms, ARRAY_LENGTH(syscall_forms) - 1, sizeof *syscall_forms,
                   compare);
}
