# SPDX-License-Identifier: MIT
"""The process of a server that reads HTTP: what it refuses, whom it lets in, what it can do, and
that nothing that is sent to it harms anybody."""

import base64
import contextlib
import os
import pathlib
import random
import re
import resource
import signal
import socket
import ssl
import stat
import subprocess
import time

import serving_raw
from serving_raw import body, exchange, open_connection, status

SIDE_BY_SIDE = True
HOST = b"Host: localhost\r\n"
END = b"Connection: close\r\n\r\n"
TOKEN = "correct-horse-battery-staple"


class Served:
    """`ptprof serve` of one target, at a port of its own."""

    def __init__(self, ctx, *arguments, listen="127.0.0.1:0", prefix=()):
        self.ctx = ctx
        self.target = ctx.target("idle")
        self.unharmed = ctx.unharmed(self.target.pid)
        self.unharmed.__enter__()
        self.run = ctx.start("serve", self.target.pid, "--listen", listen, *arguments,
                             prefix=prefix)
        said = self.run.says(r"serving at (?:https?://([\d.]+):(\d+)/|unix:(\S+))")
        self.address = said.group(3) or (said.group(1), int(said.group(2)))

    def front(self):
        return self.run.process("http")

    def ask(self, request):
        return exchange(self.address, request)

    def get(self, path="/debug/pprof/cmdline", *fields):
        lines = "".join(f"{field}\r\n" for field in fields)
        return self.ask(f"GET {path} HTTP/1.1\r\n{lines}".encode() + HOST + END)

    def works(self):
        reply = self.get()
        assert status(reply) == 200 and b"idle" in body(reply), reply
        return True

    def end(self):
        """The target is as it was, and the server ends when it is told."""
        self.run.signal(signal.SIGTERM)
        assert self.run.wait() == 0, self.run.stderr
        self.unharmed.__exit__(None, None, None)


def line(text, fields=HOST, rest=b""):
    return text + b" HTTP/1.1\r\n" + fields + END + rest


