// SPDX-License-Identifier: MIT
#include "unwind/cfi.h"

#define RECORD_MAX (64u << 10) // bytes of a CIE or FDE; the largest of cc1plus has 20 KiB
#define REMEMBER_MAX 64        // nested DW_CFA_remember_state
#define REGISTERS 17           // DWARF numbers 0..15 and 16, the return address
#define RETURN_ADDRESS 16

#define CFA_ADVANCE4 0x04 // 1, 2 and 4 bytes: 0x02 .. 0x04
#define CFA_REMEMBER 0x0a
#define CFA_RESTORE 0x0b

#define PE_FORMAT 0x0f // the low bits of a pointer encoding say its size
#define PE_SIGNED 0x08
#define PE_PCREL 0x10
#define PE_OMIT 0xff
#define PE_ALIGNED 0x50

struct bytes { // unread rest of a record, or of a part of it
    struct code_memory *memory;
    uint64_t at, end;
    bool bad;
};

// Operands of DW_CFA instructions, one letter each: 1, 2, 4, 8 bytes, u LEB128, r the number of a
// register as LEB128, e an expression. NULL: the instruction is refused, because libunwind does not
// know it or compilers do not write it.
static const char *const cfa_operands[0x40] = {
    [0x00] = "",   // nop
    [0x02] = "1",  // advance_loc1, 2, 4
    [0x03] = "2",
    [0x04] = "4",
    [0x05] = "uu", // offset_extended
    [0x06] = "u",  // restore_extended
    [0x07] = "u",  // undefined
    [0x08] = "u",  // same_value
    [0x09] = "ur", // register
    [CFA_REMEMBER] = "",
    [CFA_RESTORE] = "",
    [0x0c] = "uu", // def_cfa
    [0x0d] = "u",  // def_cfa_register
    [0x0e] = "u",  // def_cfa_offset
    [0x0f] = "e",  // def_cfa_expression
    [0x10] = "ue", // expression
    [0x11] = "uu", // offset_extended_sf
    [0x12] = "uu", // def_cfa_sf
    [0x13] = "u",  // def_cfa_offset_sf
    [0x16] = "ue", // val_expression
    [0x2e] = "u",  // GNU_args_size
    [0x2f] = "uu", // GNU_negative_offset_extended
};

static const char *const expression_operands[256] = {
    [0x03] = "8",           // addr
    [0x06] = "",            // deref
    [0x08 ... 0x09] = "1",  // const1u, const1s
    [0x0a ... 0x0b] = "2",
    [0x0c ... 0x0d] = "4",
    [0x0e ... 0x0f] = "8",
    [0x10 ... 0x11] = "u",  // constu, consts
    [0x12 ... 0x14] = "",   // dup, drop, over
    [0x15] = "1",           // pick
    [0x16 ... 0x17] = "",   // swap, rot
    [0x19 ... 0x1a] = "",   // abs, and
    [0x1c] = "",            // minus; no div, no mod
    [0x1e ... 0x22] = "",   // mul, neg, not, or, plus
    [0x23] = "u",           // plus_uconst
    [0x24 ... 0x27] = "",   // shl, shr, shra, xor
    [0x29 ... 0x2e] = "",   // eq, ge, gt, le, lt, ne; no bra, no skip
    [0x30 ... 0x4f] = "",   // lit0..31
    [0x70 ... 0x80] = "u",  // breg0..16
    [0x94] = "1",           // deref_size
    [0x96] = "",            // nop
};

static void skip(struct bytes *bytes, uint64_t length)
{
    if (length > bytes->end - bytes->at)
        bytes->bad = true;
    else
        bytes->at += length;
}

static void take(struct bytes *bytes, void *to, size_t length)
{
    if (bytes->bad || length > bytes->end - bytes->at ||
        !code_memory_read(bytes->memory, bytes->at, to, length))
        bytes->bad = true;
    else
        bytes->at += length;
}

