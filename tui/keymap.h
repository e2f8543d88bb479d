// SPDX-License-Identifier: MIT
// One table lists all actions. The keys, the help, the function bar and a section of the man page
// are made from it.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

// A key is a code point or one of these. INPUT_CTRL('C') is 3, as terminals send it.
enum {
    INPUT_NONE = 0,
    INPUT_TAB = 9,
    INPUT_ENTER = 13,
    INPUT_ESCAPE = 27,
    INPUT_SPACE = 32,
    INPUT_UP = 0x110000,
    INPUT_DOWN,
    INPUT_LEFT,
    INPUT_RIGHT,
    INPUT_PAGE_UP,
    INPUT_PAGE_DOWN,
    INPUT_HOME,
    INPUT_END,
    INPUT_BACKSPACE,
    INPUT_DELETE,
    INPUT_BACK_TAB,
    INPUT_MOUSE, // struct input says where and what
    INPUT_F0,    // F1 to F12 follow
    INPUT_LAST = INPUT_F0 + 12,
};
#define INPUT_F(n) (INPUT_F0 + (n))
#define INPUT_CTRL(letter) ((letter) & 31)

enum mouse { MOUSE_CLICK, MOUSE_DOUBLE, MOUSE_WHEEL_UP, MOUSE_WHEEL_DOWN };

struct input {
    int key; // INPUT_NONE: nothing came
    enum mouse mouse;
    int row, col; // where the mouse was
};

#define KEYS_MOST 4

// X(action, group, label on the function bar or NULL, what it does, keys...)
#define KEYMAP_ACTIONS(X)                                                                          \
    X(HELP, GENERAL, "Help", "show the keys; any key goes back", '?', 'h', INPUT_F(1))             \
    X(QUIT, GENERAL, "Quit", "quit, with a summary", 'q', INPUT_F(10), INPUT_CTRL('C'))            \
    X(FREEZE, GENERAL, "Freeze", "freeze the display, not sampling", 'p', 'Z', INPUT_F(7))         \
    X(PAUSE, GENERAL, NULL, "stop sampling; again: go on", 'P')                                    \
    X(RESET, GENERAL, NULL, "set all counters to zero", 'r')                                       \
    X(WINDOW, GENERAL, NULL, "window: 1 s, 5 s, 30 s, all", 'w')                                   \
    X(DELAY, GENERAL, NULL, "time between refreshes", 'D')                                         \
    X(SAVE, GENERAL, "Save", "save what is shown as a profile", 's', INPUT_F(9))                   \
    X(SAVE_SCREEN, GENERAL, NULL, "save the screen as text", 'S')                                  \
    X(REDRAW, GENERAL, NULL, "draw the screen anew", INPUT_CTRL('L'))                              \
    X(SUSPEND, GENERAL, NULL, "suspend ptprof and its sampling", INPUT_CTRL('Z'))                  \
    X(VIEW_TOP, VIEWS, NULL, "functions, hottest first", '1')                                      \
    X(VIEW_TREE, VIEWS, "Tree", "call tree", '2', INPUT_F(5))                                      \
    X(VIEW_FLAME, VIEWS, NULL, "flame graph, root at the top", '3')                                \
    X(VIEW_THREADS, VIEWS, NULL, "threads and what they wait for", '4')                            \
    X(VIEW_NEXT, VIEWS, "View", "next view", INPUT_TAB, INPUT_F(2))                                \
    X(VIEW_PREVIOUS, VIEWS, NULL, "previous view", INPUT_BACK_TAB)                                 \
    X(CALLERS, VIEWS, NULL, "callers and callees of the row", 'c')                                 \
    X(STACKS, VIEWS, NULL, "stacks of the row's thread", 'b')                                      \
    X(UP, MOVING, NULL, "up; flame graph: to the caller", INPUT_UP, 'k')                           \
    X(DOWN, MOVING, NULL, "down; flame graph: to a callee", INPUT_DOWN, 'j')                       \
    X(LEFT, MOVING, NULL, "scroll; flame graph: sibling", INPUT_LEFT)                              \
    X(RIGHT, MOVING, NULL, "scroll; flame graph: sibling", INPUT_RIGHT)                            \
    X(PAGE_UP, MOVING, NULL, "a page up", INPUT_PAGE_UP)                                           \
    X(PAGE_DOWN, MOVING, NULL, "a page down", INPUT_PAGE_DOWN)                                     \
    X(HOME, MOVING, NULL, "first row, and stay there", INPUT_HOME, 'g')                            \
    X(END, MOVING, NULL, "last row", INPUT_END, 'G')                                               \
    X(ENTER, MOVING, NULL, "callers; fold; zoom; only thread", INPUT_ENTER)                        \
    X(BACK, MOVING, NULL, "one step out: pane, zoom, filter", INPUT_ESCAPE, INPUT_BACKSPACE)       \
    X(MOUSE, MOVING, NULL, "click, wheel; twice is Enter", INPUT_MOUSE)                       \
    X(SEARCH, FINDING, "Search", "search; all rows stay", '/', INPUT_F(3))                         \
    X(SEARCH_NEXT, FINDING, NULL, "next match", 'n')                                               \
    X(SEARCH_PREVIOUS, FINDING, NULL, "previous match", 'N')                                       \
    X(FILTER, FINDING, "Filter", "only stacks with a,b !c /regex/", '\\', INPUT_F(4))              \
    X(MODULE, FINDING, NULL, "the row's module; again: all", 'd')                             \
    X(THREADS, FINDING, "Thread", "choose a thread", INPUT_F(8))                                   \
    X(THREAD_PREVIOUS, FINDING, NULL, "previous thread", '[')                                      \
    X(THREAD_NEXT, FINDING, NULL, "next thread", ']')                                              \
    X(MEASURE, FINDING, NULL, "what counts: CPU, wall, block..", 'a')                              \
    X(MEASURE_BACK, FINDING, NULL, "the one before", 'A')                                          \
    X(LABEL, FINDING, NULL, "file: list by another label", 'L')                                    \
    X(IDLE_WAITS, FINDING, NULL, "block: keep waits for work", 'W')                                \
    X(MERGE, FINDING, NULL, "threads: merged, by name, each", 'm')                                 \
    X(SORT_SELF, SORTING, NULL, "by SELF%", 'o')                                                   \
    X(SORT_TOTAL, SORTING, NULL, "by TOTAL%", 't')                                                 \
    X(SORT_SELF_TIME, SORTING, NULL, "by SELF, time or value", 'O')                                \
    X(SORT_TOTAL_TIME, SORTING, NULL, "by TOTAL, time or value", 'T')                              \
    X(SORT_SAMPLES, SORTING, NULL, "by samples", '#')                                              \
    X(SORT_PREVIOUS, SORTING, NULL, "by the column to the left", '<')                              \
    X(SORT_NEXT, SORTING, NULL, "by the column to the right", '>')                                 \
    X(SORT_MENU, SORTING, "Sort", "choose the column", INPUT_F(6))                                 \
    X(REVERSE, SORTING, NULL, "reverse the order", 'I')                                            \
    X(INVERT, DISPLAY, NULL, "invert tree and flame graph", 'i')                                   \
    X(EQUAL, DISPLAY, NULL, "OLD NEW: as of equal totals", 'e')                                    \
    X(EXPAND, DISPLAY, NULL, "expand the node", '+')                                               \
    X(COLLAPSE, DISPLAY, NULL, "collapse the node", '-')                                           \
    X(TOGGLE, DISPLAY, NULL, "expand or collapse", INPUT_SPACE)                                    \
    X(EXPAND_ALL, DISPLAY, NULL, "expand all", 'E')                                                \
    X(COLLAPSE_ALL, DISPLAY, NULL, "collapse all", 'C')                                            \
    X(ZOOM_RESET, DISPLAY, NULL, "the whole flame graph", '0')                                     \
    X(LINES, DISPLAY, NULL, "files and lines", 'l')                                                \
    X(VERBOSE, DISPLAY, NULL, "whole names, paths and offsets", 'v')                               \
    X(MANGLED, DISPLAY, NULL, "names as the linker knows them", 'M')

