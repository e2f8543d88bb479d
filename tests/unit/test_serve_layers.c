// SPDX-License-Identifier: MIT
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "commands/option_value.h"
#include "commands/serve_layers.h"
#include "fixture_tree.h"

// A value of each kind that is nobody's default and goes with the defaults of the others.
static const char *sample(const struct option *option)
{
    static const char *const samples[] = {
        [OPTION_SWITCH] = "yes",    [OPTION_LIST] = "comm=x", [OPTION_STRING] = "/x",
        [OPTION_FILE] = "/x",       [OPTION_DURATION] = "45s", [OPTION_NUMBER] = "12.5",
        [OPTION_PERCENT] = "85%",   [OPTION_INTEGER] = "71", [OPTION_SIZE] = "3M",
        [OPTION_SET] = "heap,trace",
    };
    if (option->kind == OPTION_INTEGER && strncmp(option->name, "threads-", 8) == 0)
        return "7001"; // between what is a warning and what is critical
    return samples[option->kind];
}

static void set_variable(const struct option *option, const char *text)
{
    AUTO_FREE char *name = serve_layers_variable(option->name);
    setenv(name, text, 1);
}

static char *show(const struct serve_layers *layers, const struct option *option)
{
    const void *value = (const char *)&layers->options + option->offset;
    const struct text_list *list = value;
    AUTO_BUF struct buf text = {0};
    if (option->kind == OPTION_LIST)
        for (size_t i = 0; i < list->count; i++)
            buf_printf(&text, "%s%s", i ? ";" : "", list->texts[i]);
    else
        option_show(option, value, &text);
    return xstrdup(text.length ? text.data : "");
}

struct command_line {
    struct serve_options options;
    struct parsed parsed;
    struct serve_layers layers;
    struct err err;
};

// words: of the command line, end in NULL. file: text of a configuration; NULL: none.
static enum rc read_layers(struct command_line *line, const char *file, char **words)
{
    AUTO_FREE char *path = xasprintf("%s/f.yaml", tree_root);
    *line = (struct command_line){.options = serve_options_defaults};
    if (file) {
        tree_put("/f.yaml", file);
        line->options.config = path;
    }
    enum rc rc = option_parse(serve_options_table, &line->options, words, &line->parsed,
                              &line->err);
    return rc == RC_OK ? serve_layers_read(&line->layers, &line->options, line->parsed.given,
                                           &line->err)
                       : rc;
}

static void end(struct command_line *line)
{
    option_fini(serve_options_table, &line->options);
    serve_layers_fini(&line->layers);
}

static void require(struct command_line *line, const struct option *option, enum layer layer,
                    const char *text, enum rc rc)
{
    size_t row = (size_t)(option - serve_options_table);
    ck_assert_msg(rc == RC_OK, "%s: %s", option->name, line->err.text);
    AUTO_FREE char *shown = show(&line->layers, option);
    ck_assert_msg(strcmp(shown, text) == 0, "%s is '%s', not '%s'", option->name, shown, text);
    ck_assert_msg(line->layers.origins[row].layer == layer, "%s: layer %d", option->name,
                  line->layers.origins[row].layer);
    end(line);
}

static bool is_checked_with_others(const struct option *option)
{
    return strncmp(option->name, "tls-", 4) == 0;
}

START_TEST(each_row_by_file_environment_and_flag)
{
    tree_make();
    for (const struct option *row = serve_options_table; row->name; row++) {
        struct command_line line;
        const char *text = sample(row);
        if (row->offset == offsetof(struct serve_options, config) || is_checked_with_others(row))
            continue;
        AUTO_FREE char *file = xasprintf("# one\n%s: %s\n", row->name, text);
        AUTO_FREE char *flag = row->kind == OPTION_SWITCH ? xasprintf("--%s", row->name)
                                                          : xasprintf("--%s=%s", row->name, text);
        enum rc rc = read_layers(&line, file, (char *[]){NULL});
        ck_assert_msg(rc == RC_OK, "%s", line.err.text);
        ck_assert_uint_eq(line.layers.origins[row - serve_options_table].line, 2);
        require(&line, row, LAYER_FILE, text, rc);
        set_variable(row, text);
        rc = read_layers(&line, NULL, (char *[]){NULL});
        require(&line, row, LAYER_ENVIRONMENT, text, rc);
        set_variable(row, "");
        rc = read_layers(&line, NULL, (char *[]){flag, NULL});
        require(&line, row, LAYER_FLAG, text, rc);
    }
    tree_remove();
}
END_TEST

