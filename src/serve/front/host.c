// SPDX-License-Identifier: MIT
#include "serve/front/host.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

static bool is_port(const char *text)
{
    return !*text || (*text == ':' && strspn(text + 1, "0123456789") == strlen(text + 1));
}

bool host_name(const char *field, char name[HOST_MOST])
{
    bool is_bracketed = *field == '[';
    size_t length = is_bracketed
                        ? 1 + strspn(field + 1, "0123456789abcdefABCDEF:.")
                        : strspn(field, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789-._");
    const char *rest = field + length;
    if (is_bracketed && (*rest++ != ']' || length == 1))
        return false;
    if (!length || length >= HOST_MOST || !is_port(rest))
        return false;
    length -= is_bracketed;
    memcpy(name, field + is_bracketed, length);
    if (!is_bracketed && length > 1 && name[length - 1] == '.')
        length--;
    name[length] = '\0';
    for (; *name; name++)
        if (*name >= 'A' && *name <= 'Z')
            *name |= 32;
    return true;
}

static bool is_address(const char *name)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

bool host_is_ours(const char *name, const char *allowed)
{
    if (is_address(name) || strcmp(name, "localhost") == 0)
        return true;
    while (allowed && *allowed) {
        size_t length = strcspn(allowed, ",");
        bool is_any = length == 1 && *allowed == '*';
        if (is_any || (length && strlen(name) == length && strncasecmp(allowed, name, length) == 0))
            return true;
        allowed += length + (allowed[length] == ',');
    }
    return false;
}

bool host_is_origin(const char *field, const char *origin)
{
    size_t scheme = strncasecmp(origin, "https://", 8) == 0  ? 8
                    : strncasecmp(origin, "http://", 7) == 0 ? 7
                                                             : 0;
    return scheme && strcasecmp(origin + scheme, field) == 0;
}

bool host_is_foreign(const char *site, const char *destination)
{
    bool is_of_another = site && (strcasecmp(site, "cross-site") == 0 ||
                                  strcasecmp(site, "same-site") == 0);
    return is_of_another && destination && strcasecmp(destination, "document") != 0;
}
