// SPDX-License-Identifier: MIT
#include "symbol/demangle.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <libiberty/demangle.h>

#include "base/buf.h"
#include "base/mem.h"

struct output {
    struct buf text;
    jmp_buf too_long;
};

typedef int decode_fn(const char *mangled, int options, demangle_callbackref put, void *output);

// Rust first: a legacy Rust name is also a valid C++ one, with the hash as its last part.
static decode_fn *const decoders[] = {rust_demangle_callback, cplus_demangle_v3_callback};

// A few hundred hostile bytes can stand for more text than there is memory (each substitution may
// double it), and the library has no way to be stopped but this one. It keeps its state on the
// stack; all that can leak is one Punycode identifier of Rust.
static void put(const char *bytes, size_t length, void *context)
{
    struct output *output = context;
    if (length > DEMANGLED_NAME_MAX - output->text.length)
        longjmp(output->too_long, 1);
    if (length) // the library may pass no bytes at NULL
        buf_append(&output->text, bytes, length);
}

static bool decode(decode_fn *decoder, const char *mangled, struct output *output)
{
    buf_clear(&output->text);
    if (setjmp(output->too_long))
        return false;
    return decoder(mangled, DMGL_PARAMS | DMGL_ANSI, put, output) && output->text.length;
}

char *demangle(const char *mangled)
{
    if (mangled[0] != '_' || strnlen(mangled, SYMBOL_NAME_MAX + 1) > SYMBOL_NAME_MAX)
        return NULL;
    const char *suffix = strchrnul(mangled, '@');
    AUTO_FREE char *core = xstrndup(mangled, (size_t)(suffix - mangled));
    struct output output = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(decoders); i++) {
        if (!decode(decoders[i], core, &output))
            continue;
        buf_puts(&output.text, suffix);
        return output.text.data;
    }
    buf_fini(&output.text);
    return NULL;
}
