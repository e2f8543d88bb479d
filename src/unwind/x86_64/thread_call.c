// SPDX-License-Identifier: MIT
#include "unwind/thread_call.h"

#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#define CALLS_MOST 1000 // no system call has a higher number

// mov $NUMBER,%eax, or xor %eax,%eax and mov $NUMBER,%al.
static bool loads(const unsigned char *code, size_t left, long *number)
{
    uint32_t wide;
    if (left > sizeof wide && code[0] == 0xb8) {
        memcpy(&wide, code + 1, sizeof wide);
        *number = wide;
        return wide < CALLS_MOST;
    }
    if (left < 4 || code[0] != 0x31 || code[1] != 0xc0 || code[2] != 0xb0)
        return false;
    *number = code[3];
    return true;
}

// Returns the number that was loaded last before the instruction, or -1.
static long number_before(const unsigned char *code, size_t at)
{
    size_t most = at < THREAD_CALL_BEFORE ? at : THREAD_CALL_BEFORE;
    long number;
    for (size_t back = 4; back <= most; back++)
        if (loads(code + at - back, back, &number))
            return number;
    return -1;
}

// call *%REG
static bool calls_behind(const unsigned char *code, size_t length, size_t at)
{
    size_t end = length - at > THREAD_CALL_BEHIND ? at + THREAD_CALL_BEHIND : length;
    for (size_t i = at + 2; i + 1 < end; i++)
        if (code[i] == 0xff && (code[i + 1] & 0xf8) == 0xd0)
            return true;
    return false;
}

size_t thread_call_find(const unsigned char *code, size_t length, size_t from, bool *newer)
{
    static const unsigned char call[] = {0x0f, 0x05};
    while (from < length) {
        const unsigned char *found = memmem(code + from, length - from, call, sizeof call);
        size_t at = found ? (size_t)(found - code) : length;
        long number = found ? number_before(code, at) : -1;
        *newer = number == SYS_clone3;
        if (!found || ((number == SYS_clone || *newer) && calls_behind(code, length, at)))
            return at;
        from = at + 1;
    }
    return length;
}
