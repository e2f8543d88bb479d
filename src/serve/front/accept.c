// SPDX-License-Identifier: MIT
#include "serve/front/accept.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define WHOLE 1000u // is wanted most, as what has no weight is

static const char *behind_blanks(const char *text)
{
    return text + strspn(text, " \t");
}

// "0.5"; digits beyond the third do not count.
static unsigned parse_weight(const char *text)
{
    unsigned weight = 0;
    if (*text == '1')
        return WHOLE;
    if (strncmp(text, "0.", 2) != 0)
        return 0;
    text += 2;
    for (unsigned place = WHOLE / 10; place && *text >= '0' && *text <= '9'; place /= 10)
        weight += (unsigned)(*text++ - '0') * place;
    return weight;
}

// Of one type with its parameters, up to the next comma.
static unsigned weight_of(const char *text)
{
    while (*(text += strcspn(text, ";,")) == ';') {
        text = behind_blanks(text + 1);
        if (strncasecmp(text, "q=", 2) == 0)
            return parse_weight(text + 2);
    }
    return WHOLE;
}

static bool is_type(const char *text, const char *type)
{
    size_t length = strlen(type);
    return strncasecmp(text, type, length) == 0 && (!text[length] || strchr(";, \t", text[length]));
}

unsigned accept_weight(const char *field, const char *type)
{
    unsigned most = 0;
    while (*field) {
        field = behind_blanks(field);
        unsigned weight = is_type(field, type) ? weight_of(field) : 0;
        most = weight > most ? weight : most;
        field += strcspn(field, ",");
        field += *field == ',';
    }
    return most;
}
