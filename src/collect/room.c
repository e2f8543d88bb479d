// SPDX-License-Identifier: MIT
#include "collect/room.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

#define LOOK_NS (NS_PER_S / 4)
#define WORTH_SAVING (1u << 20) // bytes; a run that has collected less is not worth saving
#define SPARE (8u << 20)        // bytes that writing takes in any case
#define SHARE 2 // writing takes so many times what was collected: an array doubles, a writer sorts

bool room_is_short(struct room *room)
{
    int64_t now = clock_now();
    if (now - room->at < LOOK_NS || mem_is_short())
        return mem_is_short();
    room->at = now;
    struct limits_memory memory = limits_memory();
    if (!room->before)
        room->before = memory.used;
    size_t grown = memory.used > room->before ? memory.used - room->before : 0;
    if (grown > WORTH_SAVING && memory.left < SPARE + SHARE * grown)
        mem_give_reserve();
    return mem_is_short();
}
