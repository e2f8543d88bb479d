// SPDX-License-Identifier: MIT
// The truth is this process: what dl_iterate_phdr says of it, and mappings it makes itself.
#include "process/module.h"

#include <check.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "process/space.h"
#include "tests/unit/skip.h"

#define PAGE 4096u

static struct modules *modules;
static struct space *space;

static void set_up(void)
{
    modules = modules_new();
    space = space_new(modules, getpid(), getpid());
}

static void tear_down(void)
{
    space_free(space);
    modules_free(modules);
}

static uint64_t address_of(const void *code)
{
    return (uint64_t)(uintptr_t)code;
}

static bool refresh(struct space *of)
{
    bool changed;
    ck_assert_int_eq(space_refresh(of, getpid(), &changed), RC_OK);
    return changed;
}

// --- what the dynamic linker loaded

static void check_tables(const struct dl_phdr_info *info, uint64_t pc)
{
    struct unwind_sections sections;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *phdr = &info->dlpi_phdr[i];
        if (phdr->p_type != PT_GNU_EH_FRAME)
            continue;
        ck_assert(areas_unwind_sections(space_areas(space), pc, &sections));
        ck_assert_uint_eq(sections.eh_frame_hdr, info->dlpi_addr + phdr->p_vaddr);
        ck_assert_uint_eq(sections.eh_frame_hdr_size, phdr->p_memsz);
    }
}

static void check_code(uint64_t bias, uint64_t start, uint64_t size)
{
    char bytes[64];
    const struct area *area = space_find(space, start);
    ck_assert_ptr_nonnull(area);
    ck_assert_ptr_eq(space_find(space, start + size - 1), area);
    ck_assert_ptr_nonnull(area->mapping->module->image);
    ck_assert_uint_eq(area->bias, bias);
    ck_assert(start >= area->extent_start && start + size <= area->extent_end);
    ck_assert(areas_read(space_areas(space), start, bytes, sizeof bytes));
    ck_assert_mem_eq(bytes, (const void *)(uintptr_t)start, sizeof bytes);
    ck_assert(areas_read(space_areas(space), start + size - sizeof bytes, bytes, sizeof bytes));
    ck_assert_mem_eq(bytes, (const void *)(uintptr_t)(start + size - sizeof bytes), sizeof bytes);
}

static int check_object(struct dl_phdr_info *info, size_t size, void *count)
{
    (void)size;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *phdr = &info->dlpi_phdr[i];
        if (phdr->p_type != PT_LOAD || !(phdr->p_flags & PF_X))
            continue;
        uint64_t start = info->dlpi_addr + phdr->p_vaddr;
        check_code(info->dlpi_addr, start, phdr->p_filesz);
        check_tables(info, start);
        ++*(unsigned *)count;
    }
    return 0;
}

START_TEST(every_code_segment_is_found)
{
    unsigned count = 0;
    dl_iterate_phdr(check_object, &count);
    ck_assert_uint_gt(count, 0);
}
END_TEST

START_TEST(main_is_this_program)
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    ck_assert_int_gt(length, 0);
    path[length] = '\0';
    const struct mapping *mapping = modules_main(modules);
    ck_assert_ptr_nonnull(mapping);
    ck_assert_str_eq(mapping->module->path, path);
    ck_assert_str_eq(mapping->module->name, strrchr(path, '/') + 1);
    ck_assert_int_eq(mapping->module->kind, MODULE_FILE);
    ck_assert_ptr_null(mapping->module->problem);
    ck_assert_ptr_eq(space_find(space, address_of((void *)address_of))->mapping, mapping);
}
END_TEST

START_TEST(vdso_is_known)
{
    uint64_t start = getauxval(AT_SYSINFO_EHDR);
    const struct area *area = space_find(space, start);
    SKIP_IF(!start, "this kernel has no vdso");
    ck_assert_ptr_nonnull(area);
    ck_assert_int_eq(area->mapping->module->kind, MODULE_VDSO);
    ck_assert_str_eq(area->mapping->module->path, "[vdso]");
    ck_assert_uint_eq(area->start, start);
    ck_assert_uint_eq(area->bias, start);
}
END_TEST

