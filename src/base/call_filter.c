// SPDX-License-Identifier: MIT
#include "base/call_filter.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

void call_filter_add(struct call_filter *filter, struct sock_filter instruction)
{
    if (filter->length == CALL_FILTER_MAX)
        abort();
    filter->code[filter->length++] = instruction;
}

void call_filter_load(struct call_filter *filter, size_t offset)
{
    call_filter_add(filter,
                    (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

void call_filter_answer(struct call_filter *filter, uint32_t action)
{
    call_filter_add(filter, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

void call_filter_branch(struct call_filter *filter, uint32_t value, uint8_t if_so, uint8_t if_not)
{
    call_filter_add(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, if_so,
                                                         if_not));
}

void call_filter_answer_if(struct call_filter *filter, uint32_t value, uint32_t action)
{
    call_filter_branch(filter, value, 0, 1);
    call_filter_answer(filter, action);
}

void call_filter_begin(struct call_filter *filter, uint32_t machine, uint32_t action)
{
    filter->length = 0;
    call_filter_load(filter, offsetof(struct seccomp_data, arch));
    call_filter_branch(filter, machine, 1, 0);
    call_filter_answer(filter, action);
    call_filter_load(filter, offsetof(struct seccomp_data, nr));
}

bool call_filter_install(const struct call_filter *filter)
{
    struct sock_fprog whole = {filter->length, (struct sock_filter *)filter->code};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &whole) == 0;
}
