// SPDX-License-Identifier: MIT
#include "tui/keymap.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const struct action_row rows[ACTION_COUNT] = {
#define KEYMAP_ROW(name, group, label, help, ...)                                                  \
    [ACTION_##name] = {#name, HELP_##group, label, help, {__VA_ARGS__}},
    KEYMAP_ACTIONS(KEYMAP_ROW)
#undef KEYMAP_ROW
};

static const char *const group_titles[HELP_COUNT] = {
    [HELP_GENERAL] = "General", [HELP_VIEWS] = "Views",     [HELP_MOVING] = "Moving",
    [HELP_FINDING] = "Finding", [HELP_SORTING] = "Sorting", [HELP_DISPLAY] = "Display",
};

static const struct key_name {
    int key;
    const char *name;
} key_names[] = {
    {INPUT_TAB, "Tab"},           {INPUT_ENTER, "Enter"},
    {INPUT_ESCAPE, "Esc"},        {INPUT_SPACE, "Space"},
    {INPUT_UP, "Up"},             {INPUT_DOWN, "Down"},
    {INPUT_LEFT, "Left"},         {INPUT_RIGHT, "Right"},
    {INPUT_PAGE_UP, "PgUp"},      {INPUT_PAGE_DOWN, "PgDn"},
    {INPUT_HOME, "Home"},         {INPUT_END, "End"},
    {INPUT_BACKSPACE, "Backspace"}, {INPUT_DELETE, "Del"},
    {INPUT_BACK_TAB, "Shift-Tab"}, {INPUT_MOUSE, "mouse"},
};

#define RUN (1u << SUBJECT_RUN)
#define FILES (1u << SUBJECT_FILE | 1u << SUBJECT_PAIR)
#define PAIR (1u << SUBJECT_PAIR)
#define ALL (RUN | FILES)

static const struct keymap_word words[] = {
    {"99/99 Hz", "rate reached / asked for", RUN},
    {"samples smp", "how often a thread was seen", RUN},
    {"late l", "rounds that began late", RUN},
    {"failed fail f", "stops that told nothing", RUN},
    {"cut c", "stacks that miss their root", RUN},
    {"held p50 p99", "half, 99 % of stops are shorter", RUN},
    {"overhead over", "share of time a thread is held", RUN},
    {"OK, HIGH", "overhead below 1 %, below 5 %", RUN},
    {"R S D T Z", "runs sleeps disk stopped zombie", RUN},
    {"SELF% TOTAL%", "in it; in it and what it calls", ALL},
    {"SELF TOTAL", "the same, as time since reset", RUN},
    {"SELF, TOTAL", "the same as a value: time, bytes", FILES},
    {"RUN% QUEUE%", "of wall: on a CPU, wanting one", ALL},
    {"que blk", "waiting for a CPU; blocked", RUN},
    {"block", "what threads wait for, not work", RUN},
    {"mutex", "who waits for locks; who holds", RUN},
    {"DELAY WAITS", "of block, mutex: time, how often", RUN},
    {"TREND", "SELF% of the last 8 windows", RUN},
    {"COUNT", "samples, objects, waits of it", FILES},
    {"SAMPLES THR", "seen in it; in how many threads", RUN},
    {"HELD", "for how long we stopped it", RUN},
    {"+1.2 -3.4", "grew, shrank: % of all of OLD", PAIR},
    {"OLD NEW", "TOTAL in each of the two files", PAIR},
    {"cell's width", "what it has in OLD and in NEW", PAIR},
    {"dim row", "fewer than 5 samples: unsure", ALL},
    {"libm.so+0x1f0", "begins there, has no known name", ALL},
    {"sys_read", "in the kernel, for that call", ALL},
    {"(inlined)", "compiled into its caller", ALL},
    {"x3", "so many calls of itself", ALL},
};

static const struct {
    enum action action;
    unsigned subjects; // for which it is there
    const char *why_not; // otherwise
} limits[] = {
    {ACTION_FREEZE, RUN, "a file does not change: there is nothing to freeze"},
    {ACTION_PAUSE, RUN, "a file is not being sampled"},
    {ACTION_RESET, RUN, "what a file has counted cannot be counted anew"},
    {ACTION_WINDOW, RUN, "a file has no windows: all of it is shown"},
    {ACTION_DELAY, RUN, "a file does not change: nothing is refreshed"},
    {ACTION_STACKS, ALL & ~PAIR, "no thread is in both profiles"},
    {ACTION_LABEL, FILES, "a running process is listed by its threads"},
    {ACTION_EQUAL, PAIR, "only two profiles can be shown as of equal totals"},
};