static uint8_t take_u8(struct bytes *bytes)
{
    uint8_t value = 0;
    take(bytes, &value, 1);
    return value;
}

// This also reads signed LEB128, whose value is not used: the length is the same.
static uint64_t take_leb128(struct bytes *bytes)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = take_u8(bytes);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    bytes->bad = true;
    return 0;
}

// Splits off the next `length` bytes.
static struct bytes take_part(struct bytes *bytes, uint64_t length)
{
    struct bytes part = *bytes;
    skip(bytes, length);
    part.end = bytes->at;
    part.bad = bytes->bad;
    return part;
}

static void check_operands(struct bytes *bytes, const char *kinds);

static void check_expression(struct bytes *bytes)
{
    uint64_t length = take_leb128(bytes);
    struct bytes part = take_part(bytes, length);
    while (!part.bad && part.at < part.end)
        check_operands(&part, expression_operands[take_u8(&part)]);
    bytes->bad |= part.bad;
}

static void check_operands(struct bytes *bytes, const char *kinds)
{
    if (!kinds)
        bytes->bad = true;
    for (; !bytes->bad && *kinds; kinds++) {
        if (*kinds == 'e')
            check_expression(bytes);
        else if (*kinds == 'r')
            bytes->bad |= take_leb128(bytes) >= REGISTERS;
        else if (*kinds == 'u')
            take_leb128(bytes);
        else
            skip(bytes, (uint64_t)(*kinds - '0'));
    }
}

// Checks all instructions. *defined says whether the CFA has a rule, which it needs before the
// first row is complete: signal trampolines define it in the FDE, other code in the CIE.
static void check_instructions(struct bytes *bytes, bool *defined)
{
    unsigned depth = 0;
    while (!bytes->bad && bytes->at < bytes->end) {
        uint8_t op = take_u8(bytes), high = op >> 6;
        if (high) { // advance_loc, offset, restore have an operand in the low bits
            check_operands(bytes, high == 2 ? "u" : "");
            bytes->bad |= high == 1 && !*defined;
            continue;
        }
        check_operands(bytes, cfa_operands[op]);
        *defined |= op == 0x0c || op == 0x0d || op == 0x0f || op == 0x12;
        if ((op == CFA_REMEMBER && ++depth > REMEMBER_MAX) ||
            (op == CFA_RESTORE && depth-- == 0) ||
            (!*defined && op > 0 && (op <= CFA_ADVANCE4 || op == CFA_REMEMBER)))
            bytes->bad = true;
    }
}

static unsigned pointer_size(uint8_t encoding)
{
    static const uint8_t sizes[PE_FORMAT + 1] = {
        [0x0] = 8, [0x2] = 2, [0x3] = 4, [0x4] = 8, [0xa] = 2, [0xb] = 4, [0xc] = 8};
    return encoding == PE_ALIGNED ? 0 : sizes[encoding & PE_FORMAT];
}

static void skip_pointer(struct bytes *bytes, uint8_t encoding)
{
    if (encoding == PE_OMIT)
        return;
    if (!pointer_size(encoding))
        bytes->bad = true;
    else
        skip(bytes, pointer_size(encoding));
}

// Reads a pointer in one of the encodings that are used for addresses of code.
static uint64_t take_pointer(struct bytes *bytes, uint8_t encoding)
{
    uint64_t here = bytes->at, value = 0;
    unsigned size = pointer_size(encoding);
    if (!size || (encoding & ~PE_FORMAT & ~PE_PCREL))
        bytes->bad = true;
    take(bytes, &value, size);
    if (encoding & PE_SIGNED)
        value = (uint64_t)((int64_t)(value << (64 - 8 * size)) >> (64 - 8 * size));
    return encoding & PE_PCREL ? here + value : value;
}

struct cie {
    uint8_t pointer; // encoding of addresses in its FDEs
    bool sized;      // its FDEs have augmentation data, preceded by a length
};

