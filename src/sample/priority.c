// SPDX-License-Identifier: MIT
#include "sample/priority.h"

#include <sched.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

#define SLICE_NS (100 * NS_PER_US)
// A real-time task that forgets to sleep this long is ended by the kernel.
#define RTTIME_US 500000

struct scheduling { // struct sched_attr, which glibc 2.36 does not know
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

static bool be_realtime(void)
{
    struct rlimit limit = {RTTIME_US, RTTIME_US};
    struct sched_param lowest = {.sched_priority = 1};
    return setrlimit(RLIMIT_RTTIME, &limit) == 0 &&
           sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &lowest) == 0;
}

// Before 6.12 the kernel takes the number and does nothing with it.
static bool kernel_has_slices(void)
{
    struct utsname name;
    unsigned major_number = 0, minor_number = 0;
    uname(&name);
    sscanf(name.release, "%u.%u", &major_number, &minor_number);
    return major_number > 6 || (major_number == 6 && minor_number >= 12);
}

static bool ask_short_slice(void)
{
    struct scheduling wanted = {
        .size = sizeof wanted, .policy = SCHED_OTHER, .nice = getpriority(PRIO_PROCESS, 0),
        .runtime = SLICE_NS};
    return syscall(SYS_sched_setattr, 0, &wanted, 0) == 0 && kernel_has_slices();
}

// Against 75 threads a CPU a tenth of it, and for what takes long the others keep most of theirs.
#define HURRIED_NICE (-10)

int priority_hurry(void)
{
    int before = getpriority(PRIO_PROCESS, 0);
    if (before > HURRIED_NICE)
        setpriority(PRIO_PROCESS, 0, HURRIED_NICE);
    return before;
}

void priority_relax(int nice)
{
    setpriority(PRIO_PROCESS, 0, nice);
}

struct priority priority_raise(void)
{
    prctl(PR_SET_TIMERSLACK, 1); // the default rounds each sleep up by 50 us
    if (be_realtime())
        return (struct priority){.realtime = true};
    setpriority(PRIO_PROCESS, 0, -20); // refused without the right to it
    return (struct priority){.short_slice = ask_short_slice()};
}
