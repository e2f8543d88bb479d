// SPDX-License-Identifier: MIT
#include "serve/notify.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define FIRST_SOCKET 3 // SD_LISTEN_FDS_START

static struct {
    char *address; // of the manager's socket; NULL: there is none
    int64_t watchdog; // ns
    int sockets;
} notify;

static int64_t number_of(const char *name)
{
    const char *text = getenv(name);
    return text ? strtoll(text, NULL, 10) : 0;
}

static bool is_for_us(const char *name) // a variable names the process that is meant
{
    return !getenv(name) || number_of(name) == getpid();
}

static void take_away(void)
{
    static const char *const names[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
                                        "LISTEN_FDS",    "LISTEN_PID",    "LISTEN_FDNAMES"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        unsetenv(names[i]);
}

void notify_begin(void)
{
    const char *address = getenv("NOTIFY_SOCKET");
    int64_t sockets = getenv("LISTEN_PID") && is_for_us("LISTEN_PID") ? number_of("LISTEN_FDS") : 0;
    int64_t watchdog = is_for_us("WATCHDOG_PID") ? number_of("WATCHDOG_USEC") : 0;
    free(notify.address);
    notify.address = address && (*address == '/' || *address == '@') ? xstrdup(address) : NULL;
    notify.watchdog = watchdog > 0 && watchdog < INT64_MAX / NS_PER_US ? watchdog * NS_PER_US : 0;
    notify.sockets = sockets > 0 && sockets <= NOTIFY_SOCKETS_MOST ? (int)sockets : 0;
    take_away();
}

int64_t notify_watchdog(void)
{
    return notify.watchdog;
}

int notify_sockets(int sockets[NOTIFY_SOCKETS_MOST])
{
    for (int i = 0; i < notify.sockets; i++)
        sockets[i] = FIRST_SOCKET + i;
    return notify.sockets;
}

void notify_send(const char *state)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (!notify.address || strlen(notify.address) >= sizeof to.sun_path)
        return;
    AUTO_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    size_t length = strlen(notify.address);
    memcpy(to.sun_path, notify.address, length);
    if (*to.sun_path == '@') // of the abstract namespace
        *to.sun_path = '\0';
    AUTO_FREE char *text = strncmp(state, "RELOADING=1", 11) != 0
                               ? xstrdup(state)
                               : xasprintf("%s\nMONOTONIC_USEC=%lld", state,
                                           (long long)(clock_now() / NS_PER_US));
    (void)!sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&to,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
}
