// SPDX-License-Identifier: MIT
#include "fixture_code.h"

#include <string.h>

#include "base/mem.h"

#define STACK_MOST 1024 // bytes

unsigned char fixture_text[TEXT_SIZE];

const struct code_source fixture_source = {
    .read = fixture_read, .table = fixture_no_table, .executable = fixture_is_text};

bool fixture_read(void *context, uint64_t address, void *to, size_t length)
{
    (void)context;
    if (address < TEXT || address - TEXT > TEXT_SIZE - length)
        return false;
    memcpy(to, fixture_text + (address - TEXT), length);
    return true;
}

bool fixture_nothing(void *context, uint64_t address, void *to, size_t length)
{
    (void)context, (void)address, (void)to, (void)length;
    return false;
}

bool fixture_no_table(void *context, uint64_t pc, struct unwind_table *table)
{
    (void)context, (void)pc, (void)table;
    return false;
}

bool fixture_is_text(void *context, uint64_t pc)
{
    (void)context;
    return pc >= TEXT && pc < TEXT + TEXT_SIZE;
}

void fixture_put_call(uint32_t back, uint32_t target)
{
    uint32_t distance = target - back;
    fixture_text[back - 5] = 0xe8;
    memcpy(fixture_text + back - 4, &distance, sizeof distance);
}

struct capture *fixture_capture(uint32_t pc, uint64_t sp, const uint64_t *words, size_t count)
{
    struct capture *capture = xcalloc(1, sizeof *capture + STACK_MOST);
    memcpy(capture->stack, words, count * 8);
    capture->regs = registers_at(TEXT + pc, sp);
    capture->stack_asked = capture->stack_length = (uint32_t)count * 8;
    return capture;
}
