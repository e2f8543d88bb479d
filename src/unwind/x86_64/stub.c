// SPDX-License-Identifier: MIT
#include "unwind/stub.h"

#include <string.h>

// Each part is optional but the last: f3 0f 1e fa (endbr64), f2 (bnd), ff 25 REL32 (jmp
// *REL32(%rip)), the slot being at REL32 from the end of the instruction; or, where a second table
// holds the jumps, f3 0f 1e fa, 68 IMM32 (push of the index into .rela.plt).
enum stub_kind stub_decode(const unsigned char code[STUB_BYTES], uint64_t address, uint64_t *to)
{
    static const unsigned char endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
    unsigned at = memcmp(code, endbr64, sizeof endbr64) == 0 ? sizeof endbr64 : 0;
    int32_t operand;
    if (code[at] == 0x68) {
        memcpy(&operand, code + at + 1, sizeof operand);
        *to = (uint64_t)(int64_t)operand;
        return STUB_LAZY;
    }
    at += code[at] == 0xf2;
    if (code[at] == 0xe9)
        return STUB_JUMP;
    if (code[at] != 0xff || code[at + 1] != 0x25)
        return STUB_NONE;
    memcpy(&operand, code + at + 2, sizeof operand);
    *to = address + at + 6 + (uint64_t)(int64_t)operand;
    return STUB_SLOT;
}

enum stub_kind stub_at(struct code_memory *memory, uint64_t address)
{
    unsigned char code[STUB_BYTES];
    uint64_t to;
    code_memory_most(memory, address, false, code, sizeof code);
    return stub_decode(code, address, &to);
}
