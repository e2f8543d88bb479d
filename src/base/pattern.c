// SPDX-License-Identifier: MIT
#include "base/pattern.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/escape.h"
#include "base/mem.h"

struct translation {
    const char *at; // what is left to read
    struct buf out;
    const char *refused; // NULL: nothing
};

#define SPECIAL "\\^$.[]|()*+?{}"

static void put_literal(struct buf *out, char byte)
{
    if (strchr(SPECIAL, byte) && byte)
        buf_putc(out, '\\');
    buf_putc(out, byte);
}

// Returns what stands in brackets for a class of bytes, or NULL.
static const char *class_of(char letter)
{
    static const struct {
        char letter;
        const char *text;
    } classes[] = {{'d', "0-9"}, {'w', "[:alnum:]_"}, {'s', "[:space:]"}};
    for (size_t i = 0; i < ARRAY_LENGTH(classes); i++)
        if (classes[i].letter == letter)
            return classes[i].text;
    return NULL;
}

// Returns the byte that \t and the like are, or the letter itself. at: behind the letter.
static char byte_of(char letter, const char **at)
{
    static const char letters[] = "tnrfvae", bytes[] = "\t\n\r\f\v\a\x1b";
    const char *found = letter ? strchr(letters, letter) : NULL;
    if (found)
        return bytes[found - letters];
    if (letter != 'x' || !isxdigit((unsigned char)(*at)[0]) || !isxdigit((unsigned char)(*at)[1]))
        return letter;
    const char digits[] = {(*at)[0], (*at)[1], '\0'};
    *at += 2;
    return (char)strtol(digits, NULL, 16);
}

static void translate_quoted(struct translation *text)
{
    const char *end = strstr(text->at, "\\E");
    size_t length = end ? (size_t)(end - text->at) : strlen(text->at);
    for (size_t i = 0; i < length; i++)
        put_literal(&text->out, text->at[i]);
    text->at += length + (end ? 2 : 0);
}

static void translate_escape(struct translation *text)
{
    char letter = *++text->at;
    if (!letter) {
        buf_putc(&text->out, '\\'); // the compiler says what is wrong with it
        return;
    }
    text->at++;
    const char *class = class_of((char)tolower((unsigned char)letter));
    if (class && strchr("dDwWsS", letter))
        buf_printf(&text->out, "[%s%s]", isupper((unsigned char)letter) ? "^" : "", class);
    else if (letter == 'Q')
        translate_quoted(text);
    else if (letter == 'A' || letter == 'z')
        buf_putc(&text->out, letter == 'A' ? '^' : '$');
    else if (letter == 'b' || letter == 'B')
        buf_printf(&text->out, "\\%c", letter);
    else if (strchr("pPC", letter) || isdigit((unsigned char)letter))
        text->refused = "a class such as \\pL, \\C, or a reference to a group";
    else
        put_literal(&text->out, byte_of(letter, &text->at));
}

struct bracketed { // bytes that have a place of their own in POSIX brackets
    bool close, caret, dash;
    struct buf rest;
};

static void add_to_bracket(struct bracketed *bracket, char byte, bool itself)
{
    if (itself && byte == ']')
        bracket->close = true;
    else if (itself && byte == '^')
        bracket->caret = true;
    else if (itself && byte == '-')
        bracket->dash = true;
    else
        buf_putc(&bracket->rest, byte);
}

static void read_in_bracket(struct translation *text, struct bracketed *bracket)
{
    const char *named = strncmp(text->at, "[:", 2) == 0 ? strstr(text->at, ":]") : NULL;
    if (named) {
        buf_append(&bracket->rest, text->at, (size_t)(named + 2 - text->at));
        text->at = named + 2;
        return;
    }
    bool escaped = *text->at == '\\' && text->at[1];
    text->at += escaped;
    char byte = *text->at++;
    const char *class = escaped ? class_of(byte) : NULL;
    bool no_range = byte == '-' && (*text->at == ']' || !bracket->rest.length);
    if (class)
        buf_puts(&bracket->rest, class);
    else
        add_to_bracket(bracket, escaped ? byte_of(byte, &text->at) : byte, escaped || no_range);
}

