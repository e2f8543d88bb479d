// SPDX-License-Identifier: MIT
#include "serve/front/auth.h"

#include <string.h>
#include <strings.h>

static int sextet(char byte)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = byte ? strchr(digits, byte) : NULL;
    return at ? (int)(at - digits) : -1;
}

// Returns the length of what was decoded; -1: it is malformed or too long. '=' at the end may be
// left out.
static int decode(const char *text, char *bytes, size_t most)
{
    size_t length = strlen(text), count = 0;
    unsigned bits = 0, word = 0;
    while (length && text[length - 1] == '=')
        length--;
    for (size_t i = 0; i < length; i++) {
        int value = sextet(text[i]);
        if (value < 0 || count == most)
            return -1;
        word = word << 6 | (unsigned)value;
        bits += 6;
        if (bits < 8)
            continue;
        bits -= 8;
        bytes[count++] = (char)(word >> bits);
    }
    return length % 4 == 1 ? -1 : (int)count;
}

static bool copy(char *to, size_t room, const char *from, size_t length)
{
    if (length >= room || memchr(from, '\0', length))
        return false;
    memcpy(to, from, length);
    to[length] = '\0';
    return true;
}

static bool parse_basic(const char *text, struct auth_claim *claim)
{
    char bytes[sizeof claim->user + sizeof claim->secret];
    int length = decode(text, bytes, sizeof bytes);
    const char *colon = length > 0 ? memchr(bytes, ':', (size_t)length) : NULL;
    if (!colon)
        return false;
    return copy(claim->user, sizeof claim->user, bytes, (size_t)(colon - bytes)) &&
           copy(claim->secret, sizeof claim->secret, colon + 1,
                (size_t)(bytes + length - colon - 1));
}

// Returns what follows the word and blanks, or NULL.
static const char *behind(const char *field, const char *word)
{
    size_t length = strlen(word);
    if (strncasecmp(field, word, length) != 0 || field[length] != ' ')
        return NULL;
    return field + length + strspn(field + length, " ");
}

bool auth_parse(const char *field, struct auth_claim *claim)
{
    const char *basic = behind(field, "Basic"), *bearer = behind(field, "Bearer");
    *claim = (struct auth_claim){.is_bearer = bearer};
    if (basic)
        return parse_basic(basic, claim);
    return bearer && *bearer && copy(claim->secret, sizeof claim->secret, bearer, strlen(bearer));
}
