// SPDX-License-Identifier: MIT
#include "reader/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

union control_message { // room for one descriptor, aligned as cmsg requires
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr head;
};

bool channel_send(int channel, const void *message, size_t length, int fd)
{
    struct iovec part = {(void *)message, length};
    union control_message control = {0};
    struct msghdr whole = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        whole.msg_control = control.bytes;
        whole.msg_controllen = sizeof control.bytes;
        control.head = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
    }
    ssize_t sent;
    do
        sent = sendmsg(channel, &whole, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)length;
}

ssize_t channel_receive(int channel, void *message, size_t length, int *fd)
{
    struct iovec part = {message, length};
    union control_message control = {0};
    struct msghdr whole = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd) {
        *fd = -1;
        whole.msg_control = control.bytes;
        whole.msg_controllen = sizeof control.bytes;
    }
    ssize_t got;
    do
        got = recvmsg(channel, &whole, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    const struct cmsghdr *head = got >= 0 && fd ? CMSG_FIRSTHDR(&whole) : NULL;
    if (head && head->cmsg_type == SCM_RIGHTS && head->cmsg_len == CMSG_LEN(sizeof *fd))
        memcpy(fd, CMSG_DATA(head), sizeof *fd);
    return whole.msg_flags & MSG_TRUNC ? -1 : got;
}
