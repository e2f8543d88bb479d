// SPDX-License-Identifier: MIT
#include "process/mapping_kind.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascending.h"
#include "base/map.h"
#include "base/mem.h"

#define SIZES_MOST 16 // different sizes of stacks that are known again

const struct mapping_kind_row mapping_kind_rows[MAPPING_KIND_COUNT] = {
#define X(name, key, words) [MAPPING_##name] = {key, words},
    MAPPING_KINDS(X)
#undef X
};

// --- where the threads' stacks are ---

struct thread_visit {
    struct stack_points *points;
    pid_t pid;
};

static void visit_thread(void *context, pid_t tid)
{
    struct thread_visit *visit = context;
    struct stack_points *points = visit->points;
    AUTO_BUF struct buf text = {0};
    struct proc_syscall call;
    enum rc rc = procfs_read(&text, "/proc/%d/task/%d/syscall", (int)visit->pid, (int)tid);
    if (rc == RC_GONE || tid == visit->pid)
        return;
    if (rc != RC_OK || !text.length || !proc_syscall_parse(text.data, &call)) {
        points->unknown++;
        return;
    }
    ARRAY_RESERVE(points->list, points->count, points->capacity);
    points->list[points->count++] = call.sp;
}

static uint64_t stack_limit(pid_t pid)
{
    static const char key[] = "Max stack size";
    AUTO_BUF struct buf text = {0};
    if (procfs_read(&text, "/proc/%d/limits", (int)pid) != RC_OK || !text.length)
        return 0;
    const char *line = strstr(text.data, key);
    return line ? strtoull(line + strlen(key), NULL, 10) : 0; // 0 of "unlimited"
}

enum rc stack_points_read(struct stack_points *points, pid_t pid)
{
    char path[48];
    struct thread_visit visit = {points, pid};
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    points->count = points->unknown = 0;
    points->stack_size = stack_limit(pid);
    AUTO_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return RC_GONE;
    enum rc rc = procfs_each_number(fd, visit_thread, &visit);
    if (points->count)
        ascending_sort(points->list, points->count, sizeof *points->list);
    return rc;
}

void stack_points_fini(struct stack_points *points)
{
    free(points->list);
    *points = (struct stack_points){0};
}

// --- by what maps says ---

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

// Memory that is shared by a name or a descriptor, and has no file on a disk.
static bool is_shared_memory(const struct proc_map *map)
{
    static const char huge[] = "/anon_hugepage";
    const char *const names[] = {"/dev/shm/", "/memfd:", "/SYSV", "/dev/zero", "[anon_shmem:",
                                 huge};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (begins(map->path, names[i]))
            return map->shared || strcmp(names[i], huge) != 0;
    return map->shared && !*map->path;
}

static bool is_anonymous(const struct proc_map *map)
{
    return !map->shared && (!*map->path || begins(map->path, "[anon:") ||
                            begins(map->path, "/anon_hugepage"));
}

static enum mapping_kind kind_of(const struct proc_map *map, bool has_code)
{
    if (!*map->path && !map->executable)
        return map->shared ? MAPPING_SHARED : MAPPING_ANONYMOUS;
    bool shared_memory = is_shared_memory(map);
    if (strcmp(map->path, "[heap]") == 0)
        return MAPPING_HEAP;
    if (strcmp(map->path, "[stack]") == 0)
        return MAPPING_MAIN_STACK;
    if (begins(map->path, "[stack:") || begins(map->path, "[anon: glibc: pthread stack"))
        return MAPPING_THREAD_STACKS;
    if ((is_anonymous(map) || shared_memory) && map->executable)
        return MAPPING_GENERATED_CODE;
    if (is_anonymous(map))
        return MAPPING_ANONYMOUS;
    if (shared_memory)
        return MAPPING_SHARED;
    if (map->path[0] == '[')
        return MAPPING_KERNEL;
    return has_code ? MAPPING_LIBRARIES : MAPPING_FILE;
}

