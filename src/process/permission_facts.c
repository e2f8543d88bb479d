// SPDX-License-Identifier: MIT
#include "process/permission_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/mem.h"

enum rc facts_read(const struct facts *facts, struct buf *text, pid_t pid, const char *name)
{
    if (!pid)
        return procfs_read(text, "%s/self/%s", facts->proc, name);
    return procfs_read(text, "%s/%d/%s", facts->proc, pid, name);
}

bool facts_link(const struct facts *facts, const char *who, const char *name, char to[128])
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s/%s", facts->proc, who, name);
    ssize_t length = readlink(path, to, 127);
    to[length < 0 ? 0 : length] = '\0';
    return length > 0;
}

void facts_comm(const struct facts *facts, pid_t pid, char *name, size_t size)
{
    AUTO_BUF struct buf text = {0}, shown = {0};
    if (facts_read(facts, &text, pid, "comm") != RC_OK || !text.length) {
        snprintf(name, size, "?");
        return;
    }
    if (text.data[text.length - 1] == '\n')
        text.data[text.length - 1] = '\0';
    escape_text(&shown, text.data);
    snprintf(name, size, "%s", shown.data);
}

// Reads a field of `text`, a status file; 0 when the field is not there.
static uint64_t capability_field(const struct buf *text, const char *name)
{
    const char *at = strstr(text->data, name);
    return at ? strtoull(at + strlen(name), NULL, 16) : 0;
}

static void gather_status(struct facts *facts)
{
    AUTO_BUF struct buf text = {0};
    if (facts_read(facts, &text, 0, "status") == RC_OK &&
        proc_status_parse(text.data, &facts->self)) {
        facts->self_permitted = capability_field(&text, "\nCapPrm:");
        facts->self_bounding = capability_field(&text, "\nCapBnd:");
    }
    if (facts_read(facts, &text, facts->pid, "status") == RC_OK &&
        proc_status_parse(text.data, &facts->target)) {
        facts->exists = true;
        facts->target_permitted = capability_field(&text, "\nCapPrm:");
    }
}

static void gather_userns(struct facts *facts)
{
    char pid[16], ours[128], theirs[128];
    snprintf(pid, sizeof pid, "%d", facts->pid);
    facts->readable = facts_link(facts, pid, "ns/user", theirs);
    facts->same_userns = facts_link(facts, "self", "ns/user", ours) && strcmp(ours, theirs) == 0;
    // The initial namespace maps all ids to themselves.
    AUTO_BUF struct buf map = {0};
    unsigned inside, outside, count;
    facts->initial_userns = facts_read(facts, &map, 0, "uid_map") != RC_OK ||
                            (sscanf(map.data, "%u %u %u", &inside, &outside, &count) == 3 &&
                             outside == 0 && count == UINT32_MAX);
}

void facts_gather(struct facts *facts, const char *proc, pid_t pid)
{
    *facts = (struct facts){.proc = proc, .pid = pid};
    struct stat link; // exe may be a link that leads nowhere
    AUTO_FREE char *self = xasprintf("%s/self", proc);
    facts->mounted = lstat(self, &link) == 0;
    gather_status(facts);
    gather_userns(facts);
    bool have = facts->self.effective_caps & CAP_BIT_SYS_PTRACE;
    // When we can read the link of a user namespace that is not ours, either we made it, or it is
    // below ours and we have the capability. In both cases we have all capabilities in it.
    bool below = facts->readable && !facts->same_userns;
    facts->capable = below || (have && (facts->initial_userns || facts->readable));
}

static bool chain_has(const struct facts *facts, pid_t from, pid_t wanted, size_t next_offset)
{
    // Bounded: processes come and go while we read, so a chain of parents may look like a loop.
    for (int steps = 0; from > 0 && steps < 1000; steps++) {
        if (from == wanted)
            return true;
        AUTO_BUF struct buf text = {0};
        struct proc_status status;
        if (facts_read(facts, &text, from, "status") != RC_OK ||
            !proc_status_parse(text.data, &status))
            return false;
        memcpy(&from, (char *)&status + next_offset, sizeof from);
    }
    return false;
}

bool facts_descends(const struct facts *facts, pid_t from, pid_t wanted)
{
    return chain_has(facts, from, wanted, offsetof(struct proc_status, parent));
}

bool facts_is_traced_by(const struct facts *facts, pid_t from, pid_t wanted)
{
    return chain_has(facts, from, wanted, offsetof(struct proc_status, tracer));
}
