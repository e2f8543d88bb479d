// SPDX-License-Identifier: MIT
#include "serve/front/route.h"

#include <string.h>

#include "base/mem.h"

#define BODY_MOST (64u << 10)     // bytes
#define ADDRESSES_MOST (1u << 20) // of those whose names are asked for

static const struct {
    enum http_kind kind;
    const struct route *rows;
} tables[] = {
    {HTTP_METRICS, metrics_routes}, {HTTP_PPROF, pprof_routes}, {HTTP_API, api_routes},
    {HTTP_PAGE, page_routes},       {HTTP_PPROF, pprof_rest_routes},
};

// Returns what follows the beginning, or NULL.
static const char *behind(const char *path, const char *beginning)
{
    size_t length = strlen(beginning);
    return strncmp(path, beginning, length) == 0 ? path + length : NULL;
}

// Takes over an ID of `length` bytes; false: there is none. A longer one than any is no target's
// either when it is cut.
static bool take_id(struct exchange *exchange, const char *id, size_t length)
{
    if (length >= sizeof exchange->ask.target)
        length = sizeof exchange->ask.target - 1;
    memcpy(exchange->ask.target, id, length);
    exchange->ask.target[length] = '\0';
    return length;
}

// "/targets/ID/rest" is "/rest" of that target. Scrapers have "/pid/" and "/name/" in place of that
// too, or an argument.
static const char *of_target(struct exchange *exchange, const char *path)
{
    static const char *const before[] = {"/targets/", "/pid/", "/name/"};
    static const char *const arguments[] = {"target", "pid"};
    for (size_t i = 0; i < ARRAY_LENGTH(before); i++) {
        const char *id = behind(path, before[i]);
        const char *slash = id ? strchr(id, '/') : NULL;
        if (slash && take_id(exchange, id, (size_t)(slash - id)))
            return slash;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(arguments); i++) {
        const char *id = exchange_argument(exchange, arguments[i]);
        if (id && take_id(exchange, id, strlen(id)))
            break;
    }
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
        for (const struct route *route = tables[i].rows; route->path; route++) {
            if (!matches(exchange, route->path, path, prefix))
                continue;
            exchange->kind = tables[i].kind;
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