START_TEST(later_layers_count)
{
    const char *file = "rate: 10\nmatch: [comm=a, comm=b]\nno-auth: yes\n";
    struct command_line line;
    bool opposite;
    const struct option *rate = option_find(serve_options_table, "rate", &opposite),
                        *match = option_find(serve_options_table, "match", &opposite),
                        *no_auth = option_find(serve_options_table, "no-auth", &opposite);
    tree_make();
    enum rc rc = read_layers(&line, NULL, (char *[]){NULL});
    require(&line, rate, LAYER_USUAL, "99", rc);
    rc = read_layers(&line, file, (char *[]){NULL});
    require(&line, match, LAYER_FILE, "comm=a;comm=b", rc);
    setenv("PTPROF_RATE", "20", 1);
    setenv("PTPROF_MATCH", "comm=c; comm=d;", 1);
    rc = read_layers(&line, file, (char *[]){NULL});
    require(&line, rate, LAYER_ENVIRONMENT, "20", rc);
    rc = read_layers(&line, file, (char *[]){NULL});
    require(&line, match, LAYER_ENVIRONMENT, "comm=c;comm=d", rc);
    rc = read_layers(&line, file, (char *[]){"--rate=99", "-m", "comm=e", "-mcomm=f", NULL});
    require(&line, rate, LAYER_FLAG, "99", rc);
    rc = read_layers(&line, file, (char *[]){"-m", "comm=e", "-mcomm=f", NULL});
    require(&line, match, LAYER_FLAG, "comm=e;comm=f", rc);
    rc = read_layers(&line, file, (char *[]){"--auth", NULL});
    require(&line, no_auth, LAYER_FLAG, "no", rc);
    rc = read_layers(&line, "auth: off\n", (char *[]){NULL});
    require(&line, no_auth, LAYER_FILE, "yes", rc);
    rc = read_layers(&line, "match: []\n", (char *[]){NULL});
    require(&line, match, LAYER_ENVIRONMENT, "comm=c;comm=d", rc);
    tree_remove();
}
END_TEST

START_TEST(several_values_of_a_text_are_joined)
{
    struct command_line line;
    bool opposite;
    tree_make();
    enum rc rc = read_layers(&line, "listen:\n- 127.0.0.1:1\n- unix:/x\n", (char *[]){NULL});
    require(&line, option_find(serve_options_table, "listen", &opposite), LAYER_FILE,
            "127.0.0.1:1,unix:/x", rc);
    rc = read_layers(&line, "disable: [heap, block]\n", (char *[]){NULL});
    require(&line, option_find(serve_options_table, "disable", &opposite), LAYER_FILE,
            "block,heap", rc);
    tree_remove();
}
END_TEST

