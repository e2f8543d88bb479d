// SPDX-License-Identifier: MIT
#include "symbol/reader/functions.h"

#include <dwarf.h>
#include <stdlib.h>

#include "base/mem.h"
#include "symbol/reader/intervals.h"

#define DEPTH_MAX 200 // nesting of DIEs

struct callee { // a function that was inlined
    Dwarf_Die die;
    unsigned depth; // 1: inlined into the function itself
    bool read;      // the list has what was inlined into it
};

struct inlined { // one address range of an inlined function
    uint64_t start, end;
    size_t callee;
};

struct dwarf_function {
    Dwarf_Die die;
    struct callee *callees;
    size_t callee_count, callee_capacity;
    struct inlined *inlined; // each one before what was inlined into it
    size_t count, capacity;
    bool read; // the list has what was inlined into the function itself
};

struct functions {
    Dwarf_Die unit;
    struct dwarf_function *list;
    size_t count, capacity;
    struct intervals index;
    const struct split_unit *split; // NULL: not a split unit
    bool deep; // the index includes functions inside of functions and types
};

// Calls visit for each child of the DIE.
static void each_child(Dwarf_Die *die, void (*visit)(void *context, Dwarf_Die *child),
                       void *context)
{
    Dwarf_Die child;
    if (dwarf_child(die, &child) != 0)
        return;
    do
        visit(context, &child);
    while (dwarf_siblingof(&child, &child) == 0);
}

static ptrdiff_t next_range(const struct functions *functions, Dwarf_Die *die, ptrdiff_t at,
                            Dwarf_Addr *base, Dwarf_Addr *start, Dwarf_Addr *end)
{
    return functions->split ? split_unit_ranges(functions->split, die, at, base, start, end)
                            : dwarf_ranges(die, at, base, start, end);
}

struct scan {
    struct functions *functions;
    unsigned depth;
};

static void add_function(struct functions *functions, Dwarf_Die *die)
{
    Dwarf_Addr base = 0, start, end;
    size_t before = functions->index.count;
    for (ptrdiff_t at = 0; (at = next_range(functions, die, at, &base, &start, &end)) > 0;)
        intervals_add(&functions->index, start, end, (uint32_t)functions->count);
    if (functions->index.count == before)
        return; // a declaration, or the abstract instance of inlined copies
    ARRAY_RESERVE(functions->list, functions->count, functions->capacity);
    functions->list[functions->count++] = (struct dwarf_function){.die = *die};
}

// Returns 1 for a DIE that may contain functions, 2 for one that hardly ever does, else 0. Types
// have many members, but most of their functions are only declarations.
static unsigned scope_kind(int tag)
{
    switch (tag) {
    case DW_TAG_namespace:
    case DW_TAG_module:
        return 1;
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
    case DW_TAG_enumeration_type:
    case DW_TAG_interface_type:
    case DW_TAG_subprogram:
    case DW_TAG_lexical_block:
    case DW_TAG_inlined_subroutine:
        return 2;
    default:
        return 0;
    }
}

static void scan_die(void *context, Dwarf_Die *die)
{
    struct scan *scan = context;
    int tag = dwarf_tag(die);
    if (tag == DW_TAG_subprogram)
        add_function(scan->functions, die);
    unsigned kind = scope_kind(tag);
    if (!kind || (kind == 2 && !scan->functions->deep) || scan->depth >= DEPTH_MAX)
        return;
    scan->depth++;
    each_child(die, scan_die, scan);
    scan->depth--;
}

void functions_shed(struct functions *functions)
{
    for (size_t i = 0; i < functions->count; i++) {
        struct dwarf_function *function = &functions->list[i];
        free(function->callees);
        free(function->inlined);
        *function = (struct dwarf_function){.die = function->die};
    }
}

static void forget(struct functions *functions)
{
    functions_shed(functions);
    functions->count = 0;
    intervals_fini(&functions->index);
}

static void scan_unit(struct functions *functions, bool deep)
{
    struct scan scan = {.functions = functions};
    forget(functions);
    functions->deep = deep;
    each_child(&functions->unit, scan_die, &scan);
    intervals_sort(&functions->index);
}

struct functions *functions_new(Dwarf_Die *unit, const struct split_unit *split)
{
    struct functions *functions = xcalloc(1, sizeof *functions);
    functions->split = split;
    functions->unit = *unit;
    scan_unit(functions, false);
    return functions;
}

void functions_free(struct functions *functions)
{
    if (!functions)
        return;
    forget(functions);
    free(functions->list);
    free(functions);
}

// --- what was inlined into one function; read where addresses fall, level by level

struct descent {
    const struct functions *functions;
    struct dwarf_function *function;
    unsigned depth;  // depth of inlining
    unsigned blocks; // depth of lexical blocks
};

