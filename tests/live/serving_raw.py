# SPDX-License-Identifier: MIT
"""Bytes to a server of HTTP as nobody's library would send them, and what comes back."""

import socket


def open_connection(address, timeout=60):
    """address: (host, port), or the path of a unix socket."""
    if isinstance(address, tuple):
        return socket.create_connection(address, timeout)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(timeout)
    connection.connect(str(address))
    return connection


def receive_all(connection):
    """Until the other side closes, however it does."""
    parts = []
    try:
        while part := connection.recv(1 << 16):
            parts.append(part)
    except OSError:
        pass
    return b"".join(parts)


def exchange(address, request, timeout=60):
    """What is answered until the server closes; the request should have it do so."""
    with open_connection(address, timeout) as connection:
        try:
            connection.sendall(request)
        except OSError:
            pass  # it was refused before it was whole
        return receive_all(connection)


def status(reply):
    """Of the first answer; 0: there was none."""
    words = reply.split(b" ", 2)
    return int(words[1]) if reply.startswith(b"HTTP/1.") and len(words) > 2 else 0


def body(reply):
    return reply.partition(b"\r\n\r\n")[2]
