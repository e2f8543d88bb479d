// SPDX-License-Identifier: MIT
#include "rows/terms.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"

static enum rc compile(struct term *term, const char *pattern, struct err *err)
{
    char reason[256];
    int flags = REG_EXTENDED | REG_NOSUB | (term->capitals ? 0 : REG_ICASE);
    int failed = regcomp(&term->pattern, pattern, flags);
    if (!failed) {
        term->is_pattern = true;
        return RC_OK;
    }
    regerror(failed, NULL, reason, sizeof reason);
    AUTO_FREE char *shown = escape_text_dup(pattern);
    return err_set(err, RC_USAGE, "/%s/ is not a regular expression: %s", shown, reason);
}

static bool has_capital(const char *text)
{
    for (; *text; text++)
        if (isupper((unsigned char)*text))
            return true;
    return false;
}

static enum rc add_term(struct terms *terms, const char *start, size_t length, struct err *err)
{
    bool negated = length && *start == '!';
    AUTO_FREE char *text = xasprintf("%.*s", (int)(length - negated), start + negated);
    size_t size = strlen(text);
    if (!size)
        return RC_OK; // "a,,b", or still being typed
    if (terms->count == FILTER_TERMS_MAX)
        return err_set(err, RC_USAGE, "more than %d terms", FILTER_TERMS_MAX);
    struct term *term = &terms->list[terms->count];
    *term = (struct term){.negated = negated, .capitals = has_capital(text)};
    if (size > 2 && text[0] == '/' && text[size - 1] == '/') {
        text[size - 1] = '\0';
        if (compile(term, text + 1, err) != RC_OK)
            return RC_USAGE;
    } else
        term->text = steal_ptr(&text);
    *(negated ? &terms->unwanted : &terms->wanted) |= 1u << terms->count++;
    return RC_OK;
}

// A comma between slashes belongs to the expression.
static size_t term_length(const char *text)
{
    const char *at = *text == '!' ? text + 1 : text;
    const char *end = *at == '/' ? strstr(at + 1, "/,") : NULL;
    if (*at == '/' && !end && strlen(at) > 1 && at[strlen(at) - 1] == '/')
        return strlen(text);
    return end ? (size_t)(end + 1 - text) : strcspn(text, ",");
}

void terms_fini(struct terms *terms)
{
    for (size_t i = 0; i < terms->count; i++) {
        if (terms->list[i].is_pattern)
            regfree(&terms->list[i].pattern);
        free(terms->list[i].text);
    }
}

enum rc terms_init(struct terms *terms, const char *text, struct err *err)
{
    enum rc rc = RC_OK;
    *terms = (struct terms){0};
    while (text && *text && rc == RC_OK) {
        size_t length = term_length(text);
        rc = add_term(terms, text, length, err);
        text += length + (text[length] == ',');
    }
    if (rc != RC_OK)
        terms_fini(terms);
    return rc;
}

static bool matches(const struct term *term, const char *text)
{
    if (term->is_pattern)
        return regexec(&term->pattern, text, 0, NULL, 0) == 0;
    return (term->capitals ? strstr(text, term->text) : strcasestr(text, term->text)) != NULL;
}

uint32_t terms_match(const struct terms *terms, const struct function *function)
{
    uint32_t mask = 0;
    for (size_t i = 0; i < terms->count; i++)
        if (matches(&terms->list[i], function->name) || matches(&terms->list[i], function->module))
            mask |= 1u << i;
    return mask;
}
