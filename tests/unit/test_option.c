// SPDX-License-Identifier: MIT
#include <check.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/suggest.h"
#include "commands/attach_options.h"
#include "commands/command.h"

// The command line of attach, parsed: it has an option of each kind.
struct line {
    char *words[12];
    struct attach_options options;
    struct parsed parsed;
    struct err err;
};

static enum rc parse(struct line *line, const char *const words[])
{
    size_t count = 0;
    for (; words[count]; count++) {
        ck_assert_uint_lt(count, ARRAY_LENGTH(line->words) - 1);
        line->words[count] = (char *)words[count];
    }
    line->words[count] = NULL;
    line->options = attach_defaults;
    line->err = (struct err){0};
    return option_parse(attach_options, &line->options, line->words, &line->parsed, &line->err);
}

#define PARSE(line, ...) parse(line, (const char *const[]){__VA_ARGS__, NULL})

START_TEST(every_way_to_write_a_value)
{
    struct line line;
    ck_assert_int_eq(PARSE(&line, "--duration=2s", "--rate", "49.5", "-oa.pb.gz", "-f", "json"),
                     RC_OK);
    ck_assert_int_eq(line.options.duration, 2ll * NS_PER_S);
    ck_assert_double_eq(line.options.session.rate, 49.5);
    ck_assert_str_eq(line.options.output, "a.pb.gz");
    ck_assert_str_eq(attach_format_names[line.options.format], "json");
    ck_assert_uint_eq(line.parsed.count, 0);
}
END_TEST

START_TEST(sizes_have_units)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } sizes[] = {{"1", 1},           {"4096B", 4096},         {"2K", 2048},
                 {"1.5M", 3 << 19},  {"3MB", 3 << 20},        {"1GiB", 1 << 30},
                 {"2T", 2ull << 40}, {"0.5KiB", 512}};
    struct line line;
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        ck_assert_int_eq(PARSE(&line, "--max-size", sizes[i].text), RC_OK);
        ck_assert_uint_eq(line.options.session.max_size, sizes[i].bytes);
    }
}
END_TEST

struct places {
    uint64_t with;
    double limit;
};

static const struct option place_options[] = {
    {"with", 0, OPTION_PLACE, .offset = offsetof(struct places, with), .help = ""},
    {"limit", 0, OPTION_PERCENT, "PERCENT", .offset = offsetof(struct places, limit),
     .least = 0, .most = 100, .help = ""},
    {NULL},
};

START_TEST(an_option_can_stand_between_operands)
{
    struct places places = {0};
    struct parsed parsed;
    struct err err = {0};
    char *words[] = {"a", "--limit", "5%", "b", "--with", "c", NULL};
    ck_assert_int_eq(option_parse(place_options, &places, words, &parsed, &err), RC_OK);
    ck_assert_uint_eq(places.with, 2);
    ck_assert_uint_eq(parsed.count, 3);
    ck_assert_double_eq(places.limit, 5);
    char *plain[] = {"--limit=0.5", NULL}, *wrong[] = {"--limit=5%%", NULL};
    ck_assert_int_eq(option_parse(place_options, &places, plain, &parsed, &err), RC_OK);
    ck_assert_double_eq(places.limit, 0.5);
    ck_assert_int_eq(option_parse(place_options, &places, wrong, &parsed, &err), RC_USAGE);
    char *valued[] = {"--with=c", NULL};
    ck_assert_int_eq(option_parse(place_options, &places, valued, &parsed, &err), RC_USAGE);
}
END_TEST

START_TEST(formats_belong_to_types)
{
    static const struct {
        const char *types, *format;
        enum rc rc;
    } lines[] = {{"trace", "chrome", RC_OK},     {"trace", "pprof", RC_USAGE},
                 {"cpu", "perf", RC_USAGE},      {"cpu", "chrome", RC_OK},
                 {"cpu", "go", RC_USAGE},        {"cpu,trace", "go", RC_OK},
                 {"cpu,trace", "json", RC_OK},   {"all", "firefox", RC_OK}};
    struct line line;
    for (size_t i = 0; i < ARRAY_LENGTH(lines); i++) {
        ck_assert_int_eq(PARSE(&line, "--type", lines[i].types, "-f", lines[i].format), RC_OK);
        ck_assert_int_eq(attach_options_check(&line.options, &line.err), lines[i].rc);
    }
}
END_TEST

START_TEST(operands_stand_anywhere)
{
    struct line line;
    ck_assert_int_eq(PARSE(&line, "1", "-q", "2", "-d", "3", "-", "--", "-v", "--"), RC_OK);
    ck_assert_uint_eq(line.parsed.count, 5);
    ck_assert_str_eq(line.parsed.operands[0], "1");
    ck_assert_str_eq(line.parsed.operands[1], "2");
    ck_assert_str_eq(line.parsed.operands[2], "-");
    ck_assert_str_eq(line.parsed.operands[3], "-v");
    ck_assert_str_eq(line.parsed.operands[4], "--");
    ck_assert_ptr_null(line.parsed.operands[5]);
    ck_assert(line.options.quiet);
    ck_assert_int_eq(line.options.duration, 3ll * NS_PER_S);
    ck_assert_uint_eq(line.options.verbose, 0);
}
END_TEST

