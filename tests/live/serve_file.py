# SPDX-License-Identifier: MIT
"""serve_file.py UID DIRECTORY FILE PROGRAM [ARGUMENT...]: runs PROGRAM as a user, with a file
system of his mounted on DIRECTORY that holds FILE alone and that nobody else may look into. A child
process serves it, by the protocol of /dev/fuse; a test stops that one, and nothing on the file
system answers any more. Exit status 77: not possible here. To be run in a mount namespace of its
own."""

import ctypes
import errno
import os
import pathlib
import struct
import sys

LOOKUP, FORGET, GETATTR, OPEN, READ, RELEASE, INIT, INTERRUPT, BATCH_FORGET = \
    1, 2, 3, 14, 15, 18, 26, 36, 42
ROOT, FILE = 1, 2  # nodes
AN_HOUR = 3600


def attributes(node, size):
    mode = 0o40755 if node == ROOT else 0o100755
    return struct.pack("<6Q10I", node, size, 1, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def answer(operation, node, body, name, content):
    """The body of the reply, or the number of an error."""
    size = len(content) if node == FILE else 0
    if operation == INIT:
        return struct.pack("<4I2H2I2H8I", 7, 31, 1 << 16, 0, 16, 12, 1 << 16, 1, 16, 0, *[0] * 8)
    if operation == LOOKUP and body.rstrip(b"\0") == name:
        return struct.pack("<4Q2I", FILE, 0, AN_HOUR, 0, 0, 0) + attributes(FILE, len(content))
    if operation == GETATTR:  # never believed for long: the server is asked each time
        return struct.pack("<Q2I", 0, 0, 0) + attributes(node, size)
    if operation == OPEN:
        return struct.pack("<Q2I", 0, 0, 0)
    if operation == READ:
        offset, length = struct.unpack_from("<8xQI", body)
        return content[offset:offset + length]
    return b"" if operation == RELEASE else errno.ENOENT if operation == LOOKUP else errno.ENOSYS


def serve(device, name, content):
    while True:
        try:
            request = os.read(device, 1 << 18)
        except OSError:
            return  # unmounted
        operation, unique, node = struct.unpack_from("<4xIQQ", request)
        if operation in (FORGET, BATCH_FORGET, INTERRUPT):
            continue
        reply = answer(operation, node, request[40:], name, content)
        error, body = (-reply, b"") if isinstance(reply, int) else (0, reply)
        os.write(device, struct.pack("<IiQ", 16 + len(body), error, unique) + body)


def main(uid, directory, file, *program):
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id={uid},group_id={uid}".encode()
    if ctypes.CDLL(None, use_errno=True).mount(b"served", os.fsencode(directory), b"fuse", 0,
                                               options) != 0:
        sys.exit(77)
    if os.fork() == 0:
        serve(device, os.fsencode(os.path.basename(file)), pathlib.Path(file).read_bytes())
        os._exit(0)
    os.setresgid(int(uid), int(uid), int(uid))
    os.setresuid(int(uid), int(uid), int(uid))
    os.execv(program[0], program)


main(*sys.argv[1:])
