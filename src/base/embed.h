// SPDX-License-Identifier: MIT
// Files that the build puts into the program.
#pragma once

// Defines `name`, the bytes of a file in the build's folder of generated files, with a NUL behind
// them: those of a text are a C string. name_end is where that NUL lies.
#define EMBED(name, file)                                                                          \
    __asm__(".pushsection .rodata\n.globl " #name ", " #name "_end\n.hidden " #name ", " #name    \
            "_end\n" #name ":\n.incbin \"" file "\"\n" #name "_end:\n.byte 0\n.popsection")
