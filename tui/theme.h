// SPDX-License-Identifier: MIT
// Roles are what things on the screen mean. Pure tables give the style of each role in each scheme,
// and the characters of which lines and charts are made.
#pragma once

#include <stdbool.h>

enum role {
    ROLE_DEFAULT,
    ROLE_DIM,
    ROLE_STRONG,
    ROLE_TITLE, // name of the process
    ROLE_TAB,
    ROLE_TAB_ACTIVE,
    ROLE_CHART,
    ROLE_GOOD, // a value within its bounds
    ROLE_WARN,
    ROLE_BAD,
    ROLE_CRUMB,  // a filter in force
    ROLE_HEADER, // titles of columns
    ROLE_HEADER_SORTED,
    ROLE_SELECTED,
    ROLE_HOT, // shares: 5 % and more, half a percent and more, less
    ROLE_WARM,
    ROLE_COLD,
    ROLE_MODULE,
    ROLE_MATCH, // match of the search
    ROLE_MESSAGE,
    ROLE_FROZEN,
    ROLE_BANNER,
    ROLE_PROMPT,
    ROLE_BAR_KEY,
    ROLE_BAR_LABEL,
    ROLE_BORDER,
    ROLE_FLAME_1,
    ROLE_FLAME_2,
    ROLE_FLAME_3,
    ROLE_FLAME_4,
    ROLE_FLAME_5,
    ROLE_FLAME_6,
    ROLE_FLAME_SELECTED,
    ROLE_FLAME_MATCH,
    ROLE_GREW, // of two profiles
    ROLE_SHRANK,
    ROLE_FLAME_GREW, // by half of it and more, by less, by hardly anything
    ROLE_FLAME_GREW_LESS,
    ROLE_FLAME_SAME,
    ROLE_FLAME_SHRANK_LESS,
    ROLE_FLAME_SHRANK,
    ROLE_COUNT,
};

#define FLAME_COLORS (ROLE_FLAME_6 - ROLE_FLAME_1 + 1)

enum { STYLE_BOLD = 1, STYLE_DIM = 2, STYLE_REVERSE = 4, STYLE_UNDERLINE = 8 };

struct style {
    short fg, bg;   // in 256 colours; -1: the terminal's default
    short fg8, bg8; // the same in 8 colours
    unsigned attributes;
};

enum scheme { SCHEME_DEFAULT, SCHEME_LIGHT, SCHEME_MONO, SCHEME_COUNT };

// Names that a user may give: "auto" and the schemes. It ends with NULL.
extern const char *const theme_choices[];

struct style theme_style(enum scheme scheme, enum role role);

// Returns the scheme for an index into theme_choices. "auto" is light or default by the variable
// COLORFGBG, in which some terminals give their colours ("15;0": white on black). A terminal
// without colours gets SCHEME_MONO.
enum scheme theme_choose(int choice, bool color, const char *colorfgbg);

// Returns the role of a share in percent.
enum role theme_heat(double percent);

// Returns the role of a change, and of a flame graph's cell of which this part has changed: -1..1.
enum role theme_change(double change);
enum role theme_flame_change(double part);

// For tests: returns ' ' for ROLE_DEFAULT, 'A' for ROLE_DIM and so on.
char theme_role_letter(enum role role);

enum glyph {
    GLYPH_ELLIPSIS,
    GLYPH_HORIZONTAL,
    GLYPH_VERTICAL,
    GLYPH_TOP_LEFT,
    GLYPH_TOP_RIGHT,
    GLYPH_BOTTOM_LEFT,
    GLYPH_BOTTOM_RIGHT,
    GLYPH_BRANCH, // a child that others follow; three columns wide, like the next four
    GLYPH_LAST,   // the last child
    GLYPH_FIRST,  // the first of several callers
    GLYPH_PASS,   // the line beside the children of such a child
    GLYPH_BLANK,
    GLYPH_OPEN, // marks of a node whose children are shown, hidden
    GLYPH_FOLDED,
    GLYPH_DESCENDING,
    GLYPH_ASCENDING,
    GLYPH_MERGED, // neighbouring cells of a flame graph that are too narrow
    GLYPH_COUNT,
};

const char *theme_glyph(bool utf8, enum glyph glyph);

// Returns a bar of a chart, one column wide, for a value in [0, 1]. Only 0 is blank.
const char *theme_block(bool utf8, double value);
