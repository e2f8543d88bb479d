// SPDX-License-Identifier: MIT
#include "serve/access.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

#define FILE_MOST (1u << 20) // bytes
#define TOKEN_LEAST 16       // bytes: a shorter one can be guessed

// --- files ---

// Reads a file that only its owner and group may read: others of the machine are not to know it.
static enum rc read_secret(const char *option, const char *path, struct buf *text,
                           struct err *err)
{
    struct stat stat;
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &stat) != 0)
        return err_sys(err, RC_USAGE, errno, "--%s: cannot read %s", option, path);
    if (!S_ISREG(stat.st_mode))
        return err_set(err, RC_USAGE, "--%s: %s is no regular file", option, path);
    if (stat.st_mode & S_IRWXO)
        return err_set(err, RC_USAGE, "--%s: everybody may read or write %s: chmod o= %s", option,
                       path, path);
    if (buf_read_fd(text, fd, FILE_MOST) != RC_OK)
        return err_set(err, RC_USAGE, "--%s: cannot read %s, or it is longer than 1 MiB", option,
                       path);
    if (strlen(text->data ? text->data : "") != text->length)
        return err_set(err, RC_USAGE, "--%s: %s is no text", option, path);
    return RC_OK;
}

// crypt(3) takes any two letters for the salt of a hash, and what was cut for one: such a hash no
// password has.
static bool is_whole(const char *hash)
{
    static const struct {
        const char *beginning;
        size_t length; // behind the last '$'; 0: of any length
    } rows[] = {
        {"$2", 53},  {"$y$", 43},    {"$gy$", 43}, {"$7$", 43}, {"$6$", 86},
        {"$5$", 43}, {"$sha1$", 28}, {"$1$", 22},  {"$", 0},    {"_", 20},
        {"", 13},
    };
    static const char digits[] = "_./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz";
    const char *dollar = strrchr(hash, '$');
    const char *last = dollar ? dollar + 1 : hash;
    size_t i = 0;
    while (strncmp(hash, rows[i].beginning, strlen(rows[i].beginning)) != 0)
        i++;
    return !rows[i].length || (strlen(last) == rows[i].length &&
                               strspn(last, digits) == rows[i].length);
}

static enum rc take_user(struct access *access, char *line, struct err *err)
{
    char *colon = strchr(line, ':');
    if (!colon || colon == line || !colon[1])
        return err_set(err, RC_USAGE, "is not USER:HASH");
    int known = crypt_checksalt(colon + 1);
    if (known == CRYPT_SALT_INVALID || known == CRYPT_SALT_METHOD_DISABLED)
        return err_set(err, RC_USAGE, "has a hash that crypt(3) does not know (htpasswd -B and "
                                      "mkpasswd make those that it does)");
    if (!is_whole(colon + 1))
        return err_set(err, RC_USAGE, "has no whole hash behind the user (htpasswd -B and mkpasswd "
                                      "make one of a password)");
    ARRAY_RESERVE(access->users, access->user_count, access->user_capacity);
    access->users[access->user_count++] = (struct access_user){
        .name = xstrndup(line, (size_t)(colon - line)), .hash = xstrdup(colon + 1)};
    return RC_OK;
}

static enum rc take_token(struct access *access, char *line, struct err *err)
{
    if (strlen(line) < TOKEN_LEAST)
        return err_set(err, RC_USAGE, "has a token of less than %d characters, which can be "
                                      "guessed (openssl rand -hex 32 makes a good one)",
                       TOKEN_LEAST);
    if (strpbrk(line, " \t"))
        return err_set(err, RC_USAGE, "has a token with a blank in it");
    ARRAY_RESERVE(access->tokens, access->token_count, access->token_capacity);
    access->tokens[access->token_count++] = xstrdup(line);
    return RC_OK;
}

// Empty lines and those that begin with '#' say nothing.
static enum rc read_lines(struct access *access, const char *option, const char *path,
                          enum rc (*take)(struct access *, char *, struct err *), struct err *err)
{
    AUTO_BUF struct buf text = {0};
    enum rc rc = read_secret(option, path, &text, err);
    char *rest = text.data;
    size_t count = 0;
    for (unsigned number = 1; rc == RC_OK && rest; number++) {
        char *line = strsep(&rest, "\n");
        line[strcspn(line, "\r")] = '\0';
        if (!*line || *line == '#')
            continue;
        struct err why = {0};
        count++;
        if ((rc = take(access, line, &why)) != RC_OK)
            err_set(err, rc, "--%s: line %u of %s %s", option, number, path, why.text);
    }
    if (rc == RC_OK && !count)
        return err_set(err, RC_USAGE, "--%s: there is nothing in %s", option, path);
    return rc;
}

// --- TLS ---

static void take_reason(void *err, const char *format, va_list arguments)
{
    char line[200];
    vsnprintf(line, sizeof line, format, arguments);
    line[strcspn(line, "\n")] = '\0';
    if (!*((struct err *)err)->text)
        err_set(err, RC_USAGE, "%s", line);
}

static enum MHD_Result ask_nobody(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *body,
                                  size_t *length, void **state)
{
    (void)context, (void)connection, (void)url, (void)method, (void)version, (void)body;
    (void)length, (void)state;
    return MHD_NO;
}

