// SPDX-License-Identifier: MIT
// The truth is this process itself, looked at as if it were a target.
#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "process/space.h"
#include "symbol/symbolizer.h"
#include "symbol/syscall_name.h"
#include "tests/unit/skip.h"

// As a C++ compiler would name geometry::area(int, int).
int mangled_area(int width, int height) asm("_ZN8geometry4areaEii");

__attribute__((noinline)) int mangled_area(int width, int height)
{
    return width * height;
}

static struct modules *modules;
static struct symbolizer *symbolizer;
static struct space *space;

static void setup(void)
{
    modules = modules_new();
    space = space_new(modules, getpid(), getpid());
    bool changed;
    ck_assert_int_eq(space_refresh(space, getpid(), &changed), RC_OK);
    symbolizer = symbolizer_new(modules);
}

static void teardown(void)
{
    symbolizer_free(symbolizer);
    space_free(space);
    modules_free(modules);
}

static const struct symbol *look_up(uint64_t address)
{
    const struct area *area = space_find(space, address);
    ck_assert_ptr_nonnull(area);
    return symbolizer_lookup(symbolizer, area->mapping->id,
                             address - area->start + area->mapping->offset);
}

static uint64_t address_of(const void *code)
{
    return (uint64_t)(uintptr_t)code;
}

START_TEST(test_own_function)
{
    const struct symbol *symbol = look_up(address_of((void *)symbolizer_new) + 3);
    ck_assert(symbol->found);
    ck_assert_uint_eq(symbol->offset, 3);
    ck_assert_uint_eq(symbol->line_count, 1);
    ck_assert_str_eq(symbol->lines[0].name, "symbolizer_new");
    ck_assert_ptr_eq(symbol->lines[0].name, symbol->lines[0].system_name);
    const char *file = symbol->lines[0].file; // "" where this program has no debug information
    ck_assert(!file[0] || strstr(file, "src/symbol/symbolizer.c"));
    ck_assert_int_eq(file[0] != '\0', symbol->lines[0].line > 0);
}
END_TEST

START_TEST(test_demangled)
{
    const struct symbol *symbol = look_up(address_of((void *)mangled_area));
    ck_assert_str_eq(symbol->lines[0].name, "geometry::area(int, int)");
    ck_assert_str_eq(symbol->lines[0].system_name, "_ZN8geometry4areaEii");
    ck_assert_uint_eq(symbol->offset, 0);
}
END_TEST

START_TEST(test_memo)
{
    uint64_t address = address_of((void *)symbolizer_new);
    const struct symbol *first = look_up(address);
    for (unsigned i = 1; i < 2000; i++)
        look_up(address + i);
    ck_assert_ptr_eq(look_up(address), first);
    ck_assert_str_eq(first->lines[0].name, "symbolizer_new");
    ck_assert_ptr_eq(look_up(address + 1)->lines[0].name, first->lines[0].name);
}
END_TEST

// An address may have several names; the one given must lead back to it.
START_TEST(test_libc)
{
    static const char *const functions[] = {"qsort", "malloc", "write",  "getenv", "fopen",
                                            "atoi",  "realpath", "strtol", "fwrite", "regcomp"};
    for (size_t i = 0; i < ARRAY_LENGTH(functions); i++) {
        void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
        ck_assert_ptr_nonnull(libc);
        void *code = dlsym(libc, functions[i]);
        const struct symbol *symbol = look_up(address_of(code));
        ck_assert(symbol->found);
        ck_assert_uint_eq(symbol->offset, 0);
        ck_assert_msg(dlsym(libc, symbol->lines[0].system_name) == code, "%s became %s",
                      functions[i], symbol->lines[0].name);
        dlclose(libc);
    }
}
END_TEST

START_TEST(test_plt)
{
    const char *stub, *address;
    asm("lea getpgid@PLT(%%rip), %0\n\tmov getpgid@GOTPCREL(%%rip), %1"
        : "=r"(stub), "=r"(address));
    SKIP_IF(stub == address, "statically linked: there are no stubs");
    const struct symbol *symbol = look_up(address_of(stub));
    ck_assert(symbol->found);
    ck_assert_str_eq(symbol->lines[0].name, "getpgid@plt");
}
END_TEST

