// SPDX-License-Identifier: MIT
#include "serve/front/route.h"

#include <string.h>

#include "base/mem.h"

#define BODY_MOST (64u << 10)     // bytes
#define ADDRESSES_MOST (1u << 20) // of those whose names are asked for

static const struct route *const tables[] = {pprof_routes, api_routes};

// Returns what follows the beginning, or NULL.
static const char *behind(const char *path, const char *beginning)
{
    size_t length = strlen(beginning);
    return strncmp(path, beginning, length) == 0 ? path + length : NULL;
}

// "/targets/ID/rest" is "/rest" of that target.
static const char *of_target(struct exchange *exchange, const char *path)
{
    const char *rest = behind(path, "/targets/");
    const char *slash = rest ? strchr(rest, '/') : NULL;
    const char *argument = exchange_argument(exchange, "target");
    size_t length = slash ? (size_t)(slash - rest) : 0;
    if (length && length < sizeof exchange->ask.target) {
        memcpy(exchange->ask.target, rest, length);
        exchange->ask.target[length] = '\0';
        return slash;
    }
    if (argument)
        strncpy(exchange->ask.target, argument, sizeof exchange->ask.target - 1);
    return path;
}

static bool matches(struct exchange *exchange, const char *pattern, const char *path,
                    const char *prefix)
{
    const char *rest = behind(pattern, "{prefix}");
    if (rest && !(path = behind(path, prefix)))
        return false;
    pattern = rest ? rest : pattern;
    const char *star = strchr(pattern, '*');
    if (!star)
        return strcmp(pattern, path) == 0;
    if (strncmp(pattern, path, (size_t)(star - pattern)) != 0)
        return false;
    strncpy(exchange->rest, path + (star - pattern), sizeof exchange->rest - 1);
    return true;
}

const struct route *route_find(struct exchange *exchange, const char *prefix, unsigned method,
                               unsigned *methods)
{
    const char *path = of_target(exchange, exchange->path);
    *methods = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(tables); i++)
        for (const struct route *route = tables[i]; route->path; route++) {
            if (!matches(exchange, route->path, path, prefix))
                continue;
            if (route->methods & method)
                return route;
            *methods |= route->methods;
        }
    return NULL;
}

size_t route_body_most(const struct route *route)
{
    return route->what == ASK_SYMBOL ? ADDRESSES_MOST : BODY_MOST;
}
