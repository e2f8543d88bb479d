// SPDX-License-Identifier: MIT
// Nodes of red-black trees, as std::map and std::set have them, and of doubly linked lists, as
// std::list: nodes to which the nodes that they lead to lead back. Whether a map of the C++ library
// is behind a tree, that somebody uses its function says; a list looks like many others. Nodes of
// std::unordered_map and std::unordered_set are known where the key is a std::string: then they
// keep its hash.
//
// Links lead mostly to what lies near, and looking there costs nothing. Of blocks whose links lead
// farther, those of the first of a size are read and then some; where nearly all of these fit, the
// others count as well.
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "heap/evidence.h"
#include "heap/kinds.h"

#define FIRST 64u        // blocks of a size whose far links are all read
#define EVERY 256u       // of those that come later, one in so many
#define LINKS_MAX 50000u // that are read in one census
#define SIZES_MAX 4096u  // that are told apart, for each shape

enum links {
    LINKS_FIT,
    LINKS_DO_NOT,
    LINKS_UNSEEN, // some could not be looked at without reading
};

struct links_reader {
    struct heap_view *view;
    bool reads;     // what cannot be looked at for nothing
    bool unseen;    // something was not looked at
    uint32_t *read; // how many there were
};

struct trust { // in a shape at a size
    uint32_t far;       // blocks that look like it and whose links lead far
    uint32_t read, fit; // of them
};

#define SHAPES 3u

struct containers {
    struct kinds *kinds;
    struct heap_target *target;
    uint32_t numbers[SHAPES]; // of kinds; 0: not met yet
    struct map by_size; // size and shape -> its trust
    struct trust *list;
    size_t count, capacity;
    uint64_t readings; // of the target's mappings, at this census
    uint32_t read;     // links, in this census
    struct {
        uint64_t start, end;
    } mapping; // of the last address that was looked up
};

struct shape {
    uint64_t least; // usable bytes
    bool (*looks_like)(struct containers *containers, const struct block *block);
    enum links (*check)(struct links_reader *reader, const struct block *block);
    const char *name;
    const char *symbol; // whose use vouches for `vouched`, or NULL
    const char *vouched;
};

static bool read_link(struct links_reader *reader, uint64_t address, void *to, size_t length)
{
    if (heap_view_peek(reader->view, address, to, length))
        return true;
    reader->unseen = reader->unseen || !reader->reads;
    *reader->read += reader->reads;
    return reader->reads && heap_view_read(reader->view, address, to, length);
}

static enum links unread(const struct links_reader *reader)
{
    return reader->unseen ? LINKS_UNSEEN : LINKS_DO_NOT;
}

// Returns whether it is an address in writable memory. Most lie in the same mapping as the last.
static bool is_pointer(struct containers *containers, uint64_t word)
{
    if (word % 8 || word < 1 << 16 || word >= 1ull << 47)
        return false;
    if (word - containers->mapping.start < containers->mapping.end - containers->mapping.start)
        return true;
    const struct proc_map *map = heap_target_region(containers->target, word);
    if (!map || !map->writable)
        return false;
    containers->mapping.start = map->start;
    containers->mapping.end = map->end;
    return true;
}

// --- red-black trees

struct rb_node {
    uint32_t colour, padding;
    uint64_t parent, left, right;
};

enum { RED, BLACK };

static struct rb_node tree_node_of(const struct block *block)
{
    struct rb_node node;
    __builtin_memcpy(&node, block->bytes, sizeof node);
    return node;
}

static bool looks_like_tree(struct containers *containers, const struct block *block)
{
    if (block->have < sizeof(struct rb_node) || (uint32_t)block_word(block, 0) > BLACK)
        return false;
    const struct rb_node node = tree_node_of(block);
    if (node.left && node.left == node.right)
        return false;
    return is_pointer(containers, node.parent) &&
           (!node.left || is_pointer(containers, node.left)) &&
           (!node.right || is_pointer(containers, node.right));
}

