// SPDX-License-Identifier: MIT
#include "sample/stack_capture.h"

#include <string.h>
#include <unistd.h>

#include "process/memory.h"

#define PAGE 4096u
#define PAGES_MAX (STACK_MAX / PAGE + 2) // that one piece may touch
#define ROOT_MARGIN 128u // what the unwinder may look at above the root's frame
#define BELOW_WINDOW 512u // registers are saved below the word that is missed first
#define ALTERNATE_MAX (1u << 20) // bytes of an alternate signal stack that are in use

struct stretch { // of the target's memory; empty when start == end
    uint64_t start, end;
};

// --- plans ---

#define RELAXED memory_order_relaxed

void stack_hints_tell(struct stack_hints *hints, uint32_t thread, const struct stack_plan *plan)
{
    struct stack_hint_slot *slot = &hints->slots[thread % STACK_HINTS];
    atomic_store_explicit(&slot->thread, thread + 1, RELAXED);
    atomic_store_explicit(&slot->bytes, plan->bytes, RELAXED);
    atomic_store_explicit(&slot->reach, plan->reach, RELAXED);
    atomic_store_explicit(&slot->root, plan->root, RELAXED);
    atomic_store_explicit(&slot->version, plan->version, RELAXED);
    atomic_store_explicit(&slot->there, plan->there, RELAXED);
    atomic_store_explicit(&slot->there_end, plan->there_end, RELAXED);
    for (size_t i = 0; i < STACK_WINDOWS; i++) {
        atomic_store_explicit(&slot->places[i], plan->places[i], RELAXED);
        atomic_store_explicit(&slot->lengths[i], plan->lengths[i], RELAXED);
    }
}

void stack_hints_get(const struct stack_hints *hints, uint32_t thread, struct stack_plan *plan)
{
    const struct stack_hint_slot *slot = &hints->slots[thread % STACK_HINTS];
    *plan = (struct stack_plan){0};
    if (atomic_load_explicit(&slot->thread, RELAXED) != thread + 1)
        return;
    plan->bytes = atomic_load_explicit(&slot->bytes, RELAXED);
    plan->reach = atomic_load_explicit(&slot->reach, RELAXED);
    plan->root = atomic_load_explicit(&slot->root, RELAXED);
    plan->version = atomic_load_explicit(&slot->version, RELAXED);
    plan->there = atomic_load_explicit(&slot->there, RELAXED);
    plan->there_end = atomic_load_explicit(&slot->there_end, RELAXED);
    for (size_t i = 0; i < STACK_WINDOWS; i++) {
        plan->places[i] = atomic_load_explicit(&slot->places[i], RELAXED);
        plan->lengths[i] = atomic_load_explicit(&slot->lengths[i], RELAXED);
    }
}

bool stack_hints_learnt(const struct stack_hints *hints, uint32_t thread)
{
    const struct stack_hint_slot *slot = &hints->slots[thread % STACK_HINTS];
    return atomic_load_explicit(&slot->thread, RELAXED) == thread + 1 &&
           atomic_load_explicit(&slot->bytes, RELAXED);
}

uint32_t stack_hints_version(const struct stack_hints *hints, uint32_t thread)
{
    const struct stack_hint_slot *slot = &hints->slots[thread % STACK_HINTS];
    return atomic_load_explicit(&slot->thread, RELAXED) == thread + 1
               ? atomic_load_explicit(&slot->version, RELAXED)
               : 0;
}

// Returns the bytes from a stack pointer up to the root of the stack; where the root is not known,
// or the stack pointer is not below it as usual, as many as were needed lately.
static uint32_t stack_wanted(const struct stack_plan *plan, uint64_t sp)
{
    uint32_t wanted = plan->bytes ? plan->bytes : STACK_FIRST;
    uint64_t below_root = plan->root - sp; // wraps for what lies above it
    if (plan->root && below_root < (wanted > plan->reach ? wanted : plan->reach))
        wanted = (uint32_t)below_root + ROOT_MARGIN;
    return wanted < STACK_MAX ? wanted : STACK_MAX;
}

