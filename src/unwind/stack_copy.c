// SPDX-License-Identifier: MIT
#include "unwind/stack_copy.h"

#include <string.h>

#define REACH (64u << 20) // bytes above a stack pointer that are taken for the same stack
#define PAGE 4096u

struct stack_piece {
    const unsigned char *bytes;
    uint64_t address;
    uint32_t below, above; // bytes, of the address
};

static struct stack_piece first_piece(const struct capture *capture)
{
    return (struct stack_piece){capture->stack, capture_sp(capture), capture->red_zone,
                          capture->stack_length};
}

// Distances wrap for what lies below it.
static bool read_piece(const struct stack_piece *piece, uint64_t address, uint64_t *word,
                       uint32_t *needed)
{
    uint64_t at = address - piece->address + piece->below;
    uint64_t length = (uint64_t)piece->below + piece->above;
    if (at >= length || length - at < sizeof *word)
        return false;
    memcpy(word, piece->bytes - piece->below + at, sizeof *word);
    uint64_t end = at + sizeof *word;
    if (end > piece->below && end - piece->below > *needed)
        *needed = (uint32_t)(end - piece->below);
    return true;
}

bool stack_copy_read(const struct capture *capture, uint64_t address, uint64_t *word,
                     struct stack_use *use)
{
    struct stack_piece piece = first_piece(capture);
    const unsigned char *bytes = capture->stack + capture->stack_length;
    for (unsigned i = 0;; i++) {
        if (read_piece(&piece, address, word, &use->needed[i])) {
            use->last = i;
            return true;
        }
        if (i == capture->window_count)
            return false;
        const struct stack_window *window = &capture->windows[i];
        piece = (struct stack_piece){bytes, window->address, 0, window->length};
        bytes += window->length;
    }
}

// A window that was to begin there came back empty.
static bool is_missing(const struct capture *capture, uint64_t address)
{
    for (unsigned i = 0; i < capture->window_count; i++)
        if (!capture->windows[i].length && address / PAGE == capture->windows[i].anchor / PAGE)
            return true;
    return false;
}

bool stack_copy_is_cut(const struct capture *capture, uint64_t address)
{
    bool near = address - capture_sp(capture) < REACH;
    for (unsigned i = 0; i < capture->window_count; i++)
        near |= address - capture->windows[i].anchor < REACH;
    return near && !is_missing(capture, address);
}

bool stack_copy_holds(const struct capture *capture, uint64_t sp)
{
    bool holds = sp - capture_sp(capture) < capture->stack_length;
    for (unsigned i = 0; i < capture->window_count; i++)
        holds |= sp == capture->windows[i].anchor ||
                 sp - capture->windows[i].address < capture->windows[i].length;
    return holds;
}

uint64_t stack_copy_top(const struct capture *capture, const struct stack_use *use)
{
    uint64_t address = use->last ? capture->windows[use->last - 1].address : capture_sp(capture);
    return address + use->needed[use->last];
}
