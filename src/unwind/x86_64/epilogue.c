// SPDX-License-Identifier: MIT
#include "unwind/epilogue.h"

#include <string.h>

#include "unwind/x86_64/instruction.h"

#define CODE_MAX 24 // bytes: an addition, six pops, a return

struct epilogue {
    const unsigned char *at, *end; // code
    uint64_t registers[REGISTERS];
    uint32_t known;
};

static bool is_next(const struct epilogue *epilogue, const char *bytes, size_t length)
{
    return (size_t)(epilogue->end - epilogue->at) >= length &&
           memcmp(epilogue->at, bytes, length) == 0;
}

// add $SIZE,%rsp
static void add_to_sp(struct epilogue *epilogue)
{
    const unsigned char *at = epilogue->at;
    uint32_t size = 0;
    if (is_next(epilogue, "\x48\x83\xc4", 3) && epilogue->end - at >= 4 && at[3] < 0x80) {
        size = at[3];
        epilogue->at += 4;
    } else if (is_next(epilogue, "\x48\x81\xc4", 3) && epilogue->end - at >= 7) {
        memcpy(&size, at + 3, sizeof size);
        epilogue->at += 7;
    }
    epilogue->registers[UNW_X86_64_RSP] += size;
}

// Returns false when no pop follows, or what it takes is not there.
static bool pop(struct unwinder *unwinder, struct epilogue *epilogue)
{
    uint64_t *sp = &epilogue->registers[UNW_X86_64_RSP];
    bool high = is_next(epilogue, "\x41", 1);
    if (epilogue->end - epilogue->at <= high || (epilogue->at[high] & 0xf8) != 0x58)
        return false;
    int number = unwind_register[(epilogue->at[high] & 7) + (high ? 8 : 0)];
    if (number == UNW_X86_64_RSP || !walk_read(unwinder, *sp, &epilogue->registers[number]))
        return false;
    epilogue->known |= 1u << number;
    epilogue->at += high + 1;
    *sp += WORD;
    return true;
}

bool epilogue_step(struct unwinder *unwinder)
{
    const struct code_source *source = &unwinder->code.source;
    unsigned char code[CODE_MAX];
    size_t size = source->made
                      ? source->made(source->context, *walk_pc(unwinder), code, sizeof code)
                      : 0;
    struct epilogue epilogue = {.at = code, .end = code + size, .known = unwinder->known};
    uint64_t back, *sp = &epilogue.registers[UNW_X86_64_RSP];
    memcpy(epilogue.registers, unwinder->registers, sizeof epilogue.registers);
    add_to_sp(&epilogue);
    while (pop(unwinder, &epilogue))
        ;
    if (!is_next(&epilogue, "\xc3", 1) || !walk_read(unwinder, *sp, &back) || !back ||
        !walk_is_code(unwinder, back - 1))
        return false;
    *sp += WORD;
    epilogue.registers[UNW_X86_64_RIP] = back;
    memcpy(unwinder->registers, epilogue.registers, sizeof epilogue.registers);
    unwinder->known = epilogue.known;
    return true;
}
