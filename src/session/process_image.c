// SPDX-License-Identifier: MIT
#include "session/process_image.h"

#include "base/clock.h"
#include "unwind/space_unwinder.h"

#define REFRESH_SHARE 20 // reading maps again takes at most one part in so many of our time
#define YOUNG_NS NS_PER_S
#define UNLIKELY_NS NS_PER_S

void process_image_load(struct process_image *image, struct modules *modules, pid_t pid,
                        size_t max_depth)
{
    process_image_fini(image);
    image->space = space_new(modules, pid, pid);
    // The maps of a leader that has ended are empty: the first capture's thread will be asked.
    image->loaded_at = clock_now();
    image->refreshed_at = space_is_empty(image->space) ? 0 : image->loaded_at;
    image->unwinder = space_unwinder_new(image->space, max_depth);
}

void process_image_fini(struct process_image *image)
{
    unwinder_free(image->unwinder);
    space_free(image->space);
    stack_mappings_fini(&image->mappings);
    *image = (struct process_image){0};
}

static bool is_mapped(const struct process_image *image, const struct unwind_result *stack)
{
    const struct unwind_frame *last = &stack->frames[stack->count - 1];
    return space_find(image->space, stack->frames[0].pc) && space_find(image->space, last->pc);
}

// Least time between two reads of maps. Where all that was found is mapped, a stack may have ended
// at a caller that is not: in a young process, whose libraries come just now, that is likely.
static int64_t refresh_pause(const struct process_image *image, const struct unwind_result *stack,
                             int64_t now)
{
    int64_t pause = image->refresh_cost * REFRESH_SHARE;
    bool likely = !is_mapped(image, stack) || now - image->loaded_at < YOUNG_NS;
    return likely || pause > UNLIKELY_NS ? pause : UNLIKELY_NS;
}

// A stack that ends early may belong to a library loaded since the maps were read.
struct unwind_result process_image_walk(struct process_image *image, pid_t tid,
                                        const struct capture *capture)
{
    struct unwind_result stack = unwinder_walk(image->unwinder, capture);
    int64_t now = clock_now();
    bool changed;
    if (stack.end == UNWIND_BOTTOM || capture->time < image->refreshed_at ||
        now - image->refreshed_at < refresh_pause(image, &stack, now))
        return stack;
    int64_t began = clock_thread();
    if (space_refresh(image->space, tid, &changed) == RC_OK && changed)
        unwinder_flush(image->unwinder);
    image->refreshed_at = clock_now();
    image->refresh_cost = clock_thread() - began;
    return unwinder_walk(image->unwinder, capture);
}