START_TEST(letters_can_be_bundled)
{
    struct line line;
    ck_assert_int_eq(PARSE(&line, "-qvvd5", "-vo-"), RC_OK);
    ck_assert(line.options.quiet);
    ck_assert_uint_eq(line.options.verbose, 3);
    ck_assert_int_eq(line.options.duration, 5ll * NS_PER_S);
    ck_assert_str_eq(line.options.output, "-");
}
END_TEST

START_TEST(the_last_one_wins)
{
    struct line line;
    ck_assert_int_eq(PARSE(&line, "-r", "10", "--color=always", "-r20", "--color", "never"), RC_OK);
    ck_assert_double_eq(line.options.session.rate, 20);
    ck_assert_int_eq(line.options.color, COLOR_NEVER);
}
END_TEST

START_TEST(defaults_stay)
{
    struct line line;
    ck_assert_int_eq(PARSE(&line, "4242"), RC_OK);
    ck_assert_mem_eq(&line.options, &attach_defaults, sizeof attach_defaults);
}
END_TEST

START_TEST(a_value_may_begin_with_a_dash)
{
    struct line line;
    ck_assert_int_eq(PARSE(&line, "-o", "-h", "--threads", "--force"), RC_OK);
    ck_assert(!line.parsed.help);
    ck_assert_str_eq(line.options.output, "-h");
    ck_assert_str_eq(line.options.session.threads, "--force");
    ck_assert(!line.options.force);
}
END_TEST

START_TEST(help_beats_mistakes)
{
    struct line line;
    ck_assert_int_eq(PARSE(&line, "--nonsense", "-d", "abc", "4242", "-h"), RC_OK);
    ck_assert(line.parsed.help);
    ck_assert_str_eq(line.err.text, "");
    ck_assert_int_eq(PARSE(&line, "-qh"), RC_OK);
    ck_assert(line.parsed.help);
    ck_assert_int_eq(PARSE(&line, "-q", "--", "--help"), RC_OK);
    ck_assert(!line.parsed.help);
}
END_TEST

static const struct {
    const char *words[3];
    const char *message;
} mistakes[] = {
    {{"--durtion=3"}, "there is no option --durtion; did you mean --duration?"},
    {{"--dur=3"}, "there is no option --dur; did you mean --duration?"},
    {{"--zzzzzz"}, "there is no option --zzzzzz"},
    {{"--\x1b]0;x\a"}, "there is no option --\\x1b]0;x\\x07"},
    {{"-x"}, "there is no option -x"},
    {{"-qx"}, "there is no option -x"},
    {{"-5"}, "there is no option -5"},
    {{"--quiet=yes"}, "--quiet takes no value"},
    {{"--output"}, "--output: the value is missing"},
    {{"-qo"}, "--output: the value is missing"},
    {{"--output="}, "--output: the FILE is empty"},
    {{"-d", "abc"}, "--duration: 'abc' is not a duration; write 30s, 500ms or 1h30m"},
    {{"-d-5s"}, "--duration: '-5s' is negative; write 30s, 500ms or 1h30m"},
    {{"-r0"}, "--rate: '0' is not a number from 0.1 to 10000"},
    {{"-r-99"}, "--rate: '-99' is not a number from 0.1 to 10000"},
    {{"-r", "nan"}, "--rate: 'nan' is not a number from 0.1 to 10000"},
    {{"-r", "0x10"}, "--rate: '0x10' is not a number from 0.1 to 10000"},
    {{"-r", " 5"}, "--rate: ' 5' is not a number from 0.1 to 10000"},
    {{"-r", "1e1000"}, "--rate: '1e1000' is not a number from 0.1 to 10000"},
    {{"--max-depth=1.5"}, "--max-depth: '1.5' is not a whole number from 1 to 65536"},
    {{"--max-depth=99999999999999999999"},
     "--max-depth: '99999999999999999999' is not a whole number from 1 to 65536"},
    {{"--format=svg"}, "--format: there is no 'svg'; write pprof, collapsed, json, text, "
                       "speedscope, go, perf, chrome or firefox"},
    {{"--max-size=0"}, "--max-size: '0' is not a size; write 512M or 1.5G"},
    {{"--max-size=G"}, "--max-size: 'G' is not a size; write 512M or 1.5G"},
    {{"--max-size=-1G"}, "--max-size: '-1G' is not a size; write 512M or 1.5G"},
    {{"--max-size=0x1p3"}, "--max-size: '0x1p3' is not a size; write 512M or 1.5G"},
    {{"--max-size=inf"}, "--max-size: 'inf' is not a size; write 512M or 1.5G"},
    {{"--max-size=1iB"}, "--max-size: '1iB' is not a size; write 512M or 1.5G"},
    {{"--max-size=1MM"}, "--max-size: '1MM' is not a size; write 512M or 1.5G"},
    {{"--max-size=9999999999T"}, "--max-size: '9999999999T' is not a size; write 512M or 1.5G"},
    {{"--color="}, "--color: there is no ''; write auto, always or never"},
    {{"-d", "abc", "-x"}, "--duration: 'abc' is not a duration; write 30s, 500ms or 1h30m"},
};

