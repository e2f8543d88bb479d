// SPDX-License-Identifier: MIT
#include "fixture_self.h"

#include <link.h>

// Not memcpy: the sanitizers watch it, and a copy of a stack has all their guarded bytes in it.
__attribute__((no_sanitize("address"))) static void copy_raw(void *to, const void *from,
                                                             size_t length)
{
    const volatile unsigned char *bytes = from;
    for (size_t i = 0; i < length; i++)
        ((unsigned char *)to)[i] = bytes[i];
}

struct look { // for one pass over the loaded objects
    uint64_t address, length;
    uint32_t flags; // that the segment must have
    void *to;
    struct unwind_table *table;
    bool found;
};

static const ElfW(Phdr) *segment_find(const struct dl_phdr_info *info, const struct look *look)
{
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *phdr = &info->dlpi_phdr[i];
        uint64_t inside = look->address - info->dlpi_addr - phdr->p_vaddr;
        if (phdr->p_type == PT_LOAD && (phdr->p_flags & look->flags) == look->flags &&
            inside < phdr->p_memsz && look->length <= phdr->p_memsz - inside)
            return phdr;
    }
    return NULL;
}

static void table_find(const struct dl_phdr_info *info, const ElfW(Phdr) *text,
                       struct look *look)
{
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_GNU_EH_FRAME)
            continue;
        look->found = true;
        *look->table = (struct unwind_table){
            .start = info->dlpi_addr + text->p_vaddr,
            .end = info->dlpi_addr + text->p_vaddr + text->p_memsz,
            .hdr = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr,
            .hdr_size = info->dlpi_phdr[i].p_memsz,
        };
    }
}

static int look_at(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    struct look *look = context;
    const ElfW(Phdr) *segment = segment_find(info, look);
    if (!segment)
        return 0;
    if (look->table)
        table_find(info, segment, look);
    else
        look->found = true;
    if (look->to)
        copy_raw(look->to, (const void *)(uintptr_t)look->address, look->length);
    return 1;
}

bool self_read(void *context, uint64_t address, void *to, size_t length)
{
    (void)context;
    struct look look = {.address = address, .length = length, .flags = PF_R, .to = to};
    dl_iterate_phdr(look_at, &look);
    return look.found;
}

bool self_table(void *context, uint64_t pc, struct unwind_table *table)
{
    (void)context;
    struct look look = {.address = pc, .length = 1, .flags = PF_X, .table = table};
    dl_iterate_phdr(look_at, &look);
    return look.found;
}

bool self_executable(void *context, uint64_t pc)
{
    (void)context;
    struct look look = {.address = pc, .length = 1, .flags = PF_X};
    dl_iterate_phdr(look_at, &look);
    return look.found;
}

void self_capture(struct capture *capture, const ucontext_t *context, uint64_t length)
{
    const greg_t *gregs = context->uc_mcontext.gregs;
    capture->regs.user = (struct user_regs_struct){
        .rax = gregs[REG_RAX], .rbx = gregs[REG_RBX], .rcx = gregs[REG_RCX],
        .rdx = gregs[REG_RDX], .rsi = gregs[REG_RSI], .rdi = gregs[REG_RDI],
        .rbp = gregs[REG_RBP], .rsp = gregs[REG_RSP], .rip = gregs[REG_RIP],
        .r8 = gregs[REG_R8],   .r9 = gregs[REG_R9],   .r10 = gregs[REG_R10],
        .r11 = gregs[REG_R11], .r12 = gregs[REG_R12], .r13 = gregs[REG_R13],
        .r14 = gregs[REG_R14], .r15 = gregs[REG_R15],
    };
    capture->stack_length = (uint32_t)length;
    copy_raw(capture->stack, (const void *)(uintptr_t)capture_sp(capture), length);
}
