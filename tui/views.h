// SPDX-License-Identifier: MIT
// This is the list of views.
#pragma once

// X(ID, name): view_name is defined in view_name.c. Views that have tabs come first, in the order
// of the tabs.
#define VIEW_LIST(X)                                                                               \
    X(TOP, top)                                                                                    \
    X(TREE, tree)                                                                                  \
    X(FLAME, flame)                                                                                \
    X(THREADS, threads)                                                                            \
    X(CALLS, calls)                                                                                \
    X(STACK, stack)

enum view_id {
#define VIEW_ID(id, name) VIEW_##id,
    VIEW_LIST(VIEW_ID)
#undef VIEW_ID
    VIEW_COUNT,
};

struct view; // tui/view.h
extern const struct view *const views[VIEW_COUNT];
