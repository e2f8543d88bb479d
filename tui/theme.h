// SPDX-License-Identifier: MIT
// What things on the screen mean (roles), how each scheme shows that, and the characters of which
// lines and charts are made. Pure tables.
#pragma once

#include <stdbool.h>

enum role {
    ROLE_DEFAULT,
    ROLE_DIM,
    ROLE_STRONG,
    ROLE_TITLE, // of the process
    ROLE_TAB,
    ROLE_TAB_ACTIVE,
    ROLE_CHART,
    ROLE_GOOD, // within its bounds
    ROLE_WARN,
    ROLE_BAD,
    ROLE_CRUMB,  // a filter in force
    ROLE_HEADER, // of a table
    ROLE_HEADER_SORTED,
    ROLE_SELECTED,
    ROLE_HOT, // shares: 5 % and more, half a percent and more, less
    ROLE_WARM,
    ROLE_COLD,
    ROLE_MODULE,
    ROLE_MATCH, // of the search
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
    ROLE_COUNT,
};

#define FLAME_COLORS (ROLE_FLAME_6 - ROLE_FLAME_1 + 1)

enum { STYLE_BOLD = 1, STYLE_DIM = 2, STYLE_REVERSE = 4, STYLE_UNDERLINE = 8 };

struct style {
    short fg, bg;   // of 256 colours; -1: the terminal's own
    short fg8, bg8; // where there are only 8
    unsigned attributes;
};

enum scheme { SCHEME_DEFAULT, SCHEME_LIGHT, SCHEME_MONO, SCHEME_COUNT };

// What a user may ask for: "auto", which leaves it to theme_guess, and the schemes; ends in NULL.
extern const char *const theme_choices[];

struct style theme_style(enum scheme scheme, enum role role);

// The scheme for a terminal: SCHEME_MONO without colour; light or default by COLORFGBG, with which
// some terminals tell their background ("15;0": white on black).
enum scheme theme_guess(bool color, const char *colorfgbg);

// By a choice of theme_choices; without colour it is SCHEME_MONO whatever was asked for.
enum scheme theme_choose(int choice, bool color, const char *colorfgbg);

// The role of a share in percent.
enum role theme_heat(double percent);

// For tests: 'A' for ROLE_DIM and so on; ' ' for ROLE_DEFAULT.
char theme_role_letter(enum role role);

enum glyph {
    GLYPH_ELLIPSIS,
    GLYPH_HORIZONTAL,
    GLYPH_VERTICAL,
    GLYPH_TOP_LEFT,
    GLYPH_TOP_RIGHT,
    GLYPH_BOTTOM_LEFT,
    GLYPH_BOTTOM_RIGHT,
    GLYPH_BRANCH, // a child that is followed by others; three columns, like the next four
    GLYPH_LAST,   // the last child
    GLYPH_FIRST,  // the first of those above
    GLYPH_PASS,   // beside the children of one that is followed by others
    GLYPH_BLANK,
    GLYPH_OPEN, // marks of a node that can be folded: shown, hidden
    GLYPH_FOLDED,
    GLYPH_DESCENDING,
    GLYPH_ASCENDING,
    GLYPH_MERGED, // cells of a flame graph that are too narrow
    GLYPH_COUNT,
};

const char *theme_glyph(bool utf8, enum glyph glyph);

// A bar of a chart for 0..1, one column wide. Only 0 is blank.
const char *theme_block(bool utf8, double value);
