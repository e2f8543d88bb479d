// SPDX-License-Identifier: MIT
#include "commands/profile_input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/escape.h"
#include "base/mem.h"
#include "commands/fetch_jobs.h"
#include "output/parser.h"
#include "profile/plain_symbolize.h"

static enum rc read_all(int fd, struct buf *bytes, struct err *err)
{
    enum rc rc = buf_read_fd(bytes, fd, PROFILE_UNPACKED_MAX);
    if (rc == RC_LIMIT)
        return err_set(err, rc, "it is longer than %u MiB", PROFILE_UNPACKED_MAX >> 20);
    return rc == RC_OK ? rc : err_sys(err, RC_IO, errno, "it cannot be read");
}

static enum rc read_file(const char *path, struct buf *bytes, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return err_sys(err, RC_IO, errno, "it cannot be opened");
    enum rc rc = read_all(fd, bytes, err);
    close(fd);
    return rc;
}

static enum rc read_source(const char *source, struct buf *bytes, struct err *err)
{
    return strcmp(source, "-") == 0 ? read_all(STDIN_FILENO, bytes, err)
                                    : read_file(source, bytes, err);
}

enum rc profile_input_read(const char *source, struct plain_profile **profile, struct err *err)
{
    AUTO_BUF struct buf bytes = {0};
    struct err reason = {0};
    if (profile_url_is(source))
        return fetch_jobs_one(source, profile, err);
    *profile = NULL;
    enum rc rc = read_source(source, &bytes, &reason);
    if (rc == RC_OK)
        rc = parser_parse(bytes.data, bytes.length, profile, &reason);
    if (rc == RC_OK) {
        plain_symbolize(*profile);
        return rc;
    }
    AUTO_FREE char *shown = escape_text_dup(source);
    return err_set(err, rc, "%s: %s", strcmp(source, "-") ? shown : "standard input", reason.text);
}

static bool number_of(const char *text, size_t *number)
{
    char *end;
    errno = 0;
    *number = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno;
}

static bool named(const struct plain_profile *profile, const char *name, size_t *value)
{
    const char *short_name = strncmp(name, "inuse_", 6) == 0 ? name + 6 : name; // of old files
    for (*value = 0; *value < profile->type_count; ++*value) {
        const char *type = plain_string(profile, profile->types[*value].type);
        if (strcmp(type, name) == 0 || strcmp(type, short_name) == 0)
            return true;
    }
    return false;
}

enum rc profile_input_type(const struct plain_profile *profile, const char *wanted, size_t *value,
                           struct err *err)
{
    if (number_of(wanted, value) && *value < profile->type_count)
        return RC_OK;
    if (named(profile, wanted, value))
        return RC_OK;
    AUTO_BUF struct buf list = {0};
    AUTO_FREE char *shown = escape_text_dup(wanted);
    for (size_t i = 0; i < profile->type_count; i++) {
        buf_puts(&list, i ? ", " : "");
        escape_text(&list, plain_string(profile, profile->types[i].type));
    }
    return err_set(err, RC_USAGE, "the profile has no values of type %s; it has %s", shown,
                   list.length ? list.data : "none at all");
}

enum rc profile_input_choose(struct plain_profile *profile, const char *type, struct err *err)
{
    size_t value;
    enum rc rc = type ? profile_input_type(profile, type, &value, err) : RC_OK;
    if (type && rc == RC_OK)
        profile->default_type = profile->types[value].type;
    return rc;
}
