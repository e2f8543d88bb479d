// SPDX-License-Identifier: MIT
#include "serve/front/connections.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/siphash.h"
#include "serve/access.h"
#include "serve/front/exchange.h"

#define BODY_TIMES 3   // as long as its header a request's body may take
#define REPLY_TIMES 12 // and the client for what it is sent
#define EVENTS_MOST 64
#define NAME_MOST (INET6_ADDRSTRLEN + 16)

struct counted_address {
    int family; // of addresses with ports; AF_UNSPEC: it is on this machine, and is not counted
    unsigned char bytes[16];
};

struct connection {
    int fd;
    const struct listener *listener;
    struct counted_address address;
    char name[NAME_MOST];
    char *refused; // owned
    struct exchange *exchange; // NULL: it is idle
    bool is_waiting;           // that request waits: it matters whether the client is still there
    bool is_ending;            // it made room for another one
    bool is_watched, is_known; // epoll will say when bytes come; it has the descriptor
    int64_t deadline;          // CLOCK_MONOTONIC ns; 0: none
    int64_t idle_since;        // CLOCK_MONOTONIC ns: it came, or its last request was done
    struct connection *next, **link; // list; link: what points to this one
};

static struct {
    const struct serve_settings *settings;
    const struct access *access;
    int events; // epoll: first bytes of those that are idle, ends of those that wait
    struct connection *first;
    size_t count, ending;
    int64_t looked; // for deadlines
} connections;

int connections_begin(const struct serve_settings *settings, const struct access *access)
{
    connections.settings = settings;
    connections.access = access;
    connections.events = epoll_create1(EPOLL_CLOEXEC);
    return connections.events;
}

// --- who comes ---

static bool is_loopback(const struct sockaddr *address)
{
    const struct sockaddr_in *four = (const void *)address;
    const struct sockaddr_in6 *six = (const void *)address;
    if (address->sa_family == AF_INET)
        return ntohl(four->sin_addr.s_addr) >> 24 == 127;
    return address->sa_family != AF_INET6 || IN6_IS_ADDR_LOOPBACK(&six->sin6_addr) ||
           (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr) && six->sin6_addr.s6_addr[12] == 127);
}

