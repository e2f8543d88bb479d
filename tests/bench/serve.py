# SPDX-License-Identifier: MIT
"""What `ptprof serve` takes: by itself, with fifty targets that nobody asks about, and with many
who ask for /metrics while it samples."""

import http.client
import importlib.util
import pathlib
import resource
import socket
import threading
import time

import run
from lab import Row, percent

TARGETS = 50
IDLE_S = 20
BUSY_S = 10
CONNECTIONS = 1000
REQUESTS = 100  # a second

_spec = importlib.util.spec_from_file_location(
    "serving", pathlib.Path(__file__).resolve().parents[1] / "live/serving.py")
serving = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(serving)


def family(pid):
    return [pid, *(each for child in run.children(pid) for each in family(child))]


def cpu_of(pids):
    return sum(run.cpu_ns(pid) for pid in pids) / 1e9


def share_of(pids, seconds):
    """CPUs that processes use in so many seconds."""
    before, began = cpu_of(pids), time.monotonic()
    time.sleep(seconds)
    return (cpu_of(pids) - before) / (time.monotonic() - began)


class Askers:
    """So many requests a second for /metrics on one connection, beside a thousand that are idle."""

    def __init__(self, server):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, CONNECTIONS + 500), hard))
        self.idle = [socket.create_connection(("127.0.0.1", server.port))
                     for _ in range(CONNECTIONS)]
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self.ends, self.count, self.began = False, 0, time.monotonic()
        self.thread = threading.Thread(target=self.ask, daemon=True)
        self.thread.start()

    def ask(self):
        while not self.ends:
            self.connection.request("GET", "/metrics")
            answer = self.connection.getresponse()
            assert answer.read() and answer.status == 200, answer.status
            self.count += 1
            pause = self.began + self.count / REQUESTS - time.monotonic()
            time.sleep(max(pause, 0))

    def rate(self):
        return self.count / (time.monotonic() - self.began)

    def close(self):
        self.ends = True
        self.thread.join()
        for each in [self.connection, *self.idle]:
            each.close()


def sampled(server, target):
    """Looks a second while a CPU profile is taken of it."""
    def rounds():
        for line in server.get(f"/metrics?target={target}").decode().splitlines():
            if line.startswith("ptprof_sampling_rounds_total{"):
                return float(line.rsplit(" ", 1)[1])
        return 0.0

    def ended():
        return f'ptprof_sampling_running{{target="{target}"}} 0' in \
            server.get(f"/metrics?target={target}").decode()
    before = rounds()
    server.get(f"/debug/pprof/profile?target={target}&seconds={BUSY_S}")
    run.eventually(ended, "the run has ended")
    return (rounds() - before) / BUSY_S


def rows(lab):
    still = [lab.target("threads", "--still", 5) for _ in range(TARGETS // 2)]
    naps = [lab.target("threads", "--sleeping", 3) for _ in range(TARGETS - len(still))]
    server = serving.Server(lab, *(each.pid for each in still + naps))
    time.sleep(5)
    shares = lab.interleaved(3, {"idle": lambda: share_of(family(server.pid), IDLE_S)})["idle"]
    yield percent(f"idle server, {TARGETS} targets, half of them run 60 times a second: CPU",
                  100 * min(shares), 0.3, digits=3)
    server.stop()
    one = lab.target("threads", "--busy", 1)
    server = serving.Server(lab, one.pid)
    alone = sampled(server, "threads")
    askers = Askers(server)
    share = lab.undisturbed(lambda: share_of(family(server.pid), BUSY_S))
    yield percent(f"{askers.rate():.0f} requests/s for /metrics, {CONNECTIONS} idle connections: "
                  "CPU", 100 * share, 1)
    among = sampled(server, "threads")
    askers.close()
    yield Row("sampler's looks a second meanwhile", f"{among:.1f}", f"alone: {alone:.1f}",
              f"{among / alone:.3f} times (aim 0.97)", among >= 0.97 * alone)
    server.stop()
