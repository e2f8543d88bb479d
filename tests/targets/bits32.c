// SPDX-License-Identifier: MIT
// A 32-bit program that needs no 32-bit libc: writes "ready" and spins.
static int write_out(const char *text, int length)
{
    int result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(4), "b"(1), "c"(text), "d"(length)
                     : "memory");
    return result;
}

void _start(void);

void _start(void)
{
    write_out("ready\n", 6);
    for (;;)
        __asm__ volatile("pause");
}
