// SPDX-License-Identifier: MIT
// Whose virtual table lies at an address. In front of its functions it has the distance to the
// object's start and the type's description, whose first word leads to a description of its own:
// that of a class of the C++ ABI library. So a stripped or static program can be read too. Without
// descriptions (-fno-rtti) the name of a symbol counts.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/map.h"
#include "heap/file_memory.h"

struct vtables {
    struct file_memory memory; // with its target set by whoever begins
    struct map descriptions; // by first word of a type's description: whether it is of a class
    struct map hopeless;     // by inode of a file: its symbols take too long to read
};

// Takes over the target's mappings, where they were read anew and the memory is not current.
void vtables_refresh(struct vtables *tables);
void vtables_fini(struct vtables *tables);

// Puts the demangled name of the class into `name` whose objects begin with this word; false when
// it is not the first word of an object, or no class is known.
bool vtables_class(struct vtables *tables, uint64_t word, struct buf *name);