static uint64_t file_key(const struct proc_map *map)
{
    if (!map->inode && !*map->path)
        return 0;
    uint64_t key = map_hash(map->device ^ map_hash(map->inode));
    return map->inode ? key : key ^ map_hash_text(map->path);
}

static void number_files(const struct proc_map *list, size_t count, struct mapping_use *uses)
{
    struct map numbers = {0};
    uint64_t last = 0;
    unsigned char *has_code = xcalloc(count + 1, 1);
    for (size_t i = 0; i < count; i++) {
        uint64_t key = file_key(&list[i]);
        uses[i].file = i && key == last ? uses[i - 1].file : map_number(&numbers, key);
        last = key;
        has_code[uses[i].file] |= list[i].executable;
    }
    for (size_t i = 0; i < count; i++)
        uses[i].kind = kind_of(&list[i], has_code[uses[i].file]);
    free(has_code);
    map_fini(&numbers);
}

// --- stacks of threads ---

static bool is_above_guard(const struct proc_map *list, size_t at)
{
    const struct proc_map *map = &list[at], *guard = map - 1;
    return at && map->readable && map->writable && guard->end == map->start &&
           !guard->readable && !guard->writable && !guard->executable && !*guard->path;
}

static uint64_t size_with_guard(const struct proc_map *list, size_t at)
{
    return list[at].end - list[at - 1].start;
}

static void mark(const struct proc_map *list, struct mapping_use *uses, size_t at)
{
    uses[at].kind = MAPPING_THREAD_STACKS;
    if (is_above_guard(list, at))
        uses[at - 1].kind = MAPPING_THREAD_STACKS;
}

struct stack_sizes {
    uint64_t list[SIZES_MOST];
    size_t count;
};

static bool is_known(const struct stack_sizes *sizes, uint64_t size)
{
    for (size_t i = 0; i < sizes->count; i++)
        if (sizes->list[i] == size)
            return true;
    return false;
}

static void learn(struct stack_sizes *sizes, uint64_t size)
{
    if (size && sizes->count < SIZES_MOST && !is_known(sizes, size))
        sizes->list[sizes->count++] = size;
}

static bool can_be_stack(const struct proc_map *list, const struct mapping_use *uses, size_t at)
{
    return uses[at].kind == MAPPING_ANONYMOUS && is_above_guard(list, at);
}

// Goes through mappings and stack pointers side by side; both ascend.
static size_t mark_by_pointer(const struct proc_map *list, size_t count,
                              const struct stack_points *points, struct mapping_use *uses,
                              struct stack_sizes *sizes)
{
    size_t found = 0, next = 0;
    for (size_t i = 0; i < count && next < points->count; i++) {
        size_t before = next;
        while (next < points->count && points->list[next] < list[i].end)
            next++;
        while (before < next && points->list[before] < list[i].start)
            before++;
        bool named = uses[i].kind == MAPPING_THREAD_STACKS;
        if (before == next || !(named || can_be_stack(list, uses, i)))
            continue;
        found++;
        if (is_above_guard(list, i))
            learn(sizes, size_with_guard(list, i));
        mark(list, uses, i);
    }
    return found;
}

static size_t mark_by_size(const struct proc_map *list, size_t count, size_t most,
                           struct mapping_use *uses, const struct stack_sizes *sizes)
{
    size_t found = 0;
    for (size_t i = 1; i < count && found < most; i++)
        if (can_be_stack(list, uses, i) && is_known(sizes, size_with_guard(list, i))) {
            mark(list, uses, i);
            found++;
        }
    return found;
}

struct mapping_stacks mapping_kinds(const struct proc_map *list, size_t count,
                                    const struct stack_points *points, struct mapping_use *uses)
{
    struct stack_sizes sizes = {0};
    struct mapping_stacks stacks = {0};
    number_files(list, count, uses);
    learn(&sizes, points->stack_size);
    stacks.found = mark_by_pointer(list, count, points, uses, &sizes);
    stacks.by_size = mark_by_size(list, count, points->unknown, uses, &sizes);
    return stacks;
}
