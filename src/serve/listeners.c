// SPDX-License-Identifier: MIT
#include "serve/listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "serve/log.h"

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

static bool is_local(const struct sockaddr_storage *address)
{
    const struct sockaddr_in *four = (const void *)address;
    const struct sockaddr_in6 *six = (const void *)address;
    if (address->ss_family == AF_INET)
        return ntohl(four->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return address->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

static void describe(const void *address, socklen_t length, struct listener *listener)
{
    const struct sockaddr_storage *any = address;
    char host[NI_MAXHOST] = "", port[NI_MAXSERV] = "";
    if (any->ss_family == AF_UNIX) {
        snprintf(listener->address, sizeof listener->address, "unix:%s",
                 ((const struct sockaddr_un *)address)->sun_path);
        listener->is_unix = listener->is_local = true;
        return;
    }
    getnameinfo(address, length, host, sizeof host, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(listener->address, sizeof listener->address,
             any->ss_family == AF_INET6 ? "[%.100s]:%s" : "%.100s:%s", host, port);
    listener->is_local = is_local(any);
}

static void describe_socket(int fd, struct listener *listener)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    getsockname(fd, (void *)&address, &length);
    describe(&address, length, listener);
}

static enum rc unix_address(const char *path, struct sockaddr_un *at, struct err *err)
{
    *at = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (*path != '/' || strlen(path) >= sizeof at->sun_path)
        return err_set(err, RC_USAGE, "--listen: unix: needs a path that begins with / and has "
                                      "less than %zu characters",
                       sizeof at->sun_path);
    strcpy(at->sun_path, path);
    return RC_OK;
}

// A socket's file that is left of a server which was killed is replaced, and no other file.
static enum rc make_room(const struct sockaddr_un *at, struct err *err)
{
    struct stat stat;
    AUTO_FD int probe = -1;
    if (lstat(at->sun_path, &stat) != 0)
        return RC_OK;
    if (!S_ISSOCK(stat.st_mode))
        return err_set(err, RC_FAIL, "cannot listen at unix:%s: there is another kind of file",
                       at->sun_path);
    probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe >= 0 && connect(probe, (const void *)at, sizeof *at) != 0 && errno == ECONNREFUSED) {
        unlink(at->sun_path);
        return RC_OK;
    }
    return err_set(err, RC_FAIL, "cannot listen at unix:%s: another server does", at->sun_path);
}

// Opens it for its owner alone, unless others are let in by who they are (--socket-users).
static enum rc open_unix(const char *path, bool is_shared, int *fd, struct listener *listener,
                         struct err *err)
{
    struct sockaddr_un at;
    struct stat stat = {0};
    enum rc rc = unix_address(path, &at, err);
    if (rc != RC_OK || (rc = make_room(&at, err)) != RC_OK)
        return rc;
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(is_shared ? 0111 : 0177);
    bool is_bound = *fd >= 0 && bind(*fd, (void *)&at, sizeof at) == 0;
    int errnum = errno;
    umask(mask);
    if (!is_bound || listen(*fd, BACKLOG) != 0) {
        cleanup_fd(fd);
        return limits_sys(err, RC_FAIL, errnum, "cannot listen at unix:%s", path);
    }
    describe_socket(*fd, listener);
    listener->path = xstrdup(path);
    listener->inode = lstat(path, &stat) == 0 ? stat.st_ino : 0;
    return RC_OK;
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
    bool is_number = !(*port)[strspn(*port, "0123456789")] && strtoul(*port, NULL, 10) <= 65535;
    return is_number && **host != '\0';
}

static enum rc resolve(const char *text, struct addrinfo **found, struct err *err)
{
    AUTO_FREE char *copy = xstrdup(text);
    const char *host, *port;
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM,
                                    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    if (!split(copy, &host, &port) || getaddrinfo(host, port, &wanted, found) != 0)
        return err_set(err, RC_USAGE, "--listen: '%s' is no address such as 127.0.0.1:6060, "
                                      "[::1]:6060 or unix:/run/ptprof.sock",
                       text);
    return RC_OK;
}

static enum rc open_tcp(const char *text, int *fd, struct listener *listener, struct err *err)
{
    struct addrinfo *found;
    enum rc rc = resolve(text, &found, err);
    if (rc != RC_OK)
        return rc;
    rc = listen_at(found, text, fd, err);
    freeaddrinfo(found);
    if (rc == RC_OK)
        describe_socket(*fd, listener);
    return rc;
}

static enum rc check_one(const char *text, struct listener *listener, struct err *err)
{
    struct addrinfo *found;
    struct sockaddr_un at;
    if (strncmp(text, "unix:", 5) == 0) {
        enum rc rc = unix_address(text + 5, &at, err);
        describe(&at, sizeof at, listener);
        return rc;
    }
    enum rc rc = resolve(text, &found, err);
    if (rc != RC_OK)
        return rc;
    describe(found->ai_addr, found->ai_addrlen, listener);
    freeaddrinfo(found);
    return RC_OK;
}

static enum rc open_one(struct listeners *listeners, const char *text, bool is_shared,
                        struct err *err)
{
    size_t at = listeners->count;
    int *fd = &listeners->sockets[at];
    bool is_unix = strncmp(text, "unix:", 5) == 0;
    enum rc rc = is_unix ? open_unix(text + 5, is_shared, fd, &listeners->each[at], err)
                         : open_tcp(text, fd, &listeners->each[at], err);
    if (rc == RC_OK)
        listeners->sockets[++listeners->count] = -1;
    return rc;
}

enum rc listeners_check(struct listeners *listeners, const char *text, struct err *err)
{
    AUTO_FREE char *copy = xstrdup(text);
    char *rest = copy;
    enum rc rc = RC_OK;
    *listeners = (struct listeners){.sockets = {-1}};
    for (char *each; rc == RC_OK && (each = strsep(&rest, ","));)
        if (listeners->count == LISTENERS_MOST)
            rc = err_set(err, RC_USAGE, "--listen: more than %d addresses", LISTENERS_MOST);
        else
            rc = check_one(each, &listeners->each[listeners->count++], err);
    return rc;
}

enum rc listeners_open(struct listeners *listeners, const char *text, bool is_shared,
                       struct err *err)
{
    AUTO_FREE char *copy = xstrdup(text);
    char *rest = copy;
    enum rc rc = listeners_check(listeners, text, err);
    *listeners = (struct listeners){.sockets = {-1}};
    for (char *each; rc == RC_OK && (each = strsep(&rest, ","));)
        rc = open_one(listeners, each, is_shared, err);
    if (rc != RC_OK)
        listeners_close(listeners);
    return rc;
}

static bool listens(int fd)
{
    int type = 0, accepts = 0;
    socklen_t size = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &size) == 0 && accepts;
}

