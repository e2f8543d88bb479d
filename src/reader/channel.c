// SPDX-License-Identifier: MIT
#include "reader/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control_message { // room for one descriptor; as cmsg is aligned, two go in
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

// Keeps the one descriptor that came with a message. False, and none is kept, when more came than
// we take, whoever sent them. None although one was sent is a lack of our own: we have too many.
static bool take_descriptor(struct msghdr *whole, int *fd)
{
    const struct cmsghdr *head = CMSG_FIRSTHDR(whole);
    if (!head || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
        return true;
    size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof *fd;
    if (count == 1 && !(whole->msg_flags & (MSG_CTRUNC | MSG_TRUNC)))
        return memcpy(fd, CMSG_DATA(head), sizeof *fd);
    for (size_t i = 0; i < count; i++) {
        int each;
        memcpy(&each, CMSG_DATA(head) + i * sizeof each, sizeof each);
        close(each);
    }
    return !count;
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
    bool sound = got < 0 || !fd || take_descriptor(&whole, fd);
    return sound && !(whole.msg_flags & MSG_TRUNC) ? got : -1;
}
