// SPDX-License-Identifier: MIT
// The stubs of the procedure linkage table (.plt, .plt.sec, .plt.got). They have no symbols; a stub
// is named by the relocation of the GOT slot through which it jumps.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process/image.h"

struct symtab;
struct symtab_match;

struct stub {
    uint64_t start, end; // link-time addresses
    const char *name;    // of the function to which it jumps
};

struct plt {
    struct stub *stubs; // ascending, disjoint
    size_t count, capacity;
};

// `functions` names the IFUNCs of a static executable, because its IRELATIVE relocations have only
// the address of the resolver.
void plt_read(struct plt *plt, const struct image *image, const struct symtab *functions);
void plt_fini(struct plt *plt);
bool plt_find(const struct plt *plt, uint64_t vaddr, struct symtab_match *match);
