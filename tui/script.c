// SPDX-License-Identifier: MIT
// A script presses keys and saves screens as text, for tests. The words of a line are names of
// keys as the help shows them. A line that begins with ':' is a command of the table below, one
// that begins with '#' is a comment.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tui/stage.h"

struct script {
    struct stage stage;
    int rows, cols;
    int line;
    bool ended;
};

static enum rc wrong(const struct script *script, struct err *err, const char *what)
{
    return err_set(err, RC_FORMAT, "line %d of the script: %s", script->line, what);
}

static void send(struct script *script, const struct input *input)
{
    stage_draw(&script->stage, script->rows, script->cols); // clicks need the zones
    if (stage_input(&script->stage, input) & EFFECT_QUIT)
        script->ended = true;
}

// --- commands ---

static enum rc do_size(struct script *script, const char *value, struct err *err)
{
    if (sscanf(value, "%dx%d", &script->cols, &script->rows) != 2)
        return wrong(script, err, "a size is COLUMNSxROWS");
    return RC_OK;
}

static enum rc do_next(struct script *script, const char *value, struct err *err)
{
    (void)value, (void)err;
    stage_advance(&script->stage);
    return RC_OK;
}

static enum rc do_text(struct script *script, const char *value, struct err *err)
{
    (void)err;
    for (; *value; value++)
        send(script, &(struct input){.key = (unsigned char)*value});
    return RC_OK;
}

static enum rc do_mouse(struct script *script, const char *value, struct err *err)
{
    static const char *const names[] = {[MOUSE_CLICK] = "click",
                                        [MOUSE_DOUBLE] = "double",
                                        [MOUSE_WHEEL_UP] = "wheel-up",
                                        [MOUSE_WHEEL_DOWN] = "wheel-down"};
    char name[16];
    struct input input = {.key = INPUT_MOUSE};
    if (sscanf(value, "%15s %d %d", name, &input.row, &input.col) != 3)
        return wrong(script, err, "a mouse does something at ROW COLUMN");
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (strcmp(names[i], name) == 0) {
            input.mouse = (enum mouse)i;
            send(script, &input);
            return RC_OK;
        }
    return wrong(script, err, "no such deed of a mouse");
}

static enum rc write_text(const char *path, const struct buf *text, struct err *err)
{
    AUTO_FILE FILE *file = fopen(path, "we");
    if (!file || fwrite(text->data, 1, text->length, file) != text->length || fflush(file) != 0)
        return err_sys(err, RC_IO, errno, "cannot write what the script saves");
    return RC_OK;
}

static enum rc do_save_screen(struct script *script, const char *path, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    stage_draw(&script->stage, script->rows, script->cols);
    canvas_save(&script->stage.picture.canvas, &text);
    return write_text(path, &text, err);
}

static enum rc do_save_roles(struct script *script, const char *path, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    stage_draw(&script->stage, script->rows, script->cols);
    canvas_save_roles(&script->stage.picture.canvas, &text);
    return write_text(path, &text, err);
}

// Draws as for a terminal without background colours.
static enum rc do_plain(struct script *script, const char *value, struct err *err)
{
    (void)value, (void)err;
    script->stage.picture.plain = true;
    return RC_OK;
}

// Writes a line NAME KEYS for each action.
static enum rc do_keys(struct script *script, const char *path, struct err *err)
{
    (void)script;
    AUTO_BUF struct buf text = {0};
    for (int action = 0; action < ACTION_COUNT; action++) {
        buf_printf(&text, "%s ", keymap_row((enum action)action)->name);
        keymap_key_names((enum action)action, &text);
        buf_putc(&text, '\n');
    }
    return write_text(path, &text, err);
}

static enum rc do_manual(struct script *script, const char *path, struct err *err)
{
    (void)script;
    AUTO_BUF struct buf text = {0};
    keymap_manual(&text);
    return write_text(path, &text, err);
}

static const struct {
    const char *name;
    enum rc (*run)(struct script *script, const char *value, struct err *err);
} commands[] = {
    {"size", do_size},
    {"plain", do_plain},
    {"next", do_next},
    {"text", do_text},
    {"mouse", do_mouse},
    {"save-screen", do_save_screen},
    {"save-roles", do_save_roles},
    {"save-keys", do_keys},
    {"save-manual", do_manual},
};

static enum rc run_command(struct script *script, char *line, struct err *err)
{
    char *value = line + strcspn(line, " ");
    if (*value)
        *value++ = '\0';
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
        if (strcmp(commands[i].name, line) == 0)
            return commands[i].run(script, value, err);
    return wrong(script, err, "no such command");
}

static enum rc run_keys(struct script *script, char *line, struct err *err)
{
    char *rest = NULL;
    for (char *word = strtok_r(line, " ", &rest); word && !script->ended;
         word = strtok_r(NULL, " ", &rest)) {
        struct input input = {.key = keymap_key(word)};
        if (input.key == INPUT_NONE)
            return wrong(script, err, "no such key");
        send(script, &input);
    }
    return RC_OK;
}

static enum rc run_line(struct script *script, char *line, struct err *err)
{
    script->line++;
    line[strcspn(line, "\n")] = '\0';
    if (*line == ':')
        return run_command(script, line + 1, err);
    if (*line == '#' && line[1] == ' ')
        return RC_OK;
    return run_keys(script, line, err);
}

enum rc script_run(const struct tui_options *options, struct err *err)
{
    struct script script = {.rows = 24, .cols = 100};
    AUTO_FILE FILE *file = fopen(options->script, "re");
    AUTO_FREE char *line = NULL;
    size_t capacity = 0;
    enum rc rc = RC_OK;
    if (!file)
        return err_sys(err, RC_IO, errno, "cannot read the script");
    stage_init(&script.stage, options, terminal_utf8() && !options->ascii);
    stage_advance(&script.stage);
    if (!script.stage.latest)
        rc = err_set(err, RC_FORMAT, "there is no snapshot to replay");
    while (rc == RC_OK && !script.ended && getline(&line, &capacity, file) >= 0)
        rc = run_line(&script, line, err);
    stage_fini(&script.stage);
    return rc;
}
