// SPDX-License-Identifier: MIT
#include "process/permission_cause.h"

#include <elf.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/mem.h"
#include "process/control_group.h"

#define KERNEL_THREAD 0x00200000 // PF_KTHREAD

static void set_cause(struct permission_row *row, const char *format, ...) PRINTF_LIKE(2, 3);
static void set_cause(struct permission_row *row, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(row->cause, sizeof row->cause, format, args);
    va_end(args);
}

static void set_remedy(struct permission_row *row, const char *format, ...) PRINTF_LIKE(2, 3);
static void set_remedy(struct permission_row *row, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(row->remedy, sizeof row->remedy, format, args);
    va_end(args);
}

#define TRACE_CAPS "cap_sys_ptrace"

// Says how a user in our situation gets the capabilities.
static void remedy_privilege(const struct facts *facts, const char *caps,
                             struct permission_row *row)
{
    if (facts->self.effective_caps & CAP_BIT_SYS_PTRACE && !facts->capable) {
        set_remedy(row, "Run ptprof outside this container, as root of the host.");
        return;
    }
    if (!(facts->self_bounding & CAP_BIT_SYS_PTRACE)) {
        set_remedy(row, "Nobody here can have CAP_SYS_PTRACE. In a container: start it with "
                        "--cap-add=SYS_PTRACE,\nor run ptprof on its host.");
        return;
    }
    if (facts->self.uid[1] == 0) {
        set_remedy(row, "Run ptprof as root of the host: this root lacks capabilities.");
        return;
    }
    char program[128];
    if (!facts_link(facts, "self", "exe", program))
        snprintf(program, sizeof program, "ptprof");
    AUTO_FREE char *shown = escape_text_dup(program);
    set_remedy(row, "Run it with sudo, or grant the capability once:\n"
                    "sudo setcap %s+ep %s", caps, shown);
}

// If /proc and ptrace use two different PID namespaces, the same number means two different
// processes. When /proc is mounted for our own namespace, our status shows one pid.
static enum permission_state test_pid_namespace(const struct facts *facts,
                                                struct permission_row *row)
{
    if (facts->self.tgid && !facts->self.levels) // no NSpid before Linux 4.1
        return PERMISSION_SKIPPED;
    if (facts->self.levels == 1) {
        set_cause(row, "the numbers in /proc are those of our own PID namespace");
        return PERMISSION_OK;
    }
    if (facts->mounted) {
        set_cause(row, "/proc is of another PID namespace than ours: its numbers mean other "
                       "processes to ptrace");
        set_remedy(row, "Mount a /proc of this namespace first (mount -t proc proc /proc, or "
                        "unshare --mount-proc),\nor run ptprof in the PID namespace of this "
                        "/proc.");
    } else {
        set_cause(row, "/proc is not mounted here");
        set_remedy(row, "Mount it: mount -t proc proc /proc.");
    }
    return PERMISSION_PROBLEM;
}

static enum permission_state test_exists(const struct facts *facts, struct permission_row *row)
{
    if (facts->exists) {
        set_cause(row, "%d is there", facts->pid);
        return PERMISSION_OK;
    }
    set_cause(row, "there is no such process");
    AUTO_BUF struct buf mounts = {0};
    if (facts_read(facts, &mounts, 0, "mounts") == RC_OK && strstr(mounts.data, "hidepid="))
        set_remedy(row, "/proc hides other users' processes here (hidepid): try with sudo.");
    else
        set_remedy(row, "ps -e lists what is there; a container numbers its processes anew.");
    return PERMISSION_PROBLEM;
}

static enum permission_state test_thread_id(const struct facts *facts, struct permission_row *row)
{
    pid_t process = facts->target.tgid;
    if (process == facts->target.pid) {
        set_cause(row, "it is a process, not a thread of one");
        return PERMISSION_OK;
    }
    char name[64];
    facts_comm(facts, process, name, sizeof name);
    set_cause(row, "it is a thread of process %d (%s)", process, name);
    set_remedy(row, "Name the process: %d.", process);
    return PERMISSION_PROBLEM;
}

