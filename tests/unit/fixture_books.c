// SPDX-License-Identifier: MIT
#include "fixture_books.h"

#include <check.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct heap_target *fixture_books_target(void)
{
    struct heap_target *target;
    struct err err = {0};
    ck_assert_msg(heap_target_open(getpid(), false, &target, &err) == RC_OK, "%s", err.text);
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
