// SPDX-License-Identifier: MIT
#include "profile/plain_keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static bool is_of_threads(const char *key)
{
    static const char *const names[] = {"thread", "tid", "pid", "thread_id"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (strcmp(names[i], key) == 0)
            return true;
    return false;
}

void plain_keys_init(struct plain_keys *keys, const struct plain_profile *profile)
{
    struct map numbers = {0};
    *keys = (struct plain_keys){0};
    for (size_t i = 0; i < profile->labels.count; i++) {
        uint32_t key = profile->labels.list[i].key;
        bool thread = is_of_threads(plain_string(profile, key));
        keys->threads |= thread;
        if (thread)
            continue;
        uint32_t number = map_number(&numbers, key);
        if (number == keys->count) {
            ARRAY_RESERVE(keys->list, keys->count, keys->capacity);
            keys->list[keys->count++] = (struct plain_key){.key = key};
        }
        keys->list[number].values++;
    }
    map_fini(&numbers);
}

void plain_keys_fini(struct plain_keys *keys)
{
    free(keys->list);
    *keys = (struct plain_keys){0};
}
