// SPDX-License-Identifier: MIT
// std_locks MODE: one thread holds a std::mutex (mode "mutex") or a std::shared_mutex ("write",
// "read": what the other thread wants), another one waits for it, for ever. Prints what locks.c
// prints.
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <mutex>
#include <shared_mutex>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

static std::mutex the_mutex;
static std::shared_mutex the_shared_mutex;
static std::atomic<pid_t> holder, waiter;

static pid_t own_tid()
{
    return static_cast<pid_t>(syscall(SYS_gettid));
}

static void await_futex(pid_t tid)
{
    char path[64], text[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/syscall", tid);
    for (;; usleep(1000)) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
        close(fd);
        text[length > 0 ? length : 0] = '\0';
        char *end;
        if (strtol(text, &end, 10) == SYS_futex && end != text)
            return;
    }
}

static const struct mode {
    const char *name, *object_kind, *object;
    void (*take)(), (*want)();
} modes[] = {
    {"mutex", "mutex", "the_mutex", [] { the_mutex.lock(); }, [] { the_mutex.lock(); }},
    {"write", "rwlock (to write)", "the_shared_mutex", [] { the_shared_mutex.lock(); },
     [] { the_shared_mutex.lock(); }},
    {"read", "rwlock (to read)", "the_shared_mutex", [] { the_shared_mutex.lock(); },
     [] { the_shared_mutex.lock_shared(); }},
};

static void run(const mode &chosen)
{
    std::thread([&] {
        chosen.take();
        holder = own_tid();
        for (;;)
            pause();
    }).detach();
    while (!holder)
        usleep(1000);
    std::thread([&] {
        waiter = own_tid();
        chosen.want();
    }).detach();
    while (!waiter)
        usleep(1000);
    await_futex(waiter);
    printf("{\"waits\": [{\"tid\": %d, \"name\": \"std_locks\", \"kind\": \"lock\", "
           "\"object_kind\": \"%s\", \"object\": \"%s\", \"holder\": %d, \"probable\": false}], "
           "\"deadlock\": []}\nready\n",
           waiter.load(), chosen.object_kind, chosen.object, holder.load());
    fflush(stdout);
}

int main(int argc, char **argv)
{
    for (const mode &known : modes) {
        if (argc != 2 || strcmp(known.name, argv[1]) != 0)
            continue;
        run(known);
        for (;;)
            pause(); // until SIGTERM, which nobody handles
    }
    fprintf(stderr, "usage: std_locks mutex|write|read\n");
    return 2;
}