START_TEST(mistakes_are_named)
{
    struct line line;
    const char *words[] = {mistakes[_i].words[0], mistakes[_i].words[1], mistakes[_i].words[2],
                           NULL};
    ck_assert_int_eq(parse(&line, words), RC_USAGE);
    ck_assert_str_eq(line.err.text, mistakes[_i].message);
}
END_TEST

START_TEST(high_rates_need_force)
{
    struct line line;
    ck_assert_int_eq(PARSE(&line, "-r5000"), RC_OK);
    ck_assert_int_eq(attach_options_check(&line.options, &line.err), RC_USAGE);
    ck_assert_str_eq(line.err.text,
                     "--rate: 5000 Hz is more than 1000; add --force if you mean it");
    ck_assert_int_eq(PARSE(&line, "-r5000", "--force"), RC_OK);
    ck_assert_int_eq(attach_options_check(&line.options, &line.err), RC_OK);
    ck_assert_int_eq(PARSE(&line, "-r1000"), RC_OK);
    ck_assert_int_eq(attach_options_check(&line.options, &line.err), RC_OK);
}
END_TEST

START_TEST(every_letter_and_name_is_there_once)
{
    for (const struct option *a = attach_options; a->name; a++) {
        ck_assert_str_ne(a->name, option_help.name);
        ck_assert_int_ne(a->letter, option_help.letter);
        ck_assert(option_takes_value(a) == (a->argument || a->choices));
        for (const struct option *b = attach_options; b < a; b++) {
            ck_assert_str_ne(a->name, b->name);
            ck_assert(!a->letter || a->letter != b->letter);
        }
    }
}
END_TEST

static const struct {
    const char *word, *best;
} words[] = {
    {"atach", "attach"},  {"attahc", "attach"}, {"att", "attach"},  {"hlep", "help"},
    {"chekc", "check"},   {"a", NULL},          {"wrong", NULL},    {"", NULL},
    {"4242", NULL},       {"checkcheckcheckcheckcheckcheckcheckcheck", NULL},
};

START_TEST(suggests)
{
    static const char *const candidates[] = {"attach", "check", "completion", "help"};
    struct suggestion suggestion = suggestion_for(words[_i].word);
    for (size_t i = 0; i < ARRAY_LENGTH(candidates); i++)
        suggestion_consider(&suggestion, candidates[i]);
    ck_assert_pstr_eq(suggestion.best, words[_i].best);
}
END_TEST

START_TEST(pids)
{
    pid_t pid = 0;
    struct err err;
    ck_assert_int_eq(command_pid("4242", &pid, &err), RC_OK);
    ck_assert_int_eq(pid, 4242);
    static const char *const wrong[] = {"0", "", "-1", "+1", "12x", " 1", "2147483648",
                                        "99999999999999999999999"};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
        ck_assert_int_eq(command_pid(wrong[i], &pid, &err), RC_USAGE);
    ck_assert_int_eq(pid, 4242);
}
END_TEST

Suite *suite_option(void);
Suite *suite_option(void)
{
    Suite *suite = suite_create("option");
    TCase *tests = tcase_create("option");
    tcase_add_test(tests, every_way_to_write_a_value);
    tcase_add_test(tests, sizes_have_units);
    tcase_add_test(tests, an_option_can_stand_between_operands);
    tcase_add_test(tests, formats_belong_to_types);
    tcase_add_test(tests, operands_stand_anywhere);
    tcase_add_test(tests, letters_can_be_bundled);
    tcase_add_test(tests, the_last_one_wins);
    tcase_add_test(tests, defaults_stay);
    tcase_add_test(tests, a_value_may_begin_with_a_dash);
    tcase_add_test(tests, help_beats_mistakes);
    tcase_add_loop_test(tests, mistakes_are_named, 0, ARRAY_LENGTH(mistakes));
    tcase_add_test(tests, high_rates_need_force);
    tcase_add_test(tests, every_letter_and_name_is_there_once);
    tcase_add_loop_test(tests, suggests, 0, ARRAY_LENGTH(words));
    tcase_add_test(tests, pids);
    suite_add_tcase(suite, tests);
    return suite;
}
