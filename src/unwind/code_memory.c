// SPDX-License-Identifier: MIT
#include "unwind/code_memory.h"

#include <string.h>

#include "unwind/debug_frame.h"

void code_memory_flush(struct code_memory *memory)
{
    memset(memory->tags, 0, sizeof memory->tags);
}

// Returns the block at `start`, or NULL if not all of it can be read, as at the end of a file.
static const unsigned char *block_get(struct code_memory *memory, uint64_t start)
{
    size_t at = (size_t)(start / CODE_BLOCK % CODE_BLOCKS);
    if (memory->tags[at] == start + 1)
        return memory->blocks[at];
    memory->tags[at] = 0;
    if (!memory->source.read(memory->source.context, start, memory->blocks[at], CODE_BLOCK))
        return NULL;
    memory->tags[at] = start + 1;
    return memory->blocks[at];
}

bool code_memory_read(struct code_memory *memory, uint64_t address, void *to, size_t length)
{
    uint64_t inside = address % CODE_BLOCK;
    const unsigned char *block = NULL;
    if (address >= DEBUG_FRAME_BASE)
        return debug_frames_read(memory->debug_frames, address, to, length);
    if (length <= CODE_BLOCK - inside)
        block = block_get(memory, address - inside);
    if (!block)
        return memory->source.read(memory->source.context, address, to, length);
    memcpy(to, block + inside, length);
    return true;
}

void code_memory_forget_made(struct code_memory *memory)
{
    memory->made_length = 0;
}

static bool holds(const struct code_memory *memory, uint64_t address, size_t length)
{
    return address >= memory->made_at && address - memory->made_at <= memory->made_length &&
           length <= memory->made_length - (address - memory->made_at);
}

bool code_memory_fetch(struct code_memory *memory, uint64_t address, void *to, size_t length)
{
    const struct code_source *source = &memory->source;
    if (code_memory_read(memory, address, to, length))
        return true;
    if (!source->made)
        return false;
    if (!holds(memory, address, length)) {
        memory->made_at = address;
        memory->made_length = source->made(source->context, address, memory->made, MADE_BLOCK);
    }
    if (!holds(memory, address, length))
        return false;
    memcpy(to, memory->made + (address - memory->made_at), length);
    return true;
}

size_t code_memory_most(struct code_memory *memory, uint64_t address, bool made, void *to,
                        size_t length)
{
    size_t there = length;
    memset(to, 0, length);
    while (there && !(made ? code_memory_fetch : code_memory_read)(memory, address, to, there))
        there--;
    return there;
}