// Tries whether they belong together, so that the one who gave them is told.
static enum rc check_pair(const struct serve_settings *settings, const struct access *access,
                          struct err *err)
{
    struct err why = {0};
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_TLS | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG, 0, NULL, NULL, ask_nobody, NULL,
        MHD_OPTION_EXTERNAL_LOGGER, take_reason, &why, MHD_OPTION_HTTPS_MEM_CERT,
        access->certificate, MHD_OPTION_HTTPS_MEM_KEY, access->key, MHD_OPTION_END);
    if (!daemon)
        return err_set(err, RC_USAGE, "cannot use the certificate %s with the key %s: %s",
                       settings->tls.certificate, settings->tls.key, why.text);
    MHD_stop_daemon(daemon);
    return RC_OK;
}

static enum rc read_certificate(struct access *access, const char *path, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || buf_read_fd(&text, fd, FILE_MOST) != RC_OK)
        return err_sys(err, RC_USAGE, errno, "--tls-certificate: cannot read %s", path);
    access->certificate = xstrdup(text.data ? text.data : "");
    return RC_OK;
}

static enum rc read_pair(struct access *access, const struct serve_settings *settings,
                         struct err *err)
{
    AUTO_BUF struct buf text = {0};
    if (!settings->tls.certificate)
        return RC_OK;
    enum rc rc = read_certificate(access, settings->tls.certificate, err);
    if (rc == RC_OK)
        rc = read_secret("tls-key", settings->tls.key, &text, err);
    if (rc != RC_OK)
        return rc;
    access->key = xstrdup(text.data ? text.data : "");
    rc = check_pair(settings, access, err);
    explicit_bzero(text.data, text.length);
    return rc;
}

// --- users of a unix socket ---

static enum rc add_uid(struct access *access, const char *name, struct err *err)
{
    const struct passwd *user = getpwnam(name);
    char *end;
    unsigned long number = strtoul(name, &end, 10);
    if (!user && (!*name || *end))
        return err_set(err, RC_USAGE, "--socket-users: there is no user %s", name);
    ARRAY_RESERVE(access->uids, access->uid_count, access->uid_capacity);
    access->uids[access->uid_count++] = user ? user->pw_uid : (uid_t)number;
    return RC_OK;
}

static enum rc read_users(struct access *access, const char *names, struct err *err)
{
    AUTO_FREE char *copy = xstrdup(names ? names : "");
    char *rest = names ? copy : NULL;
    enum rc rc = RC_OK;
    ARRAY_RESERVE(access->uids, access->uid_count, access->uid_capacity);
    access->uids[access->uid_count++] = geteuid();
    access->any_uid = names && strcmp(names, "*") == 0;
    for (char *name; !access->any_uid && rc == RC_OK && (name = strsep(&rest, ","));)
        rc = add_uid(access, name, err);
    return rc;
}

// --- whether that is enough ---

static const char *address_beyond(const struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++)
        if (!listeners->each[i].is_local)
            return listeners->each[i].address;
    return NULL;
}

// Whoever reaches an address learns what every target does: that is for its operator to decide.
static enum rc check(const struct access *access, const struct serve_settings *settings,
                     const struct listeners *listeners, struct err *err)
{
    const char *beyond = address_beyond(listeners);
    bool asks = access->user_count || access->token_count;
    if (!beyond || settings->access.none)
        return RC_OK;
    if (!asks)
        return err_set(err, RC_USAGE,
                       "--listen %s: others than this machine reach that address, and would see "
                       "what every target does: give --token-file or --password-file, with "
                       "--tls-certificate and --tls-key, or --no-auth if whoever reaches it may. "
                       "127.0.0.1 and 'ssh -L 6060:127.0.0.1:6060' need none of that",
                       beyond);
    if (!access->certificate && !settings->access.plain)
        return err_set(err, RC_USAGE,
                       "--listen %s: passwords and tokens would come without TLS, for all to read "
                       "who are between: give --tls-certificate and --tls-key, or --insecure-http "
                       "if a proxy before it speaks TLS",
                       beyond);
    return RC_OK;
}

enum rc access_open(struct access *access, const struct serve_settings *settings,
                    const struct listeners *listeners, struct err *err)
{
    enum rc rc = read_users(access, settings->access.socket_users, err);
    if (rc == RC_OK && settings->access.password_file)
        rc = read_lines(access, "password-file", settings->access.password_file, take_user, err);
    if (rc == RC_OK && settings->access.token_file)
        rc = read_lines(access, "token-file", settings->access.token_file, take_token, err);
    if (rc == RC_OK)
        rc = read_pair(access, settings, err);
    return rc == RC_OK ? check(access, settings, listeners, err) : rc;
}

void access_close(struct access *access)
{
    for (size_t i = 0; i < access->user_count; i++) {
        free(access->users[i].name);
        free(access->users[i].hash);
    }
    for (size_t i = 0; i < access->token_count; i++)
        free(access->tokens[i]);
    free(access->users);
    free(access->tokens);
    free(access->uids);
    free(access->certificate);
    free(access->key);
    *access = (struct access){0};
}
