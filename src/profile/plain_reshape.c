// SPDX-License-Identifier: MIT
#include "profile/plain_reshape.h"

#include "base/mem.h"

// The maps of a copy are made when something is added to it.
struct plain_profile *plain_reshape_begin(const struct plain_profile *profile)
{
    struct plain_profile *copy = plain_copy(profile);
    copy->stacks.count = 1;
    copy->samples.count = 0;
    return copy;
}

void plain_reshape_end(struct plain_profile *copy, const struct plain_profile *profile,
                       const bool *takes, const bool *gone, bool without_empty)
{
    const struct plain_node *nodes = profile->stacks.nodes;
    AUTO_FREE uint32_t *to = xcalloc(profile->stacks.count, sizeof *to);
    for (uint32_t i = 1; i < profile->stacks.count; i++) {
        uint32_t parent = to[nodes[i].parent];
        to[i] = gone[i] ? parent : plain_child(copy, parent, nodes[i].location);
    }
    for (uint32_t i = 0; i < profile->samples.count; i++) {
        struct plain_sample sample = profile->samples.list[i];
        if ((takes && !takes[i]) || (without_empty && !to[sample.stack]))
            continue;
        plain_add(copy, plain_sample(copy, to[sample.stack], sample.labels),
                  plain_values(profile, i));
    }
}

size_t plain_reshape_lines(struct plain_profile *copy, uint32_t location, const bool *keeps)
{
    struct plain_location at = copy->code.locations[location];
    AUTO_FREE struct plain_line *lines = xcalloc(at.count + 1, sizeof *lines);
    size_t count = 0;
    for (uint32_t i = 0; i < at.count; i++)
        if (keeps[i])
            lines[count++] = copy->code.lines[at.first + i];
    if (count < at.count)
        plain_set_lines(copy, location, lines, count);
    return count;
}
