// SPDX-License-Identifier: MIT
#include <check.h>
#include <locale.h>
#include <string.h>

#include "tui/canvas.h"
#include "tui/keymap.h"
#include "tui/picture.h"

static struct canvas canvas;

static void setup(void)
{
    ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
    canvas_init(&canvas, 3, 10, true);
}

static void teardown(void)
{
    canvas_fini(&canvas);
    setlocale(LC_CTYPE, "C");
}

static void check_screen(const char *expected)
{
    AUTO_BUF struct buf text = {0};
    canvas_save(&canvas, &text);
    buf_append(&text, "", 0);
    ck_assert_str_eq(text.data, expected);
}

START_TEST(text_is_clipped_on_all_sides)
{
    ck_assert_int_eq(canvas_text(&canvas, 0, 8, 10, ROLE_DEFAULT, "abcdef"), 6);
    canvas_text(&canvas, 1, -2, 10, ROLE_DEFAULT, "abcdef");
    canvas_text(&canvas, 7, 0, 10, ROLE_DEFAULT, "abcdef");
    canvas_text(&canvas, -1, 0, 10, ROLE_DEFAULT, "abcdef");
    ck_assert_int_eq(canvas_text(&canvas, 2, 0, 3, ROLE_DEFAULT, "abcdef"), 3);
    ck_assert_int_eq(canvas_text(&canvas, 2, 5, 0, ROLE_DEFAULT, "abcdef"), 0);
    ck_assert_int_eq(canvas_text(&canvas, 2, 5, -4, ROLE_DEFAULT, "abcdef"), 0);
    check_screen("        ab\ncdef\nabc\n");
}
END_TEST

START_TEST(cut_text_has_an_ellipsis)
{
    canvas_clipped(&canvas, 0, 0, 5, ROLE_DEFAULT, "abcdef");
    canvas_squeezed(&canvas, 1, 0, 5, ROLE_DEFAULT, "abcdefgh");
    canvas_right(&canvas, 2, 2, 6, ROLE_DEFAULT, "abcdef");
    check_screen("abcd…\nab…gh\n  cdef\n");
}
END_TEST

START_TEST(wide_characters_are_whole_or_not_there)
{
    canvas_text(&canvas, 0, 0, 5, ROLE_DEFAULT, "日本語"); // three of two columns each
    canvas_text(&canvas, 1, 9, 5, ROLE_DEFAULT, "日");     // half of it beyond the edge
    canvas_scrolled(&canvas, 2, 0, 5, 1, ROLE_DEFAULT, "日本語");
    check_screen("日本\n\n 本語\n");
    canvas_text(&canvas, 0, 1, 1, ROLE_DEFAULT, "x"); // over the second half of one
    canvas_text(&canvas, 2, 1, 1, ROLE_DEFAULT, "y"); // over the first half
    check_screen(" x本\n\n y 語\n");
}
END_TEST

START_TEST(combining_characters_sit_on_their_base)
{
    ck_assert_int_eq(canvas_text(&canvas, 0, 0, 5, ROLE_DEFAULT, "e\u0301x"), 2);
    ck_assert_int_eq(canvas_text(&canvas, 1, 0, 5, ROLE_DEFAULT, "\u0301x"), 2); // on a blank
    ck_assert_int_eq(canvas_text(&canvas, 2, 0, 5, ROLE_DEFAULT, "e\u0301\u0302\u0303\u0304x"), 2);
    check_screen("e\u0301x\n \u0301x\ne\u0301\u0302x\n");
}
END_TEST

START_TEST(hostile_text_is_shown_escaped)
{
    canvas_text(&canvas, 0, 0, 10, ROLE_DEFAULT, "\x1b[2J\n");
    canvas_text(&canvas, 1, 0, 10, ROLE_DEFAULT, "\u202ea");
    canvas_text(&canvas, 2, 0, 10, ROLE_DEFAULT, "\xff\xc0z");
    check_screen("\\x1b[2J\\x0\n\\u{202e}a\n\\xff\\xc0z\n");
}
END_TEST

START_TEST(only_ascii_where_that_is_asked_for)
{
    canvas_init(&canvas, 3, 10, false);
    canvas_text(&canvas, 0, 0, 10, ROLE_DEFAULT, "日e\u0301é");
    canvas_clipped(&canvas, 1, 0, 3, ROLE_DEFAULT, "abcdef");
    canvas_box(&canvas, 2, 0, 3, 4, NULL);
    check_screen("?e??\nab~\n+--+\n");
}
END_TEST

