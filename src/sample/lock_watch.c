// SPDX-License-Identifier: MIT
#include "sample/lock_watch.h"

#include "process/memory.h"
#include "sample/stack_capture.h"

void lock_watch_plan(const struct lock_watch *watch, uint32_t process,
                     const struct stack_request *request, struct lock_plan *plan)
{
    uint32_t count = atomic_load_explicit(&watch->count, memory_order_acquire);
    for (uint32_t i = 0; i < LOCK_WORDS; i++) {
        struct planned_lock *lock = &plan->list[i];
        bool own = i < count && atomic_load(&watch->slots[i].process) == process;
        if (!own && lock->process != process + 1)
            continue; // it is one of another process, of which a thread may be about to stop
        lock->owner_at = atomic_load(&watch->slots[i].owner_at);
        lock->process = own && stack_capture_can_read(request, lock->owner_at, sizeof(uint32_t))
                            ? process + 1 : 0;
    }
}

void lock_watch_copy(const struct lock_plan *plan, uint32_t process, pid_t tid,
                     struct capture *capture)
{
    uint64_t addresses[LOCK_WORDS];
    uint32_t words[LOCK_WORDS];
    size_t count = 0;
    for (uint32_t i = 0; i < LOCK_WORDS; i++)
        if (plan->list[i].process == process + 1)
            addresses[count++] = plan->list[i].owner_at;
    count = count ? memory_read_words(tid, addresses, words, count) : 0;
    capture->lock_count = 0;
    for (size_t i = 0; i < count; i++)
        if (words[i])
            capture->locks[capture->lock_count++] = (struct lock_word){addresses[i], words[i]};
}