static void translate_bracket(struct translation *text)
{
    AUTO_BUF struct buf rest = {0};
    struct bracketed bracket = {.rest = {0}};
    bool negated = text->at[1] == '^';
    text->at += 1 + negated;
    if (*text->at == ']') { // the first one closes nothing
        bracket.close = true;
        text->at++;
    }
    while (*text->at && *text->at != ']')
        read_in_bracket(text, &bracket);
    if (!*text->at)
        text->refused = "a bracket without its end";
    text->at += *text->at == ']';
    rest = bracket.rest;
    if (!negated && bracket.caret && !bracket.close && !rest.length && !bracket.dash) {
        buf_puts(&text->out, "\\^");
        return;
    }
    buf_printf(&text->out, "[%s%s%s%s%s]", negated ? "^" : "", bracket.close ? "]" : "",
               rest.length ? rest.data : "", bracket.caret ? "^" : "", bracket.dash ? "-" : "");
}

static void translate_group(struct translation *text)
{
    const char *name = text->at + 3;
    buf_putc(&text->out, '(');
    if (text->at[1] != '?') {
        text->at++;
    } else if (text->at[2] == ':') {
        text->at += 3;
    } else if (text->at[2] == 'P' && *name == '<' && strchr(name, '>')) {
        text->at = strchr(name, '>') + 1;
    } else {
        text->refused = "a group that begins with (? and means neither (?: nor (?i) at the start";
        text->at++;
    }
}

// A brace that repeats nothing stands for itself.
static void translate_brace(struct translation *text)
{
    size_t digits = strspn(text->at + 1, "0123456789");
    size_t length = 1 + digits;
    if (digits && text->at[length] == ',')
        length += 1 + strspn(text->at + length + 1, "0123456789");
    if (digits && text->at[length] == '}')
        buf_append(&text->out, text->at, ++length);
    else
        buf_puts(&text->out, "\\{"), length = 1, digits = 0;
    text->at += length;
    text->at += digits && *text->at == '?';
}

static void translate_one(struct translation *text)
{
    switch (*text->at) {
    case '\\':
        translate_escape(text);
        return;
    case '[':
        translate_bracket(text);
        return;
    case '(':
        translate_group(text);
        return;
    case '{':
        translate_brace(text);
        return;
    case '*':
    case '+':
    case '?':
        buf_putc(&text->out, *text->at++);
        text->at += *text->at == '?'; // as few as possible, which matters to no match
        return;
    default:
        buf_putc(&text->out, *text->at++);
    }
}

static enum rc refuse(struct err *err, const char *text, const char *reason)
{
    AUTO_FREE char *shown = escape_text_dup(text);
    return err_set(err, RC_USAGE, "/%s/ is not a regular expression: %s", shown, reason);
}

enum rc pattern_init(struct pattern *pattern, const char *text, struct err *err)
{
    *pattern = (struct pattern){0};
    if (!text)
        return RC_OK;
    bool fold = strncmp(text, "(?i)", 4) == 0;
    struct translation translation = {.at = text + (fold ? 4 : 0)};
    while (*translation.at && !translation.refused)
        translate_one(&translation);
    AUTO_BUF struct buf posix = translation.out;
    if (translation.refused)
        return refuse(err, text, translation.refused);
    char reason[256];
    int failed = regcomp(&pattern->compiled, posix.length ? posix.data : "",
                         REG_EXTENDED | REG_NOSUB | (fold ? REG_ICASE : 0));
    pattern->given = !failed;
    if (!failed)
        return RC_OK;
    regerror(failed, NULL, reason, sizeof reason);
    return refuse(err, text, reason);
}

void pattern_fini(struct pattern *pattern)
{
    if (pattern->given)
        regfree(&pattern->compiled);
    pattern->given = false;
}

bool pattern_matches(const struct pattern *pattern, const char *text)
{
    return pattern->given && regexec(&pattern->compiled, text, 0, NULL, 0) == 0;
}