static enum permission_state test_self(const struct facts *facts, struct permission_row *row)
{
    const struct proc_status *self = &facts->self;
    if (facts->pid == self->tgid) {
        set_cause(row, "it is ptprof itself");
        return PERMISSION_PROBLEM;
    }
    if (facts_is_traced_by(facts, self->tracer, facts->pid))
        set_cause(row, "it traces ptprof: each would wait for the other");
    else if (facts_descends(facts, self->parent, facts->pid))
        set_cause(row, "ptprof descends from it: holding it could hold up ptprof");
    else {
        set_cause(row, "neither ptprof nor one that ptprof descends from");
        return PERMISSION_OK;
    }
    set_remedy(row, "Start ptprof from elsewhere, such as another terminal.");
    return PERMISSION_PROBLEM;
}

static enum permission_state test_kernel_thread(const struct facts *facts,
                                                struct permission_row *row)
{
    AUTO_BUF struct buf text = {0};
    struct proc_stat stat;
    if (facts_read(facts, &text, facts->pid, "stat") != RC_OK ||
        !proc_stat_parse(text.data, &stat))
        return PERMISSION_SKIPPED;
    bool kernel = stat.flags & KERNEL_THREAD;
    set_cause(row, kernel ? "it is a thread of the kernel: it has no user space to sample"
                          : "it runs in user space");
    if (kernel)
        set_remedy(row, "Use perf record -g for the kernel.");
    return kernel ? PERMISSION_PROBLEM : PERMISSION_OK;
}

static enum permission_state test_zombie(const struct facts *facts, struct permission_row *row)
{
    char state = facts->target.state;
    bool dead = state == 'Z' || state == 'X';
    if (dead && facts->target.threads > 1) {
        set_cause(row, "its first thread has ended, %ld go on: fine", facts->target.threads - 1);
        return PERMISSION_OK;
    }
    if (!dead) {
        set_cause(row, "it has not ended");
        return PERMISSION_OK;
    }
    char name[64];
    facts_comm(facts, facts->target.parent, name, sizeof name);
    set_cause(row, "it has ended; its parent %d (%s) has not taken notice (a zombie)",
              facts->target.parent, name);
    return PERMISSION_PROBLEM;
}

static enum permission_state test_class(const struct facts *facts, struct permission_row *row)
{
    char path[256];
    unsigned char ident[EI_NIDENT];
    snprintf(path, sizeof path, "%s/%d/exe", facts->proc, facts->pid);
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || read(fd, ident, sizeof ident) != sizeof ident ||
        memcmp(ident, ELFMAG, SELFMAG) != 0)
        return PERMISSION_SKIPPED;
    if (ident[EI_CLASS] == ELFCLASS64) {
        set_cause(row, "it is a 64-bit program");
        return PERMISSION_OK;
    }
    set_cause(row, "it is a 32-bit program, which ptprof cannot unwind");
    set_remedy(row, "Use perf record -g, or gdb.");
    return PERMISSION_PROBLEM;
}

static enum permission_state test_tracer(const struct facts *facts, struct permission_row *row)
{
    pid_t tracer = facts->target.tracer;
    if (!tracer) {
        set_cause(row, "nobody traces it");
        return PERMISSION_OK;
    }
    char name[64];
    facts_comm(facts, tracer, name, sizeof name);
    set_cause(row, "process %d (%s) traces it already, and there can be only one", tracer, name);
    set_remedy(row, "Detach or end %d (%s) first.", tracer, name);
    return PERMISSION_PROBLEM;
}

// The kernel compares our real ids with the target's effective, saved and real ids.
static bool same_ids(const struct proc_status *self, const struct proc_status *target)
{
    for (int i = 0; i < 3; i++)
        if (target->uid[i] != self->uid[0] || target->gid[i] != self->gid[0])
            return false;
    return true;
}

