# SPDX-License-Identifier: MIT
"""A `ptprof serve` for a test: started on a port of its own, asked, and stopped."""

import collections
import contextlib
import http.client
import json
import random
import signal
import socket

Answer = collections.namedtuple("Answer", "status headers body")


def free_port():
    """A port that nobody listens on now, nor is given unasked: who connects, or has no wish,
    has one of the range of the kernel."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as range_file:
        low = int(range_file.read().split()[0])
    while True:
        port = random.randrange(max(low // 2, 1024), max(low, 2048))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Server:
    """Ends with its test, or by stop()."""

    def __init__(self, ctx, *arguments, **popen):
        self.ctx = ctx
        self.run = ctx.start("serve", *arguments, "--listen", "127.0.0.1:0", **popen)
        self.port = int(self.run.says(r"serving at http://127\.0\.0\.1:(\d+)/")[1])
        self.address = f"127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self.run.pid

    @property
    def stderr(self):
        return self.run.stderr

    def url(self, path=""):
        return f"http://{self.address}{path}"

    def request(self, path, method="GET", body=None, headers=(), timeout=60):
        """Status, headers and body of one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path, **how):
        """The body of what is answered with 200."""
        answer = self.request(path, **how)
        assert answer.status == 200, (path, answer.status, answer.body[:300])
        return answer.body

    def json(self, path, **how):
        return json.loads(self.get(path, **how))

    def stop(self, number=signal.SIGTERM):
        """Ends it as an administrator would; returns its exit status."""
        assert self.run.alive(), "ptprof serve has ended by itself: " + self.run.stderr
        self.run.signal(number)
        return self.run.wait()