static void check_augmentation(struct bytes *bytes, const char text[5], struct cie *cie)
{
    cie->pointer = 0;
    cie->sized = text[0] == 'z';
    if (!text[0])
        return;
    uint64_t length = cie->sized ? take_leb128(bytes) : 0;
    struct bytes data = take_part(bytes, length);
    for (const char *at = text + 1; *at && cie->sized; at++) {
        if (*at == 'R')
            cie->pointer = take_u8(&data);
        else if (*at == 'L')
            take_u8(&data);
        else if (*at == 'P')
            skip_pointer(&data, take_u8(&data));
        else if (*at != 'S') // a signal trampoline
            data.bad = true;
    }
    // libunwind ignores the length and expects the instructions where it stopped reading.
    bytes->bad |= data.bad || data.at != data.end || !cie->sized;
}

// Returns the record at `address` without its length. The 64-bit DWARF format is refused.
static struct bytes record_open(struct code_memory *memory, uint64_t address)
{
    uint32_t length = 0;
    struct bytes record = {memory, address, address + sizeof length, address > UINT64_MAX / 2};
    take(&record, &length, sizeof length);
    record.end = record.at + length;
    record.bad |= length == 0 || length > RECORD_MAX;
    return record;
}

// Reads a CIE up to its instructions. Returns false if libunwind must not read it.
static bool cie_open(struct code_memory *memory, uint64_t address, struct bytes *bytes,
                     struct cie *cie)
{
    uint32_t id = 1;
    char text[5] = "";
    *bytes = record_open(memory, address);
    take(bytes, &id, sizeof id);
    uint8_t version = take_u8(bytes);
    for (size_t i = 0; (text[i] = (char)take_u8(bytes)); i++)
        if (i == sizeof text - 1)
            return false;
    take_leb128(bytes); // code and data alignment
    take_leb128(bytes);
    uint64_t column = version == 1 ? take_u8(bytes) : take_leb128(bytes);
    check_augmentation(bytes, text, cie);
    return !bytes->bad && id == 0 && (version == 1 || version == 3) && column == RETURN_ADDRESS &&
           pointer_size(cie->pointer) && cie->pointer != PE_OMIT;
}

// Reads the CIE that an FDE points to, and moves `fde` past that pointer.
static bool cie_of(struct bytes *fde, struct bytes *instructions, struct cie *cie)
{
    uint64_t here = fde->at;
    int32_t back = 0;
    take(fde, &back, sizeof back);
    return !fde->bad && back &&
           cie_open(fde->memory, here - (uint64_t)(int64_t)back, instructions, cie);
}

bool cfi_check(struct code_memory *memory, uint64_t address, uint64_t *work)
{
    struct bytes fde = record_open(memory, address), first;
    struct cie cie;
    bool defined = false;
    if (!cie_of(&fde, &first, &cie))
        return false;
    *work += first.end - first.at + fde.end - fde.at;
    skip_pointer(&fde, cie.pointer);
    skip_pointer(&fde, cie.pointer & PE_FORMAT);
    if (cie.sized)
        skip(&fde, take_leb128(&fde));
    check_instructions(&first, &defined);
    check_instructions(&fde, &defined);
    return !first.bad && !fde.bad && defined;
}

bool cfi_range(struct code_memory *memory, uint64_t address, uint64_t *start, uint64_t *end)
{
    struct bytes fde = record_open(memory, address), first;
    struct cie cie;
    if (!cie_of(&fde, &first, &cie))
        return false;
    *start = take_pointer(&fde, cie.pointer);
    *end = *start + take_pointer(&fde, cie.pointer & PE_FORMAT);
    return !fde.bad && *end > *start;
}

bool cfi_next(struct code_memory *memory, uint64_t *address, uint64_t *start)
{
    struct bytes record = record_open(memory, *address), first;
    struct cie cie;
    *start = 0;
    if (record.bad)
        return false;
    *address = record.end;
    if (cie_of(&record, &first, &cie)) {
        uint64_t pc = take_pointer(&record, cie.pointer);
        *start = record.bad ? 0 : pc;
    }
    return true;
}
