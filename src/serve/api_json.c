// SPDX-License-Identifier: MIT
#include "serve/api_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"

void api_begin(struct api_json *api, struct buf *out)
{
    *api = (struct api_json){.json = {.out = out}};
    json_begin(&api->json, NULL, '{');
}

void api_end(struct api_json *api)
{
    json_begin(&api->json, "unavailable", '{');
    for (size_t i = 0; i < api->count; i++) {
        json_text(&api->json, api->absent[i].path, api->absent[i].why);
        free(api->absent[i].path);
        free(api->absent[i].why);
    }
    json_end(&api->json, '{');
    json_end(&api->json, '{');
    free(api->absent);
}

static void enter(struct api_json *api, const char *key, const char *mark)
{
    size_t length = strlen(api->path);
    snprintf(api->path + length, sizeof api->path - length, "%s%s.", key, mark);
}

static void leave(struct api_json *api)
{
    size_t length = strlen(api->path);
    if (length)
        api->path[length - 1] = '\0';
    char *dot = strrchr(api->path, '.');
    *(dot ? dot + 1 : api->path) = '\0';
}

void api_group(struct api_json *api, const char *key)
{
    json_begin(&api->json, key, '{');
    enter(api, key, "");
}

void api_group_end(struct api_json *api)
{
    json_end(&api->json, '{');
    leave(api);
}

void api_list(struct api_json *api, const char *key)
{
    json_begin(&api->json, key, '[');
    enter(api, key, "[]");
}

void api_list_end(struct api_json *api)
{
    json_end(&api->json, '[');
    leave(api);
}

void api_item(struct api_json *api)
{
    json_begin(&api->json, NULL, '{');
}

void api_item_end(struct api_json *api)
{
    json_end(&api->json, '{');
}

void api_null(struct api_json *api, const char *key, const char *why)
{
    json_null(&api->json, key);
    if (api->quiet)
        return;
    AUTO_FREE char *path = xasprintf("%s%s", api->path, key);
    for (size_t i = 0; i < api->count; i++)
        if (strcmp(api->absent[i].path, path) == 0)
            return; // one reason for all items of a list
    ARRAY_RESERVE(api->absent, api->count, api->capacity);
    api->absent[api->count++] = (struct api_absence){
        .path = steal_ptr(&path),
        .why = xstrdup(why ? why : "the kernel does not say it"),
    };
}

void api_count(struct api_json *api, const char *key, uint64_t value, const char *why)
{
    if (value == API_UNKNOWN)
        api_null(api, key, why);
    else
        json_count(&api->json, key, value);
}

void api_real(struct api_json *api, const char *key, double value, unsigned decimals,
              const char *why)
{
    if (isfinite(value))
        json_decimal(&api->json, key, value, decimals);
    else
        api_null(api, key, why);
}

void api_text(struct api_json *api, const char *key, const char *value, const char *why)
{
    if (value)
        json_text(&api->json, key, value);
    else
        api_null(api, key, why);
}

void api_time(struct api_json *api, const char *key, int64_t wall, const char *why)
{
    char date[32], text[48];
    time_t seconds = (time_t)(wall / NS_PER_S);
    struct tm utc;
    if (wall > 0 && gmtime_r(&seconds, &utc)) {
        strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
        snprintf(text, sizeof text, "%s.%03dZ", date, (int)(wall % NS_PER_S / NS_PER_MS));
        json_text(&api->json, key, text);
    } else {
        api_null(api, key, why);
    }
}

void api_megabytes(struct api_json *api, const char *key, uint64_t bytes, const char *why)
{
    api_real(api, key, bytes == API_UNKNOWN ? NAN : (double)bytes / (1 << 20), 2, why);
}
