// SPDX-License-Identifier: MIT
#include "wait/unix_peer.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#define ALL_STATES UINT32_MAX
#define NO_COOKIE UINT32_MAX

struct request {
    struct nlmsghdr header;
    struct unix_diag_req body;
};

// sock_diag only answers for our own network namespace.
static bool same_network(const char *proc, pid_t pid)
{
    char path[256], theirs[64] = "", ours[64] = "";
    snprintf(path, sizeof path, "%s/%d/ns/net", proc, pid);
    return readlink(path, theirs, sizeof theirs - 1) > 0 &&
           readlink("/proc/self/ns/net", ours, sizeof ours - 1) > 0 && strcmp(theirs, ours) == 0;
}

static uint64_t parse_answer(const struct nlmsghdr *header, uint64_t inode)
{
    const struct unix_diag_msg *body = NLMSG_DATA(header);
    if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
        header->nlmsg_len < NLMSG_LENGTH(sizeof *body) || body->udiag_ino != inode)
        return 0;
    const struct rtattr *attribute = (const void *)(body + 1);
    size_t left = header->nlmsg_len - NLMSG_LENGTH(sizeof *body);
    for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
        uint32_t peer;
        if (attribute->rta_type != UNIX_DIAG_PEER || RTA_PAYLOAD(attribute) < sizeof peer)
            continue;
        memcpy(&peer, RTA_DATA(attribute), sizeof peer);
        return peer;
    }
    return 0;
}

static uint64_t ask(int fd, uint32_t inode)
{
    struct request request = {
        .header = {sizeof request, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0},
        .body = {.sdiag_family = AF_UNIX,
                 .udiag_states = ALL_STATES,
                 .udiag_ino = inode,
                 .udiag_show = UDIAG_SHOW_PEER,
                 .udiag_cookie = {NO_COOKIE, NO_COOKIE}},
    };
    union {
        struct nlmsghdr header;
        char bytes[1024];
    } answer;
    if (send(fd, &request, sizeof request, 0) != sizeof request)
        return 0;
    ssize_t length = recv(fd, &answer, sizeof answer, MSG_DONTWAIT); // send has made the answer
    return length > 0 && NLMSG_OK(&answer.header, (size_t)length)
               ? parse_answer(&answer.header, inode)
               : 0;
}

uint64_t unix_peer_find(const char *proc, pid_t pid, uint64_t inode)
{
    if (!inode || inode > UINT32_MAX || !same_network(proc, pid))
        return 0;
    AUTO_FD int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    return fd < 0 ? 0 : ask(fd, (uint32_t)inode);
}
