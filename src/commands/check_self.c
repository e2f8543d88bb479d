// SPDX-License-Identifier: MIT
#include "commands/check_self.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"
#include "collect/in_force.h"

static const char *const capability_names[] = {
    "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid",
    "setpcap", "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw",
    "ipc_lock", "ipc_owner", "sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct",
    "sys_admin", "sys_boot", "sys_nice", "sys_resource", "sys_time", "sys_tty_config", "mknod",
    "lease", "audit_write", "audit_control", "setfcap", "mac_override", "mac_admin", "syslog",
    "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf", "checkpoint_restore",
};

#define NAMED_MOST 6 // a larger set is shown as a number

static void put_capabilities(struct buf *out, uint64_t set)
{
    int count = __builtin_popcountll(set);
    const char *separator = "";
    if (!count)
        buf_puts(out, "none");
    if (count > NAMED_MOST) {
        buf_printf(out, "%d%s", count,
                   set >> CAP_SYS_ADMIN & 1 ? ", sys_admin among them" : "");
        return;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(capability_names); i++) {
        if (!(set >> i & 1))
            continue;
        buf_printf(out, "%s%s", separator, capability_names[i]);
        separator = ", ";
    }
}

static void put_bytes(struct buf *out, uint64_t bytes)
{
    if (bytes == UINT64_MAX)
        buf_puts(out, "no bound");
    else
        buf_printf(out, "%" PRIu64 " MiB", bytes >> 20);
}

static const char *calls_text(int seccomp)
{
    return seccomp == 2 ? "only those that it needs (seccomp)" : "all";
}

static void put_priority(struct buf *out, const struct in_force *force,
                         const struct in_force_process *process)
{
    if (process->policy == SCHED_FIFO)
        buf_puts(out, "real time (SCHED_FIFO)");
    else if (force->short_slice)
        buf_printf(out, "a slice of 100 us, nice %d", process->nice);
    else
        buf_printf(out, "ordinary, nice %d: samples come late on busy CPUs", process->nice);
}

static void put_process(struct buf *out, const struct in_force *force,
                        const struct in_force_process *process)
{
    buf_printf(out, "%s\n", process->name);
    if (!process->known) {
        buf_puts(out, "  could not be started, or not be looked at\n");
        return;
    }
    buf_puts(out, "  capabilities       ");
    put_capabilities(out, process->capabilities);
    buf_printf(out, "\n  no new privileges  %s\n", process->no_new_privileges ? "yes" : "no");
    buf_printf(out, "  system calls       %s\n", calls_text(process->seccomp));
    buf_printf(out, "  oom_score_adj      %d\n  data               ", process->oom_score);
    put_bytes(out, process->data_bytes);
    buf_printf(out, "\n  core file          %s\n", process->core_bytes ? "allowed" : "none");
    if (process == &force->processes[IN_FORCE_SAMPLER]) {
        buf_puts(out, "  priority           ");
        put_priority(out, force, process);
        buf_putc(out, '\n');
    }
}

enum rc check_self(struct err *err)
{
    AUTO_BUF struct buf out = {0};
    struct in_force force;
    enum rc rc = in_force_find(&force, err);
    for (size_t i = 0; i < ARRAY_LENGTH(force.processes); i++)
        put_process(&out, &force, &force.processes[i]);
    buf_puts(&out, "here\n  free memory        ");
    put_bytes(&out, force.room);
    buf_printf(&out, "\n  timers             %s (%ld ns)\n",
               force.tick_ns == 1 ? "high resolution" : "no better than ticks", force.tick_ns);
    fputs(out.data, stdout);
    return rc;
}