size_t stack_plan_room(const struct stack_plan *plan)
{
    size_t most = plan->bytes ? plan->bytes : STACK_FIRST, room = most;
    for (size_t i = 0; i < STACK_WINDOWS; i++)
        if (plan->places[i])
            room += (plan->lengths[i] ? plan->lengths[i] : most) + BELOW_WINDOW;
    return room < STACK_ROOM ? room : STACK_ROOM;
}

// --- which pages are there ---

// A page that was swapped out is read too; not one whose first access userfaultfd is to see.
static bool is_there(uint64_t entry)
{
    const uint64_t present = 1ull << 63, swapped = 1ull << 62, watched = 1ull << 57;
    return entry & present || (entry & swapped && !(entry & watched));
}

static struct stretch overlap(struct stretch wanted, uint64_t start, uint64_t end)
{
    return (struct stretch){wanted.start > start ? wanted.start : start,
                            wanted.end < end ? wanted.end : end};
}

// Returns the part of `wanted` around `anchor` of which all pages are there.
static struct stretch clip_to_pages(int pages_fd, struct stretch wanted, uint64_t anchor)
{
    uint64_t entries[PAGES_MAX], first = wanted.start / PAGE;
    size_t count = (wanted.end - 1) / PAGE - first + 1;
    if (count > PAGES_MAX)
        count = PAGES_MAX;
    ssize_t got = pread(pages_fd, entries, count * sizeof *entries,
                        (off_t)(first * sizeof *entries));
    size_t known = got > 0 ? (size_t)got / sizeof *entries : 0, low = anchor / PAGE - first;
    size_t high = low;
    while (high < known && is_there(entries[high]))
        high++;
    if (high == low)
        return (struct stretch){anchor, anchor};
    while (low && is_there(entries[low - 1]))
        low--;
    uint64_t start = (first + low) * PAGE, end = (first + high) * PAGE;
    return overlap(wanted, start, end);
}

static struct stretch clip_to_mapping(const struct regions *mappings, struct stretch wanted,
                                      uint64_t anchor)
{
    const struct proc_map *map = regions_find(mappings, anchor);
    return map && map->readable && !map->shared ? overlap(wanted, map->start, map->end)
                                                : (struct stretch){anchor, anchor};
}

static struct stretch clip_to_root(const struct stack_plan *plan, struct stretch wanted,
                                   uint64_t anchor)
{
    uint64_t page = anchor & -(uint64_t)PAGE, end = page + PAGE;
    if (plan->root > end && plan->root - anchor < plan->reach)
        end = plan->root;
    return overlap(wanted, page, end);
}

// Returns [anchor - below, anchor + above), or what of it can be copied without harm.
static struct stretch harmless(const struct stack_request *request, uint64_t anchor,
                               uint32_t below, uint32_t above)
{
    const struct stack_pages *pages = &request->pages;
    const struct stack_plan *plan = request->plan;
    struct stretch wanted = {anchor - below, anchor + above};
    if (!above || wanted.start > anchor || wanted.end < anchor || wanted.end >> 63)
        return (struct stretch){anchor, anchor};
    if (wanted.start >= plan->there && wanted.end <= plan->there_end)
        return wanted;
    if (pages->fd >= 0)
        return clip_to_pages(pages->fd, wanted, anchor);
    return pages->mappings ? clip_to_mapping(pages->mappings, wanted, anchor)
                           : clip_to_root(plan, wanted, anchor);
}

// --- copying ---

// The red zone lies right before the bytes from the stack pointer up, there and here.
static void copy_first(pid_t tid, const struct stack_request *request, struct capture *capture,
                       uint32_t most)
{
    uint64_t sp = capture_sp(capture);
    uint32_t wanted = stack_wanted(request->plan, sp);
    capture->stack_asked = wanted < most ? wanted : most;
    struct stretch there = harmless(request, sp, RED_ZONE, capture->stack_asked);
    uint32_t below = (uint32_t)(sp - there.start);
    size_t wide = there.end - there.start;
    size_t got = wide ? memory_read_now(tid, there.start, capture->stack - below, wide) : 0;
    capture->red_zone = got < below ? 0 : below;
    capture->stack_length = got < below ? 0 : (uint32_t)got - below;
}

static bool in_first(const struct capture *capture, uint64_t address)
{
    return address - capture_sp(capture) < capture->stack_length;
}