START_TEST(only_code_is_found)
{
    static char data[64] = {1};
    char bytes[64];
    ck_assert_ptr_null(space_find(space, 0));
    ck_assert_ptr_null(space_find(space, UINT64_MAX));
    ck_assert_ptr_null(space_find(space, address_of(data)));
    ck_assert_ptr_null(space_find(space, address_of(bytes)));
    ck_assert(!areas_read(space_areas(space), address_of(bytes), bytes, sizeof bytes));
    ck_assert(!areas_read(space_areas(space), 0, bytes, 1));
    ck_assert(!areas_read(space_areas(space), UINT64_MAX - 4, bytes, 16));
    // A read that begins inside a module and ends outside.
    const struct area *area = space_find(space, address_of((void *)address_of));
    ck_assert(!areas_read(space_areas(space), area->extent_end - 4, bytes, 16));
}
END_TEST

// --- what changes

static void *map_code(int fd, off_t offset)
{
    int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_PRIVATE;
    void *code = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, flags, fd, offset);
    ck_assert_ptr_ne(code, MAP_FAILED);
    return code;
}

START_TEST(anonymous_code_comes_and_goes)
{
    struct unwind_sections sections;
    char byte;
    void *code = map_code(-1, 0);
    ck_assert_ptr_null(space_find(space, address_of(code)));
    ck_assert(!refresh(space)); // what is new makes nothing untrue
    const struct area *area = space_find(space, address_of(code) + PAGE - 1);
    ck_assert_ptr_nonnull(area);
    ck_assert_int_eq(area->mapping->module->kind, MODULE_ANON);
    ck_assert_str_eq(area->mapping->module->path, "[anon]");
    ck_assert_ptr_null(area->mapping->module->image);
    ck_assert(!areas_read(space_areas(space), address_of(code), &byte, 1));
    ck_assert(!areas_unwind_sections(space_areas(space), address_of(code), &sections));
    ck_assert(!refresh(space));
    munmap(code, PAGE);
    ck_assert(refresh(space));
    ck_assert_ptr_null(space_find(space, address_of(code)));
    ck_assert(!refresh(space));
}
END_TEST

START_TEST(another_module_in_the_same_place)
{
    AUTO_FD int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    void *code = map_code(-1, 0);
    refresh(space);
    ck_assert_ptr_eq(mmap(code, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0), code);
    ck_assert(refresh(space));
    const struct area *area = space_find(space, address_of(code));
    ck_assert_ptr_eq(area->mapping->module, modules_main(modules)->module);
    ck_assert_ptr_eq(mmap(code, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, PAGE),
                     code); // the same file, other code
    ck_assert(refresh(space));
    munmap(code, PAGE);
}
END_TEST

// What the maps say is asked for again for each later moment, and believed of an earlier one.
START_TEST(maps_that_are_not_true_any_more)
{
    AUTO_FD int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    uint64_t own = address_of((void *)address_of);
    void *code = map_code(fd, 0);
    refresh(space);
    int64_t before = clock_now();
    ck_assert(space_is_true(space, own, before));
    ck_assert(space_is_true(space, address_of(code), before));
    ck_assert_ptr_eq(mmap(code, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, PAGE),
                     code);
    ck_assert(space_is_true(space, address_of(code), before)); // it was then
    while (space_is_true(space, address_of(code), clock_now())) // an old kernel is asked seldom
        usleep(1000);
    int64_t between = clock_now();
    ck_assert(refresh(space));
    ck_assert(space_is_true(space, address_of(code), clock_now()));
    ck_assert(!space_is_doubtful(space, address_of(code), clock_now()));
    ck_assert(space_is_doubtful(space, address_of(code), before + (between - before) / 2));
    ck_assert(!space_is_doubtful(space, own, before));
    munmap(code, PAGE);
}
END_TEST

// dlclose and dlopen at another address: one mapping, that lies elsewhere now.
START_TEST(the_same_code_elsewhere)
{
    const struct mapping *own = modules_main(modules);
    size_t size = own->end - own->start;
    AUTO_FD int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    void *again = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, (off_t)own->offset);
    ck_assert_ptr_ne(again, MAP_FAILED);
    ck_assert(!refresh(space));
    uint64_t function = address_of((void *)address_of);
    const struct area *first = space_find(space, function);
    const struct area *second = space_find(space, address_of(again) + (function - first->start));
    ck_assert_ptr_eq(second->mapping, first->mapping);
    ck_assert_uint_eq(second->bias - first->bias, second->start - first->start);
    char one[64], two[64];
    ck_assert(areas_read(space_areas(space), function, one, sizeof one));
    ck_assert(areas_read(space_areas(space), function - first->start + second->start, two,
                         sizeof two));
    ck_assert_mem_eq(one, two, sizeof one);
    munmap(again, size);
    ck_assert(refresh(space));
    ck_assert_ptr_null(space_find(space, address_of(again)));
}
END_TEST