// Of IPv6 somebody has all addresses of a network of 64 bits.
static struct counted_address address_of(const struct sockaddr *address)
{
    struct counted_address of = {.family = AF_UNSPEC};
    if (is_loopback(address))
        return of;
    of.family = address->sa_family;
    if (of.family == AF_INET)
        memcpy(of.bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    else {
        const struct sockaddr_in6 *six = (const void *)address;
        memcpy(of.bytes, &six->sin6_addr, IN6_IS_ADDR_V4MAPPED(&six->sin6_addr) ? 16 : 8);
    }
    return of;
}

static size_t count_of(const struct counted_address *address)
{
    size_t count = 0;
    for (const struct connection *client = connections.first; client; client = client->next)
        count += memcmp(&client->address, address, sizeof *address) == 0;
    return count;
}

// Who has not sent the whole header of a request is idle.
static struct connection *longest_idle(void)
{
    struct connection *found = NULL;
    for (struct connection *client = connections.first; client; client = client->next)
        if (!client->is_ending && (!client->exchange || !client->exchange->method) &&
            (!found || client->idle_since < found->idle_since))
            found = client;
    return found;
}

// Who only holds connections keeps nobody out, however many they are.
static bool make_room(void)
{
    if (connections.count - connections.ending < connections.settings->http.connections_most)
        return true;
    struct connection *client = longest_idle();
    if (!client)
        return false;
    client->is_ending = true;
    connections.ending++;
    connection_end(client);
    return true;
}

enum MHD_Result connections_accept(void *listener, const struct sockaddr *address, socklen_t length)
{
    struct counted_address from = address_of(address);
    (void)listener, (void)length;
    if (from.family != AF_UNSPEC &&
        count_of(&from) >= connections.settings->http.connections_per_address)
        return MHD_NO;
    return make_room() ? MHD_YES : MHD_NO;
}

static void name(struct connection *client, const struct sockaddr *address)
{
    const struct sockaddr_in *four = (const void *)address;
    const struct sockaddr_in6 *six = (const void *)address;
    if (address->sa_family == AF_INET)
        inet_ntop(AF_INET, &four->sin_addr, client->name, sizeof client->name);
    else if (address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &six->sin6_addr, client->name, sizeof client->name);
}

// A unix socket knows as whom the other side runs.
static void check_user(struct connection *client)
{
    const struct access *access = connections.access;
    struct ucred user = {.uid = (uid_t)-1};
    socklen_t length = sizeof user;
    if (getsockopt(client->fd, SOL_SOCKET, SO_PEERCRED, &user, &length) != 0)
        user.uid = (uid_t)-1;
    snprintf(client->name, sizeof client->name, "user %u", (unsigned)user.uid);
    if (!user.uid || access->any_uid)
        return;
    for (size_t i = 0; i < access->uid_count; i++)
        if (access->uids[i] == user.uid)
            return;
    client->refused = xasprintf("this socket is not for %s: --socket-users says for whom it is",
                                client->name);
}

static void await(struct connection *client, uint32_t events)
{
    struct epoll_event event = {.events = events | EPOLLONESHOT, .data.ptr = client};
    int how = client->is_known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    client->is_known = true;
    epoll_ctl(connections.events, how, client->fd, &event);
}

static struct connection *add(const struct listener *listener, struct MHD_Connection *connection)
{
    struct connection *client = xcalloc(1, sizeof *client);
    const struct sockaddr *address =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    client->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    client->listener = listener;
    client->address = address_of(address);
    client->idle_since = clock_now();
    name(client, address);
    if (listener->is_unix)
        check_user(client);
    client->next = connections.first;
    client->link = &connections.first;
    if (client->next)
        client->next->link = &client->next;
    connections.first = client;
    connections.count++;
    return client;
}

static void drop(struct connection *client)
{
    *client->link = client->next;
    if (client->next)
        client->next->link = client->link;
    connections.count--;
    connections.ending -= client->is_ending;
    free(client->refused);
    free(client);
}

void connections_notify(void *listener, struct MHD_Connection *connection, void **client,
                    enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        *client = add(listener, connection);
    else if (*client)
        drop(steal_ptr(client));
}

struct connection *connection_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

const char *connection_refused(const struct connection *client)
{
    return client->refused;
}

bool connection_is_trusted(const struct connection *client)
{
    return client->listener->is_unix;
}

const char *connection_name(const struct connection *client)
{
    return client->name;
}

uint64_t connection_origin(const struct connection *client)
{
    return siphash((const uint64_t[2]){0}, &client->address, sizeof client->address);
}

// --- what they do ---

void connection_begins(struct connection *client, struct exchange *exchange)
{
    client->exchange = exchange;
    if (!client->deadline)
        client->deadline = clock_now() + connections.settings->http.header_time;
}

void connection_sends_body(struct connection *client)
{
    client->deadline = clock_now() + BODY_TIMES * connections.settings->http.header_time;
}

void connection_waits(struct connection *client)
{
    client->deadline = 0;
    client->is_waiting = true;
    client->is_watched = false;
    await(client, EPOLLRDHUP);
}

void connection_is_sent(struct connection *client)
{
    client->is_waiting = false;
    client->deadline = clock_now() + REPLY_TIMES * connections.settings->http.header_time;
}

void connection_is_done(struct connection *client)
{
    client->exchange = NULL;
    client->is_waiting = false;
    client->deadline = 0;
    client->idle_since = clock_now();
}

void connection_end(struct connection *client)
{
    shutdown(client->fd, SHUT_RDWR);
}

static void take_event(struct connection *client, int64_t now)
{
    client->is_watched = false;
    if (client->is_waiting) {
        client->is_waiting = false;
        exchange_leave(client->exchange);
    } else if (!client->exchange && !client->deadline)
        client->deadline = now + connections.settings->http.header_time;
}

// When the first bytes of a request come, its time begins. Requests that come at once cost nothing:
// only who has been idle for a while is watched.
static void watch(struct connection *client)
{
    if (client->exchange || client->deadline || client->is_watched)
        return;
    client->is_watched = true;
    await(client, EPOLLIN);
}

static void end_late_ones(int64_t now)
{
    if (now - connections.looked < NS_PER_S)
        return;
    connections.looked = now;
    for (struct connection *client = connections.first; client; client = client->next)
        if (client->deadline && now > client->deadline)
            connection_end(client);
        else
            watch(client);
}

void connections_look(bool has_events, int64_t now)
{
    struct epoll_event events[EVENTS_MOST];
    int count = has_events ? epoll_wait(connections.events, events, EVENTS_MOST, 0) : 0;
    for (int i = 0; i < count; i++)
        take_event(events[i].data.ptr, now);
    end_late_ones(now);
}
