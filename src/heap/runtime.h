// SPDX-License-Identifier: MIT
// What runs in a process: the runtime of its language and its C library, as its memory and files
// say. Nothing of it is run or stopped.
#pragma once

#include "heap/target.h"

enum runtime_kind { RUNTIME_NATIVE, RUNTIME_GO, RUNTIME_JVM, RUNTIME_CPYTHON, RUNTIME_NODE };
extern const char *const runtime_names[]; // [enum runtime_kind]: "native", "Go", "JVM", ...

struct runtime {
    enum runtime_kind kind;
    char version[64];      // of the runtime; "": not known
    const char *libc;      // "glibc", "musl"; NULL: none was found
    char libc_version[32]; // "": not known
};

// versions: they are looked for, and the C library, which takes as long as its program is large.
void runtime_read(struct heap_target *target, bool versions, struct runtime *runtime);