START_TEST(test_vdso)
{
    uint64_t start = getauxval(AT_SYSINFO_EHDR);
    SKIP_IF(!start, "this kernel has no vdso");
    const struct area *area = space_find(space, start);
    ck_assert_ptr_nonnull(area);
    ck_assert_int_eq(area->mapping->module->kind, MODULE_VDSO);
    const struct symbol *headers = look_up(start);
    ck_assert(!headers->found);
    ck_assert_str_eq(headers->lines[0].name, "[vdso]");
    void *vdso = dlopen("linux-vdso.so.1", RTLD_NOW | RTLD_NOLOAD);
    void *clock = vdso ? dlsym(vdso, "__vdso_clock_gettime") : NULL;
    if (clock)
        ck_assert_str_eq(look_up(address_of(clock))->lines[0].name, "__vdso_clock_gettime");
}
END_TEST

START_TEST(test_anonymous)
{
    char *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                      -1, 0);
    bool changed;
    ck_assert_int_eq(space_refresh(space, getpid(), &changed), RC_OK);
    const struct symbol *symbol = look_up(address_of(code) + 16);
    ck_assert(!symbol->found);
    ck_assert_int_eq(symbol->lines[0].name[0], '[');
    ck_assert_int_ne(symbol->lines[0].name[1], '[');
    ck_assert_ptr_eq(look_up(address_of(code) + 17), symbol);
}
END_TEST

// What has no name says at least where it is.
START_TEST(test_outside_of_functions)
{
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    const struct area *area = space_find(space, address_of(dlsym(libc, "qsort")));
    uint32_t mapping = area->mapping->id;
    const struct symbol *symbol = symbolizer_lookup(symbolizer, mapping, UINT64_MAX);
    ck_assert(!symbol->found);
    ck_assert_uint_eq(symbol->line_count, 1);
    AUTO_FREE char *expected = xasprintf("[%s]", area->mapping->module->name);
    ck_assert_str_eq(symbol->lines[0].name, expected);
    ck_assert_ptr_eq(symbolizer_lookup(symbolizer, mapping, UINT64_MAX - 1), symbol);
    dlclose(libc);
}
END_TEST

static const char *name_at(enum module_kind kind, const char *module, uint64_t offset, bool found)
{
    uint32_t mapping = modules_special(modules, kind, module)->id;
    const struct symbol *symbol = symbolizer_lookup(symbolizer, mapping, offset);
    ck_assert_int_eq(symbol->found, found);
    return symbol->lines[0].name;
}

START_TEST(test_special)
{
    ck_assert_str_eq(name_at(MODULE_KERNEL, "[kernel]", SYS_futex, true), "sys_futex");
    ck_assert_str_eq(name_at(MODULE_KERNEL, "[kernel]", SYS_read, true), "sys_read");
    ck_assert_str_eq(name_at(MODULE_KERNEL, "[kernel]", 100000, true), "sys_100000");
    ck_assert_str_eq(name_at(MODULE_KERNEL, "[kernel]", UINT64_MAX, false), "[kernel]");
    ck_assert_str_eq(name_at(MODULE_SPECIAL, "[unattributed]", 0, true), "[unattributed]");
    ck_assert_str_eq(name_at(MODULE_ANON, "[anon]", 0x7f0000001234, false), "[anon]");
    ck_assert_str_eq(name_at(MODULE_ANON, "/memfd:jit", 0, false), "[memfd:jit]");
}
END_TEST

START_TEST(test_syscall_names)
{
    ck_assert_str_eq(syscall_name(SYS_read), "read");
    ck_assert_str_eq(syscall_name(SYS_epoll_wait), "epoll_wait");
    ck_assert_str_eq(syscall_name(SYS_clock_nanosleep), "clock_nanosleep");
    ck_assert_ptr_null(syscall_name(-1));
    ck_assert_ptr_null(syscall_name(400)); // x86-64 leaves a gap from 335 to 423
    ck_assert_ptr_null(syscall_name(1L << 40));
}
END_TEST

Suite *suite_symbolizer(void)
{
    Suite *suite = suite_create("symbolizer");
    TCase *tcase = tcase_create("symbolizer");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_own_function);
    tcase_add_test(tcase, test_demangled);
    tcase_add_test(tcase, test_memo);
    tcase_add_test(tcase, test_libc);
    tcase_add_test(tcase, test_plt);
    tcase_add_test(tcase, test_vdso);
    tcase_add_test(tcase, test_anonymous);
    tcase_add_test(tcase, test_outside_of_functions);
    tcase_add_test(tcase, test_special);
    tcase_add_test(tcase, test_syscall_names);
    suite_add_tcase(suite, tcase);
    return suite;
}
