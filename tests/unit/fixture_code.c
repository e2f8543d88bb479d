// SPDX-License-Identifier: MIT
#include "fixture_code.h"

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
