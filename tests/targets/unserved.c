// SPDX-License-Identifier: MIT
// Memory that never comes: its first page of all, which also holds a lock that a thread waits for,
// is to be filled in by this process (userfaultfd), which does not. The main thread works.
#include "target.h"

#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define PAGE 4096
#define LOWEST ((void *)0x10000) // vm.mmap_min_addr

static pthread_mutex_t *lock;

static void *wait_for_lock(void *argument)
{
    (void)argument;
    pthread_mutex_lock(lock);
    return NULL;
}

static DISTINCT void work(void)
{
    for (;;)
        burn();
}

int main(void)
{
    lock = mmap(LOWEST, PAGE, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
    struct uffdio_api api = {.api = UFFD_API};
    if (lock == MAP_FAILED || fd < 0 || ioctl(fd, UFFDIO_API, &api) != 0) {
        puts("not possible");
        return 77;
    }
    pthread_mutex_lock(lock);
    start(wait_for_lock, NULL, "waiter");
    sleep_ns(200 * MS);
    struct uffdio_register range = {
        .range = {(uintptr_t)lock, PAGE}, .mode = UFFDIO_REGISTER_MODE_MISSING};
    if (ioctl(fd, UFFDIO_REGISTER, &range) != 0 || madvise(lock, PAGE, MADV_DONTNEED) != 0) {
        puts("not possible");
        return 77;
    }
    ready();
    work();
}
