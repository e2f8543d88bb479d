// SPDX-License-Identifier: MIT
#include "fixture_books.h"

#include <check.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "symbol/headers.h"

// heap_target_open would refuse this process itself.
struct heap_target *fixture_books_target(void)
{
    bool changed;
    struct heap_target *target = xcalloc(1, sizeof *target);
    target->pid = getpid();
    headers_isolate();
    ck_assert_int_eq(heap_view_open(&target->view, getpid(), false, NULL), RC_OK);
    target->modules = modules_new();
    target->space = space_new(target->modules, getpid(), getpid());
    ck_assert_int_eq(space_refresh(target->space, getpid(), &changed), RC_OK);
    ck_assert_int_eq(heap_target_refresh(target), RC_OK);
    return target;
}

void *fixture_books_map(size_t length, size_t touched)
{
    void *mapped = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(mapped, MAP_FAILED);
    memset(mapped, 0, touched);
    return mapped;
}

static bool take(void *context, const struct block *block)
{
    struct fixture_walk *walk = context;
    uint64_t word, last = block->address + block->usable - 1;
    walk->blocks++;
    walk->bytes += block->taken;
    walk->least = !walk->least || block->address < walk->least ? block->address : walk->least;
    walk->most = last > walk->most ? last : walk->most;
    if (block->have < sizeof word)
        return true;
    memcpy(&word, block->bytes, sizeof word);
    walk->first_words += word;
    return true;
}

bool fixture_books_walk(struct fixture_walk *walk, const struct allocator *allocator,
                        struct heap_target *target)
{
    AUTO_BUF struct buf why = {0};
    *walk = (struct fixture_walk){0};
    heap_view_forget(&target->view);
    void *books = allocator->find(target, &why);
    if (!books)
        return false;
    allocator->count(books, &walk->figures);
    allocator->walk(books, &(struct block_visitor){.context = walk, .visit = take},
                    &walk->quality);
    allocator->free(books);
    return true;
}
