// SPDX-License-Identifier: MIT
#include "serve/program_function.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

// The system call that it waits in is a frame of the kernel's.
static bool is_below_program(const struct function *function)
{
    static const char *const modules[] = {"libc.",  "libc-",      "ld-",
                                          "[vdso]", "libpthread", "[kernel]"};
    for (size_t i = 0; i < ARRAY_LENGTH(modules); i++)
        if (strncmp(function->module, modules[i], strlen(modules[i])) == 0)
            return true;
    return false;
}

const char *program_function(const struct moment *moment, uint32_t node)
{
    const struct plain_node *nodes = moment->profile->stacks.nodes;
    const char *leaf = "";
    for (; node; node = nodes[node].parent) {
        struct name_span span = names_frames(moment->names, nodes[node].location);
        for (size_t i = 0; i < span.count; i++) {
            const struct function *function =
                names_function(moment->names, span.frames[i].function);
            if (!is_below_program(function))
                return function->name;
            leaf = *leaf ? leaf : function->name;
        }
    }
    return leaf;
}
