// SPDX-License-Identifier: MIT
// Nodes of red-black trees, as std::map and std::set have them, and of doubly linked lists, as
// std::list: nodes to which the nodes that they lead to lead back. Whether a map of the C++ library
// is behind a tree, that somebody uses its function says; a list looks like many others.
//
// Links lead mostly to what lies near, and looking there costs nothing. Others are read for the
// first blocks of a size and then for some; where nearly all of a size fit, those that could not be
// looked at count as well.
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "heap/evidence.h"
#include "heap/kinds.h"

#define FIRST 64u        // blocks of a size whose links are all read
#define EVERY 256u       // of those that come later, one in so many
#define LINKS_MAX 50000u // that are read in all, in one process
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
    uint32_t asked;     // blocks that look like it
    uint32_t seen, fit; // of them; the rest could not be looked at
};

struct shape {
    uint64_t least; // usable bytes
    bool (*looks_like)(const struct block *block);
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

static bool is_pointer(uint64_t word)
{
    return word % 8 == 0 && word >= 1 << 16 && word < 1ull << 47;
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

static bool looks_like_tree(const struct block *block)
{
    if (block->have < sizeof(struct rb_node) || (uint32_t)block_word(block, 0) > BLACK)
        return false;
    const struct rb_node node = tree_node_of(block);
    return is_pointer(node.parent) && (!node.left || is_pointer(node.left)) &&
           (!node.right || is_pointer(node.right)) && (!node.left || node.left != node.right);
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

static bool looks_like_list(const struct block *block)
{
    uint64_t next = block_word(block, 0), previous = block_word(block, 8);
    return is_pointer(next) && is_pointer(previous) && next != block->address &&
           previous != block->address;
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

// --- all

static const struct shape shapes[] = {
    {33, looks_like_tree, check_tree, "red-black tree node",
     "_ZSt29_Rb_tree_insert_and_rebalancebPSt18_Rb_tree_node_baseS0_RS_",
     "std::map or std::set node"},
    {17, looks_like_list, check_list, "doubly linked list node", NULL, NULL},
};

struct containers {
    struct kinds *kinds;
    struct heap_target *target;
    uint32_t numbers[ARRAY_LENGTH(shapes)]; // of kinds; 0: not met yet
    struct map by_size; // size and shape -> its trust
    struct trust *list;
    size_t count, capacity;
    uint32_t read; // links
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
    uint64_t key = size * ARRAY_LENGTH(shapes) + shape;
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
    return trust->seen >= FIRST / 2 && trust->fit >= trust->seen - trust->seen / 64;
}

static bool is_shape(struct containers *containers, size_t shape, const struct block *block)
{
    struct trust *trust = trust_in(containers, shape, block->usable);
    struct links_reader reader = {.view = &containers->target->view, .read = &containers->read};
    reader.reads = containers->read < LINKS_MAX &&
                   (trust->asked < FIRST || trust->asked % EVERY == 0);
    trust->asked++;
    enum links links = shapes[shape].check(&reader, block);
    if (links == LINKS_UNSEEN)
        return is_trusted(trust);
    trust->seen++;
    trust->fit += links == LINKS_FIT;
    return links == LINKS_FIT;
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

static uint32_t recognize(void *state, const struct block *block)
{
    struct containers *containers = state;
    for (size_t i = 0; i < ARRAY_LENGTH(shapes); i++)
        if (block->have >= 16 && block->usable >= shapes[i].least && shapes[i].looks_like(block) &&
            is_shape(containers, i, block))
            return number_of(containers, i);
    return 0;
}

const struct recognizer recognizer_container = {.begin = begin, .recognize = recognize, .end = end};
