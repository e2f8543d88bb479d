// SPDX-License-Identifier: MIT
#include "tui/theme.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { OWN = -1, BLACK, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, WHITE };

#define PLAIN(color) {color, OWN, color, OWN, 0}
#define WITH(color, attributes) {color, OWN, color, OWN, attributes}
#define ON(fg, bg, attributes) {fg, bg, fg, bg, attributes}
#define MONO(attributes) {OWN, OWN, OWN, OWN, attributes}

static const struct style styles[SCHEME_COUNT][ROLE_COUNT] = {
    [SCHEME_DEFAULT] = {
        [ROLE_DEFAULT] = PLAIN(OWN),
        [ROLE_DIM] = {245, OWN, OWN, OWN, 0},
        [ROLE_STRONG] = WITH(OWN, STYLE_BOLD),
        [ROLE_TITLE] = WITH(CYAN, STYLE_BOLD),
        [ROLE_TAB] = {245, OWN, OWN, OWN, 0},
        [ROLE_TAB_ACTIVE] = {231, 24, WHITE, BLUE, STYLE_BOLD},
        [ROLE_CHART] = PLAIN(CYAN),
        [ROLE_GOOD] = PLAIN(GREEN),
        [ROLE_WARN] = PLAIN(YELLOW),
        [ROLE_BAD] = WITH(RED, STYLE_BOLD),
        [ROLE_CRUMB] = WITH(YELLOW, STYLE_BOLD),
        [ROLE_HEADER] = {252, 237, BLACK, WHITE, 0},
        [ROLE_HEADER_SORTED] = {16, 73, BLACK, CYAN, STYLE_BOLD},
        [ROLE_SELECTED] = {231, 24, BLACK, CYAN, 0},
        [ROLE_HOT] = WITH(RED, STYLE_BOLD),
        [ROLE_WARM] = PLAIN(GREEN),
        [ROLE_COLD] = {244, OWN, OWN, OWN, 0},
        [ROLE_MODULE] = {109, OWN, CYAN, OWN, 0},
        [ROLE_MATCH] = {16, 176, BLACK, MAGENTA, 0},
        [ROLE_MESSAGE] = PLAIN(OWN),
        [ROLE_FROZEN] = WITH(YELLOW, STYLE_BOLD),
        [ROLE_BANNER] = ON(BLACK, YELLOW, 0),
        [ROLE_PROMPT] = WITH(OWN, STYLE_BOLD),
        [ROLE_BAR_KEY] = {250, OWN, OWN, OWN, 0},
        [ROLE_BAR_LABEL] = {16, 73, BLACK, CYAN, 0},
        [ROLE_BORDER] = PLAIN(CYAN),
        [ROLE_FLAME_1] = {231, 60, WHITE, BLUE, 0},
        [ROLE_FLAME_2] = {231, 65, BLACK, GREEN, 0},
        [ROLE_FLAME_3] = {231, 95, BLACK, YELLOW, 0},
        [ROLE_FLAME_4] = {231, 66, BLACK, CYAN, 0},
        [ROLE_FLAME_5] = {231, 96, WHITE, RED, 0},
        [ROLE_FLAME_6] = {231, 239, BLACK, WHITE, 0},
        [ROLE_FLAME_SELECTED] = {16, 231, BLACK, WHITE, STYLE_BOLD | STYLE_UNDERLINE},
        [ROLE_FLAME_MATCH] = {16, 176, BLACK, MAGENTA, STYLE_BOLD},
        [ROLE_GREW] = {203, OWN, RED, OWN, 0},
        [ROLE_SHRANK] = {77, OWN, GREEN, OWN, 0},
        [ROLE_FLAME_GREW] = {231, 124, WHITE, RED, STYLE_BOLD},
        [ROLE_FLAME_GREW_LESS] = {231, 95, WHITE, RED, 0},
        [ROLE_FLAME_SAME] = {231, 239, BLACK, WHITE, 0},
        [ROLE_FLAME_SHRANK_LESS] = {231, 65, BLACK, GREEN, 0},
        [ROLE_FLAME_SHRANK] = {231, 28, BLACK, GREEN, STYLE_BOLD},
    },
    [SCHEME_LIGHT] = {
        [ROLE_DEFAULT] = PLAIN(OWN),
        [ROLE_DIM] = {242, OWN, OWN, OWN, 0},
        [ROLE_STRONG] = WITH(OWN, STYLE_BOLD),
        [ROLE_TITLE] = WITH(BLUE, STYLE_BOLD),
        [ROLE_TAB] = {242, OWN, OWN, OWN, 0},
        [ROLE_TAB_ACTIVE] = {231, 25, WHITE, BLUE, STYLE_BOLD},
        [ROLE_CHART] = PLAIN(BLUE),
        [ROLE_GOOD] = {28, OWN, GREEN, OWN, 0},
        [ROLE_WARN] = {130, OWN, RED, OWN, 0},
        [ROLE_BAD] = {160, OWN, RED, OWN, STYLE_BOLD},
        [ROLE_CRUMB] = {130, OWN, BLUE, OWN, STYLE_BOLD},
        [ROLE_HEADER] = {16, 252, WHITE, BLACK, 0},
        [ROLE_HEADER_SORTED] = {231, 31, WHITE, BLUE, STYLE_BOLD},
        [ROLE_SELECTED] = {16, 153, WHITE, BLUE, 0},
        [ROLE_HOT] = {160, OWN, RED, OWN, STYLE_BOLD},
        [ROLE_WARM] = {28, OWN, GREEN, OWN, 0},
        [ROLE_COLD] = {245, OWN, OWN, OWN, 0},
        [ROLE_MODULE] = {24, OWN, BLUE, OWN, 0},
        [ROLE_MATCH] = {16, 218, BLACK, MAGENTA, 0},
        [ROLE_MESSAGE] = PLAIN(OWN),
        [ROLE_FROZEN] = {130, OWN, RED, OWN, STYLE_BOLD},
        [ROLE_BANNER] = {16, 221, BLACK, YELLOW, 0},
        [ROLE_PROMPT] = WITH(OWN, STYLE_BOLD),
        [ROLE_BAR_KEY] = {238, OWN, OWN, OWN, 0},
        [ROLE_BAR_LABEL] = {231, 31, WHITE, BLUE, 0},
        [ROLE_BORDER] = PLAIN(BLUE),
        [ROLE_FLAME_1] = {16, 189, WHITE, BLUE, 0},
        [ROLE_FLAME_2] = {16, 151, BLACK, GREEN, 0},
        [ROLE_FLAME_3] = {16, 224, BLACK, YELLOW, 0},
        [ROLE_FLAME_4] = {16, 152, BLACK, CYAN, 0},
        [ROLE_FLAME_5] = {16, 223, WHITE, RED, 0},
        [ROLE_FLAME_6] = {16, 251, WHITE, BLACK, 0},
        [ROLE_FLAME_SELECTED] = {231, 16, WHITE, BLACK, STYLE_BOLD | STYLE_UNDERLINE},
        [ROLE_FLAME_MATCH] = {16, 212, BLACK, MAGENTA, STYLE_BOLD},
        [ROLE_GREW] = {160, OWN, RED, OWN, 0},
        [ROLE_SHRANK] = {28, OWN, GREEN, OWN, 0},
        [ROLE_FLAME_GREW] = {16, 203, WHITE, RED, STYLE_BOLD},
        [ROLE_FLAME_GREW_LESS] = {16, 217, WHITE, RED, 0},
        [ROLE_FLAME_SAME] = {16, 252, WHITE, BLACK, 0},
        [ROLE_FLAME_SHRANK_LESS] = {16, 151, BLACK, GREEN, 0},
        [ROLE_FLAME_SHRANK] = {16, 77, BLACK, GREEN, STYLE_BOLD},
    },
    // No meaning depends on colour alone: each role differs from its neighbours by an attribute.
    [SCHEME_MONO] = {
        [ROLE_DEFAULT] = MONO(0),
        [ROLE_DIM] = MONO(STYLE_DIM),
        [ROLE_STRONG] = MONO(STYLE_BOLD),
        [ROLE_TITLE] = MONO(STYLE_BOLD),
        [ROLE_TAB] = MONO(0),
        [ROLE_TAB_ACTIVE] = MONO(STYLE_REVERSE | STYLE_BOLD),
        [ROLE_CHART] = MONO(0),
        [ROLE_GOOD] = MONO(0),
        [ROLE_WARN] = MONO(STYLE_BOLD),
        [ROLE_BAD] = MONO(STYLE_BOLD | STYLE_REVERSE),
        [ROLE_CRUMB] = MONO(STYLE_BOLD),
        [ROLE_HEADER] = MONO(STYLE_REVERSE),
        [ROLE_HEADER_SORTED] = MONO(STYLE_REVERSE | STYLE_BOLD | STYLE_UNDERLINE),
        [ROLE_SELECTED] = MONO(STYLE_REVERSE),
        [ROLE_HOT] = MONO(STYLE_BOLD),
        [ROLE_WARM] = MONO(0),
        [ROLE_COLD] = MONO(STYLE_DIM),
        [ROLE_MODULE] = MONO(0),
        [ROLE_MATCH] = MONO(STYLE_BOLD | STYLE_UNDERLINE),
        [ROLE_MESSAGE] = MONO(0),
        [ROLE_FROZEN] = MONO(STYLE_BOLD | STYLE_REVERSE),
        [ROLE_BANNER] = MONO(STYLE_BOLD | STYLE_REVERSE),
        [ROLE_PROMPT] = MONO(STYLE_BOLD),
        [ROLE_BAR_KEY] = MONO(0),
        [ROLE_BAR_LABEL] = MONO(STYLE_REVERSE),
        [ROLE_BORDER] = MONO(0),
        // Cells of a flame graph have brackets that tell them apart without colours.
        [ROLE_FLAME_1] = MONO(0),
        [ROLE_FLAME_2] = MONO(0),
        [ROLE_FLAME_3] = MONO(0),
        [ROLE_FLAME_4] = MONO(0),
        [ROLE_FLAME_5] = MONO(0),
        [ROLE_FLAME_6] = MONO(0),
        [ROLE_FLAME_SELECTED] = MONO(STYLE_REVERSE | STYLE_BOLD),
        [ROLE_FLAME_MATCH] = MONO(STYLE_BOLD | STYLE_UNDERLINE),
        // Changes have a sign.
        [ROLE_GREW] = MONO(STYLE_BOLD),
        [ROLE_SHRANK] = MONO(0),
        [ROLE_FLAME_GREW] = MONO(STYLE_BOLD),
        [ROLE_FLAME_GREW_LESS] = MONO(0),
        [ROLE_FLAME_SAME] = MONO(STYLE_DIM),
        [ROLE_FLAME_SHRANK_LESS] = MONO(0),
        [ROLE_FLAME_SHRANK] = MONO(STYLE_BOLD),
    },
};

