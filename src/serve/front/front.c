// SPDX-License-Identifier: MIT
#include "serve/front/front.h"

#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "reader/sandbox.h"
#include "serve/front/clients.h"
#include "serve/front/exchange.h"
#include "serve/front/stream.h"
#include "serve/front/waiting.h"

#define PATIENCE_MS 1000       // deadlines are looked at so often
#define IDLE_SECONDS 300u      // that a connection may be idle
#define MEMORY_MOST (96u << 10) // bytes for the header of a request and what is kept of it
#define TEXT_MOST (1u << 20)   // bytes of a question's text
#define FILES_MORE 256         // descriptors beside one for a connection and one for its answer

static struct {
    const struct front_config *config;
    struct MHD_Daemon *daemons[LISTENERS_MOST];
    size_t count;
} front;

static void give_up_rights(void)
{
    static const unsigned calls[] = {
        SYS_accept4,     SYS_epoll_ctl,   SYS_epoll_wait,  SYS_epoll_pwait, SYS_poll,
        SYS_recvfrom,    SYS_sendto,      SYS_sendfile,    SYS_writev,      SYS_write,
        SYS_shutdown,    SYS_setsockopt,  SYS_getsockopt,  SYS_getsockname, SYS_getpeername,
        SYS_memfd_create, SYS_ftruncate,  SYS_fcntl,       SYS_getpid,      SYS_clock_nanosleep,
        SYS_gettid,
    };
    const struct sandbox_needs needs = {
        .descriptor = -1,
        .files = (unsigned)front.config->settings->http.connections_most * 2 + FILES_MORE,
        .file_size = TEXT_MOST,
        .cpu_seconds = RLIM_INFINITY,
        .calls = calls,
        .call_count = ARRAY_LENGTH(calls),
    };
    if (!sandbox_enter(&needs))
        _exit(EXIT_FAILURE);
}

static void listen_at(int socket, const struct listener *listener)
{
    void *settings = (void *)front.config->settings;
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, clients_accept, (void *)listener,
        exchange_take, settings, MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_NOTIFY_CONNECTION,
        clients_notify, listener, MHD_OPTION_URI_LOG_CALLBACK, exchange_begin, settings,
        MHD_OPTION_NOTIFY_COMPLETED, exchange_end, settings, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)front.config->settings->http.connections_most + 1,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_MOST,
        MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, MHD_OPTION_END);
    if (!daemon)
        _exit(EXIT_FAILURE);
    front.daemons[front.count++] = daemon;
}

static int descriptor_of(struct MHD_Daemon *daemon)
{
    return MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

static int patience(void)
{
    int least = PATIENCE_MS;
    for (size_t i = 0; i < front.count; i++) {
        MHD_UNSIGNED_LONG_LONG timeout;
        if (MHD_get_timeout(front.daemons[i], &timeout) == MHD_YES && timeout < (unsigned)least)
            least = (int)timeout;
    }
    return least;
}

// The server is about to end. Who is connected stays, and the address is free for the next one.
static void accept_nobody(void)
{
    for (size_t i = 0; i < front.count; i++) {
        MHD_socket listener = MHD_quiesce_daemon(front.daemons[i]);
        if (listener != MHD_INVALID_SOCKET)
            close(listener);
    }
}

static void loop(int channel, int events)
{
    struct pollfd fds[LISTENERS_MOST + 2];
    fds[0] = (struct pollfd){.fd = channel, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = events, .events = POLLIN};
    for (size_t i = 0; i < front.count; i++)
        fds[i + 2] = (struct pollfd){.fd = descriptor_of(front.daemons[i]), .events = POLLIN};
    for (;;) {
        (void)poll(fds, front.count + 2, patience());
        int64_t now = clock_now();
        if (fds[0].revents && !waiting_take_answer())
            accept_nobody();
        clients_look(now);
        stream_tick(now);
        for (size_t i = 0; i < front.count; i++)
            MHD_run(front.daemons[i]);
    }
}

void front_serve(int channel, const void *context)
{
    front.config = context;
    waiting_begin(channel);
    int events = clients_begin(front.config->settings);
    for (size_t i = 0; i < front.config->listeners->count; i++)
        listen_at(front.config->listeners->sockets[i], &front.config->listeners->each[i]);
    give_up_rights();
    loop(channel, events);
}