START_TEST(every_key_has_a_name_that_finds_it)
{
    for (int action = 0; action < ACTION_COUNT; action++) {
        const struct action_row *row = keymap_row((enum action)action);
        ck_assert_ptr_nonnull(row->help);
        ck_assert_int_ne(row->keys[0], INPUT_NONE);
        for (size_t i = 0; i < KEYS_MOST && row->keys[i]; i++) {
            AUTO_BUF struct buf name = {0};
            keymap_key_name(row->keys[i], &name);
            ck_assert_int_eq(keymap_key(name.data), row->keys[i]);
            ck_assert_int_eq(keymap_action(row->keys[i]), action);
        }
    }
    ck_assert_int_eq(keymap_action(INPUT_NONE), ACTION_NONE);
    ck_assert_int_eq(keymap_action('x'), ACTION_NONE);
    ck_assert_int_eq(keymap_key("F13"), INPUT_NONE);
}
END_TEST

// Every row of the screen belongs to one part, whatever the size.
START_TEST(layout_has_room_for_its_parts)
{
    for (int rows = 1; rows <= 100; rows++)
        for (int bar = 0; bar < 2; bar++) {
            struct layout layout = picture_layout(rows, 100, bar);
            if (layout.too_small)
                continue;
            ck_assert_int_ge(layout.body.rows, 3);
            ck_assert_int_eq(layout.body.row + layout.body.rows, layout.message);
            ck_assert_int_eq(layout.message + 1 + (layout.bar >= 0), rows);
        }
    ck_assert(picture_layout(5, 100, true).too_small);
    ck_assert(picture_layout(24, 39, true).too_small);
    ck_assert(!picture_layout(6, 40, true).too_small);
}
END_TEST

// Schemes without colour tell states apart by attributes.
START_TEST(monochrome_tells_states_apart)
{
    static const enum role pairs[][2] = {
        {ROLE_GOOD, ROLE_WARN},          {ROLE_WARN, ROLE_BAD},
        {ROLE_TAB, ROLE_TAB_ACTIVE},     {ROLE_HEADER, ROLE_HEADER_SORTED},
        {ROLE_DEFAULT, ROLE_SELECTED},   {ROLE_DEFAULT, ROLE_MATCH},
        {ROLE_HOT, ROLE_WARM},           {ROLE_WARM, ROLE_COLD},
        {ROLE_FLAME_1, ROLE_FLAME_MATCH}, {ROLE_FLAME_1, ROLE_FLAME_SELECTED},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        ck_assert_uint_ne(theme_style(SCHEME_MONO, pairs[i][0]).attributes,
                          theme_style(SCHEME_MONO, pairs[i][1]).attributes);
    ck_assert_int_eq(theme_choose(0, false, "0;15"), SCHEME_MONO);
    ck_assert_int_eq(theme_choose(0, true, "0;15"), SCHEME_LIGHT);
    ck_assert_int_eq(theme_choose(0, true, "15;0"), SCHEME_DEFAULT);
    ck_assert_int_eq(theme_choose(0, true, NULL), SCHEME_DEFAULT);
    ck_assert_int_eq(theme_choose(0, true, "0;15"), SCHEME_LIGHT);
    ck_assert_int_eq(theme_choose(SCHEME_LIGHT + 1, true, NULL), SCHEME_LIGHT);
    ck_assert_int_eq(theme_choose(SCHEME_DEFAULT + 1, true, "0;15"), SCHEME_DEFAULT);
    ck_assert_int_eq(theme_choose(SCHEME_LIGHT + 1, false, NULL), SCHEME_MONO);
}
END_TEST

Suite *suite_canvas(void);
Suite *suite_canvas(void)
{
    Suite *suite = suite_create("canvas");
    TCase *tests = tcase_create("canvas");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, text_is_clipped_on_all_sides);
    tcase_add_test(tests, cut_text_has_an_ellipsis);
    tcase_add_test(tests, wide_characters_are_whole_or_not_there);
    tcase_add_test(tests, combining_characters_sit_on_their_base);
    tcase_add_test(tests, hostile_text_is_shown_escaped);
    tcase_add_test(tests, only_ascii_where_that_is_asked_for);
    tcase_add_test(tests, every_key_has_a_name_that_finds_it);
    tcase_add_test(tests, layout_has_room_for_its_parts);
    tcase_add_test(tests, monochrome_tells_states_apart);
    suite_add_tcase(suite, tests);
    return suite;
}
