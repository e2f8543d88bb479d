// SPDX-License-Identifier: MIT
#include "serve/listeners.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"

#define BACKLOG 128

static enum rc listen_at(const struct addrinfo *at, const char *text, int *fd, struct err *err)
{
    int yes = 1;
    *fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd >= 0)
        setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (*fd >= 0 && bind(*fd, at->ai_addr, at->ai_addrlen) == 0 && listen(*fd, BACKLOG) == 0)
        return RC_OK;
    int errnum = errno;
    cleanup_fd(fd);
    limits_sys(err, RC_FAIL, errnum, "cannot listen at %s", text);
    if (errnum == EADDRINUSE)
        err_add(err, "another server has it (ss -ltnp names it): end that one, or give another "
                     "port with --listen");
    return RC_FAIL;
}

// Splits "host:port" or "[host]:port" in place.
static bool split(char *text, const char **host, const char **port)
{
    char *colon = strrchr(text, ':');
    if (!colon || !colon[1])
        return false;
    *colon = '\0';
    *port = colon + 1;
    size_t length = strlen(text);
    bool bracketed = length > 2 && *text == '[' && text[length - 1] == ']';
    if (bracketed)
        text[length - 1] = '\0';
    *host = bracketed ? text + 1 : text;
    return **host != '\0';
}

static enum rc open_one(struct listeners *listeners, const char *text, struct err *err)
{
    AUTO_FREE char *copy = xstrdup(text);
    const char *host, *port;
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM,
                                    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    struct addrinfo *found;
    if (listeners->count == LISTENERS_MOST || !split(copy, &host, &port) ||
        getaddrinfo(host, port, &wanted, &found) != 0)
        return err_set(err, RC_USAGE, "--listen: '%s' is no address such as 127.0.0.1:6060 or "
                                      "[::1]:6060",
                       text);
    enum rc rc = listen_at(found, text, &listeners->sockets[listeners->count], err);
    listeners->count += rc == RC_OK;
    listeners->sockets[listeners->count] = -1;
    freeaddrinfo(found);
    return rc;
}

enum rc listeners_open(struct listeners *listeners, const char *text, struct err *err)
{
    AUTO_FREE char *copy = xstrdup(text);
    enum rc rc = RC_OK;
    char *rest = copy;
    *listeners = (struct listeners){.sockets = {-1}};
    for (char *each; rc == RC_OK && (each = strsep(&rest, ","));)
        rc = open_one(listeners, each, err);
    if (rc != RC_OK)
        listeners_close(listeners);
    return rc;
}

void listeners_close(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++)
        close(listeners->sockets[i]);
    listeners->count = 0;
}
