// SPDX-License-Identifier: MIT
#include "commands/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/escape.h"
#include "base/figures.h"
#include "base/limits.h"
#include "base/mem.h"
#include "output/gzip.h"

#define LEAST_FILE 4096u // bytes: no profile fits under a lower RLIMIT_FSIZE

static const char *volatile unfinished; // path that the signal handler unlinks

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

// Only regular files are replaced, never a device such as /dev/null, which root could.
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

// Appends a part of a file name; characters that are awkward to type become '_'.
static void put_file_name(struct buf *out, const char *text)
{
    for (; *text; text++) {
        bool harmless = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
                        (*text >= '0' && *text <= '9') || (*text && strchr("._+-", *text));
        buf_putc(out, harmless ? *text : '_');
    }
}

char *output_file_name(const char *what, const char *which, const char *extension)
{
    struct buf name = {0};
    time_t now = time(NULL);
    struct tm utc;
    char stamp[32];
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
    buf_puts(&name, "ptprof-");
    put_file_name(&name, *what ? what : "process");
    buf_putc(&name, '-');
    put_file_name(&name, which);
    buf_printf(&name, "-%s%s", stamp, extension);
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
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_max < LEAST_FILE)
        return limits_sys(err, RC_IO, EFBIG, "no profile would fit into a file");
    return check_existing(path, force, err);
}

// sudo puts the ids of its caller into the environment.
static void give_to_sudo_user(int fd)
{
    const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
    if (geteuid() != 0 || !uid || !gid)
        return;
    int ignored = fchown(fd, (uid_t)strtoul(uid, NULL, 10), (gid_t)strtoul(gid, NULL, 10));
    (void)ignored;
}

// With O_TMPFILE, where the file system has it, the file has no name until it is complete, so
// nothing is left of it however we end.
static int open_nameless(const char *path)
{
    AUTO_FREE char *directory = directory_of(path);
    return open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
}

// The name is random: others cannot predict it, and it is not that of a file left by an earlier
// run, as a name with the PID might be, which is soon reused in a container.
static char *temporary_name(const char *path)
{
    uint64_t number;
    if (getrandom(&number, sizeof number, 0) != sizeof number)
        number = (uint64_t)clock_now() ^ (uint64_t)getpid() << 48;
    return xasprintf("%s.part-%016" PRIx64, path, number);
}

static int open_temporary(struct output_file *file, const char *path)
{
    AUTO_FREE char *name = temporary_name(path);
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0) // else the file is not ours and must not be unlinked
        unfinished = file->temporary = steal_ptr(&name);
    return fd;
}

enum rc output_file_begin(struct output_file *file, const char *path, struct err *err)
{
    *file = (struct output_file){0};
    if (!path) {
        file->stream = stdout;
        return RC_OK;
    }
    AUTO_FREE char *shown = escape_text_dup(path);
    int fd = open_nameless(path);
    if (fd < 0)
        fd = open_temporary(file, path);
    if (fd < 0)
        return limits_sys(err, RC_IO, errno, "cannot write to %s", shown);
    file->path = xstrdup(path);
    give_to_sudo_user(fd);
    file->stream = fdopen(fd, "w"); // fails only without memory
    return file->stream ? RC_OK : err_sys(err, RC_FAIL, errno, "cannot write to %s", shown);
}

// linkat does not replace a file, so if there is one, the new one gets a temporary name to be
// renamed.
static bool name_it(struct output_file *file)
{
    char link[48];
    if (file->temporary)
        return true;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fileno(file->stream));
    if (linkat(AT_FDCWD, link, AT_FDCWD, file->path, AT_SYMLINK_FOLLOW) == 0)
        return true;
    AUTO_FREE char *name = errno == EEXIST ? temporary_name(file->path) : NULL;
    if (!name || linkat(AT_FDCWD, link, AT_FDCWD, name, AT_SYMLINK_FOLLOW) != 0)
        return false;
    unfinished = file->temporary = steal_ptr(&name);
    return true;
}

enum rc output_file_compress(struct output_file *file, struct err *err)
{
    FILE *packer = gzip_stream(file->stream);
    if (!packer)
        return err_sys(err, RC_FAIL, errno, "cannot compress");
    file->plain = file->stream;
    file->stream = packer;
    return RC_OK;
}

static bool close_packer(struct output_file *file)
{
    FILE *packer = file->plain ? file->stream : NULL;
    file->stream = packer ? steal_ptr(&file->plain) : file->stream;
    return !packer || fclose(packer) == 0;
}

static enum rc finish_stream(struct output_file *file)
{
    if (!close_packer(file))
        return RC_IO;
    if (fflush(file->stream) != 0)
        return RC_IO;
    if (!file->path)
        return RC_OK;
    file->bytes = ftell(file->stream);
    bool stored = fsync(fileno(file->stream)) == 0 && name_it(file);
    FILE *stream = steal_ptr(&file->stream);
    return fclose(stream) == 0 && stored ? RC_OK : RC_IO;
}

enum rc output_file_commit(struct output_file *file, struct err *err)
{
    AUTO_FREE char *shown = escape_text_dup(file->path ? file->path : "standard output");
    if (finish_stream(file) != RC_OK ||
        (file->temporary && rename(file->temporary, file->path) != 0))
        return limits_sys(err, RC_IO, errno, "cannot write to %s", shown);
    unfinished = NULL;
    free(steal_ptr(&file->temporary));
    return RC_OK;
}

void output_file_say(const char *path, long long bytes)
{
    char size[FIGURES_MOST];
    AUTO_FREE char *shown = escape_text_dup(path);
    fprintf(stderr, "ptprof: wrote %s (%s)\n", shown, figures_bytes((uint64_t)bytes, 'B', size));
}

void output_file_fini(struct output_file *file)
{
    if (file->temporary) {
        unlink(file->temporary);
        unfinished = NULL;
    }
    close_packer(file);
    if (file->stream && file->stream != stdout)
        fclose(file->stream);
    free(file->temporary);
    free(file->path);
    *file = (struct output_file){0};
}

enum rc output_file_refuse_terminal(struct err *err)
{
    return err_set(err, RC_USAGE, "not writing a profile to a terminal; use -o FILE, or -o - with "
                                  "a pipe");
}

static enum rc write_content(const struct output_content *content, FILE *out, struct err *err)
{
    const struct writing writing = {.profile = content->profile};
    const struct buf *bytes = content->bytes;
    if (bytes && fwrite(bytes->data, 1, bytes->length, out) != bytes->length)
        return limits_sys(err, RC_IO, errno, "cannot write the profile");
    if (bytes)
        return RC_OK;
    if (content->profile)
        return content->writer->write(&writing, out, err);
    return content->timeline ? content->writer->write_timeline(content->timeline, out, err)
                             : report_write(content->report, content->writer, out, err);
}

enum rc output_file_write(const char *path, const struct output_content *content,
                          long long *bytes, struct err *err)
{
    struct output_file file;
    enum rc rc = output_file_begin(&file, path, err);
    if (rc == RC_OK && path && content->writer && writer_compresses(content->writer, path))
        rc = output_file_compress(&file, err);
    if (rc == RC_OK)
        rc = write_content(content, file.stream, err);
    if (rc == RC_OK)
        rc = output_file_commit(&file, err);
    *bytes = file.bytes;
    output_file_fini(&file);
    return rc;
}
