// SPDX-License-Identifier: MIT
// stack_pointers PLACE: a thread that spins with a stack pointer into PLACE, and one beside it that
// works. Places: file, shared, hole, guarded, huge, vdso, noncanonical, missing (a page that
// userfaultfd never fills). "absent" before "ready": this kernel has none of that.
#include "target.h"

#include <linux/userfaultfd.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define SIZE (2l << 20)

static DISTINCT void *work_beside(void *unused)
{
    for (;;)
        burn();
    return unused;
}

static void *map(int flags, int fd)
{
    void *at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, flags, fd, 0);
    return at == MAP_FAILED ? NULL : (char *)at + SIZE / 2;
}

static void *missing(void)
{
    struct uffdio_api api = {.api = UFFD_API};
    char *at = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
    struct uffdio_register area = {.range = {(uintptr_t)at - SIZE / 2, SIZE},
                                   .mode = UFFDIO_REGISTER_MODE_MISSING};
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
    int full = (int)syscall(SYS_userfaultfd, O_CLOEXEC); // faults of the kernel too, of root
    fd = full >= 0 ? full : fd;
    return fd >= 0 && ioctl(fd, UFFDIO_API, &api) == 0 &&
                   ioctl(fd, UFFDIO_REGISTER, &area) == 0 ? at : NULL;
}

// The last page before one that nobody may touch: what is read from there up leaves the mapping.
static void *guarded(void)
{
    char *at = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
    memset(at - SIZE / 2, 1, SIZE / 2);
    return mprotect(at, SIZE / 2, PROT_NONE) == 0 ? at - 64 : NULL;
}

static void *place(const char *name)
{
    if (strcmp(name, "file") == 0)
        return map(MAP_PRIVATE, open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    if (strcmp(name, "shared") == 0)
        return map(MAP_SHARED | MAP_ANONYMOUS, -1);
    if (strcmp(name, "hole") == 0)
        return (void *)(uintptr_t)0x10000;
    if (strcmp(name, "guarded") == 0)
        return guarded();
    if (strcmp(name, "huge") == 0)
        return map(MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
    if (strcmp(name, "vdso") == 0)
        return (void *)getauxval(AT_SYSINFO_EHDR);
    if (strcmp(name, "noncanonical") == 0)
        return (void *)0x8000000000000000u;
    return strcmp(name, "missing") == 0 ? missing() : NULL;
}

static void *spin_there(void *sp)
{
    __asm__ volatile("mov %0, %%rsp\n1:\tjmp 1b" : : "r"(sp));
    return NULL;
}

int main(int argc, char **argv)
{
    void *sp = argc > 1 ? place(argv[1]) : NULL;
    block_signals();
    start(work_beside, NULL, "beside");
    if (sp) {
        sigset_t all;
        sigfillset(&all); // a handler would need a stack
        pthread_sigmask(SIG_BLOCK, &all, NULL);
        start(spin_there, sp, "there");
    } else
        puts("absent");
    ready();
    await_signal();
    _exit(0);
}
