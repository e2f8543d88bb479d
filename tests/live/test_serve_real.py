# SPDX-License-Identifier: MIT
"""redis-server, postgres and nginx under load, as targets of one `ptprof serve` that is asked for
everything at once: they are named, and they answer as ever."""

import concurrent.futures
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading

import serving

HERE = pathlib.Path(__file__).resolve().parent
sys.path += [str(HERE.parent / "bench"), str(HERE.parent / "peers")]
import scrapers  # noqa: E402
import workloads  # noqa: E402

SECONDS = 3
PAGE = b"0123456789abcdef" * 1000
WINDOWS = "profile", "wall", "block", "mutex", "threadcreate", "trace"
AT_ONCE = "goroutine", "heap", "block", "mutex", "cmdline"
# Of each: functions of which one is in a CPU profile, and what it is executed as.
KNOWN = {"redis": ({"sys_epoll_wait", "sys_read", "sys_write", "epoll_wait", "malloc"},
                   b"redis-server"),
         "postgres": ({"PostgresMain", "exec_simple_query", "ExecutorRun"}, b"postgres"),
         "nginx": ({"ngx_http_handler", "ngx_process_events_and_timers", "sys_writev",
                    "sys_sendfile"}, b"nginx")}


class Load(threading.Thread):
    """A client that asks on and on until it is stopped, and looks at every answer."""

    def __init__(self, ask):
        super().__init__(daemon=True)
        self.ask, self.count, self.wrong, self.stopped = ask, 0, [], threading.Event()
        self.start()

    def run(self):
        while not self.stopped.is_set() and not self.wrong:
            try:
                self.ask(self.count)
            except (OSError, AssertionError) as error:
                self.wrong.append(repr(error)[:300])
            self.count += 1

    def stop(self):
        self.stopped.set()
        self.join(30)
        assert not self.wrong, self.wrong
        assert self.count > 100, self.count


def nginx(ctx):
    """(pid of the worker, client, log)"""
    place, port = ctx.tmp / "nginx", serving.free_port()
    place.mkdir()
    (place / "page").write_bytes(PAGE)
    (place / "nginx.conf").write_text(f"""
        daemon off; worker_processes 1; pid {place}/pid; error_log {place}/log;
        events {{ }}
        http {{
            access_log off; client_body_temp_path {place}/body; proxy_temp_path {place}/proxy;
            fastcgi_temp_path {place}/fastcgi; uwsgi_temp_path {place}/uwsgi;
            scgi_temp_path {place}/scgi; keepalive_requests 1000000;
            server {{ listen 127.0.0.1:{port}; root {place}; }}
        }}""")
    master = ctx.spawn("nginx", "-c", place / "nginx.conf", stderr=subprocess.DEVNULL)
    ctx.eventually(lambda: serving.listens(port), "nginx listens")
    client = Connection(port)

    def ask(number):
        client.send(b"GET /page HTTP/1.1\r\nHost: a\r\n\r\n")
        header = client.until(b"\r\n\r\n")
        assert header.startswith(b"HTTP/1.1 200 "), header
        assert client.take(len(PAGE)) == PAGE
    worker = ctx.eventually(lambda: ctx.children(master.pid), "a worker of nginx")[0]
    return worker, ask, place / "log"


def redis(ctx):
    port, log = serving.free_port(), ctx.tmp / "redis.log"
    server = ctx.spawn("redis-server", "--port", port, "--save", "", "--dir", ctx.tmp,
                       "--loglevel", "warning", "--logfile", log)
    ctx.eventually(lambda: serving.listens(port), "redis-server listens")
    client = Connection(port)

    def ask(number):
        key, value = b"key%d" % (number % 1000), b"%0200d" % number
        client.send(words(b"SET", key, value) + words(b"GET", key))
        assert client.until(b"\r\n") == b"+OK\r\n"
        assert client.until(b"\r\n") == b"$200\r\n" and client.take(202) == value + b"\r\n"
    return server.pid, ask, log


def words(*texts):
    """A command, as redis wants it."""
    return b"*%d\r\n" % len(texts) + b"".join(b"$%d\r\n%s\r\n" % (len(text), text)
                                             for text in texts)


