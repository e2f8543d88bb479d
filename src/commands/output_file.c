// SPDX-License-Identifier: MIT
#include "commands/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/escape.h"
#include "base/mem.h"

static const char *volatile unfinished; // for the signal handler

void output_file_abandon(void)
{
    if (unfinished)
        unlink(unfinished);
}

static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return xstrdup(".");
    return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

// A device such as /dev/null is never replaced, least of all by root.
static enum rc check_existing(const char *path, bool force, struct err *err)
{
    struct stat info;
    AUTO_FREE char *shown = escape_text_dup(path);
    if (lstat(path, &info) != 0)
        return errno == ENOENT ? RC_OK
                               : err_sys(err, RC_IO, errno, "cannot write to %s", shown);
    if (S_ISDIR(info.st_mode))
        return err_sys(err, RC_USAGE, EISDIR, "cannot write to %s", shown);
    if (S_ISLNK(info.st_mode) && !force)
        return err_set(err, RC_USAGE, "%s is a symbolic link; name its target, or add --force to "
                                      "replace the link", shown);
    if (!S_ISREG(info.st_mode) && !S_ISLNK(info.st_mode))
        return err_set(err, RC_USAGE, "%s is not a regular file; write to -o - and redirect that",
                       shown);
    if (info.st_uid != geteuid() && geteuid() != 0 && !force)
        return err_set(err, RC_USAGE, "%s belongs to another user; add --force to replace it",
                       shown);
    return RC_OK;
}

// A part of a file name that can be typed.
static void put_file_name(struct buf *out, const char *text)
{
    for (; *text; text++) {
        bool harmless = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
                        (*text >= '0' && *text <= '9') || (*text && strchr("._+-", *text));
        buf_putc(out, harmless ? *text : '_');
    }
}

char *output_file_name(const char *comm, pid_t pid, const char *extension)
{
    struct buf name = {0};
    time_t now = time(NULL);
    struct tm utc;
    char stamp[32];
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
    buf_puts(&name, "ptprof-");
    put_file_name(&name, *comm ? comm : "process");
    buf_printf(&name, "-%d-%s%s", (int)pid, stamp, extension);
    return name.data;
}

enum rc output_file_check(const char *path, bool force, struct err *err)
{
    if (!path)
        return RC_OK;
    AUTO_FREE char *directory = directory_of(path);
    AUTO_FREE char *shown = escape_text_dup(directory);
    struct stat info;
    if (stat(directory, &info) != 0)
        return err_sys(err, RC_IO, errno, "cannot write into the directory %s", shown);
    if (!S_ISDIR(info.st_mode))
        return err_sys(err, RC_IO, ENOTDIR, "cannot write into %s", shown);
    if (access(directory, W_OK | X_OK) != 0)
        return err_sys(err, RC_IO, errno, "cannot write into the directory %s", shown);
    return check_existing(path, force, err);
}

// sudo tells who called it.
static void give_to_sudo_user(int fd)
{
    const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
    if (geteuid() != 0 || !uid || !gid)
        return;
    int ignored = fchown(fd, (uid_t)strtoul(uid, NULL, 10), (gid_t)strtoul(gid, NULL, 10));
    (void)ignored;
}

enum rc output_file_begin(struct output_file *file, const char *path, struct err *err)
{
    *file = (struct output_file){0};
    if (!path) {
        file->stream = stdout;
        return RC_OK;
    }
    AUTO_FREE char *shown = escape_text_dup(path);
    AUTO_FREE char *temporary = xasprintf("%s.part-%d", path, (int)getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) // somebody else's file may have that name: it is not ours to unlink
        return err_sys(err, RC_IO, errno, "cannot write to %s", shown);
    file->path = xstrdup(path);
    unfinished = file->temporary = steal_ptr(&temporary);
    give_to_sudo_user(fd);
    file->stream = fdopen(fd, "w"); // fails for want of memory only
    return file->stream ? RC_OK : err_sys(err, RC_FAIL, errno, "cannot write to %s", shown);
}

static enum rc finish_stream(struct output_file *file)
{
    if (fflush(file->stream) != 0)
        return RC_IO;
    if (!file->path)
        return RC_OK;
    file->bytes = ftell(file->stream);
    bool stored = fsync(fileno(file->stream)) == 0;
    FILE *stream = steal_ptr(&file->stream);
    return fclose(stream) == 0 && stored ? RC_OK : RC_IO;
}

enum rc output_file_commit(struct output_file *file, struct err *err)
{
    AUTO_FREE char *shown = escape_text_dup(file->path ? file->path : "standard output");
    if (finish_stream(file) != RC_OK ||
        (file->path && rename(file->temporary, file->path) != 0))
        return err_sys(err, RC_IO, errno, "cannot write to %s", shown);
    unfinished = NULL;
    free(steal_ptr(&file->temporary));
    return RC_OK;
}

void output_file_fini(struct output_file *file)
{
    if (file->temporary) {
        unlink(file->temporary);
        unfinished = NULL;
    }
    if (file->stream && file->stream != stdout)
        fclose(file->stream);
    free(file->temporary);
    free(file->path);
    *file = (struct output_file){0};
}
