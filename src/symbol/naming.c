// SPDX-License-Identifier: MIT
#include "symbol/naming.h"

#include "base/mem.h"
#include "process/jit.h"
#include "symbol/syscall_name.h"

// A system call that is newer than our headers is shown by its number.
static char *of_kernel(const struct module *module, uint64_t number, uint64_t *inside)
{
    (void)module, (void)inside;
    if (number > INT32_MAX)
        return NULL;
    const char *call = syscall_name((int)number);
    return call ? xasprintf("sys_%s", call) : xasprintf("sys_%d", (int)number);
}

static char *of_path(const struct module *module, uint64_t offset, uint64_t *inside)
{
    (void)offset, (void)inside;
    return xstrdup(module->path);
}

static char *of_jit(const struct module *module, uint64_t address, uint64_t *inside)
{
    const char *known =
        module->jit ? jit_find(module->jit, address, module->names_known, inside) : NULL;
    return known ? xstrdup(known) : NULL;
}

typedef char *naming(const struct module *module, uint64_t offset, uint64_t *inside);

static naming *const namings[] = {
    [MODULE_ANON] = of_jit,
    [MODULE_KERNEL] = of_kernel,
    [MODULE_SPECIAL] = of_path,
};

char *naming_of(const struct module *module, uint64_t offset, uint64_t *inside)
{
    *inside = 0;
    return namings[module->kind](module, offset, inside);
}
