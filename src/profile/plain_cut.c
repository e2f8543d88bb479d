// SPDX-License-Identifier: MIT
#include "profile/plain_cut.h"

#include <inttypes.h>

#include "base/mem.h"

struct cut_node {
    uint32_t node;   // where its stacks end
    uint64_t frames; // from the root on
};

static struct cut_node cut_node(const struct plain_profile *profile, struct cut_node caller,
                                uint32_t node, uint32_t most)
{
    uint32_t location = profile->stacks.nodes[node].location;
    uint32_t lines = profile->code.locations[location].count;
    uint64_t frames = caller.frames + (lines ? lines : 1);
    return frames <= most ? (struct cut_node){node, frames}
                          : (struct cut_node){caller.node, frames};
}

void plain_cut(struct plain_profile *profile, uint32_t most)
{
    size_t cut = 0;
    AUTO_FREE struct cut_node *nodes = xcalloc(profile->stacks.count, sizeof *nodes);
    for (uint32_t i = 1; i < profile->stacks.count; i++)
        nodes[i] = cut_node(profile, nodes[profile->stacks.nodes[i].parent], i, most);
    for (size_t i = 0; i < profile->samples.count; i++) {
        uint32_t *stack = &profile->samples.list[i].stack;
        cut += nodes[*stack].node != *stack;
        *stack = nodes[*stack].node;
    }
    if (!cut)
        return;
    AUTO_FREE char *text = xasprintf("%zu stacks are cut at %" PRIu32 " frames", cut, most);
    plain_add_comment(profile, text);
}