static enum permission_state test_user(const struct facts *facts, struct permission_row *row)
{
    const struct proc_status *self = &facts->self, *target = &facts->target;
    if (facts->capable || facts->readable) {
        set_cause(row, same_ids(self, target) ? "it belongs to us" : "we may trace other users");
        return PERMISSION_OK;
    }
    if (same_ids(self, target)) {
        set_cause(row, "it belongs to us");
        return PERMISSION_OK;
    }
    if (target->uid[1] != self->uid[0])
        set_cause(row, "it runs as user %u, we are user %u", target->uid[1], self->uid[0]);
    else
        set_cause(row, "its user or group ids differ from ours (set-id program or other group)");
    remedy_privilege(facts, TRACE_CAPS, row);
    return PERMISSION_PROBLEM;
}

static enum permission_state test_yama(const struct facts *facts, struct permission_row *row)
{
    static const char *const meanings[] = {
        "any process of the same user may trace",
        "only parents may trace, and whom the process itself has named",
        "only who has CAP_SYS_PTRACE may trace",
        "nobody may trace, until the next boot",
    };
    AUTO_BUF struct buf text = {0};
    if (procfs_read(&text, "%s/sys/kernel/yama/ptrace_scope", facts->proc) != RC_OK)
        return PERMISSION_SKIPPED;
    unsigned scope = (unsigned)strtoul(text.data, NULL, 10);
    if (scope >= ARRAY_LENGTH(meanings))
        return PERMISSION_SKIPPED;
    set_cause(row, "kernel.yama.ptrace_scope is %u: %s", scope, meanings[scope]);
    if (scope == 0 || (scope < 3 && facts->capable))
        return PERMISSION_OK;
    if (scope == 3)
        set_remedy(row, "Boot without it: 3 cannot be changed while the system runs.");
    else
        remedy_privilege(facts, TRACE_CAPS, row);
    return PERMISSION_PROBLEM;
}

// The files below /proc/PID, but not the directory, belong to root when it is not dumpable.
static enum permission_state test_dumpable(const struct facts *facts, struct permission_row *row)
{
    char path[256];
    struct stat file;
    snprintf(path, sizeof path, "%s/%d/status", facts->proc, facts->pid);
    // Root's files belong to root in any case, and so do those of a leader that has ended.
    if (facts->target.uid[1] == 0 || facts->target.state == 'Z' || stat(path, &file) != 0)
        return PERMISSION_SKIPPED;
    if (file.st_uid == facts->target.uid[1]) {
        set_cause(row, "it is dumpable");
        return PERMISSION_OK;
    }
    set_cause(row, "it is not dumpable: it changed its ids, or asked for that (PR_SET_DUMPABLE)");
    if (facts->capable || facts->readable)
        return PERMISSION_OK;
    remedy_privilege(facts, TRACE_CAPS, row);
    return PERMISSION_PROBLEM;
}

static enum permission_state test_capabilities(const struct facts *facts,
                                               struct permission_row *row)
{
    if (!same_ids(&facts->self, &facts->target) && !facts->capable)
        return PERMISSION_SKIPPED; // that check names the capability already
    uint64_t more = facts->target_permitted & ~facts->self_permitted;
    if (facts->capable || facts->readable || !more) {
        set_cause(row, facts->capable ? "we have CAP_SYS_PTRACE where it counts"
                                      : "it has none that we lack");
        return PERMISSION_OK;
    }
    set_cause(row, "it has capabilities that we lack (0x%llx)", (unsigned long long)more);
    remedy_privilege(facts, TRACE_CAPS, row);
    return PERMISSION_PROBLEM;
}

static enum permission_state test_namespace(const struct facts *facts, struct permission_row *row)
{
    if (facts->initial_userns) {
        set_cause(row, "we are in the first user namespace");
        return PERMISSION_OK;
    }
    if (facts->readable) {
        set_cause(row, facts->same_userns ? "we share its user namespace"
                                          : "its user namespace is below ours");
        return PERMISSION_OK;
    }
    if (!(facts->self.effective_caps & CAP_BIT_SYS_PTRACE))
        return PERMISSION_SKIPPED;
    set_cause(row, "its user namespace is not ours: our CAP_SYS_PTRACE does not reach it");
    remedy_privilege(facts, TRACE_CAPS, row);
    return PERMISSION_PROBLEM;
}