static void add_inlined(struct descent *descent, Dwarf_Die *die)
{
    struct dwarf_function *function = descent->function;
    Dwarf_Addr base = 0, start, end;
    size_t before = function->count;
    for (ptrdiff_t at = 0;
         (at = next_range(descent->functions, die, at, &base, &start, &end)) > 0;) {
        ARRAY_RESERVE(function->inlined, function->count, function->capacity);
        function->inlined[function->count++] =
            (struct inlined){.start = start, .end = end, .callee = function->callee_count};
    }
    if (function->count == before)
        return;
    ARRAY_RESERVE(function->callees, function->callee_count, function->callee_capacity);
    function->callees[function->callee_count++] =
        (struct callee){.die = *die, .depth = descent->depth};
}

static void descend(void *context, Dwarf_Die *die)
{
    struct descent *descent = context;
    int tag = dwarf_tag(die);
    if (tag == DW_TAG_inlined_subroutine)
        add_inlined(descent, die);
    if (tag != DW_TAG_lexical_block || descent->blocks >= DEPTH_MAX)
        return;
    descent->blocks++;
    each_child(die, descend, descent);
    descent->blocks--;
}

static void read_inlined(const struct functions *functions, struct dwarf_function *function,
                         Dwarf_Die die, unsigned depth)
{
    struct descent descent = {.functions = functions, .function = function, .depth = depth};
    each_child(&die, descend, &descent);
}

// --- one address

static const char *linkage_name(Dwarf_Die *die)
{
    static const unsigned attributes[] = {DW_AT_linkage_name, DW_AT_MIPS_linkage_name};
    for (size_t i = 0; i < ARRAY_LENGTH(attributes); i++) {
        Dwarf_Attribute attribute;
        const char *name =
            dwarf_formstring(dwarf_attr_integrate(die, attributes[i], &attribute));
        if (name)
            return name;
    }
    return dwarf_diename(die);
}

static uint32_t number(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value;
    if (dwarf_formudata(dwarf_attr(die, name, &attribute), &value) != 0 || value > INT32_MAX)
        return 0;
    return (uint32_t)value;
}

static void put_call_site(Dwarf_Die *unit, Dwarf_Die *die, struct inline_call *call)
{
    uint32_t number_of_file = number(die, DW_AT_call_file);
    const char *file = NULL;
    Dwarf_Files *files;
    size_t count;
    if (dwarf_getsrcfiles(unit, &files, &count) == 0 && number_of_file < count)
        file = dwarf_filesrc(files, number_of_file, NULL, NULL);
    call->file = file ? file : "";
    call->line = number(die, DW_AT_call_line);
    call->column = number(die, DW_AT_call_column);
}

// Finds the chain of inlined calls around the address, outermost first, as indexes of callees.
static size_t find_inlined(const struct functions *functions, struct dwarf_function *function,
                           uint64_t vaddr, size_t chain[CALLS_MAX])
{
    size_t count = 0;
    if (!function->read)
        read_inlined(functions, function, function->die, 1);
    function->read = true;
    for (size_t i = 0; i < function->count && count < CALLS_MAX - 1; i++) {
        const struct inlined *inlined = &function->inlined[i];
        struct callee *callee = &function->callees[inlined->callee];
        if (callee->depth != count + 1 || vaddr < inlined->start || vaddr >= inlined->end)
            continue;
        chain[count++] = inlined->callee;
        bool read = callee->read;
        callee->read = true;
        if (!read)
            read_inlined(functions, function, callee->die, callee->depth + 1);
    }
    return count;
}

size_t functions_find(struct functions *functions, Dwarf_Die *files, uint64_t vaddr, unsigned wish,
                      struct inline_call calls[CALLS_MAX])
{
    uint32_t owner = intervals_find(&functions->index, vaddr);
    if (owner == INTERVALS_NONE && wish & FUNCTIONS_NESTED && !functions->deep) {
        scan_unit(functions, true);
        owner = intervals_find(&functions->index, vaddr);
    }
    if (owner == INTERVALS_NONE)
        return 0;
    struct dwarf_function *function = &functions->list[owner];
    size_t chain[CALLS_MAX];
    size_t count = find_inlined(functions, function, vaddr, chain);
    const char *name = wish & FUNCTIONS_NAMED ? linkage_name(&function->die) : NULL;
    calls[count] = (struct inline_call){.name = name, .file = ""};
    for (size_t i = 0; i < count; i++) { // a DIE has the place of its call, which is in the caller
        Dwarf_Die die = function->callees[chain[i]].die;
        put_call_site(files, &die, &calls[count - i]);
        calls[count - i - 1] = (struct inline_call){.name = linkage_name(&die), .file = ""};
    }
    return count + 1;
}
