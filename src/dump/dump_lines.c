// SPDX-License-Identifier: MIT
#include "dump/dump_lines.h"

#include <stdlib.h>

#include "base/mem.h"

struct printed_line {
    const struct symbol *symbol;
    const struct module *module;
    uint64_t pc;
    size_t line;
    bool interrupted;
    size_t at, length; // offset and length in the output
};

void dump_lines_fini(struct dump_lines *lines)
{
    map_fini(&lines->by_place);
    free(lines->all);
}

static uint64_t key_of(const struct dump_frame *frame, size_t line)
{
    return map_hash(frame->pc) + line;
}

static bool is_of(const struct printed_line *printed, const struct dump_frame *frame, size_t line)
{
    return printed->pc == frame->pc && printed->line == line &&
           printed->symbol == frame->symbol && printed->module == frame->module &&
           printed->interrupted == frame->interrupted;
}

bool dump_lines_repeat(const struct dump_lines *lines, struct buf *out,
                       const struct dump_frame *frame, size_t line)
{
    uint32_t index = map_get(&lines->by_place, key_of(frame, line), UINT32_MAX);
    if (index == UINT32_MAX || !is_of(&lines->all[index], frame, line))
        return false;
    const struct printed_line *printed = &lines->all[index];
    buf_reserve(out, printed->length); // so that the output does not move while it is copied
    buf_append(out, out->data + printed->at, printed->length);
    return true;
}

void dump_lines_note(struct dump_lines *lines, const struct buf *out,
                     const struct dump_frame *frame, size_t line, size_t at)
{
    map_put(&lines->by_place, key_of(frame, line), (uint32_t)lines->count);
    ARRAY_RESERVE(lines->all, lines->count, lines->capacity);
    lines->all[lines->count++] = (struct printed_line){
        .symbol = frame->symbol,
        .module = frame->module,
        .pc = frame->pc,
        .line = line,
        .interrupted = frame->interrupted,
        .at = at,
        .length = out->length - at,
    };
}