static enum permission_state test_seccomp(const struct facts *facts, struct permission_row *row)
{
    if (facts->self.seccomp == 0) {
        set_cause(row, "no filter forbids us system calls");
        return PERMISSION_OK;
    }
    set_cause(row, "we run under a seccomp filter, which may forbid ptrace or process_vm_readv");
    set_remedy(row, "In a container: start it with --cap-add=SYS_PTRACE (its default filter then "
                    "allows both).");
    return PERMISSION_POSSIBLE;
}

// Reads the first line of attr/current; "" when there is none.
static void read_label(const struct facts *facts, pid_t pid, struct buf *text)
{
    if (facts_read(facts, text, pid, "attr/current") != RC_OK)
        buf_clear(text);
    buf_append(text, "", 0);
    text->data[strcspn(text->data, "\n")] = '\0';
}

static enum permission_state test_lsm(const struct facts *facts, struct permission_row *row)
{
    AUTO_BUF struct buf ours = {0}, theirs = {0};
    read_label(facts, 0, &ours);
    read_label(facts, facts->pid, &theirs);
    const char *confined = strstr(theirs.data, "(enforce)") ? theirs.data
                           : strstr(ours.data, "(enforce)") ? ours.data
                                                            : NULL;
    if (!confined)
        return PERMISSION_SKIPPED;
    if (strcmp(ours.data, theirs.data) == 0) {
        set_cause(row, "the same AppArmor profile holds for both");
        return PERMISSION_OK;
    }
    AUTO_FREE char *shown = escape_text_dup(confined);
    set_cause(row, "the AppArmor profile %s of %s may forbid it", shown,
              confined == theirs.data ? "the target" : "ptprof");
    set_remedy(row, "When it was that, the kernel log (dmesg) says so; aa-complain lifts it.");
    return PERMISSION_POSSIBLE;
}

// Cgroups are looked up in the real /proc only, never for a tree that a test makes up.
static enum permission_state test_frozen(const struct facts *facts, struct permission_row *row)
{
    if (strcmp(facts->proc, "/proc") != 0)
        return PERMISSION_SKIPPED;
    bool frozen = control_group_is_frozen(facts->pid);
    set_cause(row, frozen ? "its control group is frozen: nothing in it runs until that is thawed"
                          : "its control group is not frozen");
    return frozen ? PERMISSION_NOTICE : PERMISSION_OK;
}

const struct permission_cause permission_causes[] = {
    {"PID namespace", test_pid_namespace, RC_DENIED, true, true, false},
    {"process", test_exists, RC_GONE, true, true, false},
    {"thread id", test_thread_id, RC_USAGE, true, true, false},
    {"ourselves", test_self, RC_USAGE, true, true, true},
    {"kernel thread", test_kernel_thread, RC_USAGE, true, true, false},
    {"zombie", test_zombie, RC_GONE, true, true, false},
    {"word size", test_class, RC_FAIL, true, false, false},
    {"tracer", test_tracer, RC_BUSY, true, false, true},
    {"user", test_user, RC_DENIED, false, false, false},
    {"Yama", test_yama, RC_DENIED, false, false, false},
    {"dumpable", test_dumpable, RC_DENIED, false, false, false},
    {"capabilities", test_capabilities, RC_DENIED, false, false, false},
    {"user namespace", test_namespace, RC_DENIED, false, false, false},
    {"seccomp", test_seccomp, RC_DENIED, false, false, false},
    {"frozen", test_frozen, RC_OK, false, false, false},
    {"security module", test_lsm, RC_DENIED, false, false, false},
};
const size_t permission_cause_count = ARRAY_LENGTH(permission_causes);

_Static_assert(ARRAY_LENGTH(permission_causes) <= PERMISSION_ROWS, "a row for each cause");
