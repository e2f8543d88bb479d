// SPDX-License-Identifier: MIT
#include "symbol/reader/server.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "symbol/reader/binary.h"
#include "symbol/reader/demangle.h"

#define MODULES_MAX 65536u
#define TRIED_MAX (WIRE_RECORD_MAX - 64)
#define FILE_NAME_LONGEST 4096
#define NAMELESS "[unknown]" // an inlined function whose DWARF has no name

struct server {
    struct server_host host;
    struct binary **binaries; // [module]; NULL: not opened
    size_t count;
    struct strtab names, files; // raw bytes
    struct map name_ids, file_ids; // number in names or files -> text number as sent
    struct map seen;               // address of a name in an open binary -> text number as sent
    uint32_t sent; // texts sent so far
    struct buf out;
    struct buf path; // of the file that is being sent
};

struct server *server_new(const struct server_host *host)
{
    struct server *server = xcalloc(1, sizeof *server);
    server->host = *host;
    strtab_init(&server->names);
    strtab_init(&server->files);
    return server;
}

void server_free(struct server *server)
{
    if (!server)
        return;
    for (size_t i = 0; i < server->count; i++)
        binary_free(server->binaries[i]);
    free(server->binaries);
    strtab_fini(&server->names);
    strtab_fini(&server->files);
    map_fini(&server->name_ids);
    map_fini(&server->file_ids);
    map_fini(&server->seen);
    buf_fini(&server->out);
    buf_fini(&server->path);
    free(server);
}

static void flush(struct server *server)
{
    if (server->out.length)
        server->host.send(server->host.context, server->out.data, server->out.length);
    buf_clear(&server->out);
}

static void put(struct server *server, enum wire_type type, const void *head, size_t head_length,
                const void *rest, size_t rest_length)
{
    if (server->out.length > WIRE_MESSAGE_MAX - WIRE_RECORD_MAX)
        flush(server);
    wire_put(&server->out, type, head, head_length, rest, rest_length);
}

static uint32_t put_text(struct server *server, const char *raw, const char *shown)
{
    struct wire_text text = {(uint32_t)strlen(raw), shown ? (uint32_t)strlen(shown) : 0};
    AUTO_BUF struct buf both = {0};
    buf_puts(&both, raw);
    buf_puts(&both, shown ? shown : "");
    put(server, RECORD_TEXT, &text, sizeof text, both.data, both.length);
    return ++server->sent;
}

static uint32_t text_id(struct server *server, const char *name, bool stub)
{
    AUTO_FREE char *raw = xasprintf("%.*s%s", SYMBOL_NAME_MAX, name, stub ? "@plt" : "");
    uint32_t known = strtab_add(&server->names, raw);
    uint32_t id = map_get(&server->name_ids, known, 0);
    if (!id) {
        AUTO_FREE char *shown = demangle(raw);
        id = put_text(server, raw, shown);
        map_put(&server->name_ids, known, id);
    }
    return id;
}

static uint32_t name_id(struct server *server, const char *name, bool stub)
{
    uint64_t place = (uint64_t)(uintptr_t)name << 1 | stub;
    uint32_t id = map_get(&server->seen, place, 0);
    if (!id) {
        id = text_id(server, name, stub);
        map_put(&server->seen, place, id);
    }
    return id;
}

// Where paths were rewritten for reproducible builds, the directory is relative too, and libdw may
// have joined it with the file name already.
static void whole_path(const struct inline_call *call, struct buf *path)
{
    size_t length = strlen(call->directory);
    buf_clear(path);
    if (call->file[0] != '/' && length && strncmp(call->file, call->directory, length) != 0) {
        buf_append(path, call->directory, length);
        buf_putc(path, '/');
    }
    buf_puts(path, call->file);
}

static uint32_t file_id(struct server *server, const struct inline_call *call)
{
    if (!call->file[0])
        return 0;
    whole_path(call, &server->path);
    if (server->path.length >= FILE_NAME_LONGEST)
        return 0;
    uint32_t known = strtab_add(&server->files, server->path.data);
    uint32_t id = map_get(&server->file_ids, known, 0);
    if (!id) {
        id = put_text(server, server->path.data, NULL);
        map_put(&server->file_ids, known, id);
    }
    return id;
}

