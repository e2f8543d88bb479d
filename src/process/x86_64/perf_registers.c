// SPDX-License-Identifier: MIT
#include "process/perf_registers.h"

#include <string.h>

#include "base/mem.h"

#define AT(name) offsetof(struct user_regs_struct, name)

static const size_t places[] = { // in the order of the bits
    AT(rax), AT(rbx), AT(rcx), AT(rdx), AT(rsi), AT(rdi), AT(rbp), AT(rsp), AT(rip),
    AT(eflags), AT(cs), AT(ss), AT(r8), AT(r9), AT(r10), AT(r11), AT(r12), AT(r13),
    AT(r14), AT(r15),
};

// AX to SS and R8 to R15: perf refuses the segments of data.
const uint64_t perf_registers_mask = 0xff0fff;
const size_t perf_registers_count = ARRAY_LENGTH(places);

struct registers perf_registers(const void *words)
{
    struct registers registers = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++)
        memcpy((char *)&registers.user + places[i], (const char *)words + i * sizeof(uint64_t),
               sizeof(uint64_t));
    return registers;
}
