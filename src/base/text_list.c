// SPDX-License-Identifier: MIT
#include "base/text_list.h"

#include <stdlib.h>

#include "base/mem.h"

void text_list_add(struct text_list *list, const char *text)
{
    ARRAY_RESERVE(list->texts, list->count, list->capacity);
    list->texts[list->count++] = text;
}

void text_list_copy(struct text_list *to, const struct text_list *from)
{
    *to = (struct text_list){0};
    for (size_t i = 0; i < from->count; i++)
        text_list_add(to, from->texts[i]);
}

void text_list_fini(struct text_list *list)
{
    free(list->texts);
    *list = (struct text_list){0};
}
