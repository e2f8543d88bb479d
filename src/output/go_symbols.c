// SPDX-License-Identifier: MIT
#include "output/go_symbols.h"

#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "profile/plain_frame.h"

#define FRAMES_MAX 128
#define CUT_PC 1
#define TEXT_MAX 32768 // bytes; readers take a million
#define FRAME_BYTES (4 * GO_NUMBER_BYTES)

static const char *const own_texts[GO_TEXT_COUNT] = {
    [GO_TEXT_UNKNOWN] = "[unknown]", [GO_TEXT_CUT] = "[cut]", [GO_TEXT_KEY] = "ptprof"};

struct go_frames { // of the stack that is being written
    uint8_t bytes[GO_STACK_BYTES];
    size_t length;
    uint64_t count;
};

void go_symbols_init(struct go_symbols *symbols, const struct plain_profile *profile,
                     struct go_encoder *encoder)
{
    *symbols = (struct go_symbols){.profile = profile, .encoder = encoder, .pc_count = CUT_PC + 1};
    symbols->texts = xcalloc(profile->texts.count + 1, sizeof *symbols->texts);
    symbols->names = xcalloc(profile->texts.count + 1, sizeof *symbols->names);
    symbols->stacks = xcalloc(profile->stacks.count + 1, sizeof *symbols->stacks);
    symbols->pcs = xcalloc(profile->code.location_count + 1, sizeof *symbols->pcs);
    for (size_t i = GO_TEXT_UNKNOWN; i < GO_TEXT_COUNT; i++)
        go_encoder_string(encoder, i, own_texts[i], strlen(own_texts[i]));
}

void go_symbols_fini(struct go_symbols *symbols)
{
    free(symbols->texts);
    free(symbols->names);
    free(symbols->stacks);
    free(symbols->pcs);
    buf_fini(&symbols->text);
}

// Cuts a text that is too long, before a character.
static size_t text_length(const struct buf *text)
{
    size_t length = text->length < TEXT_MAX ? text->length : TEXT_MAX;
    while (length < text->length && ((unsigned char)text->data[length] & 0xc0) == 0x80)
        length--;
    return length;
}

// Returns the id of a text; `none` for the empty one.
static uint64_t text_id(struct go_symbols *symbols, uint32_t text, uint64_t none)
{
    if (!text)
        return none;
    uint64_t id = GO_TEXT_COUNT + (uint64_t)text;
    if (!symbols->texts[text]) {
        buf_clear(&symbols->text);
        escape_utf8(&symbols->text, plain_string(symbols->profile, text));
        go_encoder_string(symbols->encoder, id, symbols->text.data, text_length(&symbols->text));
        symbols->texts[text] = true;
    }
    return id;
}

static void add_frame(struct go_frames *frames, uint64_t pc, uint64_t name, uint64_t file,
                      uint64_t line)
{
    const uint64_t numbers[] = {pc, name, file, line};
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++)
        frames->length += go_encoder_number(frames->bytes + frames->length, numbers[i]);
    frames->count++;
}

// Says whether there is room for one more frame, with that of "[cut]" behind it.
static bool has_room(const struct go_frames *frames)
{
    return frames->count + 1 < FRAMES_MAX && frames->length + 2 * FRAME_BYTES <= GO_STACK_BYTES;
}

static bool add_location(struct go_symbols *symbols, uint32_t location, struct go_frames *frames)
{
    size_t count = plain_frame_count(symbols->profile, location);
    if (!symbols->pcs[location]) {
        symbols->pcs[location] = symbols->pc_count;
        symbols->pc_count += (uint32_t)count;
    }
    for (size_t i = 0; i < count; i++) {
        if (!has_room(frames))
            return false;
        struct plain_frame frame = plain_frame(symbols->profile, location, i);
        add_frame(frames, symbols->pcs[location] + i,
                  text_id(symbols, frame.name_text, GO_TEXT_UNKNOWN),
                  text_id(symbols, frame.file_text, 0), frame.line > 0 ? (uint64_t)frame.line : 0);
    }
    return true;
}

uint64_t go_symbols_stack(struct go_symbols *symbols, uint32_t node)
{
    if (!node || symbols->stacks[node])
        return node;
    struct go_frames frames = {.length = 0};
    const struct plain_node *nodes = symbols->profile->stacks.nodes;
    for (uint32_t at = node; at; at = nodes[at].parent)
        if (!add_location(symbols, nodes[at].location, &frames)) {
            add_frame(&frames, CUT_PC, GO_TEXT_CUT, 0, 0);
            break;
        }
    go_encoder_stack(symbols->encoder, node, frames.count, frames.bytes, frames.length);
    symbols->stacks[node] = true;
    return node;
}

uint64_t go_symbols_name(struct go_symbols *symbols, uint32_t text)
{
    uint64_t id = symbols->profile->stacks.count + (uint64_t)text;
    if (!symbols->names[text]) {
        struct go_frames frames = {.length = 0};
        add_frame(&frames, symbols->pc_count++, text_id(symbols, text, GO_TEXT_UNKNOWN), 0, 0);
        go_encoder_stack(symbols->encoder, id, frames.count, frames.bytes, frames.length);
        symbols->names[text] = true;
    }
    return id;
}
