// SPDX-License-Identifier: MIT
// std_contended mutex|shared_mutex: what contended.c does by default and with --sleeps, with a lock
// of the C++ library; the truth is in its shares only.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <unistd.h>

using std::chrono::nanoseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

static std::mutex the_mutex;
static std::shared_mutex the_shared_mutex;
static nanoseconds held_long, held_short;

static void occupy(nanoseconds &held, milliseconds length)
{
    auto begin = steady_clock::now();
    std::this_thread::sleep_for(length);
    held += steady_clock::now() - begin;
}

template <class Lock> [[gnu::noinline]] void hold_long(Lock &lock)
{
    std::unique_lock<Lock> guard(lock);
    occupy(held_long, milliseconds(7));
}

template <class Lock> [[gnu::noinline]] void hold_short(Lock &lock)
{
    std::unique_lock<Lock> guard(lock);
    occupy(held_short, milliseconds(3));
}

template <class Lock> [[gnu::noinline]] void want(Lock &lock)
{
    std::unique_lock<Lock> guard(lock);
}

template <class Lock> void run(Lock &lock)
{
    std::thread([&lock] {
        for (;;) {
            if (held_long * 3 <= held_short * 7)
                hold_long(lock);
            else
                hold_short(lock);
            std::this_thread::sleep_for(std::chrono::microseconds(300));
        }
    }).detach();
    for (int i = 0; i < 2; i++)
        std::thread([&lock] {
            for (;;) {
                want(lock);
                std::this_thread::sleep_for(std::chrono::microseconds(20));
            }
        }).detach();
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "mutex") == 0)
        run(the_mutex);
    else if (argc == 2 && strcmp(argv[1], "shared_mutex") == 0)
        run(the_shared_mutex);
    else
        return 2;
    puts("ready");
    fflush(stdout);
    for (;;)
        pause(); // until SIGTERM, which nobody handles
}