// The parent of a root is the tree itself, which looks like a node whose parent is the root.
static bool fits_parent(const struct rb_node *node, uint64_t address,
                        const struct rb_node *parent)
{
    if (parent->parent == address)
        return node->colour == BLACK;
    if (parent->colour > BLACK || (parent->left == address) == (parent->right == address))
        return false;
    uint64_t sibling = parent->left == address ? parent->right : parent->left;
    return node->colour == BLACK ? sibling != 0 : parent->colour == BLACK;
}

static enum links check_child(struct links_reader *reader, uint64_t child, uint64_t address,
                              bool of_red, bool only)
{
    struct {
        uint32_t colour, padding;
        uint64_t parent;
    } found;
    if (!child)
        return LINKS_FIT;
    if (!read_link(reader, child, &found, sizeof found))
        return unread(reader);
    bool fits = found.colour <= BLACK && found.parent == address &&
                !(of_red && found.colour == RED) && !(only && found.colour == BLACK);
    return fits ? LINKS_FIT : LINKS_DO_NOT;
}

// All ways to a leaf pass as many black nodes, and no red node has a red child.
static enum links check_tree(struct links_reader *reader, const struct block *block)
{
    const struct rb_node node = tree_node_of(block);
    struct rb_node parent;
    bool red = node.colour == RED, only = !node.left != !node.right;
    if (red && only)
        return LINKS_DO_NOT;
    if (!read_link(reader, node.parent, &parent, sizeof parent))
        return unread(reader);
    if (!fits_parent(&node, block->address, &parent))
        return LINKS_DO_NOT;
    enum links left = check_child(reader, node.left, block->address, red, only);
    return left == LINKS_FIT ? check_child(reader, node.right, block->address, red, only) : left;
}

// --- lists

static bool looks_like_list(struct containers *containers, const struct block *block)
{
    uint64_t next = block_word(block, 0), previous = block_word(block, 8);
    return next != block->address && previous != block->address && is_pointer(containers, next) &&
           is_pointer(containers, previous);
}

static enum links check_list(struct links_reader *reader, const struct block *block)
{
    uint64_t next[2], previous;
    if (!read_link(reader, block_word(block, 0), next, sizeof next))
        return unread(reader);
    if (next[1] != block->address)
        return LINKS_DO_NOT;
    if (!read_link(reader, block_word(block, 8), &previous, sizeof previous))
        return unread(reader);
    return previous == block->address ? LINKS_FIT : LINKS_DO_NOT;
}

// --- hash tables

#define STRING 8u       // where the key lies in a node: its text, length, room for short texts
#define SHORT_TEXT 24u
#define BEHIND_KEY 40u
#define SHORT_MAX 15u
#define LONG_MAX 256u   // bytes of a key that is read

static bool looks_like_hashed(struct containers *containers, const struct block *block)
{
    if (block->have < BEHIND_KEY + 8)
        return false;
    uint64_t next = block_word(block, 0), text = block_word(block, STRING);
    uint64_t length = block_word(block, STRING + 8);
    if (next && !is_pointer(containers, next))
        return false;
    return length <= SHORT_MAX ? text == block->address + SHORT_TEXT
                               : length <= LONG_MAX && is_pointer(containers, text);
}

static uint64_t mix(uint64_t value)
{
    return value ^ value >> 47;
}

// The C++ library's hash of a text (Murmur2 for 64 bits).
static uint64_t hash_of(const unsigned char *text, size_t length)
{
    const uint64_t factor = 0xc6a4a7935bd1e995u;
    uint64_t hash = 0xc70f6907u ^ length * factor;
    for (; length >= 8; text += 8, length -= 8) {
        uint64_t word;
        __builtin_memcpy(&word, text, sizeof word);
        hash = (hash ^ mix(word * factor) * factor) * factor;
    }
    uint64_t rest = 0;
    for (size_t i = length; i-- > 0;)
        rest = rest << 8 | text[i];
    if (length)
        hash = (hash ^ rest) * factor;
    return mix(mix(hash) * factor);
}

// A node keeps the hash of its key, which is a text, behind key and value.
static enum links check_hashed(struct links_reader *reader, const struct block *block)
{
    unsigned char text[LONG_MAX];
    size_t length = (size_t)block_word(block, STRING + 8);
    if (length <= SHORT_MAX)
        __builtin_memcpy(text, block->bytes + SHORT_TEXT, length);
    else if (!read_link(reader, block_word(block, STRING), text, length))
        return unread(reader);
    uint64_t hash = hash_of(text, length);
    for (size_t at = BEHIND_KEY; at + 8 <= block->have; at += 8)
        if (block_word(block, at) == hash)
            return LINKS_FIT;
    return LINKS_DO_NOT;
}

