// SPDX-License-Identifier: MIT
// Fake /proc trees: ptprof is process 100 (child of the shell 90), the target is 4242, and both
// belong to `user` unless a test says otherwise.
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "process/permission.h"
#include "tests/unit/skip.h"

static char proc[] = "/tmp/ptprof-proc-XXXXXX";
static struct permission_report report;
static struct err err;
static unsigned user; // who owns the files that this test makes

static void make_parents(char *path)
{
    char *slash = path + strlen(proc);
    while ((slash = strchr(slash + 1, '/'))) {
        *slash = '\0';
        ck_assert(mkdir(path, 0755) == 0 || errno == EEXIST);
        *slash = '/';
    }
}

static void put_bytes(const char *name, const void *bytes, size_t length)
{
    AUTO_FREE char *path = xasprintf("%s/%s", proc, name);
    make_parents(path);
    AUTO_FILE FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
}

static void put(const char *name, const char *text)
{
    put_bytes(name, text, strlen(text));
}

static void put_link(const char *name, const char *to)
{
    AUTO_FREE char *path = xasprintf("%s/%s", proc, name);
    make_parents(path);
    ck_assert_int_eq(symlink(to, path), 0);
}

struct person { // fields of a status file; 0 is what an ordinary process has
    const char *dir;
    const char *name;
    int pid, tgid, parent, tracer;
    unsigned uid, gid, saved_uid;
    char state;
    int threads, seccomp;
    unsigned long long permitted, effective, bounding;
};

static void give_away(const char *name, uid_t to)
{
    AUTO_FREE char *path = xasprintf("%s/%s", proc, name);
    ck_assert(geteuid() != 0 || chown(path, to, -1) == 0);
}

static void put_status(struct person p)
{
    AUTO_FREE char *text = xasprintf(
        "Name:\t%s\nState:\t%c (x)\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\nTracerPid:\t%d\n"
        "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nThreads:\t%d\n"
        "CapPrm:\t%016llx\nCapEff:\t%016llx\nCapBnd:\t%016llx\nSeccomp:\t%d\n",
        p.name, p.state ? p.state : 'S', p.tgid ? p.tgid : p.pid, p.pid, p.parent, p.tracer, p.uid,
        p.uid, p.saved_uid ? p.saved_uid : p.uid, p.uid, p.gid, p.gid, p.gid, p.gid,
        p.threads ? p.threads : 1, p.permitted, p.effective, p.bounding, p.seccomp);
    AUTO_FREE char *status = xasprintf("%s/status", p.dir);
    AUTO_FREE char *comm = xasprintf("%s/comm", p.dir);
    AUTO_FREE char *line = xasprintf("%s\n", p.name);
    put(status, text);
    give_away(status, p.uid);
    put(comm, line);
}

#define SYS_PTRACE (1ull << 19)
#define ALL_CAPS 0x1ffffffffffull
#define US .dir = "self", .name = "ptprof", .pid = 100, .parent = 90
#define TARGET .dir = "4242", .name = "postgres", .pid = 4242, .parent = 1

