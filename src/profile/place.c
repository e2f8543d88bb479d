// SPDX-License-Identifier: MIT
#include "profile/place.h"

#define SYNTHETIC_START 0xffff800000000000u
#define SYNTHETIC_BITS 32

static uint64_t synthetic_start(const struct modules *modules, const struct mapping *mapping)
{
    uint64_t before = 0;
    for (uint32_t i = 0; i < mapping->id; i++) {
        enum module_kind kind = modules_mapping(modules, i)->module->kind;
        before += kind == MODULE_KERNEL || kind == MODULE_SPECIAL;
    }
    return SYNTHETIC_START + (before << SYNTHETIC_BITS);
}

struct place place_of(const struct modules *modules, const struct mapping *mapping)
{
    enum module_kind kind = mapping->module->kind;
    if (kind != MODULE_KERNEL && kind != MODULE_SPECIAL)
        return (struct place){mapping->start, mapping->end, mapping->offset};
    uint64_t start = synthetic_start(modules, mapping);
    return (struct place){start, start + (1ull << SYNTHETIC_BITS), 0};
}

uint64_t place_address(const struct modules *modules, struct location location)
{
    const struct mapping *mapping = modules_mapping(modules, location.mapping);
    struct place place = place_of(modules, mapping);
    return place.start + (location.offset - place.offset) % (place.limit - place.start);
}