// --- all

static const struct shape shapes[SHAPES] = {
    {33, looks_like_tree, check_tree, "red-black tree node",
     "_ZSt29_Rb_tree_insert_and_rebalancebPSt18_Rb_tree_node_baseS0_RS_",
     "std::map or std::set node"},
    {48, looks_like_hashed, check_hashed, "std::unordered_map or std::unordered_set node", NULL,
     NULL},
    {17, looks_like_list, check_list, "doubly linked list node", NULL, NULL},
};

static void *begin(struct kinds *kinds, struct heap_target *target)
{
    struct containers *containers = xcalloc(1, sizeof *containers);
    *containers = (struct containers){.kinds = kinds, .target = target};
    return containers;
}

static void end(void *state)
{
    struct containers *containers = state;
    map_fini(&containers->by_size);
    free(containers->list);
    free(containers);
}

// Sizes that come late share one trust, which is in none of them.
static struct trust *trust_in(struct containers *containers, size_t shape, uint64_t size)
{
    uint64_t key = size * SHAPES + shape;
    if (containers->count >= SIZES_MAX)
        key = map_get(&containers->by_size, key, UINT32_MAX) == UINT32_MAX ? UINT64_MAX : key;
    uint32_t number = map_get(&containers->by_size, key, UINT32_MAX);
    if (number != UINT32_MAX)
        return &containers->list[number];
    ARRAY_RESERVE(containers->list, containers->count, containers->capacity);
    map_put(&containers->by_size, key, (uint32_t)containers->count);
    containers->list[containers->count] = (struct trust){0};
    return &containers->list[containers->count++];
}

static bool is_trusted(const struct trust *trust)
{
    return trust->read >= FIRST / 2 && trust->fit >= trust->read - trust->read / 64;
}

static bool is_shape_far(struct containers *containers, size_t shape, const struct block *block)
{
    struct trust *trust = trust_in(containers, shape, block->usable);
    bool reads = trust->far < FIRST || trust->far % EVERY == 0;
    trust->far++;
    if (!reads || containers->read >= LINKS_MAX)
        return is_trusted(trust);
    struct links_reader reader = {
        .view = &containers->target->view, .reads = true, .read = &containers->read};
    bool fits = shapes[shape].check(&reader, block) == LINKS_FIT;
    trust->read++;
    trust->fit += fits;
    return fits;
}

static bool is_shape(struct containers *containers, size_t shape, const struct block *block)
{
    struct links_reader reader = {.view = &containers->target->view, .read = &containers->read};
    enum links links = shapes[shape].check(&reader, block);
    return links == LINKS_FIT ||
           (links == LINKS_UNSEEN && is_shape_far(containers, shape, block));
}

static uint32_t number_of(struct containers *containers, size_t shape)
{
    const struct shape *row = &shapes[shape];
    if (containers->numbers[shape])
        return containers->numbers[shape];
    bool vouched = row->symbol && evidence_of(containers->target, row->symbol, "libstdc++");
    return containers->numbers[shape] = kinds_number(containers->kinds, BLOCK_CONTAINER,
                                                     vouched ? row->vouched : row->name);
}

static void begin_census(struct containers *containers)
{
    containers->readings = containers->target->readings;
    containers->mapping.start = containers->mapping.end = 0;
    containers->read = 0;
}

static uint32_t recognize(void *state, const struct block *block)
{
    struct containers *containers = state;
    if (block->have < 16)
        return 0;
    if (containers->readings != containers->target->readings)
        begin_census(containers);
    for (size_t i = 0; i < SHAPES; i++)
        if (block->usable >= shapes[i].least && shapes[i].looks_like(containers, block) &&
            is_shape(containers, i, block))
            return number_of(containers, i);
    return 0;
}

const struct recognizer recognizer_container = {
    .signs = SIGN_LINKED,
    .begin = begin,
    .recognize = recognize,
    .end = end,
};
