// SPDX-License-Identifier: MIT
// A list of texts, which are borrowed; the list itself is owned.
#pragma once

#include <stddef.h>

struct text_list { // zeroed: empty
    const char **texts;
    size_t count, capacity;
};

void text_list_add(struct text_list *list, const char *text);
void text_list_copy(struct text_list *to, const struct text_list *from); // `to` is overwritten
void text_list_fini(struct text_list *list);