struct style theme_style(enum scheme scheme, enum role role)
{
    return styles[scheme][role];
}

const char *const theme_choices[] = {
    "auto",
    [SCHEME_DEFAULT + 1] = "default",
    [SCHEME_LIGHT + 1] = "light",
    [SCHEME_MONO + 1] = "mono",
    [SCHEME_COUNT + 1] = NULL,
};

static enum scheme guess(bool color, const char *colorfgbg)
{
    const char *last = colorfgbg ? strrchr(colorfgbg, ';') : NULL;
    if (!color)
        return SCHEME_MONO;
    if (!last || !last[1])
        return SCHEME_DEFAULT;
    long background = strtol(last + 1, NULL, 10);
    return background == 7 || background == 15 ? SCHEME_LIGHT : SCHEME_DEFAULT;
}

enum scheme theme_choose(int choice, bool color, const char *colorfgbg)
{
    return color && choice ? (enum scheme)(choice - 1) : guess(color, colorfgbg);
}

enum role theme_heat(double percent)
{
    return percent >= 5 ? ROLE_HOT : percent >= 0.5 ? ROLE_WARM : ROLE_COLD;
}

#define CHANGE_SEEN 0.05 // percent: what rounds to 0.0 has hardly changed

enum role theme_change(double change)
{
    return change >= CHANGE_SEEN ? ROLE_GREW : change <= -CHANGE_SEEN ? ROLE_SHRANK : ROLE_COLD;
}

