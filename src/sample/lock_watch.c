// SPDX-License-Identifier: MIT
#include "sample/lock_watch.h"

#include "sample/stack_capture.h"

void lock_watch_copy(const struct lock_watch *watch, uint32_t process, pid_t tid,
                     const struct stack_request *request, struct capture *capture)
{
    uint32_t count = atomic_load_explicit(&watch->count, memory_order_acquire);
    capture->lock_count = 0;
    if (request->pages.fd < 0 && !request->pages.mappings) // nobody knows which pages are there
        return;
    for (uint32_t i = 0; i < count && i < LOCK_WORDS; i++) {
        struct lock_word *lock = &capture->locks[capture->lock_count];
        lock->owner_at = atomic_load(&watch->slots[i].owner_at);
        if (atomic_load(&watch->slots[i].process) == process &&
            stack_capture_word(tid, request, lock->owner_at, &lock->word) && lock->word)
            capture->lock_count++;
    }
}
