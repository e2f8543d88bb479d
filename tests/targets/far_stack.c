// SPDX-License-Identifier: MIT
// Stacks that do not lie in one piece right above the stack pointer, or that end where nobody may
// read on:
//   frames     two frames of megabytes in one stack, at the same addresses
//   moving     a frame of a megabyte, at another address each time
//   red_zone   a frame that is found through a word below the stack pointer
//   aligned    code without tables that aligns its stack, and keeps the old place elsewhere
//   userfault  a stack right below memory whose pages somebody would have to deliver
//   shared     stacks right below shared memory that nobody has touched
// --asleep: its threads sleep there instead. At its end it tells how often memory was asked for.
#include "target.h"

#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define STACK (64u << 20)
#define SMALL (64u << 10) // bytes of a stack, and of what lies above it
#define SHARED 8          // threads

static bool asleep;

DISTINCT void works(void)
{
    for (int64_t end = thread_cpu() + 5 * MS; thread_cpu() < end;)
        burn();
    __asm__ volatile(""); // no tail call
}

DISTINCT void rests(void)
{
    pause();
    __asm__ volatile("");
}

static void leaf(void)
{
    if (asleep)
        rests();
    else
        works();
    __asm__ volatile("");
}

#define BIG(name, size, call)                  \
    DISTINCT void name(void)                   \
    {                                          \
        volatile char room[size];              \
        room[0] = room[(size) - 1] = 1;        \
        call();                                \
        room[(size) / 2] = 1;                  \
    }
BIG(frame_of_3m, 3u << 20, leaf)
BIG(frame_of_12m, 12u << 20, frame_of_3m)
BIG(frame_of_1m, 1u << 20, leaf)

static void *frames(void *unused)
{
    for (;;)
        frame_of_12m();
    return unused;
}

DISTINCT void deeper(int depth)
{
    char room[200];
    memset(room, depth, sizeof room);
    if (depth)
        deeper(depth - 1);
    else
        frame_of_1m();
    __asm__ volatile("" : : "r"(room) : "memory");
}

static void *moving(void *unused)
{
    for (int i = 0;; i++)
        deeper(i * 37 % 200);
    return unused;
}

// Its tables read where its frame is from below the stack pointer, as those of OpenSSL's AVX2
// kernels do for a while.
__asm__(".text\n"
        ".type in_red_zone, @function\n"
        "in_red_zone:\n"
        ".cfi_startproc\n"
        "mov %rsp, %rax\n"
        ".cfi_def_cfa_register %rax\n"
        "sub $64, %rsp\n"
        "and $-64, %rsp\n"
        "mov %rax, -8(%rsp)\n"
        ".cfi_escape 0x0f,0x05,0x77,0x78,0x06,0x23,0x08\n" // CFA: the word at rsp - 8, plus 8
        "xor %eax, %eax\n"
        "1: dec %rdi\n"
        "jnz 1b\n"
        "mov -8(%rsp), %rsp\n"
        ".cfi_def_cfa %rsp, 8\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size in_red_zone, .-in_red_zone\n");
void in_red_zone(uint64_t times);

static void *red_zone(void *unused)
{
    for (;;)
        in_red_zone(1000000);
    return unused;
}

// Says nothing to unwinders, aligns its stack and keeps the old stack pointer in memory; the second
// one keeps it in a register.
__asm__(".text\n"
        ".type aligned_in_memory, @function\n"
        "aligned_in_memory:\n"
        "mov %rsp, %rax\n"
        "push %rbp\n"
        "sub $520, %rsp\n"
        "and $-64, %rsp\n"
        "mov %rax, 512(%rsp)\n"
        "mov %rdi, %rbp\n"
        "1: dec %rbp\n"
        "jnz 1b\n"
        "mov 512(%rsp), %rsi\n"
        "mov -8(%rsi), %rbp\n"
        "lea (%rsi), %rsp\n"
        "ret\n"
        ".size aligned_in_memory, .-aligned_in_memory\n"
        ".type aligned_in_register, @function\n"
        "aligned_in_register:\n"
        "push %rbp\n"
        "mov %rsp, %r9\n"
        "and $-64, %rsp\n"
        "mov %rdi, %rbp\n"
        "1: dec %rbp\n"
        "jnz 1b\n"
        "mov %r9, %rsp\n"
        "pop %rbp\n"
        "ret\n"
        ".size aligned_in_register, .-aligned_in_register\n");
void aligned_in_memory(uint64_t times);
void aligned_in_register(uint64_t times);

static void *aligned(void *unused)
{
    for (;;) {
        aligned_in_memory(3000000);
        aligned_in_register(3000000);
    }
    return unused;
}

static void *small(void *unused)
{
    for (;;)
        leaf();
    return unused;
}

static void start_on(void *(*run)(void *), void *stack, size_t size)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    if (stack)
        pthread_attr_setstack(&attributes, stack, size);
    else
        pthread_attr_setstacksize(&attributes, size);
    if (pthread_create(&thread, &attributes, run, NULL) != 0)
        die("pthread_create");
    pthread_setname_np(thread, "far");
}

static char *map(size_t size, int flags)
{
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        die("mmap");
    return memory;
}

// -1: this kernel or this user may not.
static int watch(char *memory)
{
    struct uffdio_api api = {.api = UFFD_API};
    struct uffdio_register range = {.range = {(uintptr_t)memory, SMALL},
                                    .mode = UFFDIO_REGISTER_MODE_MISSING};
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || ioctl(fd, UFFDIO_API, &api) != 0 || ioctl(fd, UFFDIO_REGISTER, &range) != 0)
        return -1;
    return fd;
}

static int userfault(void)
{
    char *memory = map(2 * SMALL, MAP_PRIVATE);
    int fd = watch(memory + SMALL);
    if (fd >= 0)
        start_on(small, memory, SMALL);
    return fd;
}

static void shared(void)
{
    for (int i = 0; i < SHARED; i++) {
        char *memory = map(2 * SMALL, MAP_PRIVATE);
        if (mmap(memory + SMALL, SMALL, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
            die("mmap");
        start_on(small, memory, SMALL);
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void *(*run)(void *);
    } modes[] = {{"frames", frames}, {"moving", moving}, {"red_zone", red_zone},
                 {"aligned", aligned}};
    const char *mode = argc > 1 ? argv[1] : "";
    int fd = -1;
    asleep = option(argv, "--asleep") != NULL;
    block_signals();
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcmp(mode, modes[i].name) == 0)
            start_on(modes[i].run, NULL, STACK);
    if (strcmp(mode, "shared") == 0)
        shared();
    if (strcmp(mode, "userfault") == 0 && (fd = userfault()) < 0) {
        puts("no userfaultfd");
        return 0;
    }
    sleep_ns(50 * MS); // until all have begun
    ready();
    await_signal();
    struct pollfd asked = {fd, POLLIN, 0};
    printf("{\"asked\": %d}\n", fd >= 0 ? poll(&asked, 1, 0) : 0);
}
