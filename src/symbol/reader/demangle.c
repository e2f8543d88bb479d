// SPDX-License-Identifier: MIT
#include "symbol/reader/demangle.h"

#include <ctype.h>
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

// Rust is tried first: a legacy Rust name is a valid C++ name too, with the hash as its last part.
static decode_fn *const decoders[] = {rust_demangle_callback, cplus_demangle_v3_callback};

// A few hundred hostile bytes can demangle to more text than there is memory, because each
// substitution may double it. The library can be stopped only by leaving its callback (longjmp).
// That is safe: it keeps its state on the stack, and at most one Punycode identifier of Rust leaks.
static void put(const char *bytes, size_t length, void *context)
{
    struct output *output = context;
    if (length > DEMANGLED_NAME_MAX - output->text.length)
        longjmp(output->too_long, 1);
    if (length) // the library may pass NULL with length 0
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

// The '<' of operator<, operator<<, operator<= and operator<=> opens nothing, and the '>' of
// operator> and operator-> closes nothing. Returns the length of such an operator name, or 0.
static size_t operator_length(const char *text, const char *at)
{
    static const char word[] = "operator";
    static const char *const signs[] = {"<=>", "<<=", ">>=", "->*", "<<", ">>",
                                        "<=",  ">=",  "->",  "<",   ">"}; // longer ones first
    const size_t length = sizeof word - 1;
    bool inside = at > text && (isalnum((unsigned char)at[-1]) || at[-1] == '_');
    if (inside || strncmp(at, word, length) != 0)
        return 0;
    for (size_t i = 0; i < ARRAY_LENGTH(signs); i++)
        if (strncmp(at + length, signs[i], strlen(signs[i])) == 0)
            return length + strlen(signs[i]);
    return 0;
}

static bool opens_arguments(const char *text, const char *at)
{
    return at > text && (isalnum((unsigned char)at[-1]) || strchr("_)>] ", at[-1])) &&
           !(at[-1] == ' ' && !isalnum((unsigned char)at[1]));
}

struct bracket { // a '<' that is still open
    size_t at;   // offset in the output behind the '<'
    bool folds;
};

// Each byte is read once, no matter how the brackets nest or whether they are closed: at a '>' the
// output since its '<' is replaced by "...".
char *demangle_fold(const char *shown)
{
    struct buf out = {0};
    AUTO_FREE struct bracket *open = NULL;
    size_t count = 0, capacity = 0;
    buf_puts(&out, "");
    for (const char *at = shown; *at;) {
        size_t skipped = operator_length(shown, at);
        bool closes = *at == '>' && count && at[-1] != '-';
        if (closes && open[--count].folds) {
            out.length = open[count].at;
            buf_puts(&out, "...");
        }
        buf_append(&out, at, skipped ? skipped : 1);
        if (*at == '<') {
            ARRAY_RESERVE(open, count, capacity);
            open[count++] = (struct bracket){out.length, opens_arguments(shown, at)};
        }
        at += skipped ? skipped : 1;
    }
    return out.data;
}
