// SPDX-License-Identifier: MIT
#include "unwind/x86_64/code_path.h"

bool path_move_stack(struct path *path, enum stack_effect effect, int64_t distance)
{
    bool at_frame = effect == STACK_AT_FRAME;
    if (effect == STACK_LOST || (at_frame && !(path->known >> REGISTER_FRAME & 1)))
        return false;
    path->sp = (at_frame ? path->registers[REGISTER_FRAME] : path->sp) + (uint64_t)distance;
    return true;
}

static bool is_new(struct paths *paths, uint64_t target)
{
    for (size_t i = 0; i < paths->target_count; i++)
        if (paths->targets[i] == target)
            return false;
    if (paths->target_count == TARGETS_MAX)
        return false;
    paths->targets[paths->target_count++] = target;
    return true;
}

bool paths_jump(struct paths *paths, struct path *path, uint64_t target)
{
    path->pc = target;
    return is_new(paths, target);
}

enum flow paths_go(struct paths *paths, struct path *path, const struct instruction *instruction)
{
    int64_t distance;
    enum flow flow = instruction_flow(instruction, &distance);
    uint64_t target = path->pc + (uint64_t)distance;
    if (flow == FLOW_JUMP)
        return paths_jump(paths, path, target) ? FLOW_NEXT : FLOW_END;
    if (flow != FLOW_BRANCH)
        return flow;
    if (paths->count < PATHS_MAX && is_new(paths, target)) {
        paths->list[paths->count] = *path;
        paths->list[paths->count++].pc = target;
    }
    return FLOW_NEXT;
}