enum action {
#define KEYMAP_ENUM(name, ...) ACTION_##name,
    KEYMAP_ACTIONS(KEYMAP_ENUM)
#undef KEYMAP_ENUM
    ACTION_COUNT,
    ACTION_NONE = ACTION_COUNT,
};

enum help_group {
    HELP_GENERAL,
    HELP_VIEWS,
    HELP_MOVING,
    HELP_FINDING,
    HELP_SORTING,
    HELP_DISPLAY,
    HELP_COUNT,
};

struct action_row {
    const char *name; // "sort-self"
    enum help_group group;
    const char *label; // on the function bar; NULL: it is not there
    const char *help;
    int keys[KEYS_MOST]; // the rest is INPUT_NONE
};

enum subject { SUBJECT_RUN, SUBJECT_FILE, SUBJECT_PAIR }; // a process, a file, two of them

// A word or abbreviation of the screen, explained in the help and the man page.
struct keymap_word {
    const char *word;
    const char *meaning;
    unsigned subjects; // set of 1 << enum subject: where it stands
};

const struct action_row *keymap_row(enum action action);
const char *keymap_group_title(enum help_group group);

// Returns why an action means nothing for what is shown; NULL: it means something.
const char *keymap_why_not(enum action action, enum subject subject);

// Returns the action of a key, or ACTION_NONE.
enum action keymap_action(int key);

// Appends the name of a key: "F10", "Ctrl-C", "Space", "q".
void keymap_key_name(int key, struct buf *out);

// Returns the key that has this name (scripts use names), or INPUT_NONE.
int keymap_key(const char *name);

// Appends the names of all keys of an action: "q F10 Ctrl-C".
void keymap_key_names(enum action action, struct buf *out);

const struct keymap_word *keymap_words(size_t *count);

// Appends the section of the man page that lists the keys and the words, as mdoc.
void keymap_manual(struct buf *out);
