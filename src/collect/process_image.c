// SPDX-License-Identifier: MIT
#include "collect/process_image.h"

#include "base/clock.h"
#include "process/space.h"

#define REFRESH_SHARE 20 // reading maps again takes at most one part in so many of our time
#define YOUNG_NS NS_PER_S
#define UNLIKELY_NS NS_PER_S

void process_image_load(struct process_image *image, struct modules *modules, pid_t pid,
                        pid_t tid, uint64_t number, struct walker *walker)
{
    process_image_fini(image);
    image->number = number;
    image->space = space_new(modules, pid, tid);
    // The maps of a leader that has ended are empty: those of the first capture's thread are read
    // then.
    image->loaded_at = clock_now();
    image->refreshed_at = space_is_empty(image->space) ? 0 : image->loaded_at;
    image->walked = walked_new(walker, image->space);
}

void process_image_borrow(struct process_image *image, const struct process_image *same)
{
    space_borrow(image->space, same->space);
    image->refreshed_at = image->loaded_at;
}

void process_image_fini(struct process_image *image)
{
    walked_free(image->walked);
    space_free(image->space);
    stack_mappings_fini(&image->mappings);
    *image = (struct process_image){0};
}

bool process_image_holds(const struct process_image *image, const struct unwind_result *stack)
{
    const struct unwind_frame *last = &stack->frames[stack->count - 1];
    return space_find(image->space, stack->frames[0].pc) &&
           (stack->end == UNWIND_BOTTOM || space_find(image->space, last->pc));
}

// Returns the least time between two reads of maps. Where all frames that were found are mapped,
// the stack may have ended at a caller that is not: that is likely in a young process, which is
// still loading its libraries.
static int64_t refresh_pause(const struct process_image *image, const struct unwind_result *stack,
                             int64_t now)
{
    int64_t pause = image->refresh_cost * REFRESH_SHARE;
    bool likely = !process_image_holds(image, stack) || now - image->loaded_at < YOUNG_NS;
    return likely || pause > UNLIKELY_NS ? pause : UNLIKELY_NS;
}

// Returns whether the stack may have ended early in a library that was loaded since the maps were
// read.
static bool is_late(const struct process_image *image, const struct capture *capture,
                    const struct unwind_result *stack)
{
    int64_t now = clock_now();
    return stack->end != UNWIND_BOTTOM && capture->time >= image->refreshed_at &&
           now - image->refreshed_at >= refresh_pause(image, stack, now);
}

bool process_image_is_true(struct process_image *image, const struct capture *capture,
                           const struct unwind_result *stack)
{
    bool all = true;
    for (size_t i = 0; i < stack->count && all; i++)
        all = space_is_true(image->space, stack->frames[i].pc, capture->time);
    if (!all)
        image->changed_at = clock_now();
    return all;
}

bool process_image_refresh(struct process_image *image, pid_t tid)
{
    int64_t began = clock_thread();
    bool changed;
    enum rc rc = space_refresh(image->space, tid, &changed);
    if (rc == RC_OK)
        walked_changed(image->walked, changed);
    image->refreshed_at = clock_now();
    image->refresh_cost = clock_thread() - began;
    return rc != RC_GONE;
}

static bool may_refresh(const struct process_image *image)
{
    return clock_now() - image->refreshed_at >= image->refresh_cost * REFRESH_SHARE;
}

static bool is_doubtful(const struct process_image *image, const struct capture *capture,
                        const struct unwind_result *stack)
{
    bool any = false;
    for (size_t i = 0; i < stack->count && !any; i++)
        any = space_is_doubtful(image->space, stack->frames[i].pc, capture->time);
    return any;
}

// Returns whether the maps are those of the image. They were read when the consumer read the
// record, and the process may have called exec again by then.
static bool is_of_image(const struct process_image *image)
{
    uint64_t number = space_image(image->space);
    bool known = number || !space_is_empty(image->space);
    return !known || !image->number || number == image->number;
}

bool process_image_walk(struct process_image *image, pid_t tid, const struct capture *capture,
                        struct unwind_result *stack)
{
    *stack = walked_walk(image->walked, capture);
    bool late = is_late(image, capture, stack);
    bool right = late || process_image_is_true(image, capture, stack);
    if ((late || !right) && may_refresh(image)) {
        process_image_refresh(image, tid);
        *stack = walked_walk(image->walked, capture);
        right = true;
    }
    return right && is_of_image(image) && !is_doubtful(image, capture, stack);
}