START_TEST(a_file_without_a_name)
{
    AUTO_FD int fd = memfd_create("plug\nin; \x1b", MFD_CLOEXEC);
    ck_assert_int_eq(ftruncate(fd, PAGE), 0);
    void *code = map_code(fd, 0);
    refresh(space);
    const struct module *module = space_find(space, address_of(code))->mapping->module;
    ck_assert_int_eq(module->kind, MODULE_ANON); // no ELF file: the process itself made the code
    ck_assert_str_eq(module->path, "/memfd:plug\nin; \x1b"); // raw, without the kernel's mark
    ck_assert_ptr_null(module->image);
    munmap(code, PAGE);
}
END_TEST

// What cannot be opened for want of a descriptor says so.
START_TEST(no_more_files)
{
    struct rlimit limit, none;
    AUTO_FD int fd = open("/bin/sh", O_RDONLY | O_CLOEXEC);
    void *code = map_code(fd, 0);
    int next = dup(fd);
    close(next);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){(rlim_t)next, limit.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    refresh(space);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct module *module = space_find(space, address_of(code))->mapping->module;
    ck_assert_ptr_null(module->image);
    ck_assert_ptr_nonnull(module->problem);
    ck_assert_ptr_nonnull(strstr(module->problem, "ulimit -n"));
    munmap(code, PAGE);
}
END_TEST

// --- several spaces

static void assert_same_mappings(const struct space *other)
{
    const void *const places[] = {(void *)address_of, (void *)memcpy, (void *)dl_iterate_phdr};
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
        const struct area *one = space_find(space, address_of(places[i]));
        const struct area *two = space_find(other, address_of(places[i]));
        ck_assert_ptr_nonnull(two);
        ck_assert_uint_eq(one->mapping->id, two->mapping->id);
        ck_assert_ptr_eq(modules_mapping(modules, one->mapping->id), two->mapping);
    }
}

START_TEST(spaces_share_mappings)
{
    size_t count = modules_count(modules), mappings = modules_mapping_count(modules);
    struct space *again = space_new(modules, getpid(), getpid());
    assert_same_mappings(again);
    space_free(again);
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    struct space *other = space_new(modules, child, child);
    assert_same_mappings(other);
    space_free(other);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    ck_assert_uint_eq(modules_count(modules), count);
    ck_assert_uint_eq(modules_mapping_count(modules), mappings);
}
END_TEST

START_TEST(a_process_that_is_gone)
{
    bool changed;
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    siginfo_t info;
    waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT); // a zombie: its maps are empty
    struct space *gone = space_new(modules, child, child);
    ck_assert_int_eq(space_refresh(gone, child, &changed), RC_GONE);
    waitpid(child, NULL, 0);
    ck_assert_int_eq(space_refresh(gone, child, &changed), RC_GONE);
    ck_assert_ptr_null(space_find(gone, address_of((void *)address_of)));
    space_free(gone);
}
END_TEST

START_TEST(ids_are_places_in_the_tables)
{
    const struct mapping *kernel = modules_special(modules, MODULE_KERNEL, "[kernel]");
    const struct mapping *special = modules_special(modules, MODULE_SPECIAL, "[kernel]");
    ck_assert_ptr_ne(kernel, special);
    ck_assert_ptr_eq(modules_special(modules, MODULE_KERNEL, "[kernel]"), kernel);
    ck_assert_str_eq(special->module->name, "[kernel]");
    for (uint32_t i = 0; i < modules_count(modules); i++)
        ck_assert_uint_eq(modules_get(modules, i)->id, i);
    for (uint32_t i = 0; i < modules_mapping_count(modules); i++)
        ck_assert_uint_eq(modules_mapping(modules, i)->id, i);
}
END_TEST

Suite *suite_module(void);

Suite *suite_module(void)
{
    TCase *tests = tcase_create("own process");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, every_code_segment_is_found);
    tcase_add_test(tests, main_is_this_program);
    tcase_add_test(tests, vdso_is_known);
    tcase_add_test(tests, only_code_is_found);
    tcase_add_test(tests, anonymous_code_comes_and_goes);
    tcase_add_test(tests, another_module_in_the_same_place);
    tcase_add_test(tests, maps_that_are_not_true_any_more);
    tcase_add_test(tests, the_same_code_elsewhere);
    tcase_add_test(tests, a_file_without_a_name);
    tcase_add_test(tests, no_more_files);
    tcase_add_test(tests, spaces_share_mappings);
    tcase_add_test(tests, a_process_that_is_gone);
    tcase_add_test(tests, ids_are_places_in_the_tables);
    Suite *suite = suite_create("module");
    suite_add_tcase(suite, tests);
    return suite;
}
