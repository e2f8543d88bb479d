// SPDX-License-Identifier: MIT
#include "process/copied_code.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/patience.h"
#include "process/memory.h"

#define PIECE 4096u
#define PIECES_MAX 256u // pieces that are compared, spread over the whole range
#define LINES_AROUND 64 // the line of a file must be within so many lines
#define READ_MS 2000    // the memory may come from FUSE or userfaultfd

struct copied { // memory read from a process, piece by piece
    pid_t tid;
    uint64_t address, length;
    size_t count;  // pieces
    uint64_t step; // bytes from one piece to the next
    bool read;
    unsigned char *bytes; // owned
};

static size_t piece_length(const struct copied *copied, size_t piece)
{
    uint64_t left = copied->length - piece * copied->step;
    return left < PIECE ? (size_t)left : PIECE;
}

static void read_pieces(void *context)
{
    struct copied *copied = context;
    copied->read = true;
    for (size_t i = 0; i < copied->count && copied->read; i++)
        copied->read = memory_read(copied->tid, copied->address + i * copied->step,
                                   copied->bytes + i * PIECE, piece_length(copied, i));
}

static void discard(void *context)
{
    struct copied *copied = context;
    free(copied->bytes);
    free(copied);
}

static struct copied *copied_new(pid_t tid, uint64_t address, uint64_t length)
{
    struct copied *copied = xcalloc(1, sizeof *copied);
    uint64_t pieces = (length + PIECE - 1) / PIECE;
    *copied = (struct copied){.tid = tid, .address = address, .length = length};
    copied->count = pieces < PIECES_MAX ? (size_t)pieces : PIECES_MAX;
    copied->step = pieces / copied->count * PIECE;
    copied->bytes = xmalloc(copied->count * PIECE);
    return copied;
}

// `offset` is the place in the file of what is mapped at the address.
static bool is_equal(const struct image *image, uint64_t offset, pid_t tid, uint64_t address,
                     uint64_t length)
{
    unsigned char of_file[PIECE];
    struct copied *copied = copied_new(tid, address, length);
    if (!patience_call(read_pieces, discard, copied, READ_MS))
        return false;
    bool equal = copied->read;
    for (size_t i = 0; i < copied->count && equal; i++) {
        size_t part = piece_length(copied, i);
        equal = image_read(image, offset + i * copied->step, of_file, part) &&
                memcmp(of_file, copied->bytes + i * PIECE, part) == 0;
    }
    discard(copied);
    return equal;
}

// `bias` is the load bias: address minus link-time address.
static const struct mapping *try_bias(struct modules *modules, struct module *module,
                                      const struct mapped *code, uint64_t bias)
{
    const struct image *image = module->image;
    uint64_t start = code->map->start, end = code->map->end;
    for (size_t i = 0; i < image->headers.segment_count; i++) {
        const struct segment *segment = &image->segments[i];
        uint64_t first = bias + segment->vaddr, last = first + segment->file_size;
        uint64_t low = first > start ? first : start, high = last < end ? last : end;
        uint64_t offset = segment->offset + start - first; // file offset of the line's start
        if (!(segment->flags & PF_X) || last < first || low >= high ||
            offset > segment->offset + segment->file_size)
            continue;
        if (!is_equal(image, segment->offset + low - first, code->tid, low, high - low))
            continue;
        return modules_mapping_of(modules, module, code, offset);
    }
    return NULL;
}

// The segments of a file give its load bias. Two segments may share the page that the line of maps
// begins with, so each of these is tried.
static const struct mapping *try_file(struct modules *modules, const struct mapped *file,
                                      const struct mapped *code)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    struct module *module = modules_file(modules, file);
    const struct mapping *found = NULL;
    for (size_t i = 0; module->image && i < module->image->headers.segment_count && !found; i++) {
        const struct segment *segment = &module->image->segments[i];
        uint64_t offset = file->map->offset, begin = segment->offset & -page;
        if (offset >= begin && offset < segment->offset + segment->file_size)
            found = try_bias(modules, module, code,
                             file->map->start - offset + segment->offset - segment->vaddr);
    }
    return found;
}

static bool is_file(const struct mapped *line)
{
    return line->map->path[0] == '/' && line->map->inode;
}

const struct mapping *copied_code_find(struct modules *modules, const struct mapped *lines,
                                       size_t count, size_t at)
{
    const struct mapping *found = NULL;
    size_t before = at, after = at + 1;
    while (before && at - before < LINES_AROUND && !is_file(&lines[before - 1]))
        before--;
    while (after < count && after - at < LINES_AROUND && !is_file(&lines[after]))
        after++;
    if (before && is_file(&lines[before - 1]))
        found = try_file(modules, &lines[before - 1], &lines[at]);
    if (!found && after < count && is_file(&lines[after]))
        found = try_file(modules, &lines[after], &lines[at]);
    return found;
}