class Connection:
    def __init__(self, port):
        self.socket, self.data = socket.create_connection(("127.0.0.1", port), 60), b""

    def send(self, data):
        self.socket.sendall(data)

    def fill(self):
        more = self.socket.recv(1 << 16)
        assert more, "the server has closed the connection"
        self.data += more

    def take(self, size):
        while len(self.data) < size:
            self.fill()
        taken, self.data = self.data[:size], self.data[size:]
        return taken

    def until(self, end):
        while end not in self.data:
            self.fill()
        return self.take(self.data.index(end) + len(end))


def said(log):
    return log.read_text() if log.exists() else ""


def ask_for_everything(server, targets):
    """(target, path) -> body, of all types of all targets at the same time."""
    paths = [(name, f"/targets/{pid}/debug/pprof/{word}{query}")
             for name, pid in targets.items()
             for words, query in ((WINDOWS, f"?seconds={SECONDS}"), (AT_ONCE, ""))
             for word in words]
    with concurrent.futures.ThreadPoolExecutor(len(paths)) as pool:
        bodies = list(pool.map(lambda one: server.get(one[1]), paths))
    return {(name, path.partition("/debug/pprof/")[2]): body
            for (name, path), body in zip(paths, bodies)}


def functions_of(server, target, profile):
    """Names in a profile. Those that a busy machine did not find in time are asked for as go tool
    pprof asks."""
    named = {function for stack, _, _ in profile.samples for function in profile.functions(stack)}
    left = {address for stack, _, _ in profile.samples for address in profile.addresses(stack)}
    if not named:
        text = server.get(f"/targets/{target}/debug/pprof/symbol", method="POST",
                          body="+".join(map(hex, left))).decode()
        named = {line.partition(" ")[2] for line in text.splitlines()}
    return named


def check_cpu(server, name, target, profile):
    assert profile.total("cpu") > 0, name
    seen = functions_of(server, target, profile)
    assert KNOWN[name][0] & seen, (name, sorted(seen)[:50])


def check_answers(server, targets, answers):
    for (name, word), body in answers.items():
        if word == "cmdline":
            assert KNOWN[name][1] in body, (name, body)
        elif word.startswith("trace"):
            assert re.match(rb"go 1\.\d+ trace\0", body), (name, body[:20])
        else:
            profile = scrapers.Decoded(body)
            if word.startswith("profile"):
                check_cpu(server, name, targets[name], profile)
            elif word == "heap":
                assert profile.total("inuse_space") > 100_000, name
            elif word == "goroutine":
                assert profile.total("goroutine") >= 1, name


def test_redis_postgres_and_nginx_together(ctx):
    for program in "redis-server", "nginx", "pgbench":
        if not shutil.which(program):
            raise ctx.Skip(f"{program} is not installed")
    with open(ctx.tmp / "postgres.log", "wb") as log:
        postgres, where = workloads.postgres_server(ctx, log)
    bench = subprocess.Popen(list(map(str, ["pgbench", *where, "-n", "-S", "-c", 1, "-T", 600,
                                            "postgres"])),
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        look_at_all(ctx, postgres)
        assert bench.poll() is None, "pgbench has ended: " + bench.stdout.read()
    finally:
        bench.terminate()
        bench.communicate()


def look_at_all(ctx, postgres):
    (worker, ask_nginx, nginx_log), (redis_pid, ask_redis, redis_log) = nginx(ctx), redis(ctx)
    loads = [Load(ask_nginx), Load(ask_redis)]
    targets = {"nginx": worker, "redis": redis_pid, "postgres": ctx.eventually(
        lambda: workloads.backend(postgres.pid), "a backend of postgres")}
    logs = {log: said(log) for log in (nginx_log, redis_log, ctx.tmp / "postgres.log")}
    server = serving.Server(ctx, *targets.values())
    before = {name: ctx.health(pid) for name, pid in targets.items()}
    answers = ask_for_everything(server, targets)
    check_answers(server, targets, answers)
    for load in loads:
        load.stop()
    for name, pid in targets.items():
        assert not ctx.health(pid).traced, name
        assert ctx.health(pid).threads == before[name].threads, name
    assert server.stop() == 0
    for log, beginning in logs.items():
        text = said(log).removeprefix(beginning)
        assert not re.search(r"\[(error|crit|alert|emerg)\]|ERROR|FATAL|PANIC|signal", text), text
    ctx.figure = ", ".join(f"{load.count} answers" for load in loads) + " and pgbench's were right"