const char *keymap_why_not(enum action action, enum subject subject)
{
    for (size_t i = 0; i < ARRAY_LENGTH(limits); i++)
        if (limits[i].action == action && !(limits[i].subjects >> subject & 1))
            return limits[i].why_not;
    return NULL;
}

const struct action_row *keymap_row(enum action action)
{
    return &rows[action];
}

const struct keymap_word *keymap_words(size_t *count)
{
    *count = ARRAY_LENGTH(words);
    return words;
}

const char *keymap_group_title(enum help_group group)
{
    return group_titles[group];
}

enum action keymap_action(int key)
{
    if (key == INPUT_NONE)
        return ACTION_NONE;
    for (int action = 0; action < ACTION_COUNT; action++)
        for (size_t i = 0; i < KEYS_MOST; i++)
            if (rows[action].keys[i] == key)
                return (enum action)action;
    return ACTION_NONE;
}

void keymap_key_name(int key, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LENGTH(key_names); i++)
        if (key_names[i].key == key) {
            buf_puts(out, key_names[i].name);
            return;
        }
    if (key > INPUT_F0 && key <= INPUT_LAST)
        buf_printf(out, "F%d", key - INPUT_F0);
    else if (key < ' ')
        buf_printf(out, "Ctrl-%c", key | 64);
    else
        buf_putc(out, (char)key);
}

int keymap_key(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(key_names); i++)
        if (strcmp(key_names[i].name, name) == 0)
            return key_names[i].key;
    if (strlen(name) == 1)
        return (unsigned char)name[0];
    if (strncmp(name, "Ctrl-", 5) == 0 && name[5])
        return INPUT_CTRL(name[5]);
    int number = name[0] == 'F' ? atoi(name + 1) : 0;
    return number > 0 && number <= 12 ? INPUT_F(number) : INPUT_NONE;
}

void keymap_key_names(enum action action, struct buf *out)
{
    for (size_t i = 0; i < KEYS_MOST && rows[action].keys[i]; i++) {
        if (i)
            buf_putc(out, ' ');
        keymap_key_name(rows[action].keys[i], out);
    }
}

// Quotes a word for mdoc, so that nothing in it is an escape, a macro or a delimiter.
static void put_manual_word(struct buf *out, const char *word)
{
    if (*word && !word[1] && strchr("-.,:;()[]?!|/'\"<>+#", *word))
        buf_puts(out, *word == '-' ? "\\-" : "\\&");
    if (strcmp(word, "\\") == 0)
        buf_puts(out, "\\e");
    else if (strcmp(word, "-") != 0)
        buf_puts(out, word);
}

static void put_manual_row(struct buf *out, enum action action)
{
    buf_puts(out, ".It");
    for (size_t i = 0; i < KEYS_MOST && rows[action].keys[i]; i++) {
        AUTO_BUF struct buf name = {0};
        keymap_key_name(rows[action].keys[i], &name);
        buf_puts(out, i ? " , Ic " : " Ic ");
        put_manual_word(out, name.data);
    }
    buf_putc(out, '\n');
    for (const char *at = rows[action].help; *at; at++)
        if (*at == '\\')
            buf_puts(out, "\\e");
        else
            buf_putc(out, *at);
    buf_putc(out, '\n');
}

void keymap_manual(struct buf *out)
{
    for (int group = 0; group < HELP_COUNT; group++) {
        buf_printf(out, ".Ss %s\n.Bl -tag -width 14n -compact\n", group_titles[group]);
        for (int action = 0; action < ACTION_COUNT; action++)
            if (rows[action].group == (enum help_group)group)
                put_manual_row(out, (enum action)action);
        buf_puts(out, ".El\n");
    }
    buf_puts(out, ".Ss Words on the screen\n.Bl -tag -width 14n -compact\n");
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        buf_printf(out, ".It Li \"%s\"\n%s\n", words[i].word, words[i].meaning);
    buf_puts(out, ".El\n");
}