// Returns the pointer at this address, if it lies above the stack pointer as the top of an
// alternate stack does.
static uint64_t pointer_at(const struct capture *capture, uint64_t at)
{
    uint64_t pointer, above = at - capture_sp(capture);
    if (above >= ALTERNATE_MAX || above + sizeof pointer > capture->stack_length)
        return 0;
    memcpy(&pointer, capture->stack + above, sizeof pointer);
    return pointer;
}

// Returns the pointer that lies so far behind the one at this address.
static uint64_t pointer_behind(pid_t tid, const struct stack_request *request,
                               const struct capture *capture, uint64_t place)
{
    const uint64_t address = (1ull << WINDOW_HOP_SHIFT) - 1 - WINDOW_KIND_BITS;
    uint64_t pointer, owner = pointer_at(capture, place & address);
    uint64_t at = owner + (uint64_t)((int64_t)place >> WINDOW_HOP_SHIFT);
    struct stretch there = harmless(request, at, 0, sizeof pointer);
    return owner && there.end - there.start == sizeof pointer &&
                   memory_read_now(tid, at, &pointer, sizeof pointer) == sizeof pointer
               ? pointer : 0;
}

// Returns where a window begins; 0: it is not for this capture. The kernel puts the frame of a
// handler at the same place of an alternate stack each time.
static uint64_t anchor_of(pid_t tid, const struct stack_request *request,
                          const struct capture *capture, uint64_t place)
{
    uint64_t at = place & ~(uint64_t)WINDOW_KIND_BITS, anchor = at;
    switch ((enum window_kind)(place & WINDOW_KIND_BITS)) {
    case WINDOW_AT:
        break;
    case WINDOW_ABOVE_SP:
        anchor = capture_sp(capture) + at;
        break;
    case WINDOW_POINTER:
        anchor = pointer_at(capture, at);
        break;
    case WINDOW_HOP:
        anchor = pointer_behind(tid, request, capture, place);
    }
    return in_first(capture, anchor) ? 0 : anchor;
}

static void copy_window(pid_t tid, const struct stack_request *request, size_t number,
                        struct capture *capture)
{
    const struct stack_plan *plan = request->plan;
    uint64_t place = plan->places[number];
    uint64_t anchor = anchor_of(tid, request, capture, place);
    size_t used = stack_capture_bytes(capture), room = request->room;
    if (!anchor || used + BELOW_WINDOW >= room)
        return;
    uint32_t asked = plan->lengths[number] ? plan->lengths[number] : stack_wanted(plan, anchor);
    if (asked > room - used - BELOW_WINDOW)
        asked = (uint32_t)(room - used - BELOW_WINDOW);
    struct stretch there = harmless(request, anchor, BELOW_WINDOW, asked);
    struct stack_window *window = &capture->windows[capture->window_count++];
    *window = (struct stack_window){place, anchor, there.start, 0, asked};
    if (there.end > there.start)
        window->length = (uint32_t)memory_read_now(
            tid, there.start, capture->stack + used, there.end - there.start);
}

void stack_capture(pid_t tid, const struct stack_request *request, struct capture *capture)
{
    const uint64_t *places = request->plan->places;
    size_t room = request->room;
    bool windows = false;
    for (size_t i = 0; i < STACK_WINDOWS; i++)
        windows |= places[i] != 0;
    capture->window_count = 0;
    if (request->pages.fd < 0 && !request->pages.mappings)
        capture->flags |= CAPTURE_PAGES_UNKNOWN;
    copy_first(tid, request, capture, (uint32_t)(windows ? room - room / 4 : room));
    for (size_t i = 0; i < STACK_WINDOWS; i++)
        if (places[i])
            copy_window(tid, request, i, capture);
}

bool stack_capture_can_read(const struct stack_request *request, uint64_t address, size_t length)
{
    bool known = request->pages.fd >= 0 || request->pages.mappings;
    struct stretch there = known ? harmless(request, address, 0, (uint32_t)length)
                                 : (struct stretch){0, 0};
    return there.end - there.start == length;
}

size_t stack_capture_bytes(const struct capture *capture)
{
    size_t bytes = capture->stack_length;
    for (size_t i = 0; i < capture->window_count; i++)
        bytes += capture->windows[i].length;
    return bytes;
}