enum rc listeners_adopt(struct listeners *listeners, const int *sockets, size_t count,
                        struct err *err)
{
    *listeners = (struct listeners){.sockets = {-1}};
    for (size_t i = 0; i < count && i < LISTENERS_MOST; i++) {
        if (!listens(sockets[i]))
            return err_set(err, RC_USAGE, "descriptor %d, one of LISTEN_FDS, is no stream socket "
                                          "that listens (ListenStream= with Accept=no)",
                           sockets[i]);
        fcntl(sockets[i], F_SETFD, FD_CLOEXEC);
        fcntl(sockets[i], F_SETFL, fcntl(sockets[i], F_GETFL) | O_NONBLOCK);
        describe_socket(sockets[i], &listeners->each[i]);
        listeners->sockets[listeners->count++] = sockets[i];
        listeners->sockets[listeners->count] = -1;
    }
    return RC_OK;
}

void listeners_announce(const struct listeners *listeners, bool is_https)
{
    for (size_t i = 0; i < listeners->count; i++)
        if (listeners->each[i].is_unix)
            log_line(LOG_LEVEL_INFO, "serving at %s", listeners->each[i].address);
        else
            log_line(LOG_LEVEL_INFO, "serving at http%s://%s/", is_https ? "s" : "",
                     listeners->each[i].address);
}

// The file may be another server's by now.
static void close_one(int fd, struct listener *listener)
{
    struct stat stat;
    if (listener->path && lstat(listener->path, &stat) == 0 && stat.st_ino == listener->inode)
        unlink(listener->path);
    free(listener->path);
    close(fd);
}

void listeners_close(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++)
        close_one(listeners->sockets[i], &listeners->each[i]);
    listeners->count = 0;
}
