// SPDX-License-Identifier: MIT
#include "serve/front/front.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "reader/sandbox.h"
#include "serve/front/reply.h"
#include "serve/front/exchange.h"
#include "serve/front/route.h"

#define LOOK_MS 50 // so often it is looked whether those who wait are still there
#define FILES_MOST 4096
#define TEXT_MOST (1u << 20) // bytes of a question's text

static struct {
    const struct front_config *config;
    int channel;
    struct MHD_Daemon *daemons[LISTENERS_MOST];
    size_t count;
    struct exchange *waiting; // list
    uint32_t last_id;
} front;

// --- requests ---

const char *exchange_argument(const struct exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_GET_ARGUMENT_KIND, name);
}

static void *begin_exchange(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct exchange *exchange = xcalloc(1, sizeof *exchange);
    (void)context;
    exchange->connection = connection;
    exchange->uri = xstrdup(uri);
    exchange->memory = -1;
    return exchange;
}

static void leave_list(struct exchange *exchange)
{
    for (struct exchange **at = &front.waiting; *at; at = &(*at)->next)
        if (*at == exchange) {
            *at = exchange->next;
            return;
        }
}

static void end_exchange(void *context, struct MHD_Connection *connection, void **state,
                        enum MHD_RequestTerminationCode how)
{
    struct exchange *exchange = *state;
    (void)context, (void)connection, (void)how;
    if (!exchange)
        return;
    leave_list(exchange);
    cleanup_fd(&exchange->memory);
    free(exchange->uri);
    free(exchange->path);
    free(exchange);
    *state = NULL;
}

enum MHD_Result exchange_ask(struct exchange *exchange, int text)
{
    exchange->ask.id = ++front.last_id;
    exchange->ask.what = exchange->route->what;
    if (!ask_send(front.channel, &exchange->ask, text))
        _exit(EXIT_FAILURE); // the collector has ended
    exchange->state = EXCHANGE_WAITING;
    exchange->next = front.waiting;
    front.waiting = exchange;
    MHD_suspend_connection(exchange->connection);
    return MHD_YES;
}

static enum MHD_Result not_found(struct exchange *exchange)
{
    return reply_text(exchange, &(struct reply){.status = 404, .type = "text/plain; charset=utf-8"},
                      "404 page not found\n");
}

static enum MHD_Result take(struct exchange *exchange)
{
    if (exchange->state == EXCHANGE_ANSWERED)
        return exchange->route->answer(exchange);
    exchange->path = xstrndup(exchange->uri, strcspn(exchange->uri, "?"));
    exchange->route = route_find(exchange, front.config->settings->http.prefix);
    return exchange->route ? exchange->route->begin(exchange) : not_found(exchange);
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *body,
                              size_t *length, void **state)
{
    struct exchange *exchange = *state;
    (void)context, (void)connection, (void)url, (void)version, (void)body;
    if (*length) {
        *length = 0;
        return MHD_YES;
    }
    if (!exchange->method) { // the body, if there is one, comes next
        exchange->method = method;
        return MHD_YES;
    }
    return take(exchange);
}

// --- answers ---

static void take_answer(void)
{
    struct answer_head answer;
    int memory;
    if (answer_receive(front.channel, &answer, &memory) <= 0)
        _exit(EXIT_SUCCESS);
    for (struct exchange *exchange = front.waiting; exchange; exchange = exchange->next)
        if (exchange->ask.id == answer.id) {
            exchange->answer = answer;
            exchange->memory = steal_fd(&memory);
            exchange->state = EXCHANGE_ANSWERED;
            leave_list(exchange);
            MHD_resume_connection(exchange->connection);
            break;
        }
    cleanup_fd(&memory);
}

// MHD does not notice that a client has left while its request is suspended.
static void look_for_leavers(void)
{
    struct exchange *next;
    for (struct exchange *exchange = front.waiting; exchange; exchange = next) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(
            exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        struct pollfd fd = {.fd = info->connect_fd, .events = POLLRDHUP};
        next = exchange->next;
        if (poll(&fd, 1, 0) <= 0)
            continue;
        const struct ask cancel = {.id = exchange->ask.id, .what = ASK_CANCEL};
        (void)ask_send(front.channel, &cancel, -1);
        exchange->answer = (struct answer_head){.rc = RC_GONE};
        exchange->state = EXCHANGE_ANSWERED;
        leave_list(exchange);
        MHD_resume_connection(exchange->connection);
    }
}

// --- the process ---

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
        .files = FILES_MOST,
        .file_size = TEXT_MOST,
        .cpu_seconds = RLIM_INFINITY,
        .calls = calls,
        .call_count = ARRAY_LENGTH(calls),
    };
    if (!sandbox_enter(&needs))
        _exit(EXIT_FAILURE);
}

static void listen_at(int socket)
{
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, NULL,
        MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_URI_LOG_CALLBACK, begin_exchange, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, end_exchange, NULL, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_CONNECTION_TIMEOUT, 60u, MHD_OPTION_END);
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
    int least = front.waiting ? LOOK_MS : 1000;
    for (size_t i = 0; i < front.count; i++) {
        MHD_UNSIGNED_LONG_LONG timeout;
        if (MHD_get_timeout(front.daemons[i], &timeout) == MHD_YES && timeout < (unsigned)least)
            least = (int)timeout;
    }
    return least;
}

void front_serve(int channel, const void *context)
{
    struct pollfd fds[LISTENERS_MOST + 1];
    front.config = context;
    front.channel = channel;
    for (size_t i = 0; i < front.config->listeners->count; i++)
        listen_at(front.config->listeners->sockets[i]);
    give_up_rights();
    fds[0] = (struct pollfd){.fd = channel, .events = POLLIN};
    for (size_t i = 0; i < front.count; i++)
        fds[i + 1] = (struct pollfd){.fd = descriptor_of(front.daemons[i]), .events = POLLIN};
    for (;;) {
        (void)poll(fds, front.count + 1, patience());
        if (fds[0].revents)
            take_answer();
        look_for_leavers();
        for (size_t i = 0; i < front.count; i++)
            MHD_run(front.daemons[i]);
    }
}