static const struct {
    const char *file, *variable, *flag, *expected;
} wrong[] = {
    {"lisen: x", NULL, NULL, "f.yaml:1:1: there is no setting 'lisen'; did you mean listen?"},
    {"metrics: {intervall: 1s}", NULL, NULL, "did you mean metrics-interval?"},
    {"zzzzzzzz: 1", NULL, NULL, "f.yaml:1:1: there is no setting 'zzzzzzzz'"},
    {"help: yes", NULL, NULL, "there is no setting 'help'"},
    {"config: /x", NULL, NULL, "a configuration does not name another one"},
    {"rate: fast", NULL, NULL, "f.yaml:1:1: rate: 'fast' is not a number"},
    {"rate: [1, 2]", NULL, NULL, "rate: takes one value, not a list"},
    {"rate: []", NULL, NULL, "rate: takes one value, not a list"},
    {"listen: \"\"", NULL, NULL, "listen: the ADDRESS is empty"},
    {"no-auth: maybe", NULL, NULL, "no-auth: 'maybe' is not yes or no"},
    {"auth: no\nno-auth: yes", NULL, NULL, "f.yaml:2:1: no-auth comes a second time"},
    {"disable: heep", NULL, NULL, "did you mean heap?"},
    {"tls: {key: /x}", NULL, NULL, "--tls-certificate and --tls-key need each other"},
    {"memory: {warning: 95}", NULL, NULL, "what is critical is less"},
    {NULL, "PTPROF_RATE=fast", NULL, "PTPROF_RATE: 'fast' is not a number"},
    {NULL, "PTPROF_CONFIG=/nowhere", NULL, "cannot read the configuration /nowhere"},
    {NULL, NULL, "--config=/", "cannot read the configuration /: it is no file"},
    {NULL, NULL, "--config=/dev/zero", "it is no file"},
    {NULL, NULL, "--prefix=x", "a path begins with /"},
    {NULL, NULL, "--prefix=/x/", "no / at the end"},
    {NULL, NULL, "--prefix=/", "no / at the end"},
    {NULL, NULL, "--prefix=/..", "segment '.' or '..'"},
    {NULL, NULL, "--prefix=/a/../b", "segment '.' or '..'"},
    {NULL, NULL, "--prefix=/a//b", "an empty segment"},
    {NULL, NULL, "--prefix=/a?b", "only letters, digits"},
    {NULL, NULL, "--prefix=/%41", "only letters, digits"},
    {NULL, NULL, "--prefix=/pid/1", "what is below /pid/ is a target"},
    {"prefix: /a//b", NULL, NULL, "an empty segment"},
    {NULL, "PTPROF_PREFIX=/a/.", NULL, "segment '.' or '..'"},
    {NULL, NULL, "--no-rate", "there is no option --no-rate"},
    {NULL, NULL, "--no-auth=yes", "--no-auth takes no value"},
};

START_TEST(mistakes_have_their_place)
{
    struct command_line line;
    char *words[] = {(char *)wrong[_i].flag, NULL};
    tree_make();
    if (wrong[_i].variable)
        putenv((char *)wrong[_i].variable);
    ck_assert_int_eq(read_layers(&line, wrong[_i].file, words), RC_USAGE);
    ck_assert_msg(strstr(line.err.text, wrong[_i].expected), "%s", line.err.text);
    end(&line);
    tree_remove();
}
END_TEST

START_TEST(variables_that_look_like_settings)
{
    putenv("PTPROF_LISTN=x");
    putenv("PTPROF_SERVICE_HOST=x"); // of Kubernetes
    putenv("PTPROF_RATE=3");
    AUTO_FREE char *doubts = serve_layers_doubts();
    ck_assert_ptr_nonnull(doubts);
    ck_assert_str_eq(doubts, "the variable PTPROF_LISTN is no setting; PTPROF_LISTEN is one");
}
END_TEST

START_TEST(rows_fit_their_sets)
{
    size_t count = 0;
    while (serve_options_table[count].name)
        count++;
    ck_assert_uint_le(count, SERVE_ROWS_MOST);
}
END_TEST

Suite *suite_serve_layers(void);
Suite *suite_serve_layers(void)
{
    Suite *suite = suite_create("serve_layers");
    TCase *tests = tcase_create("serve_layers");
    tcase_add_test(tests, each_row_by_file_environment_and_flag);
    tcase_add_test(tests, later_layers_count);
    tcase_add_test(tests, several_values_of_a_text_are_joined);
    tcase_add_loop_test(tests, mistakes_have_their_place, 0, ARRAY_LENGTH(wrong));
    tcase_add_test(tests, variables_that_look_like_settings);
    tcase_add_test(tests, rows_fit_their_sets);
    suite_add_tcase(suite, tests);
    return suite;
}
