// SPDX-License-Identifier: MIT
// made anonymous|stack|file PATH: works in machine code that is in no ELF file and keeps no frame
// pointer: on anonymous memory, on the stack, in a file of another kind.
#include <sys/mman.h>

#include "target.h"

#define SIZE 4096u

static const unsigned char code[] = {
    0x53,                         // push %rbx
    0x55,                         // push %rbp
    0x48, 0x83, 0xec, 0x18,       // sub $24,%rsp
    0x48, 0xc7, 0xc5, 7, 0, 0, 0, // mov $7,%rbp
    0xb9, 0x00, 0x00, 0x10, 0x00, // mov $0x100000,%ecx
    0xff, 0xc9,                   // dec %ecx
    0x75, 0xfc,                   // jnz -4
    0x48, 0x83, 0xc4, 0x18,       // add $24,%rsp
    0x5d,                         // pop %rbp
    0x5b,                         // pop %rbx
    0xc3,
};

DISTINCT void calls_the_code(void (*made)(void));
DISTINCT void calls_the_code(void (*made)(void))
{
    made();
    __asm__ volatile("");
}

static void *in_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0700);
    if (fd < 0 || ftruncate(fd, SIZE) != 0 || pwrite(fd, code, sizeof code, 0) < 0)
        die(path);
    return mmap(NULL, SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
}

int main(int argc, char **argv)
{
    static const int rwx = PROT_READ | PROT_WRITE | PROT_EXEC;
    unsigned char buffer[2 * SIZE];
    void *place = (void *)(((uintptr_t)buffer + SIZE - 1) & -(uintptr_t)SIZE);
    if (argc < 2)
        return 2;
    if (strcmp(argv[1], "file") == 0)
        place = in_file(argv[2]);
    else if (strcmp(argv[1], "anonymous") == 0)
        place = mmap(NULL, SIZE, rwx, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    else if (mprotect(place, SIZE, rwx) != 0)
        die("mprotect");
    if (place == MAP_FAILED)
        die("mmap");
    if (strcmp(argv[1], "file") != 0)
        memcpy(place, code, sizeof code);
    ready();
    for (;;)
        calls_the_code((void (*)(void))place);
}
