// SPDX-License-Identifier: MIT
#include "serve/front/clients.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/front/exchange.h"

#define BODY_TIME (30ll * NS_PER_S)
#define REPLY_TIME (120ll * NS_PER_S)
#define EVENTS_MOST 64
#define NAME_MOST (INET6_ADDRSTRLEN + 16)

struct client_address {
    int family; // of addresses with ports; AF_UNSPEC: it is on this machine, and is not counted
    unsigned char bytes[16];
};

struct client {
    int fd;
    const struct listener *listener;
    struct client_address address;
    char name[NAME_MOST];
    char *refused; // owned
    struct exchange *exchange; // NULL: it is idle
    bool is_waiting;           // that request waits: it matters whether the client is still there
    int64_t deadline;          // CLOCK_MONOTONIC ns; 0: none
    struct client *next, **link; // list; link: what points to this one
};

static struct {
    const struct serve_settings *settings;
    int events; // epoll: first bytes of those that are idle, ends of those that wait
    struct client *first;
    size_t count;
    int64_t looked; // for deadlines
} clients;

int clients_begin(const struct serve_settings *settings)
{
    clients.settings = settings;
    clients.events = epoll_create1(EPOLL_CLOEXEC);
    return clients.events;
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
static struct client_address address_of(const struct sockaddr *address)
{
    struct client_address of = {.family = AF_UNSPEC};
    if (is_loopback(address))
        return of;
    of.family = address->sa_family;
    if (of.family == AF_INET)
        memcpy(of.bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    else {
        const struct in6_addr *six = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        memcpy(of.bytes, six, IN6_IS_ADDR_V4MAPPED(six) ? 16 : 8);
    }
    return of;
}

static size_t count_of(const struct client_address *address)
{
    size_t count = 0;
    for (const struct client *client = clients.first; client; client = client->next)
        count += memcmp(&client->address, address, sizeof *address) == 0;
    return count;
}

enum MHD_Result clients_accept(void *listener, const struct sockaddr *address, socklen_t length)
{
    struct client_address from = address_of(address);
    (void)listener, (void)length;
    if (clients.count >= clients.settings->http.connections_most)
        return MHD_NO;
    return from.family == AF_UNSPEC ||
                   count_of(&from) < clients.settings->http.connections_per_address
               ? MHD_YES
               : MHD_NO;
}

static void name(struct client *client, const struct sockaddr *address)
{
    const struct sockaddr_in *four = (const void *)address;
    const struct sockaddr_in6 *six = (const void *)address;
    if (address->sa_family == AF_INET)
        inet_ntop(AF_INET, &four->sin_addr, client->name, sizeof client->name);
    else if (address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &six->sin6_addr, client->name, sizeof client->name);
}

static void await_bytes(const struct client *client, int how, uint32_t events)
{
    struct epoll_event event = {.events = events | EPOLLONESHOT, .data.ptr = (void *)client};
    epoll_ctl(clients.events, how, client->fd, &event);
}

static struct client *add(const struct listener *listener, struct MHD_Connection *connection)
{
    struct client *client = xcalloc(1, sizeof *client);
    const struct sockaddr *address =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    client->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    client->listener = listener;
    client->address = address_of(address);
    name(client, address);
    client->next = clients.first;
    client->link = &clients.first;
    if (client->next)
        client->next->link = &client->next;
    clients.first = client;
    clients.count++;
    await_bytes(client, EPOLL_CTL_ADD, EPOLLIN);
    return client;
}

static void drop(struct client *client)
{
    epoll_ctl(clients.events, EPOLL_CTL_DEL, client->fd, NULL);
    *client->link = client->next;
    if (client->next)
        client->next->link = client->link;
    clients.count--;
    free(client->refused);
    free(client);
}

void clients_notify(void *listener, struct MHD_Connection *connection, void **client,
                    enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        *client = add(listener, connection);
    else if (*client)
        drop(steal_ptr(client));
}

struct client *client_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

const char *client_refused(const struct client *client)
{
    return client->refused;
}

const struct listener *client_listener(const struct client *client)
{
    return client->listener;
}

const char *client_name(const struct client *client)
{
    return client->name;
}

// --- what they do ---

void client_begins(struct client *client, struct exchange *exchange)
{
    client->exchange = exchange;
    if (!client->deadline)
        client->deadline = clock_now() + clients.settings->http.header_time;
}

void client_sends_body(struct client *client)
{
    client->deadline = clock_now() + BODY_TIME;
}

void client_waits(struct client *client)
{
    client->deadline = 0;
    client->is_waiting = true;
    await_bytes(client, EPOLL_CTL_MOD, EPOLLRDHUP);
}

void client_is_sent(struct client *client)
{
    client->is_waiting = false;
    client->deadline = clock_now() + REPLY_TIME;
}

void client_is_done(struct client *client)
{
    client->exchange = NULL;
    client->is_waiting = false;
    client->deadline = 0;
    await_bytes(client, EPOLL_CTL_MOD, EPOLLIN);
}

void client_end(struct client *client)
{
    shutdown(client->fd, SHUT_RDWR);
}

static void take_event(struct client *client, int64_t now)
{
    if (client->is_waiting) {
        client->is_waiting = false;
        exchange_leave(client->exchange);
    } else if (!client->exchange && !client->deadline)
        client->deadline = now + clients.settings->http.header_time;
}

static void end_late_ones(int64_t now)
{
    if (now - clients.looked < NS_PER_S)
        return;
    clients.looked = now;
    for (struct client *client = clients.first; client; client = client->next)
        if (client->deadline && now > client->deadline)
            client_end(client);
}

void clients_look(int64_t now)
{
    struct epoll_event events[EVENTS_MOST];
    int count = epoll_wait(clients.events, events, EVENTS_MOST, 0);
    for (int i = 0; i < count; i++)
        take_event(events[i].data.ptr, now);
    end_late_ones(now);
}