// The physical function is named by the symbol table, which tells its parts and clones ("f.cold",
// "f.part.0") apart. Inlined functions are named by DWARF.
static uint32_t line_name(struct server *server, const struct binary_names *names, size_t at)
{
    bool physical = at + 1 >= names->call_count;
    if (physical && names->symbol)
        return name_id(server, names->symbol, names->stub);
    const char *name = names->call_count ? names->calls[at].name : NULL;
    if (name && name[0])
        return name_id(server, name, false);
    return physical ? 0 : name_id(server, NAMELESS, false);
}

static void put_symbol(struct server *server, uint32_t index, const struct binary_names *names)
{
    struct wire_line lines[WIRE_LINES_MAX];
    struct wire_symbol symbol = {
        .index = index,
        .line_count = names->call_count ? (uint32_t)names->call_count : 1,
        .offset = names->offset,
        .start = names->start,
    };
    for (size_t i = 0; i < symbol.line_count; i++) {
        lines[i] = (struct wire_line){.name = line_name(server, names, i)};
        if (i >= names->call_count)
            continue;
        lines[i].file = file_id(server, &names->calls[i]);
        lines[i].line = names->calls[i].line;
        lines[i].column = names->calls[i].column;
    }
    put(server, RECORD_SYMBOL, &symbol, sizeof symbol, lines, symbol.line_count * sizeof *lines);
}

struct asked {
    uint64_t vaddr;
    uint32_t unit, index;
};

static int compare_asked(const void *left, const void *right)
{
    const struct asked *a = left, *b = right;
    if (a->unit != b->unit)
        return a->unit < b->unit ? -1 : 1;
    return (a->vaddr > b->vaddr) - (a->vaddr < b->vaddr);
}

// Linkers spread a unit's code over several places (cold code, startup code). All addresses of one
// unit are looked up together, so that it is read only once.
static void find(struct server *server, const struct wire_ask *ask, const char *payload,
                 size_t length)
{
    static struct binary_names names; // too large for the stack of a small thread
    if (ask->module >= server->count || !server->binaries[ask->module])
        return;
    struct binary *binary = server->binaries[ask->module];
    size_t count = length / sizeof(uint64_t) < ask->count ? length / sizeof(uint64_t) : ask->count;
    AUTO_FREE struct asked *asked = xcalloc(count + 1, sizeof *asked);
    for (uint32_t i = 0; i < count; i++) {
        memcpy(&asked[i].vaddr, payload + i * sizeof(uint64_t), sizeof(uint64_t));
        asked[i].unit = binary_unit(binary, asked[i].vaddr);
        asked[i].index = i;
    }
    qsort(asked, count, sizeof *asked, compare_asked);
    for (size_t i = 0; i < count; i++) {
        binary_find(binary, asked[i].vaddr, &names);
        put_symbol(server, asked[i].index, &names);
    }
}

static struct binary **binary_slot(struct server *server, uint32_t module)
{
    if (module >= server->count) {
        size_t count = module + 1;
        server->binaries = xrealloc(server->binaries, count * sizeof *server->binaries);
        memset(server->binaries + server->count, 0,
               (count - server->count) * sizeof *server->binaries);
        server->count = count;
    }
    return &server->binaries[module];
}

static void open_module(struct server *server, const struct wire_ask *ask, const char *payload,
                        size_t length, int fd)
{
    const char *end = payload + length;
    const char *path_end = memchr(payload, '\0', length);
    const char *extra = path_end ? path_end + 1 : end;
    if (ask->module >= MODULES_MAX || !memchr(extra, '\0', (size_t)(end - extra)))
        return;
    struct binary **slot = binary_slot(server, ask->module);
    struct debug_finder finder = {.open = server->host.open, .context = server->host.context};
    binary_free(*slot);
    map_clear(&server->seen);
    *slot = binary_new(fd, payload, extra[0] ? extra : NULL, ask->depth, &finder);
    char has_lines = binary_has_lines(*slot);
    size_t tried = finder.tried.length < TRIED_MAX ? finder.tried.length : TRIED_MAX;
    put(server, RECORD_TRIED, &has_lines, 1, finder.tried.data, tried);
    buf_fini(&finder.tried);
}

void server_answer(struct server *server, const void *message, size_t length, int fd)
{
    AUTO_FD int owned = fd;
    struct wire_ask ask;
    if (length >= sizeof ask) {
        memcpy(&ask, message, sizeof ask);
        const char *payload = (const char *)message + sizeof ask;
        if (ask.question == ASK_OPEN)
            open_module(server, &ask, payload, length - sizeof ask, steal_fd(&owned));
        else
            find(server, &ask, payload, length - sizeof ask);
    }
    put(server, RECORD_DONE, NULL, 0, NULL, 0);
    flush(server);
}