enum role theme_flame_change(double part)
{
    static const struct {
        double least;
        enum role role;
    } steps[] = {{1.0 / 3, ROLE_FLAME_GREW}, // half as much again and more, as it is of both
                 {0.01, ROLE_FLAME_GREW_LESS},
                 {-0.01, ROLE_FLAME_SAME},
                 {-1.0 / 3, ROLE_FLAME_SHRANK_LESS}};
    for (size_t i = 0; i < ARRAY_LENGTH(steps); i++)
        if (part >= steps[i].least)
            return steps[i].role;
    return ROLE_FLAME_SHRANK;
}

char theme_role_letter(enum role role)
{
    static const char letters[] = " ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    return letters[role];
}

static const char *const glyphs[GLYPH_COUNT][2] = {
    // ASCII, UTF-8
    [GLYPH_ELLIPSIS] = {"~", "…"},
    [GLYPH_HORIZONTAL] = {"-", "─"},
    [GLYPH_VERTICAL] = {"|", "│"},
    [GLYPH_TOP_LEFT] = {"+", "┌"},
    [GLYPH_TOP_RIGHT] = {"+", "┐"},
    [GLYPH_BOTTOM_LEFT] = {"+", "└"},
    [GLYPH_BOTTOM_RIGHT] = {"+", "┘"},
    [GLYPH_BRANCH] = {"|- ", "├─ "},
    [GLYPH_LAST] = {"`- ", "└─ "},
    [GLYPH_FIRST] = {",- ", "┌─ "},
    [GLYPH_PASS] = {"|  ", "│  "},
    [GLYPH_BLANK] = {"   ", "   "},
    [GLYPH_OPEN] = {"[-]", "▾"},
    [GLYPH_FOLDED] = {"[+]", "▸"},
    [GLYPH_DESCENDING] = {"v", "▼"},
    [GLYPH_ASCENDING] = {"^", "▲"},
    [GLYPH_MERGED] = {".", "·"},
};

const char *theme_glyph(bool utf8, enum glyph glyph)
{
    return glyphs[glyph][utf8];
}

const char *theme_block(bool utf8, double value)
{
    static const char *const ascii[] = {" ", ".", ":", "-", "=", "+", "*", "#", "%"};
    static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    size_t most = ARRAY_LENGTH(blocks) - 1;
    size_t level = value <= 0 ? 0 : value >= 1 ? most : 1 + (size_t)(value * (double)most);
    if (level > most)
        level = most;
    return utf8 ? blocks[level] : ascii[level];
}
