// SPDX-License-Identifier: MIT
// Objects of C++ classes with virtual functions, by their first word, and arrays of them: the same
// word again at a constant distance, as in the buffer of a std::vector, or with their number in
// front, as `new` makes it. A large block may as well be a piece of memory that an allocator of the
// program's own divides: of that it is only said what it begins with.
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "heap/kinds.h"
#include "heap/vtable.h"

#define WORDS_MAX 131072u // that are remembered; what comes then is not looked at
#define NO_CLASS 0u       // first of the list
#define LARGE 4096u       // bytes: hardly any object is larger
#define ROW 10u           // objects in a row that make a large block an array

enum form { FORM_OBJECT, FORM_ARRAY, FORM_BEGINNING, FORM_COUNT };

struct class { // numbers of kinds, by form; 0: there was none yet
    uint32_t kinds[FORM_COUNT];
};

struct classes {
    struct kinds *kinds;
    struct vtables tables;
    struct map by_word; // first word of an object -> class in the list
    struct class *list;
    size_t count, capacity;
    struct buf name;
};

static void *begin(struct kinds *kinds, struct heap_target *target)
{
    struct classes *classes = xcalloc(1, sizeof *classes);
    classes->kinds = kinds;
    classes->tables.memory.target = target;
    ARRAY_RESERVE(classes->list, classes->count, classes->capacity);
    classes->list[classes->count++] = (struct class){0};
    return classes;
}

static void end(void *state)
{
    struct classes *classes = state;
    vtables_fini(&classes->tables);
    map_fini(&classes->by_word);
    buf_fini(&classes->name);
    free(classes->list);
    free(classes);
}

static uint32_t add_class(struct classes *classes)
{
    uint32_t object = kinds_number(classes->kinds, BLOCK_CLASS, classes->name.data);
    ARRAY_RESERVE(classes->list, classes->count, classes->capacity);
    classes->list[classes->count] = (struct class){.kinds = {[FORM_OBJECT] = object}};
    return (uint32_t)classes->count++;
}

static uint32_t kind_of(struct classes *classes, uint32_t number, enum form form)
{
    struct class *class = &classes->list[number];
    if (class->kinds[form])
        return class->kinds[form];
    AUTO_FREE char *name = xasprintf("%s%s%s", form == FORM_BEGINNING ? "begins with " : "",
                                     kinds_name(classes->kinds, class->kinds[FORM_OBJECT]),
                                     form == FORM_ARRAY ? "[]" : "");
    return class->kinds[form] = kinds_number(classes->kinds, BLOCK_CLASS, name);
}

// Returns the class of objects that begin with this word, or NO_CLASS.
static uint32_t class_of(struct classes *classes, uint64_t word)
{
    if (!file_memory_may_hold(&classes->tables.memory, word))
        return NO_CLASS;
    uint32_t class = map_get(&classes->by_word, word, UINT32_MAX);
    if (class != UINT32_MAX)
        return class;
    if (classes->by_word.count >= WORDS_MAX)
        return NO_CLASS;
    class = NO_CLASS;
    if (vtables_class(&classes->tables, word, &classes->name))
        class = add_class(classes);
    map_put(&classes->by_word, word, class);
    return class;
}

// Returns the distance at which the word at `first` comes again: one at which `count` objects fill
// the block, or (count 0) at least two are in it. 0: there is none.
static size_t distance(const struct block *block, size_t first, uint64_t count)
{
    uint64_t room = block->usable - first, word = block_word(block, first);
    for (size_t size = 16; first + size + 8 <= block->have && 2 * size <= room; size += 8)
        if (block_word(block, first + size) == word)
            return !count || count * size <= room ? size : 0;
    return 0;
}

// Returns whether the word comes so often as it must for a large block to be an array.
static bool is_row(struct classes *classes, const struct block *block, size_t first, size_t size)
{
    struct heap_view *view = &classes->tables.memory.target->view;
    unsigned char bytes[ROW * BLOCK_HEAD];
    size_t length = (ROW - 1) * size + 8;
    if (!heap_view_peek(view, block->address + first, bytes, length) &&
        !heap_view_read(view, block->address + first, bytes, length))
        return false;
    for (size_t i = 1; i < ROW; i++)
        if (memcmp(bytes + i * size, bytes, 8) != 0)
            return false;
    return true;
}

static enum form form_of(struct classes *classes, const struct block *block, size_t first,
                         size_t size)
{
    if (block->usable <= LARGE)
        return size ? FORM_ARRAY : FORM_OBJECT;
    return size && is_row(classes, block, first, size) ? FORM_ARRAY : FORM_BEGINNING;
}

// The number of objects, as it lies in front of an array: one that fits. Behind a 1 there may be as
// well one object with a counter in front.
static bool is_count(const struct block *block, uint64_t number)
{
    return number > 1 && number <= (block->usable - 8) / 16;
}

// Other files may be there now than at the last census.
static void forget(struct classes *classes)
{
    vtables_refresh(&classes->tables);
    map_clear(&classes->by_word);
}

static uint32_t recognize(void *state, const struct block *block)
{
    struct classes *classes = state;
    if (!file_memory_is_current(&classes->tables.memory))
        forget(classes);
    uint64_t word = block_word(block, 0);
    uint32_t class = class_of(classes, word);
    if (class != NO_CLASS)
        return kind_of(classes, class, form_of(classes, block, 0, distance(block, 0, 0)));
    if (block->have < 16 || !is_count(block, word))
        return 0;
    class = class_of(classes, block_word(block, 8));
    size_t size = class != NO_CLASS ? distance(block, 8, word) : 0;
    if (!size || form_of(classes, block, 8, size) != FORM_ARRAY)
        return 0;
    return kind_of(classes, class, FORM_ARRAY);
}

const struct recognizer recognizer_class = {
    .signs = SIGN_ANY,
    .begin = begin,
    .recognize = recognize,
    .end = end,
};
