// SPDX-License-Identifier: MIT
// ptprof view shows profiles of files as ptprof top shows a process.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "commands/command.h"
#include "commands/interrupts.h"
#include "commands/profile_input.h"
#include "commands/top_screen.h"
#include "profile/measure.h"
#include "profile/plain_cut.h"
#include "profile/plain_keys.h"
#include "profile/plain_pair.h"
#include "profile/plain_transfer.h"
#include "tui/theme.h"
#include "tui/tui.h"

#define DEPTH_MOST 4096 // frames of a stack, as in a run

struct view_options {
    struct tui_options screen;
    int sort;
    const char *type; // of the values that are shown first
};

static const struct view_options defaults = {.screen = {.delay = NS_PER_S}};

#define AT(field) .offset = offsetof(struct view_options, field)

static const struct option view_options[] = {
    {"sample-type", 0, OPTION_STRING, "TYPE", AT(type),
     .help = "which values to show first, such as inuse_space or delay; key a goes on to the "
             "others",
     .shown_default = "as the file says"},
    {"sort", 's', OPTION_CHOICE, NULL, AT(sort), .choices = rows_sort_names,
     .help = "what to sort by", .shown_default = "self"},
    TOP_SCREEN_OPTIONS,
    {NULL},
};

// --- what is shown ---

static enum rc read_file(const char *file, const char *type, struct plain_profile **profile,
                         struct err *err)
{
    enum rc rc = profile_input_read(file, profile, err);
    if (rc != RC_OK)
        return rc;
    plain_cut(*profile, DEPTH_MOST);
    return profile_input_choose(*profile, type, err);
}

static enum rc read_pair(char *const *files, const char *type, struct moment *moment,
                         struct err *err)
{
    struct plain_profile *old = NULL, *new = NULL, *pair = NULL;
    enum rc rc = read_file(files[0], type, &old, err);
    if (rc == RC_OK)
        rc = read_file(files[1], type, &new, err);
    if (rc == RC_OK)
        rc = plain_pair(new, old, &pair, err);
    if (rc == RC_OK) {
        *moment = moment_of(pair, NULL);
        moment->base = plain_head_of(old);
    }
    plain_free(old);
    plain_free(new);
    return rc;
}

static enum rc read_one(char *const *files, const char *type, struct moment *moment,
                        struct err *err)
{
    struct plain_profile *profile;
    enum rc rc = read_file(files[0], type, &profile, err);
    if (rc == RC_OK)
        *moment = moment_of(profile, NULL);
    else
        plain_free(profile);
    return rc;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return strcmp(path, "-") == 0 ? "standard input" : slash ? slash + 1 : path;
}

static struct snapshot *snapshot_of(const struct moment *moment, const struct call *call)
{
    struct snapshot *snapshot = xcalloc(1, sizeof *snapshot);
    const char *last = base_name(call->operands[call->count - 1]);
    snapshot->moment = *moment;
    snapshot->command_line =
        moment->base ? xasprintf("%s -> %s", base_name(call->operands[0]), last)
        : strcmp(call->operands[0], "-") ? xstrdup(call->operands[0])
                                         : xstrdup(last);
    size_t length = strcspn(last, ".");
    snprintf(snapshot->comm, sizeof snapshot->comm, "%.*s", (int)length, last);
    return snapshot;
}

// Without threads, samples are told apart by their first label.
static const char *choose_label(const struct moment *moment)
{
    struct plain_keys keys;
    plain_keys_init(&keys, moment->profile);
    const char *key = keys.threads || !keys.count
                          ? NULL
                          : plain_string(moment->profile, keys.list[0].key);
    plain_keys_fini(&keys);
    return key;
}

// --- the command ---

static enum rc no_screen(const struct call *call, const char *why, struct err *err)
{
    const char *instead = call->count > 1 ? "diff OLD NEW" : "report FILE";
    return err_set(err, RC_USAGE, "%s\n  ptprof %s prints the same as text", why, instead);
}

static enum rc show(struct tui_options *screen, struct snapshot *snapshot,
                    const struct call *call, struct err *err)
{
    struct feed *feed = feed_still(snapshot);
    screen->feed = feed;
    screen->save = top_screen_save;
    screen->context = feed;
    screen->signals = interrupts_open();
    enum rc rc = tui_run(screen, err);
    if (rc == RC_USAGE && !screen->script) {
        struct err why = *err;
        rc = no_screen(call, why.text, err);
    }
    if (screen->signals >= 0)
        close(screen->signals);
    feed_free(feed);
    return rc;
}

static enum rc read_and_show(struct view_options *options, const struct call *call,
                             struct err *err)
{
    struct moment moment = {0};
    struct tui_options *screen = &options->screen;
    enum rc rc = call->count > 1 ? read_pair(call->operands, options->type, &moment, err)
                                 : read_one(call->operands, options->type, &moment, err);
    if (rc != RC_OK)
        return rc;
    screen->subject = moment.base ? SUBJECT_PAIR : SUBJECT_FILE;
    screen->file = moment.profile;
    screen->value = moment.profile->type_count ? measure_of(moment.profile).main : 0;
    screen->label = choose_label(&moment);
    screen->sort = (enum rows_sort)options->sort;
    moment_list_by(&moment, screen->label);
    return show(screen, snapshot_of(&moment, call), call, err);
}

static int view_run(const struct call *call, struct err *err)
{
    struct view_options options = *(const struct view_options *)call->options;
    bool screen = options.screen.script || terminal_is(STDOUT_FILENO);
    enum rc rc = screen ? read_and_show(&options, call, err)
                        : no_screen(call, "standard output is no terminal", err);
    return command_status(rc);
}

static const struct example examples[] = {
    {"ptprof view ptprof-nginx.pb.gz", "look at a profile"},
    {"ptprof view heap.pb.gz --sample-type alloc_space", "at what was allocated, not what is left"},
    {"ptprof view before.pb.gz after.pb.gz", "what grew and what shrank"},
    {NULL, NULL},
};

const struct command command_view = {
    .name = "view",
    .args = "FILE [NEW]",
    .summary = "show a profile on the screen, or how two of them differ",
    .details = "FILE is a profile of any format that ptprof reads, - is standard input; beside\n"
               "NEW it is the old one. The screen is that of ptprof top: ? shows its keys.\n",
    .operand = OPERAND_FILE,
    .least = 1,
    .most = 2,
    .options = view_options,
    .defaults = &defaults,
    .options_size = sizeof(struct view_options),
    .examples = examples,
    .run = view_run,
};
