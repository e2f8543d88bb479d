// SPDX-License-Identifier: MIT
// The rows of the call tree, and the cells of the flame graph that is made of it; see rows/rows.h.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "profile/cost.h"
#include "rows/moment.h"
#include "rows/rows_query.h"

// Nodes stand in the order of a depth-first walk, heaviest child first: nodes[i + 1] is the first
// child of node i if it has one, nodes[i].next is its next sibling or what comes behind its parent.
// Who skips what lies below a collapsed node goes on at `next`.
struct tree_node {
    uint64_t id;        // of the path of functions from the root: follows the node through moments
    uint32_t next;      // index behind all descendants
    uint32_t parent;    // index, UINT32_MAX of a root
    uint32_t depth;     // 0 of a root
    uint32_t repeat;    // direct recursion that was folded into this node: 1, or how deep it went
    uint32_t children;
    const struct function *function; // NULL: a thread or a group of them, see `label`
    const char *label;  // name of the thread with GROUP_NAME and GROUP_TID, else NULL. Raw
    pid_t tid;          // with GROUP_TID
    bool inlined;       // every time it was seen here
    const char *file;   // of its hottest line here, "": not known
    uint32_t line;
    struct cost self, total; // in the window. Inverted: total is what reaches its root this way,
                             // self what begins here (the root of the stack)
};

struct tree {
    struct tree_node *nodes; // owned
    size_t count;
    struct cost all;
    enum rows_measure measure; // of what was asked for
    size_t folded; // nodes left out because they are below 1/10000 of all (inverted trees only)
};

enum rc rows_tree(const struct moment *moment, const struct rows_query *query, struct tree *tree,
                  struct err *err) MUST_CHECK;
void tree_fini(struct tree *tree);

// Returns the index of the node with that id, or UINT32_MAX.
uint32_t tree_find(const struct tree *tree, uint64_t id);

// --- Flame ---

#define FLAME_PARTS 10000 // cells below one part in so many are left out, and what lies below them

struct flame_cell { // sorted by depth, then start
    uint32_t depth;
    double start, width; // parts of the whole, 0..1
    uint32_t node;       // index in the tree it was made of
};

struct flame {
    struct flame_cell *cells; // owned
    size_t count;
    uint32_t depths;          // deepest + 1
};

// Makes cells of the tree, or of what lies below node `zoom` (UINT32_MAX: all): that node and its
// ancestors are then as wide as the whole. Siblings are sorted by name, so that they stay in place.
void rows_flame(const struct tree *tree, uint32_t zoom, struct flame *flame);
void flame_fini(struct flame *flame);