// The user looks at a process of his own; nothing stands between.
static void setup(void)
{
    user = geteuid() ? geteuid() : 1000;
    strcpy(proc, "/tmp/ptprof-proc-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(proc));
    put_status((struct person){US, .uid = user, .bounding = ALL_CAPS});
    put_status((struct person){.dir = "90", .name = "bash", .pid = 90, .parent = 1, .uid = user});
    put_status((struct person){.dir = "1", .name = "init", .pid = 1});
    put_status((struct person){TARGET, .uid = user});
    put("self/uid_map", "         0          0 4294967295\n");
    put_link("self/ns/user", "user:[4026531837]");
    put_link("self/exe", "/usr/bin/ptprof");
    put("4242/stat", "4242 (postgres) S 1 4242 4242 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0\n");
    put("sys/kernel/yama/ptrace_scope", "0\n");
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *ftw)
{
    (void)stat, (void)kind, (void)ftw;
    return remove(path);
}

static void teardown(void)
{
    nftw(proc, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const struct permission_row *row_named(const char *name)
{
    for (size_t i = 0; i < report.count; i++)
        if (strcmp(report.rows[i].name, name) == 0)
            return &report.rows[i];
    ck_abort_msg("no row %s", name);
}

// The only problem, and the first, is this one.
static void assert_problem(const char *name, enum rc rc, const char *cause, const char *remedy)
{
    ck_assert_int_eq(permission_check_at(proc, 4242, &report), rc);
    for (size_t i = 0; i < report.count; i++)
        ck_assert_msg((report.rows[i].state == PERMISSION_PROBLEM) ==
                          (strcmp(report.rows[i].name, name) == 0),
                      "%s: %s", report.rows[i].name, report.rows[i].cause);
    ck_assert_str_eq(row_named(name)->cause, cause);
    ck_assert_msg(strstr(row_named(name)->remedy, remedy) != NULL, "%s", row_named(name)->remedy);
}

static void assert_fine(void)
{
    enum rc rc = permission_check_at(proc, 4242, &report);
    for (size_t i = 0; i < report.count; i++)
        ck_assert_msg(report.rows[i].state != PERMISSION_PROBLEM, "%s: %s", report.rows[i].name,
                      report.rows[i].cause);
    ck_assert_int_eq(rc, RC_OK);
    ck_assert_int_eq(permission_explain_at(proc, 4242, 0, &err), RC_OK);
}

// Before any attempt, too, this is a reason not to make one.
static void assert_early(enum rc rc, const char *text)
{
    ck_assert_int_eq(permission_explain_at(proc, 4242, 0, &err), rc);
    ck_assert_msg(strncmp(err.text, text, strlen(text)) == 0, "%s", err.text);
}

START_TEST(own_process)
{
    assert_fine();
    ck_assert_str_eq(report.comm, "postgres");
    ck_assert_int_eq(permission_explain_at(proc, 4242, EPERM, &err), RC_DENIED);
    ck_assert_ptr_nonnull(strstr(err.text, "nothing in /proc says why"));
}
END_TEST

START_TEST(no_such_process)
{
    ck_assert_int_eq(permission_explain_at(proc, 77, 0, &err), RC_GONE);
    ck_assert_str_eq(err.text,
                     "cannot attach to 77\n  there is no such process\n"
                     "  ps -e lists what is there; a container numbers its processes anew.");
    put("self/mounts", "proc /proc proc rw,hidepid=invisible 0 0\n");
    ck_assert_int_eq(permission_explain_at(proc, 77, ESRCH, &err), RC_GONE);
    ck_assert_ptr_nonnull(strstr(err.text, "hidepid"));
}
END_TEST

START_TEST(thread_id)
{
    put_status((struct person){TARGET, .tgid = 90, .uid = user});
    assert_problem("thread id", RC_USAGE, "it is a thread of process 90 (bash)",
                   "Name the process: 90.");
    assert_early(RC_USAGE, "cannot attach to 4242 (postgres)\n  it is a thread of process 90");
}
END_TEST

START_TEST(ourselves_and_ancestors)
{
    put_status((struct person){.dir = "100", .name = "ptprof", .pid = 100, .parent = 90});
    ck_assert_int_eq(permission_check_at(proc, 100, &report), RC_USAGE);
    ck_assert_str_eq(row_named("ourselves")->cause, "it is ptprof itself");
    ck_assert_int_eq(permission_check_at(proc, 90, &report), RC_USAGE);
    ck_assert_ptr_nonnull(strstr(row_named("ourselves")->cause, "ptprof descends from it"));
    ck_assert_int_eq(permission_check_at(proc, 1, &report), RC_USAGE);
}
END_TEST

START_TEST(our_own_tracer)
{
    put_status((struct person){US, .uid = user, .tracer = 4242});
    assert_problem("ourselves", RC_USAGE, "it traces ptprof: each would wait for the other",
                   "Start ptprof from elsewhere");
}
END_TEST

START_TEST(loop_of_parents)
{
    put_status((struct person){.dir = "90", .name = "a", .pid = 90, .parent = 91, .uid = user});
    put_status((struct person){.dir = "91", .name = "b", .pid = 91, .parent = 90, .uid = user});
    assert_fine();
}
END_TEST

START_TEST(kernel_thread)
{
    put("4242/stat", "4242 (kworker/0:1) I 2 0 0 0 -1 69238880 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0\n");
    ck_assert_int_eq(permission_check_at(proc, 4242, &report), RC_USAGE);
    ck_assert_int_eq(row_named("kernel thread")->state, PERMISSION_PROBLEM);
    assert_early(RC_USAGE, "cannot attach to 4242");
}
END_TEST

START_TEST(zombie)
{
    put_status((struct person){TARGET, .uid = user, .state = 'Z'});
    assert_problem("zombie", RC_GONE,
                   "it has ended; its parent 1 (init) has not taken notice (a zombie)", "");
    assert_early(RC_GONE, "cannot attach to 4242 (postgres)\n  it has ended");
}
END_TEST

START_TEST(zombie_leader_with_threads)
{
    put_status((struct person){TARGET, .uid = user, .state = 'Z', .threads = 3});
    assert_fine();
    ck_assert_str_eq(row_named("zombie")->cause, "its first thread has ended, 2 go on: fine");
}
END_TEST

START_TEST(word_size)
{
    unsigned char ident[16] = {0x7f, 'E', 'L', 'F', 2};
    put_bytes("4242/exe", ident, sizeof ident);
    assert_fine();
    ck_assert_int_eq(row_named("word size")->state, PERMISSION_OK);
    put_bytes("4242/exe", ident, 3);
    assert_fine();
    ck_assert_int_eq(row_named("word size")->state, PERMISSION_SKIPPED);
    ident[4] = 1;
    put_bytes("4242/exe", ident, sizeof ident);
    assert_problem("word size", RC_FAIL, "it is a 32-bit program, which ptprof cannot unwind", "");
    assert_early(RC_FAIL, "cannot attach to 4242 (postgres)\n  it is a 32-bit program");
}
END_TEST

START_TEST(traced_already)
{
    put_status((struct person){.dir = "55", .name = "gdb", .pid = 55, .uid = user});
    put_status((struct person){TARGET, .uid = user, .tracer = 55});
    assert_problem("tracer", RC_BUSY,
                   "process 55 (gdb) traces it already, and there can be only one",
                   "Detach or end 55 (gdb) first.");
    assert_early(RC_BUSY, "cannot attach to 4242 (postgres)\n  process 55 (gdb)");
}
END_TEST

START_TEST(other_user)
{
    put_status((struct person){TARGET, .uid = 26, .gid = 26});
    ck_assert_int_eq(permission_explain_at(proc, 4242, 0, &err), RC_OK);
    ck_assert_int_eq(permission_explain_at(proc, 4242, EPERM, &err), RC_DENIED);
    AUTO_FREE char *text = xasprintf("cannot attach to 4242 (postgres): Operation not permitted\n"
                                     "  it runs as user 26, we are user %u\n"
                                     "  Run it with sudo, or grant the capability once:\n"
                                     "  sudo setcap cap_sys_ptrace+ep "
                                     "/usr/bin/ptprof        "
                                     "see ptprof(1), PERMISSIONS",
                                     user);
    ck_assert_str_eq(err.text, text);
    put_status((struct person){US, .uid = user, .effective = SYS_PTRACE, .permitted = SYS_PTRACE,
                               .bounding = ALL_CAPS});
    assert_fine();
}
END_TEST

START_TEST(set_id_program)
{
    put_status((struct person){TARGET, .uid = user, .saved_uid = 26});
    assert_problem("user", RC_DENIED,
                   "its user or group ids differ from ours (set-id program or other group)",
                   "sudo");
}
END_TEST

START_TEST(readable_namespace_settles_user_and_capabilities)
{
    put_status((struct person){TARGET, .uid = 101000, .gid = 101000, .permitted = ALL_CAPS});
    put_link("4242/ns/user", "user:[4026532000]");
    put("sys/kernel/yama/ptrace_scope", "1\n");
    assert_fine();
}
END_TEST

START_TEST(yama)
{
    put("sys/kernel/yama/ptrace_scope", "1\n");
    assert_problem("Yama", RC_DENIED,
                   "kernel.yama.ptrace_scope is 1: only parents may trace, and whom the process "
                   "itself has named",
                   "setcap cap_sys_ptrace+ep /usr/bin/ptprof");
    put("sys/kernel/yama/ptrace_scope", "2\n");
    assert_problem("Yama", RC_DENIED,
                   "kernel.yama.ptrace_scope is 2: only who has CAP_SYS_PTRACE may trace", "sudo");
    put_status((struct person){US, .effective = ALL_CAPS, .permitted = ALL_CAPS,
                               .bounding = ALL_CAPS});
    assert_fine();
    put("sys/kernel/yama/ptrace_scope", "3\n");
    assert_problem("Yama", RC_DENIED,
                   "kernel.yama.ptrace_scope is 3: nobody may trace, until the next boot",
                   "cannot be changed");
}
END_TEST

START_TEST(not_dumpable)
{
    SKIP_IF(geteuid() != 0, "only root can give a file to root");
    give_away("4242/status", 0);
    assert_problem("dumpable", RC_DENIED,
                   "it is not dumpable: it changed its ids, or asked for that (PR_SET_DUMPABLE)",
                   "sudo");
}
END_TEST

START_TEST(more_capabilities_than_ours)
{
    put_status((struct person){TARGET, .uid = user, .permitted = 1 << 10});
    assert_problem("capabilities", RC_DENIED, "it has capabilities that we lack (0x400)", "sudo");
}
END_TEST

// One process, two numbers: /proc shows that of the outer namespace first.
static void put_ids(const char *ids)
{
    AUTO_FREE char *text = xasprintf("Name:\tptprof\nState:\tR (x)\nTgid:\t100\nPid:\t100\n"
                                     "PPid:\t90\nNSpid:\t%s\nThreads:\t1\n"
                                     "Uid:\t%u\t%u\t%u\t%u\n",
                                     ids, user, user, user, user);
    put("self/status", text);
}

START_TEST(proc_of_the_outer_pid_namespace)
{
    put_ids("100\t7");
    assert_early(RC_DENIED, "cannot attach to 4242 (postgres)\n  /proc is of another PID ");
    ck_assert_ptr_nonnull(strstr(err.text, "mount -t proc"));
    put_ids("100");
    ck_assert_int_eq(permission_check_at(proc, 4242, &report), RC_OK);
    ck_assert_int_eq(row_named("PID namespace")->state, PERMISSION_OK);
}
END_TEST

// Where we have no number at all: of a sibling or a namespace below ours.
START_TEST(proc_of_a_foreign_pid_namespace)
{
    AUTO_FREE char *path = xasprintf("%s/self/status", proc);
    ck_assert_int_eq(unlink(path), 0);
    assert_early(RC_DENIED, "cannot attach to 4242 (postgres)\n  /proc is of another PID ");
}
END_TEST

START_TEST(container_root_without_the_capability)
{
    put_status((struct person){US, .permitted = 0xa80425fb, .effective = 0xa80425fb,
                               .bounding = 0xa80425fb, .seccomp = 2});
    AUTO_FREE char *cause = xasprintf("it runs as user %u, we are user 0", user);
    assert_problem("user", RC_DENIED, cause, "--cap-add=SYS_PTRACE");
    put_status((struct person){TARGET});
    assert_fine();
    ck_assert_int_eq(row_named("seccomp")->state, PERMISSION_POSSIBLE);
    ck_assert_int_eq(permission_explain_at(proc, 4242, ENOSYS, &err), RC_DENIED); // of filters
    ck_assert_ptr_nonnull(strstr(err.text, "seccomp filter"));
    ck_assert_int_eq(permission_explain_at(proc, 4242, EPERM, &err), RC_DENIED);
    ck_assert_ptr_nonnull(strstr(err.text, "--cap-add=SYS_PTRACE"));
}
END_TEST

START_TEST(capability_that_does_not_reach)
{
    put("self/uid_map", "         0       1000          1\n");
    put_status((struct person){US, .effective = ALL_CAPS, .permitted = ALL_CAPS,
                               .bounding = ALL_CAPS});
    put_status((struct person){TARGET});
    assert_problem("user namespace", RC_DENIED,
                   "its user namespace is not ours: our CAP_SYS_PTRACE does not reach it",
                   "outside this container");
}
END_TEST

START_TEST(security_module)
{
    put("self/attr/current", "unconfined\n");
    put("4242/attr/current", "/usr/sbin/mysqld (enforce)\n");
    assert_fine();
    ck_assert_int_eq(row_named("security module")->state, PERMISSION_POSSIBLE);
    ck_assert_str_eq(row_named("security module")->cause,
                     "the AppArmor profile /usr/sbin/mysqld (enforce) of the target may forbid it");
    put("4242/attr/current", "unconfined\n");
    assert_fine();
    ck_assert_int_eq(row_named("security module")->state, PERMISSION_SKIPPED);
}
END_TEST

START_TEST(hostile_names)
{
    put_status((struct person){TARGET, .uid = 26});
    put("4242/comm", "\x1b]0;x\a<b>\n");
    ck_assert_int_eq(permission_explain_at(proc, 4242, EPERM, &err), RC_DENIED);
    ck_assert_ptr_nonnull(strstr(err.text, "4242 (\\x1b]0;x\\x07<b>)"));
}
END_TEST

START_TEST(this_kernel)
{
    ck_assert_int_eq(permission_check(getpid(), &report), RC_USAGE);
    ck_assert_str_eq(row_named("ourselves")->cause, "it is ptprof itself");
    ck_assert_int_eq(permission_explain(1 << 30, 0, &err), RC_GONE);
}
END_TEST

Suite *suite_permission(void);
Suite *suite_permission(void)
{
    Suite *suite = suite_create("permission");
    TCase *tests = tcase_create("permission");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, own_process);
    tcase_add_test(tests, no_such_process);
    tcase_add_test(tests, thread_id);
    tcase_add_test(tests, ourselves_and_ancestors);
    tcase_add_test(tests, our_own_tracer);
    tcase_add_test(tests, loop_of_parents);
    tcase_add_test(tests, kernel_thread);
    tcase_add_test(tests, zombie);
    tcase_add_test(tests, zombie_leader_with_threads);
    tcase_add_test(tests, word_size);
    tcase_add_test(tests, traced_already);
    tcase_add_test(tests, other_user);
    tcase_add_test(tests, set_id_program);
    tcase_add_test(tests, readable_namespace_settles_user_and_capabilities);
    tcase_add_test(tests, yama);
    tcase_add_test(tests, not_dumpable);
    tcase_add_test(tests, more_capabilities_than_ours);
    tcase_add_test(tests, proc_of_the_outer_pid_namespace);
    tcase_add_test(tests, proc_of_a_foreign_pid_namespace);
    tcase_add_test(tests, container_root_without_the_capability);
    tcase_add_test(tests, capability_that_does_not_reach);
    tcase_add_test(tests, security_module);
    tcase_add_test(tests, hostile_names);
    tcase_add_test(tests, this_kernel);
    suite_add_tcase(suite, tests);
    return suite;
}
