// SPDX-License-Identifier: MIT
#include "serve/user_names.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"

static const char file[] = "/etc/passwd";

static struct {
    struct user {
        uid_t uid;
        char *name;
    } *users; // in the order of the file: of several names the first counts
    size_t count, capacity;
    struct timespec changed; // when the file was, of which they are
} known;

static void forget(void)
{
    for (size_t i = 0; i < known.count; i++)
        free(known.users[i].name);
    known.count = 0;
}

static void read_again(void)
{
    AUTO_FILE FILE *in = fopen(file, "re");
    forget();
    for (struct passwd *each; in && (each = fgetpwent(in));) {
        ARRAY_RESERVE(known.users, known.count, known.capacity);
        known.users[known.count++] = (struct user){each->pw_uid, xstrdup(each->pw_name)};
    }
}

static void follow_file(void)
{
    struct stat now;
    if (stat(file, &now) != 0 || (now.st_mtim.tv_sec == known.changed.tv_sec &&
                                  now.st_mtim.tv_nsec == known.changed.tv_nsec))
        return;
    known.changed = now.st_mtim;
    read_again();
}

char *user_name(uid_t uid)
{
    follow_file();
    for (size_t i = 0; i < known.count; i++)
        if (known.users[i].uid == uid)
            return xstrdup(known.users[i].name);
    return xasprintf("%u", (unsigned)uid);
}
