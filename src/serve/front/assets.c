// SPDX-License-Identifier: MIT
// The Makefile makes these files of those in src/serve/page and src/output/flame.
#include "serve/front/assets.h"

#include <string.h>

#include "base/embed.h"
#include "base/mem.h"

#define EMBED_ASSET(name, file)                                                                    \
    EMBED(assets_##name, file);                                                                    \
    EMBED(assets_##name##_zipped, file ".gz");                                                     \
    EMBED(assets_##name##_tag, file ".hash");                                                      \
    extern const char assets_##name[], assets_##name##_end[], assets_##name##_zipped[],            \
        assets_##name##_zipped_end[], assets_##name##_tag[]

EMBED_ASSET(page, "page.html");
EMBED_ASSET(style, "page.css");
EMBED_ASSET(script, "page.js");

#define ASSET(name, its_path, its_type)                                                            \
    {                                                                                              \
        .path = its_path, .type = its_type, .bytes = assets_##name, .end = assets_##name##_end,    \
        .zipped = assets_##name##_zipped, .zipped_end = assets_##name##_zipped_end,                \
        .tag = assets_##name##_tag                                                                 \
    }

static const struct asset assets[] = {
    ASSET(page, "page.html", "text/html; charset=utf-8"),
    ASSET(style, "page.css", "text/css; charset=utf-8"),
    ASSET(script, "page.js", "text/javascript; charset=utf-8"),
};

const struct asset *assets_find(const char *path)
{
    for (size_t i = 0; i < ARRAY_LENGTH(assets); i++)
        if (strcmp(assets[i].path, path) == 0)
            return &assets[i];
    return NULL;
}