GET = b"GET /debug/pprof/cmdline"
POST = b"POST /debug/pprof/cmdline"
# Requests with the statuses that they may have. 0: the connection is ended without an answer.
REQUESTS = {
    "as usual": (line(GET), [200]),
    "HEAD": (line(b"HEAD /debug/pprof/cmdline"), [200]),
    "POST where pprof does": (line(POST, HOST + b"Content-Length: 0\r\n"), [200]),
    "HTTP/1.0 without Host": (GET + b" HTTP/1.0\r\n\r\n", [200]),
    "no Host": (line(GET, b""), [400]),
    "two Hosts": (line(GET, HOST + HOST), [400]),
    "Host with a path": (line(GET, b"Host: localhost/x\r\n"), [400]),
    "Host with a user": (line(GET, b"Host: a@localhost\r\n"), [400]),
    "foreign Host": (line(GET, b"Host: evil.example\r\n"), [421]),
    "foreign Host that begins as ours": (line(GET, b"Host: 127.0.0.1.evil.example\r\n"), [421]),
    "Host is an address": (line(GET, b"Host: 127.0.0.1:1\r\n"), [200]),
    "Host is an address of IPv6": (line(GET, b"Host: [::1]\r\n"), [200]),
    "Origin is ours": (line(GET, HOST + b"Origin: http://localhost\r\n"), [200]),
    "foreign Origin": (line(GET, HOST + b"Origin: http://evil.example\r\n"), [403]),
    "Origin is none": (line(GET, HOST + b"Origin: null\r\n"), [403]),
    "picture in a page of others": (line(GET, HOST + b"Sec-Fetch-Site: cross-site\r\n"
                                         b"Sec-Fetch-Dest: image\r\n"), [403]),
    "two lengths": (line(POST, HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n", b"ab"),
                    [400]),
    "two equal lengths": (line(POST, HOST + b"Content-Length: 1\r\n" * 1 + b"content-length: 1\r\n",
                               b"a"), [400]),
    "length and encoding": (line(POST, HOST + b"Content-Length: 3\r\n"
                                 b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n"), [400]),
    "odd encoding": (line(POST, HOST + b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"),
                     [400, 501]),
    "length with a sign": (line(POST, HOST + b"Content-Length: +1\r\n", b"a"), [400]),
    "length below 0": (line(POST, HOST + b"Content-Length: -1\r\n"), [400]),
    "length beyond 2^64": (line(POST, HOST + b"Content-Length: 99999999999999999999\r\n"),
                           [400, 413]),
    "body of a GET": (line(GET, HOST + b"Content-Length: 1\r\n", b"a"), [400]),
    "body too long": (line(POST, HOST + b"Content-Length: 70000\r\n"), [413]),
    "chunked body too long": (line(POST, HOST + b"Transfer-Encoding: chunked\r\n",
                                   b"10000\r\n" + b"a" * 65536 + b"\r\n1\r\na\r\n0\r\n\r\n"),
                             [413]),
    "NUL in the path": (line(GET + b"%00x"), [400]),
    "NUL in the query": (line(GET + b"?a=%00"), [400]),
    # The library ends the text there; nobody sees what is behind it.
    "NUL in a field": (line(GET, HOST + b"X: a\0b\r\n"), [200, 400]),
    "raw NUL in the path": (line(GET + b"\0x"), [0, 200, 400]),
    "line end in the path": (line(GET + b"%0d%0aX:%20y"), [400]),
    "parent": (line(b"GET /debug/pprof/../pprof/cmdline"), [400]),
    "parent, encoded": (line(b"GET /debug/pprof/%2e%2e/pprof/cmdline"), [400]),
    "this directory": (line(b"GET /debug/./pprof/cmdline"), [400]),
    "two slashes": (line(b"GET //debug/pprof/cmdline"), [400]),
    "two slashes, encoded": (line(b"GET /debug/%2fpprof/cmdline"), [400]),
    "backslash": (line(b"GET /debug\\pprof/cmdline"), [400]),
    "half an escape": (line(GET + b"?a=%4"), [400]),
    "of a proxy": (line(b"GET http://localhost/debug/pprof/cmdline"), [400]),
    "TRACE": (line(b"TRACE /debug/pprof/cmdline"), [405]),
    "CONNECT": (line(b"CONNECT localhost:80"), [400, 405]),
    "DELETE": (line(b"DELETE /debug/pprof/cmdline"), [405]),
    "PUT": (line(b"PUT /debug/pprof/cmdline", HOST + b"Content-Length: 1\r\n", b"a"), [405]),
    "OPTIONS": (line(b"OPTIONS *"), [400, 405]),
    "no method": (line(b"NIX /debug/pprof/cmdline"), [405]),
    "small letters": (line(b"get /debug/pprof/cmdline"), [405]),
    "nothing there": (line(b"GET /debug/pprof/nothing"), [404]),
    "query of 8 KiB": (line(GET + b"?" + b"seconds=14&" * 744), [200]),
    "query beyond": (line(GET + b"?" + b"a" * 8193), [414]),
    "path of 2 KiB": (line(b"GET /" + b"a" * 2048), [414]),
    "path of 1 MiB": (line(b"GET /" + b"a" * (1 << 20)), [0, 414]),
    "field of 20 KiB": (line(GET, HOST + b"X: " + b"a" * 20000 + b"\r\n"), [431]),
    "1 MiB of fields": (line(GET, HOST + b"X: y\r\n" * 175000), [0, 431]),
    "10,000 short fields": (line(GET, HOST + b"a:\r\n" * 10000), [0, 431]),
    "blank before the colon": (line(GET, HOST + b"X : y\r\n"), [0, 400]),
    "field without a colon": (line(GET, HOST + b"nothing\r\n"), [0, 400]),
    "control byte in a field": (line(GET, HOST + b"X: a\x01b\r\n"), [400]),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n", [0, 400]),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [0, 400, 405, 505]),
    "HTTP/9": (GET + b" HTTP/9.9\r\n" + HOST + END, [0, 400, 505]),
}


def test_requests(ctx):
    server = Served(ctx)
    wrong = []
    for name, (request, expected) in REQUESTS.items():
        reply = server.ask(request)
        if status(reply) not in expected:
            wrong.append(f"{name}: {reply[:200]!r}, expected {expected}")
        if status(reply) >= 400 and reply.count(b"X-Content-Type-Options: nosniff"):
            assert body(reply).count(b"\n") == (b"HEAD" != request[:4]), (name, reply)
            assert (b"X-Go-Pprof: 1" in reply) == (b"/debug/pprof" in request.split(b"\r")[0]
                                                   .split(b"?")[0]), (name, reply)
    assert not wrong, "\n".join(wrong)
    assert b"Allow: GET, HEAD" in server.ask(line(b"DELETE /debug/pprof/cmdline"))
    assert b'"error"' in body(server.get("/api/v1/nothing"))
    assert body(server.ask(line(b"HEAD /debug/pprof/cmdline"))) == b""
    two = server.ask(GET + b" HTTP/1.1\r\n" + HOST + b"\r\n" + line(b"GET /nothing"))
    assert b"200 OK" in two and b"404 Not Found" in two, two  # one after the other
    wrong = b"GET /debug/pprof/heap?seconds=x HTTP/1.1\r\n" + HOST
    kept = server.ask(wrong + b"\r\n" + line(GET))  # as Go does
    assert status(kept) == 400 and b"200 OK" in kept and kept.count(b"Connection: close") == 1, kept
    for request in (wrong + HOST + b"\r\n", wrong + b"Content-Length: 0\r\n\r\n",
                    wrong + b"Content-Length: 5\r\n\r\n"):  # who knows where it ends
        ended = server.ask(request + line(GET))
        assert status(ended) == 400 and b"200 OK" not in ended, ended
    server.works()
    server.end()


def test_names_are_allowed_by_setting(ctx):
    server = Served(ctx, "--allowed-hosts", "profiles.example,other")
    assert status(server.ask(line(GET, b"Host: Profiles.example:80\r\n"))) == 200
    reply = server.ask(line(GET, b"Host: evil.example\r\n"))
    assert status(reply) == 421 and b"--allowed-hosts evil.example" in body(reply), reply
    server.end()


# --- who may ask

def secret(ctx, text, mode=0o600):
    path = ctx.new_path("secret-{}")
    path.write_text(text)
    path.chmod(mode)
    return path


def basic(user, password):
    return "Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def crypted(ctx, password):
    done = subprocess.run(["openssl", "passwd", "-6", password], capture_output=True, text=True)
    if done.returncode:
        raise ctx.Skip("openssl is not installed")
    return done.stdout.strip()


def test_passwords_and_tokens(ctx):
    passwords = secret(ctx, f"# who may\nalice:{crypted(ctx, 'wonder:land')}\n")
    tokens = secret(ctx, TOKEN + "\n")
    server = Served(ctx, "--password-file", passwords, "--token-file", tokens)
    path = "/debug/pprof/cmdline"
    none = server.get()
    assert status(none) == 401 and b'WWW-Authenticate: Basic realm="ptprof"' in none, none
    assert b"X-Go-Pprof: 1" in none
    for right in (basic("alice", "wonder:land"), f"Authorization: Bearer {TOKEN}",
                  basic("anybody", TOKEN), basic("alice", "wonder:land")):
        assert status(server.get(path, right)) == 200, right
    assert status(server.get("/nothing")) == 401  # nor is anybody told what there is
    tried = [status(server.get(path, basic("alice", f"guess {n}"))) for n in range(8)]
    assert tried == [401] * 5 + [429] * 3, tried
    assert status(server.get(path, basic("bob", "wonder:land"))) == 429
    assert status(server.get(path, f"Authorization: Bearer {TOKEN}x")) == 429
    assert status(server.get(path, basic("alice", "wonder:land"))) == 200  # known by now
    assert status(server.get(path, f"Authorization: Bearer {TOKEN}")) == 200
    logged = [text for text in server.run.stderr.splitlines() if "wrong password" in text]
    assert len(logged) == 5 and "127.0.0.1" in logged[0], server.run.stderr
    assert server.run.stderr.count("refused without being tried") == 1, server.run.stderr
    assert "guess" not in server.run.stderr and TOKEN not in server.run.stderr
    server.end()


def test_addresses_beyond_need_a_choice(ctx):
    target = ctx.target("idle")
    tokens, weak = secret(ctx, TOKEN + "\n"), secret(ctx, "short\n")
    whole = f"alice:{crypted(ctx, 'wonderland')}"
    for arguments, text in (
            ([], "--listen 0.0.0.0:"),
            (["--token-file", tokens], "--insecure-http"),
            (["--token-file", secret(ctx, TOKEN, 0o644)], "chmod o="),
            (["--token-file", weak], "guessed"),
            (["--token-file", secret(ctx, "#\n")], "nothing in"),
            (["--token-file", "/nowhere"], "No such file"),
            (["--token-file", ctx.tmp], "no regular file"),
            (["--password-file", secret(ctx, "alice:$apr1$x$y\n")], "does not know"),
            (["--password-file", secret(ctx, "alice\n")], "is not USER:HASH"),
            (["--password-file", secret(ctx, f"{whole}\nu:plain\n")], "line 2 of"),
            (["--password-file", secret(ctx, whole[:-1] + "\n")], "no whole hash"),
            (["--tls-certificate", tokens, "--tls-key", tokens], "cannot use the certificate"),
            (["--socket-users", "nobody-of-that-name"], "there is no user")):
        done = ctx.run("serve", target.pid, "--listen", "0.0.0.0:0", *arguments)
        assert done.returncode == 2 and text in done.stderr, (arguments, done.stderr)
        assert TOKEN not in done.stderr
    for arguments in (["--no-auth"], ["--token-file", tokens, "--insecure-http"]):
        server = Served(ctx, *arguments, listen="0.0.0.0:0")
        server.address = ("127.0.0.1", server.address[1])
        assert status(server.get("/debug/pprof/cmdline",
                                 f"Authorization: Bearer {TOKEN}")) == 200
        server.end()


def certificate(ctx, name):
    paths = ctx.tmp / f"{name}.crt", ctx.tmp / f"{name}.key"
    done = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                           "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
                           "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", "2",
                           "-out", paths[0], "-keyout", paths[1]], capture_output=True)
    if done.returncode:
        raise ctx.Skip("openssl cannot make a certificate")
    paths[1].chmod(0o600)
    return paths


def over_tls(address, trusted, request, version=None):
    context = ssl.create_default_context(cafile=trusted)
    if version:
        context.minimum_version = context.maximum_version = version
    with socket.create_connection(address, 60) as plain, \
            context.wrap_socket(plain, server_hostname="localhost") as connection:
        connection.sendall(request)
        return connection.version(), serving_raw.receive_all(connection)


def test_tls(ctx):
    paths, others = certificate(ctx, "one"), certificate(ctx, "other")
    target = ctx.target("idle")
    done = ctx.run("serve", target.pid, "--tls-certificate", paths[0], "--tls-key", others[1])
    assert done.returncode == 2 and "do not match" in done.stderr, done.stderr
    server = Served(ctx, "--tls-certificate", paths[0], "--tls-key", paths[1])
    assert "serving at https://127.0.0.1:" in server.run.stderr
    for version, name in ((ssl.TLSVersion.TLSv1_3, "TLSv1.3"), (ssl.TLSVersion.TLSv1_2, "TLSv1.2")):
        used, reply = over_tls(server.address, paths[0], line(GET), version)
        assert used == name and status(reply) == 200, (used, reply)
    old = subprocess.run(["openssl", "s_client", "-connect", "%s:%d" % server.address, "-tls1_1",
                          "-cipher", "ALL:@SECLEVEL=0"], input=b"", capture_output=True)
    assert old.returncode, "TLS 1.1 is spoken"
    profile = line(b"GET /debug/pprof/goroutine")
    assert body(over_tls(server.address, paths[0], profile)[1])[:2] == b"\x1f\x8b"
    assert status(server.ask(line(GET))) == 0  # no TLS
    assert status(over_tls(server.address, paths[0], line(GET))[1]) == 200
    server.end()


def test_unix_socket(ctx):
    path = ctx.tmp / "ptprof.sock"
    server = Served(ctx, listen=f"unix:{path}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and server.works()
    done = ctx.run("serve", server.target.pid, "--listen", f"unix:{path}")
    assert done.returncode == 1 and "another server does" in done.stderr, done.stderr
    front = server.front()
    server.run.kill()
    assert path.exists() and ctx.eventually(lambda: not pathlib.Path(f"/proc/{front}").exists(),
                                            "the process that reads HTTP ends with the collector")
    server = Served(ctx, listen=f"unix:{path}")  # what was left is replaced
    server.works()
    server.end()
    assert not path.exists()
    path.write_text("a file of somebody's")
    done = ctx.run("serve", server.target.pid, "--listen", f"unix:{path}")
    assert done.returncode == 1 and path.read_text(), done.stderr


def test_users_of_a_unix_socket(ctx):
    if os.geteuid() != 0:
        raise ctx.Skip("only root can be somebody else")
    path = pathlib.Path(f"/tmp/ptprof-test-{os.getpid()}.sock")
    ask = ["curl", "-s", "--unix-socket", str(path), "http://localhost/debug/pprof/cmdline"]
    as_daemon = ["setpriv", "--reuid=daemon", "--clear-groups", *ask]
    for users, expected in (("daemon", b"idle"), ("bin", b"this socket is not for user 1:")):
        server = Served(ctx, "--socket-users", users, listen=f"unix:{path}")
        assert b"idle" in subprocess.run(ask, capture_output=True).stdout
        said = subprocess.run(as_daemon, capture_output=True).stdout
        assert expected in said, said
        server.end()


# --- what happens to it

def seeded_attack(chance):
    """A request with a few things wrong that nobody thought of."""
    parts = [chance.choice(REQUESTS_SENT)] * chance.choice((1, 1, 1, 2, 30))
    request = bytearray(b"".join(parts))
    for _ in range(chance.choice((1, 2, 5, 50))):
        at = chance.randrange(len(request) + 1)
        how = chance.randrange(5)
        if how == 0:
            request[at:at + 1] = bytes([chance.randrange(256)])
        elif how == 1:
            request[at:at] = chance.choice((b"\r\n", b"\0", b"%00", b"%2e", b" ", b":", b"\n",
                                            b"Transfer-Encoding: chunked\r\n", b"\xff" * 40))
        elif how == 2:
            del request[at:at + chance.randrange(1, 40)]
        elif how == 3:
            request[at:at] = request[at:at + chance.randrange(1, 60)]
        else:
            request[at:at] = str(chance.choice((-1, 1 << 31, 1 << 63, 1 << 64))).encode()
    return bytes(request[:chance.choice((1 << 20, len(request), len(request) // 2))])


REQUESTS_SENT = [request for request, _ in REQUESTS.values() if len(request) < 1 << 16] + [
    line(b"GET /debug/pprof/goroutine?debug=2"), line(b"GET /targets/idle/debug/pprof/cmdline"),
    line(b"POST /debug/pprof/symbol", HOST + b"Content-Length: 8\r\n", b"0x401000"),
    line(b"GET /api/v1/targets"), line(b"GET /debug/pprof/", HOST + basic("a", "b").encode()
                                       + b"\r\n")]


def test_attacks(ctx):
    """1,000 of them, a hundred at a time; some leave before they are answered."""
    chance = random.Random(15)
    server = Served(ctx)
    front = server.front()
    for _ in range(10):
        connections = [open_connection(server.address) for _ in range(100)]
        for connection in connections:
            try:
                connection.sendall(seeded_attack(chance))
                if chance.randrange(3):
                    connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass
        for connection in connections:
            if chance.randrange(3):
                connection.settimeout(0.01)
                serving_raw.receive_all(connection)
            connection.close()
        server.works()
    assert server.front() == front, "the process that reads HTTP was started anew"
    server.end()


def test_front_is_killed(ctx):
    server = Served(ctx)
    for _ in range(3):
        front = server.front()
        waits = open_connection(server.address)
        waits.sendall(line(b"GET /debug/pprof/profile?seconds=60"))
        ctx.eventually(lambda: len(serving_processes(server, "runner")) == 1, "it is sampled")
        os.kill(front, signal.SIGKILL)
        reply = serving_raw.receive_all(waits)
        assert reply == b"", reply
        ctx.eventually(lambda: server.front() != front, "it is started again")
        ctx.eventually(lambda: f"ptprof-http ({front}) was ended by signal 9 (Killed)" in
                       server.run.stderr, "it is said")
        ctx.eventually(lambda: not serving_processes(server, "runner"), "sampling ends")
        server.works()
    server.end()


def counted(server):
    """{(kind of path, status): requests} as /metrics has them."""
    found = re.findall(r'^ptprof_http_requests_total\{path="(\w+)",code="(\w+)"\} (\d+)$',
                       body(server.get("/metrics")).decode(), re.M)
    assert len(found) == len(dict((row[:2], 0) for row in found))
    return {(path, code): int(count) for path, code, count in found}


def test_requests_are_counted(ctx):
    """By status and kind of path, of which there are few whatever comes, also when the process that
    reads them has been killed."""
    server = Served(ctx)
    assert counted(server) == {}
    for _ in range(3):
        server.works()
    server.ask(line(b"DELETE /debug/pprof/cmdline"))
    server.ask(line(b"GET /api/profiling/metrics/history?count=x"))
    server.ask(line(GET, b"Host: evil.example\r\n"))
    for number in range(5):
        server.get(f"/nothing/{number}", f"X-Number: {number}")
    leaves = open_connection(server.address)
    leaves.sendall(line(b"GET /debug/pprof/profile?seconds=300"))
    ctx.eventually(lambda: serving_processes(server, "runner"), "it is sampled")
    leaves.close()
    expected = {("pprof", "200"): 3, ("pprof", "405"): 1, ("api", "400"): 1, ("none", "421"): 1,
                ("none", "404"): 5, ("pprof", "none"): 1}

    def all_but_ours():
        found = counted(server)
        return {key: count for key, count in found.items() if key != ("metrics", "200")}

    ctx.eventually(lambda: all_but_ours() == expected, f"{expected} are counted")
    front = server.front()
    os.kill(front, signal.SIGKILL)
    ctx.eventually(lambda: server.front() not in (None, front), "it is started again")
    server.works()
    expected["pprof", "200"] += 1
    assert all_but_ours() == expected
    server.end()


def serving_processes(server, name):
    return [pid for pid in server.ctx.children(server.run.pid)
            if name in (server.ctx.comm_of(pid) or "")]


def status_of(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(entry.split(":\t", 1) for entry in text.splitlines() if ":\t" in entry)


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_front_has_no_rights(ctx):
    server = Served(ctx)
    server.works()
    is_held = open_connection(server.address)
    is_held.sendall(GET)
    said = status_of(server.front())
    for what in "CapInh", "CapPrm", "CapEff", "CapAmb":
        assert int(said[what], 16) == 0, (what, said[what])
    assert said["NoNewPrivs"].strip() == "1" and said["Seccomp"].strip() == "2", said
    if os.geteuid() == 0:
        assert said["Uid"].split() == said["Gid"].split() == ["65534"] * 4 and not \
            said["Groups"].strip(), said
        held = set()
        for entry in pathlib.Path(f"/proc/{server.front()}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # of the connection that has just ended
                held.add(os.readlink(entry).split(":")[0])
        assert held == {"/dev/null", "socket", "anon_inode"}, held
    is_held.close()
    server.end()


def test_idle_connections(ctx):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2000:
        raise ctx.Skip(f"only {hard} descriptors are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2000), hard))
    server = Served(ctx, "--header-time=1s")
    connections = [open_connection(server.address) for _ in range(1000)]
    server.works()
    before, began = cpu_seconds(server.front()), time.monotonic()
    time.sleep(2)
    share = (cpu_seconds(server.front()) - before) / (time.monotonic() - began)
    assert share < 0.05, f"idle connections cost {share:.1%} of a CPU"
    assert int(status_of(server.front())["VmRSS"].split()[0]) < 30000
    for connection in connections[::100]:
        connection.sendall(line(GET))
        assert status(serving_raw.receive_all(connection)) == 200
    trickles = connections[1]
    trickles.sendall(GET)  # its header is not whole in time
    assert serving_raw.receive_all(trickles) == b""
    server.works()
    for connection in connections:
        connection.close()
    ctx.eventually(lambda: len(list(pathlib.Path(f"/proc/{server.front()}/fd").iterdir())) < 40,
                   "connections are forgotten")
    server.end()


def test_connections_have_a_limit(ctx):
    server = Served(ctx, "--connections", 5)
    idle = [open_connection(server.address) for _ in range(15)]
    idle[-1].sendall(GET)  # its header is not whole
    server.works()  # the one that was idle for longest makes room
    assert all(serving_raw.receive_all(connection) == b"" for connection in idle[:11])
    for connection in idle[11:]:  # the others are answered
        connection.sendall(line(b"" if connection is idle[-1] else GET))
        assert status(serving_raw.receive_all(connection)) == 200
    held = []

    def are_all_taken():  # one whose request has not come yet may make room for the next
        held.append(open_connection(server.address))
        held[-1].sendall(line(b"GET /debug/pprof/goroutine?seconds=100"))
        return status(server.get()) == 0
    ctx.eventually(are_all_taken, "one more is refused")
    assert len(held) >= 5
    for connection in held:
        connection.close()
    ctx.eventually(lambda: status(server.get()) == 200, "there is room again")
    server.end()


def test_descriptors_run_out(ctx):
    server = Served(ctx, prefix=("prlimit", "--nofile=30:30"))
    server.works()
    front = server.front()
    held = [open_connection(server.address) for _ in range(60)]
    time.sleep(0.5)
    before, began = cpu_seconds(front), time.monotonic()
    time.sleep(1.5)
    share = (cpu_seconds(front) - before) / (time.monotonic() - began)
    assert share < 0.2, f"without descriptors it takes {share:.0%} of a CPU"
    for connection in held:
        connection.close()
    ctx.eventually(server.works, "it goes on")
    assert server.front() == front
    server.end()


def test_client_leaves(ctx):
    """Nobody is sampled for somebody who has gone."""
    server = Served(ctx)
    waits = [open_connection(server.address) for _ in range(3)]
    for connection in waits:
        connection.sendall(line(b"GET /debug/pprof/profile?seconds=300"))
    ctx.eventually(lambda: serving_processes(server, "runner"), "it is sampled")
    server.works()
    for connection in waits:
        connection.close()
    ctx.eventually(lambda: not serving_processes(server, "runner"), "sampling ends")
    server.works()
    server.end()


def test_many_wait(ctx):
    """150 profiles and as many pages that follow as are allowed, at one time."""
    server = Served(ctx)
    streams = [open_connection(server.address) for _ in range(100)]
    for connection in streams:
        connection.sendall(GET_EVENTS)
    follows = [connection.makefile("rb") for connection in streams]
    for follow in follows:
        head = [follow.readline() for _ in range(20)]
        assert b"Content-Type: text/event-stream\r\n" in head, head
    reply = server.ask(line(b"GET /api/v1/events"))
    assert status(reply) == 503 and b"--streams" in body(reply), reply
    waits = [open_connection(server.address) for _ in range(150)]
    for connection in waits:
        connection.sendall(line(b"GET /debug/pprof/profile?seconds=1"))
    for follow in follows:
        while not follow.readline().startswith(b'data: {"timestamp":'):
            pass
    most = int(status_of(server.front())["VmRSS"].split()[0])
    for connection in waits:
        assert status(serving_raw.receive_all(connection)) == 200
    assert most < 30000, f"{most} KiB"
    ctx.figure = f"{most >> 10} MiB"
    for follow, connection in zip(follows, streams):
        follow.close()
        connection.close()
    ctx.eventually(lambda: b"text/event-stream" in first_bytes(server, GET_EVENTS),
                   "there is room for others that follow")
    server.end()


GET_EVENTS = b"GET /targets/idle/api/v1/events HTTP/1.1\r\n" + HOST + b"\r\n"


def first_bytes(server, request):
    with open_connection(server.address) as connection:
        connection.sendall(request)
        return connection.recv(4096)


def test_slow_readers(ctx):
    """Who does not take what he asked for holds up nobody, and not for long."""
    server = Served(ctx, "--header-time=100ms")
    asked = (GET + b" HTTP/1.1\r\n" + HOST + b"\r\n") * 100
    with open_connection(server.address) as greedy:
        greedy.setblocking(False)
        sent = 0
        while sent < 120 and waits_for_room(greedy, asked):
            sent += 1
        server.works()
        ctx.eventually(lambda: has_ended(greedy), "the connection is ended")
    with open_connection(server.address) as slow:
        slow.sendall(POST + b" HTTP/1.1\r\n" + HOST + b"Content-Length: 10\r\n\r\nabc")
        assert status(serving_raw.receive_all(slow)) in (0, 408)
    server.works()
    server.end()


def waits_for_room(connection, data):
    """Whether it could be sent; a hundredth of a second is given to who reads."""
    try:
        connection.send(data)
        return True
    except BlockingIOError:
        time.sleep(0.01)
        return True
    except OSError:
        return False


def has_ended(connection):
    try:
        connection.send(b"x")
    except BlockingIOError:
        pass
    except OSError:
        return True
    return False


def test_files_are_read_again(ctx):
    """A token is replaced while the server runs; one that nobody may know is not taken."""
    tokens = secret(ctx, TOKEN + "\n")
    server = Served(ctx, "--token-file", tokens)
    path, old = "/debug/pprof/cmdline", f"Authorization: Bearer {TOKEN}"
    new = old + "-of-today"
    assert status(server.get(path, old)) == 200 and status(server.get(path, new)) == 401
    tokens.write_text(TOKEN + "-of-today\n")
    tokens.chmod(0o644)
    server.run.signal(signal.SIGHUP)
    server.run.says("stay as they are: --token-file: everybody may read .*chmod o=")
    assert status(server.get(path, old)) == 200 and status(server.get(path, new)) == 401
    tokens.chmod(0o600)
    server.run.signal(signal.SIGHUP)
    ctx.eventually(lambda: status(server.get(path, new)) == 200, "the new token is taken")
    assert status(server.get(path, old)) == 401
    server.end()


def test_addresses(ctx):
    """Several at once, of each kind; one that somebody has is refused by name."""
    if not pathlib.Path("/proc/sys/net/ipv6").exists():
        raise ctx.Skip("there is no IPv6")
    server = Served(ctx, listen=f"127.0.0.1:0,[::1]:0,unix:{ctx.tmp}/a.sock")
    six = int(server.run.says(r"http://\[::1\]:(\d+)/").group(1))
    assert status(exchange(("::1", six), line(GET, b"Host: [::1]:%d\r\n" % six))) == 200
    assert status(exchange(ctx.tmp / "a.sock", line(GET))) == 200
    server.works()
    taken = "%s:%d" % server.address
    done = ctx.run("serve", server.target.pid, "--listen", taken)
    assert done.returncode == 1 and taken in done.stderr and "another server" in done.stderr
    server.end()


def test_connections_of_one_address(ctx):
    """Of this machine's own, which the loopback exemption does not mean."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            raise ctx.Skip("this machine has no address but loopback")
        own = probe.getsockname()[0]
    server = Served(ctx, "--no-auth", "--connections-per-address", 3, listen="0.0.0.0:0")
    local, server.address = ("127.0.0.1", server.address[1]), (own, server.address[1])
    held = [open_connection(server.address) for _ in range(3)]
    for connection in held:
        connection.sendall(GET)
    ctx.eventually(lambda: status(server.get()) == 0, "the fourth is refused")
    assert status(exchange(local, line(GET))) == 200
    for connection in held:
        connection.close()
    ctx.eventually(lambda: status(server.get()) == 200, "there is room again")
    server.end()
