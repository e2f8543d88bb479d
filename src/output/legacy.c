// SPDX-License-Identifier: MIT
#include "output/legacy.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "output/parsers.h"

struct legacy legacy_new(size_t room, struct err *err)
{
    return (struct legacy){.to = plain_new(), .room = room, .err = err};
}

static void take_names(struct legacy *legacy);

enum rc legacy_end(struct legacy *legacy, enum rc rc, struct plain_profile **profile)
{
    take_names(legacy);
    map_fini(&legacy->locations);
    free(legacy->stack);
    free(legacy->lines);
    if (rc == RC_OK)
        *profile = legacy->to;
    else
        plain_free(legacy->to);
    return rc;
}

int64_t legacy_product(int64_t a, int64_t b)
{
    int64_t product;
    if (!__builtin_mul_overflow(a, b, &product))
        return product;
    return (a < 0) == (b < 0) ? INT64_MAX : INT64_MIN;
}

// --- samples ---

// Returns how many bytes there are beside the profile.
static size_t memory_of(const struct legacy *legacy)
{
    return legacy->locations.capacity * sizeof *legacy->locations.slots +
           legacy->capacity * sizeof *legacy->stack;
}

void legacy_push(struct legacy *legacy, uint64_t address)
{
    if (legacy->full == RC_OK)
        legacy->full = parser_check_room(legacy->to, legacy->depth + 1, memory_of(legacy),
                                         legacy->room, legacy->err);
    if (legacy->full != RC_OK)
        return;
    uint32_t number = map_number(&legacy->locations, address);
    if (number == legacy->to->code.location_count)
        plain_add_location(legacy->to, PLAIN_NONE, address, NULL, 0);
    ARRAY_RESERVE(legacy->stack, legacy->depth, legacy->capacity);
    legacy->stack[legacy->depth++] = number;
}

enum rc legacy_push_returns(struct legacy *legacy, struct text_span line, size_t number)
{
    uint64_t address;
    for (scan_blanks(&line); scan_left(&line); scan_blanks(&line)) {
        if (!scan_hex(&line, &address))
            return err_set(legacy->err, RC_FORMAT, "line %zu has what is no address", number);
        legacy_push(legacy, address - 1);
    }
    return legacy->full;
}

enum rc legacy_add(struct legacy *legacy, uint32_t labels, const int64_t *values)
{
    if (legacy->full != RC_OK)
        return legacy->full;
    take_names(legacy); // of the stack before, whose root may be the leaf of this one
    uint32_t stack = plain_stack(legacy->to, legacy->stack, legacy->depth);
    plain_add(legacy->to, plain_sample(legacy->to, stack, labels), values);
    legacy->depth = 0;
    return RC_OK;
}

// --- names ---

// Several lines with one address are functions that were inlined there, the innermost first.
static void take_names(struct legacy *legacy)
{
    uint32_t location = map_get(&legacy->locations, legacy->named, PLAIN_NONE);
    if (legacy->line_count && location != PLAIN_NONE &&
        !legacy->to->code.locations[location].count)
        plain_set_lines(legacy->to, location, legacy->lines, legacy->line_count);
    legacy->line_count = 0;
}

static struct text_span take_column(struct text_span *line)
{
    const char *tab = memchr(line->at, '\t', scan_left(line));
    struct text_span column = {line->at, tab ? tab : line->end};
    line->at = column.end;
    scan_blanks(line);
    return column;
}

static uint32_t text_of(struct legacy *legacy, const char *at, const char *end)
{
    AUTO_FREE char *text = xstrndup(at, (size_t)(end - at));
    return plain_text(legacy->to, text);
}

// Returns where "+0x30" begins in a name with its offset; some have none, as "operator+".
static const char *name_end(struct text_span name)
{
    const char *plus = memrchr(name.at, '+', scan_left(&name));
    struct text_span offset = {plus ? plus : name.end, name.end};
    uint64_t ignored;
    bool is_offset = scan_text(&offset, "+0x") && scan_hex(&offset, &ignored) &&
                     !scan_left(&offset);
    return is_offset ? plus : name.end;
}

static void take_line(struct legacy *legacy, struct text_span name, struct text_span place)
{
    const char *colon = memrchr(place.at, ':', scan_left(&place));
    struct plain_function function = {.name = text_of(legacy, name.at, name_end(name))};
    struct plain_line line = {0};
    uint64_t number;
    struct text_span digits = {colon ? colon + 1 : place.end, place.end};
    function.file = text_of(legacy, place.at, colon ? colon : place.end);
    if (scan_number(&digits, &number) && number <= INT32_MAX)
        line.line = (int64_t)number;
    line.function = plain_add_function(legacy->to, function);
    ARRAY_RESERVE(legacy->lines, legacy->line_count, legacy->line_capacity);
    legacy->lines[legacy->line_count++] = line;
}

void legacy_comment(struct legacy *legacy, struct text_span line)
{
    uint64_t address;
    if (!scan_text(&line, "#\t0x") || !scan_hex(&line, &address))
        return;
    scan_blanks(&line);
    struct text_span name = take_column(&line);
    if (address != legacy->named)
        take_names(legacy);
    legacy->named = address;
    if (scan_left(&name))
        take_line(legacy, name, line);
}

// --- what is dropped ---

static const char *const drops_of[] = {
    [LEGACY_DROPS_CPU] = "ProfileData::Add|(ProfileData|CpuProfiler)::prof_handler|"
                         "__pthread_sighandler|__restore",
    [LEGACY_DROPS_HEAP] =
        "(__libc_)?malloc|calloc|realloc|c?free|p?valloc|(do_|(__)?posix_)?memalign|allocate|"
        "tcmalloc::.*|tc_([cm]alloc|realloc|c?free|p?valloc|(posix_)?memalign)|"
        "tc_(new|delete)(array)?|tc_new(array)?_nothrow|"
        "malloc_zone_([cmv]alloc|realloc|memalign|free)|runtime\\..*|BaseArena::.*|"
        "(::)?do_malloc(_no_errno|_pages)?|DoSampledAllocation|"
        "MallocedMemBlock::MallocedMemBlock|_M_allocate|__builtin_(vec_)?(new|delete)|"
        "(__gnu_cxx::new_allocator|__malloc_alloc_template|simple_alloc)::allocate|cpp_alloc|"
        "operator new(\\[\\])?",
    [LEGACY_DROPS_CONTENTION] =
        "(base::)?(RecordLock|SubmitMutex|SubmitSpinLock)ProfileData.*|"
        "((base::)?Mutex::)?(AwaitCommon|Unlock|ReaderUnlock).*|"
        "((base::)?MutexLock::)?~MutexLock.*|(SpinLock::)?(Unlock|SlowUnlock).*|"
        "(SpinLockHolder::)?~SpinLockHolder.*",
};

// Go's own frames stay where they are in the middle of a stack.
void legacy_set_drops(struct legacy *legacy, enum legacy_drops drops)
{
    legacy->to->drop_frames = plain_text(legacy->to, drops_of[drops]);
    if (drops == LEGACY_DROPS_HEAP)
        legacy->to->keep_frames =
            plain_text(legacy->to, "runtime\\.(panic|reflectcall|call[0-9]*)");
}
