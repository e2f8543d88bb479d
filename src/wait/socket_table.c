// SPDX-License-Identifier: MIT
#include "wait/socket_table.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "process/procfs.h"

#define UNIX_LISTENING 0x10000u // __SO_ACCEPTCON in the flags

struct socket_table {
    struct socket_entry *entries;
    size_t count, capacity;
    struct map by_inode, by_ends; // -> index
};

static uint64_t hash_ends(const struct socket_end *local, const struct socket_end *remote)
{
    uint64_t words[4];
    memcpy(words, local->address, 16);
    memcpy(words + 2, remote->address, 16);
    uint64_t hash = (uint64_t)local->port << 16 | remote->port;
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        hash = map_hash(hash ^ words[i]);
    return hash;
}

static void add(struct socket_table *table, const struct socket_entry *entry)
{
    ARRAY_RESERVE(table->entries, table->count, table->capacity);
    table->entries[table->count] = *entry;
    if (entry->inode)
        map_put(&table->by_inode, entry->inode, (uint32_t)table->count);
    if (entry->remote.port)
        map_put(&table->by_ends, hash_ends(&entry->local, &entry->remote), (uint32_t)table->count);
    table->count++;
}

// Addresses are 32-bit words in hexadecimal, in the byte order of the machine.
static bool parse_end(const char *address, unsigned port, struct socket_end *end)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    size_t length = strlen(address), at = length == 8 ? 12 : 0;
    if (length != 8 && length != 32)
        return false;
    memcpy(end->address, mapped, sizeof mapped);
    for (size_t i = 0; i < length; i += 8, at += 4) {
        char digits[9] = "";
        memcpy(digits, address + i, 8);
        uint32_t word = (uint32_t)strtoul(digits, NULL, 16);
        memcpy(end->address + at, &word, sizeof word);
    }
    end->port = (uint16_t)port;
    return true;
}

static void parse_inet(struct socket_table *table, const char *line, const char *protocol)
{
    struct socket_entry entry = {.protocol = protocol};
    char local[33], remote[33];
    unsigned local_port, remote_port;
    if (sscanf(line, " %*u: %32[0-9A-F]:%x %32[0-9A-F]:%x %x %*s %*s %*s %*u %*d %" SCNu64, local,
               &local_port, remote, &remote_port, &entry.state, &entry.inode) != 6 ||
        !parse_end(local, local_port, &entry.local) ||
        !parse_end(remote, remote_port, &entry.remote))
        return;
    entry.listening = protocol[0] == 't' && entry.state == TCP_LISTEN;
    add(table, &entry);
}

// A path may contain a newline, and the text after it may look like a row. A forged row cannot be
// told from a real one, but every socket has a real row too. So when two rows have the same number,
// the path of neither is used, and a unix row with the number of another kind of socket is ignored.
static bool is_doubtful(struct socket_table *table, uint64_t inode)
{
    uint32_t index = map_get(&table->by_inode, inode, UINT32_MAX);
    if (index == UINT32_MAX)
        return false;
    struct socket_entry *other = &table->entries[index];
    free(steal_ptr(&other->path));
    if (other->protocol[0] == 'u' && other->protocol[1] == 'n')
        other->listening = false;
    return true;
}

// The path follows the inode and a blank; an abstract one begins with '@'.
static void parse_unix(struct socket_table *table, const char *line, const char *protocol)
{
    struct socket_entry entry = {.protocol = protocol};
    unsigned flags;
    int path = 0;
    if (sscanf(line, "%*x: %*x %*x %x %*x %*x %" SCNu64 "%n", &flags, &entry.inode, &path) != 2 ||
        is_doubtful(table, entry.inode))
        return;
    entry.listening = flags & UNIX_LISTENING;
    if (path && line[path] == ' ' && line[path + 1])
        entry.path = xstrdup(line + path + 1);
    add(table, &entry);
}

static const struct socket_source {
    const char *file, *protocol;
    void (*parse)(struct socket_table *table, const char *line, const char *protocol);
} sources[] = {
    {"tcp", "tcp", parse_inet},  {"tcp6", "tcp", parse_inet},   {"udp", "udp", parse_inet},
    {"udp6", "udp", parse_inet}, {"unix", "unix", parse_unix}, // last: only unix rows can be forged
};

static void read_source(struct socket_table *table, const struct socket_source *source,
                        const char *proc, pid_t pid)
{
    AUTO_BUF struct buf text = {0};
    if (procfs_read(&text, "%s/%d/net/%s", proc, pid, source->file) != RC_OK)
        return;
    char *rest = text.data;
    for (char *line; (line = strsep(&rest, "\n"));)
        source->parse(table, line, source->protocol);
}

struct socket_table *socket_table_new(const char *proc, pid_t pid)
{
    struct socket_table *table = xcalloc(1, sizeof *table);
    for (size_t i = 0; i < ARRAY_LENGTH(sources); i++)
        read_source(table, &sources[i], proc, pid);
    return table;
}

void socket_table_free(struct socket_table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->count; i++)
        free(table->entries[i].path);
    free(table->entries);
    map_fini(&table->by_inode);
    map_fini(&table->by_ends);
    free(table);
}

static const struct socket_entry *entry_at(const struct socket_table *table, uint32_t index)
{
    return index < table->count ? &table->entries[index] : NULL;
}

const struct socket_entry *socket_table_find(const struct socket_table *table, uint64_t inode)
{
    return entry_at(table, map_get(&table->by_inode, inode, UINT32_MAX));
}

static bool same_end(const struct socket_end *a, const struct socket_end *b)
{
    return a->port == b->port && memcmp(a->address, b->address, sizeof a->address) == 0;
}

const struct socket_entry *socket_table_peer(const struct socket_table *table,
                                             const struct socket_entry *entry)
{
    if (!entry->remote.port)
        return NULL;
    uint64_t hash = hash_ends(&entry->remote, &entry->local);
    const struct socket_entry *peer =
        entry_at(table, map_get(&table->by_ends, hash, UINT32_MAX));
    bool right = peer && same_end(&peer->local, &entry->remote) &&
                 same_end(&peer->remote, &entry->local) && peer->protocol == entry->protocol;
    return right ? peer : NULL;
}

void socket_end_put(const struct socket_end *end, struct buf *out)
{
    struct in6_addr address;
    char text[INET6_ADDRSTRLEN];
    memcpy(&address, end->address, sizeof address);
    bool four = IN6_IS_ADDR_V4MAPPED(&address);
    if (four)
        inet_ntop(AF_INET, end->address + 12, text, sizeof text);
    else
        inet_ntop(AF_INET6, &address, text, sizeof text);
    buf_printf(out, four ? "%s:%u" : "[%s]:%u", text, end->port);
}

const char *socket_entry_state(const struct socket_entry *entry)
{
    static const char *const states[] = {
        [TCP_SYN_SENT] = "connecting", [TCP_SYN_RECV] = "being accepted",
        [TCP_FIN_WAIT1] = "fin_wait1", [TCP_FIN_WAIT2] = "fin_wait2",
        [TCP_TIME_WAIT] = "time_wait", [TCP_CLOSE] = "closed",
        [TCP_CLOSE_WAIT] = "closed by the peer", [TCP_LAST_ACK] = "last_ack",
        [TCP_CLOSING] = "closing",
    };
    if (entry->listening)
        return "listening";
    bool tcp = entry->protocol[0] == 't' && entry->state < ARRAY_LENGTH(states);
    return tcp && states[entry->state] ? states[entry->state] : "";
}
