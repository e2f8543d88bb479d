// SPDX-License-Identifier: MIT
// Names of addresses: "0x401196+0x4011b0" is answered as Go does,
//   num_symbols: 1
//   0x401196 main
// What has no name is left out.
#include "serve/job.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/escape.h"
#include "base/mem.h"
#include "process/space.h"
#include "symbol/symbolizer.h"

#define QUESTION_MOST (1u << 20) // bytes
#define NAMES_NS (2ll * NS_PER_S)

struct symbol_place {
    uint64_t pc;
    uint32_t mapping;
    uint64_t offset;
};

struct symbol_places {
    struct symbol_place *list;
    size_t count, capacity;
};

static void want(struct symbol_places *places, struct space *space, struct symbolizer *symbolizer,
                 uint64_t pc)
{
    struct symbol_place place = {.pc = pc};
    const struct area *area = space_locate(space, pc, &place.offset);
    if (!area)
        return;
    place.mapping = space_mapping(space, area, pc)->id;
    symbolizer_want(symbolizer, place.mapping, place.offset);
    ARRAY_RESERVE(places->list, places->count, places->capacity);
    places->list[places->count++] = place;
}

// Numbers are written as in C. What is none is passed over.
static void want_all(struct symbol_places *places, struct space *space,
                     struct symbolizer *symbolizer, char *text)
{
    for (char *word; (word = strsep(&text, "+"));) {
        char *end;
        errno = 0;
        uint64_t pc = strtoull(word, &end, 0);
        if (*word && !*end && !errno && pc)
            want(places, space, symbolizer, pc);
    }
}

static void put_names(const struct symbol_places *places, struct symbolizer *symbolizer,
                      struct buf *out)
{
    buf_puts(out, "num_symbols: 1\n");
    for (size_t i = 0; i < places->count; i++) {
        const struct symbol_place *place = &places->list[i];
        const struct symbol *symbol =
            symbolizer_lookup(symbolizer, place->mapping, place->offset);
        if (!symbol->found)
            continue;
        buf_printf(out, "0x%" PRIx64 " ", place->pc);
        escape_text(out, symbol->lines[0].name);
        buf_putc(out, '\n');
    }
}

static void find_names(pid_t pid, char *question, struct buf *out)
{
    struct symbol_places places = {0};
    struct modules *modules = modules_new();
    struct symbolizer *symbolizer = symbolizer_new(modules);
    struct space *space = space_new(modules, pid, pid);
    symbolizer_isolate(symbolizer);
    symbolizer_add_root(symbolizer, pid);
    symbolizer_set_deadline(symbolizer, clock_now() + NAMES_NS);
    want_all(&places, space, symbolizer, question);
    symbolizer_fetch(symbolizer);
    put_names(&places, symbolizer, out);
    free(places.list);
    space_free(space);
    symbolizer_free(symbolizer);
    modules_free(modules);
}

enum rc job_symbol(const struct job *job, FILE *out, struct err *err)
{
    AUTO_BUF struct buf question = {0}, names = {0};
    if (job->text >= 0 && (lseek(job->text, 0, SEEK_SET) != 0 ||
                           buf_read_fd(&question, job->text, QUESTION_MOST) != RC_OK))
        return err_set(err, RC_LIMIT, "more addresses than can be looked up at once");
    find_names(job->pid, question.length ? question.data : (char[]){""}, &names);
    if (fwrite(names.data, 1, names.length, out) == names.length)
        return RC_OK;
    return err_sys(err, RC_IO, errno, "cannot write an answer");
}
