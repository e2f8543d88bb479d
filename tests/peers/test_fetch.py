# SPDX-License-Identifier: MIT
"""ptprof fetch against net/http/pprof of a real Go program, over http and https with a password,
and against servers that mean harm."""

import contextlib
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading
import zlib

import serving
from pprof_wire import message, number, varint
from test_pprof_tool import need_go, pprof
from waited import File

SIDE_BY_SIDE = True
NO_CREDENTIALS = {"PTPROF_USER": "", "PTPROF_PASSWORD": "", "PTPROF_BEARER_TOKEN": ""}
PASSWORD = {"PTPROF_USER": "ann", "PTPROF_PASSWORD": "se:cret"}
PROFILE = (pathlib.Path(__file__).parent.parent / "golden" / "go-heap.pb.gz").read_bytes()


def fetch(ctx, *arguments, credentials=NO_CREDENTIALS, **popen):
    environment = {**os.environ, **NO_CREDENTIALS, "HOME": str(ctx.tmp), **credentials}
    return ctx.run("fetch", *arguments, env=environment, **popen)


def refused(ctx, text, *arguments, status=1, **popen):
    done = fetch(ctx, *arguments, **popen)
    assert done.returncode == status, f"exit status {done.returncode}: {done.stderr}"
    assert text in done.stderr, f"no {text!r} in {done.stderr!r}"
    return done


# --- a Go program ---

def certificate(ctx):
    key, path = ctx.tmp / "key.pem", ctx.tmp / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=ptprof test", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", key, "-out", path], check=True, capture_output=True)
    return path, key


def go_server(ctx, user="", password="", *files):
    need_go(ctx)
    program = ctx.tmp / "go_server"
    if not program.exists():
        subprocess.run(["go", "build", "-o", program, ctx.root / "tests/peers/go_server.go"],
                       check=True, capture_output=True, cwd=ctx.tmp, timeout=240)
    return f"127.0.0.1:{ctx.spawn(program, user, password, *files).line()}"


def test_every_type_of_a_go_program(ctx):
    server = go_server(ctx)
    done = fetch(ctx, server, "--type", "all", "-d", "2s", "--output-dir", ctx.tmp)
    assert done.returncode == 0, done.stderr
    kinds = {re.search(r"_\d+-(\w+)-\d", path.name)[1]: path
             for path in ctx.tmp.glob("ptprof-*")}
    assert set(kinds) == {"profile", "heap", "allocs", "block", "mutex", "goroutine",
                          "threadcreate", "trace"}, kinds
    assert "main.spin" in pprof(ctx, "-top", kinds["profile"])
    assert "main.keep" in pprof(ctx, "-top", kinds["heap"])
    assert kinds["trace"].read_bytes().startswith(b"go 1."), "no trace"


def test_types_of_our_servers(ctx):
    """wall, which Go has not; goroutine is threads by another name, and comes once."""
    target = ctx.target("threads", "--busy", 1, "--still", 2)
    server = serving.Server(ctx, target.pid)
    with ctx.unharmed(target.pid):
        done = fetch(ctx, server.address, "--type", "wall,goroutine,threads", "-d", "1s",
                     "--output-dir", ctx.tmp)
    assert done.returncode == 0, done.stderr
    kinds = {path.name.split("-")[2]: File(path) for path in ctx.tmp.glob("*.pb.gz")}
    assert set(kinds) == {"wall", "goroutine"}, kinds
    threads = kinds["goroutine"].sum(value="goroutine")
    assert threads == 4, f"{threads} threads"
    wall = kinds["wall"].sum(value="wall")
    assert abs(wall - 4e9) < 0.2e9, f"{wall / 1e9:g} s of four threads in a second"


def test_https_and_a_password(ctx):
    if not shutil.which("openssl"):
        raise ctx.Skip("openssl is not installed")
    path, key = certificate(ctx)
    url = "https://" + go_server(ctx, "ann", "se:cret", path, key)
    out = ctx.tmp / "heap.pb.gz"
    ask = (url, "--type", "heap", "-o", out)
    refused(ctx, "certificate", *ask, status=4, credentials=PASSWORD)
    refused(ctx, "answers 401: who are you?", *ask, "--ca", path, status=4)
    assert not out.exists()
    assert fetch(ctx, *ask, "--ca", path, credentials=PASSWORD).returncode == 0
    assert "main.keep" in pprof(ctx, "-top", out)
    assert fetch(ctx, *ask, "--insecure", credentials=PASSWORD).returncode == 0
    netrc = ctx.tmp / ".netrc"
    netrc.write_text("machine 127.0.0.1 login ann password se:cret\n")
    netrc.chmod(0o600)
    assert fetch(ctx, *ask, "--ca", path).returncode == 0, "not by ~/.netrc"


def test_replicas_are_added_up(ctx):
    one, two = go_server(ctx), go_server(ctx)
    out = ctx.tmp / "sum.folded"
    collected = [f"{server}/debug/pprof/heap?gc=1" for server in (one, two)]
    assert fetch(ctx, *collected, "-o", out).returncode == 0
    kept = sum(int(line.rsplit(" ", 1)[1]) for line in out.read_text().splitlines()
               if "main.keep" in line)
    assert 0.9 * 128 * 2**20 < kept < 1.3 * 128 * 2**20, f"{kept} bytes of two times 64 MiB"
    done = refused(ctx, "127.0.0.1:1: ", one, "127.0.0.1:1", "--type", "heap", "-o", out)
    assert "wrote" in done.stderr, "what came is not written"
    for types in "heap,cpu", "all":
        refused(ctx, "several types have no sum", one, "--type", types, "-o", out, status=2)
    done = fetch(ctx, one, one, one, "--type", "heap", "--output-dir", ctx.tmp)
    assert done.returncode == 0, done.stderr
    assert len(list(ctx.tmp.glob("ptprof-*-heap*.pb.gz"))) == 3, "one has overwritten another"


def test_a_series(ctx):
    server = go_server(ctx)
    done = fetch(ctx, server, "--type", "heap", "--every", "1s", "--count", "3", "--output-dir",
                 ctx.tmp)
    assert done.returncode == 0, done.stderr
    assert len(list(ctx.tmp.glob("ptprof-*-heap-*.pb.gz"))) == 3
    refused(ctx, "--every needs --output-dir", server, "--every", "1s", status=2)


class Server:
    """answer(handler) answers each request; `asked` has what came: (path, headers)."""

    def __init__(self, answer):
        asked = self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append((self.path, dict(self.headers)))
                with contextlib.suppress(OSError):
                    answer(self)

            do_POST = do_GET

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def reply(handler, body, status=200, kind="application/octet-stream", **headers):
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", headers.pop("length", str(len(body))))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def nameless_profile():
    """A sample of 7 at 0x1010, called from 0x1020, in a file that is not here."""
    texts = ["", "cpu", "nanoseconds", "/gone/program"]
    return b"".join([
        message(1, number(1, 1) + number(2, 2)),
        message(2, message(1, varint(1) + varint(2)) + message(2, varint(7))),
        message(3, number(1, 1) + number(2, 0x1000) + number(3, 0x2000) + number(5, 3)),
        message(4, number(1, 1) + number(2, 1) + number(3, 0x1010)),
        message(4, number(1, 2) + number(2, 1) + number(3, 0x1020)),
        *(message(6, text.encode()) for text in texts)])


def test_the_server_names_its_code(ctx):
    questions = []

    def answer(handler):
        if not handler.path.endswith("/symbol"):
            return reply(handler, nameless_profile())
        questions.append(handler.rfile.read(int(handler.headers["Content-Length"])))
        return reply(handler, b"num_symbols: 1\n0x1010 main.leaf\n0x1020 main.root\n")

    server = Server(answer)
    done = fetch(ctx, server.host, "-o", ctx.tmp / "out.json")
    assert done.returncode == 0, done.stderr
    frames = json.loads((ctx.tmp / "out.json").read_text())["stacks"][0]["frames"]
    assert [frame["function"] for frame in frames] == ["main.leaf", "main.root"], frames
    assert questions == [b"0x1010+0x1020"], questions
    silent = Server(lambda handler: reply(handler, nameless_profile())
                    if not handler.path.endswith("/symbol") else reply(handler, b"no", 500))
    assert fetch(ctx, silent.host, "-o", ctx.tmp / "out.pb.gz").returncode == 0
    assert (ctx.tmp / "out.pb.gz").read_bytes() == nameless_profile(), "not as it came"


# --- servers that mean harm ---

def test_what_the_server_says_is_shown(ctx):
    cases = [
        (404, b"Unknown profile\n", "text/plain; charset=utf-8", "answers 404: Unknown profile"),
        (500, b"\x1b]0;owned\x07no\nsecond line", "text/plain", r"answers 500: \x1b]0;owned\x07no"),
        (503, b"<html><script>x</script>", "text/html", "answers 503"),
        (200, b"<html>log in", "text/html", "a page of HTML"),
        (200, b"hello", "text/plain", "the answer is no profile"),
        (200, b"", "application/octet-stream", "it is empty"),
    ]
    for status, body, kind, text in cases:
        server = Server(lambda handler: reply(handler, body, status, kind))
        done = refused(ctx, text, server.host, "-o", ctx.tmp / "out.pb.gz")
        assert "<script>" not in done.stderr and "\x1b" not in done.stderr
    assert not (ctx.tmp / "out.pb.gz").exists()


def test_credentials_stay_with_their_host(ctx):
    other = Server(lambda handler: reply(handler, PROFILE))
    first = Server(lambda handler: reply(handler, b"", 302, Location=f"http://{other.host}/heap"))
    for credentials in PASSWORD, {"PTPROF_BEARER_TOKEN": "t0ken"}:
        done = fetch(ctx, first.host, "-o", ctx.tmp / "out.pb.gz", credentials=credentials)
        assert done.returncode == 0, done.stderr
    assert all("Authorization" in headers for _, headers in first.asked), first.asked
    assert len(other.asked) == 2
    assert not any("Authorization" in headers for _, headers in other.asked), other.asked
    same = Server(lambda handler: reply(handler, PROFILE) if handler.path == "/there" else
                  reply(handler, b"", 302, Location="/there"))
    fetch(ctx, same.host, "-o", ctx.tmp / "out.pb.gz", credentials=PASSWORD)
    assert ["Authorization" in headers for _, headers in same.asked] == [True, True], same.asked


def test_redirects_end(ctx):
    loop = Server(lambda handler: reply(handler, b"", 302, Location="/again"))
    refused(ctx, "redirects again and again", loop.host, "-o", ctx.tmp / "out")
    assert len(loop.asked) < 10
    local = Server(lambda handler: reply(handler, b"", 302, Location="file:///etc/passwd"))
    done = fetch(ctx, local.host, "-o", ctx.tmp / "out")
    assert done.returncode == 1 and not (ctx.tmp / "out").exists(), done.stderr


def test_a_server_that_never_answers(ctx):
    ended = threading.Event()

    def drip(handler):
        handler.send_response(200)
        handler.end_headers()
        while not ended.wait(0.1):
            handler.wfile.write(b"x")

    for server in Server(lambda handler: ended.wait(60)), Server(drip):
        refused(ctx, "no complete answer within", server.host, "--type", "heap", "--timeout", "2s",
                "-o", ctx.tmp / "out.pb.gz")
    ended.set()


def test_answers_that_are_cut_or_too_long(ctx):
    short = Server(lambda handler: reply(handler, PROFILE[:100], length="5000"))
    refused(ctx, "", short.host, "--type", "heap", "-o", ctx.tmp / "out.pb.gz")
    cut = Server(lambda handler: reply(handler, PROFILE[:-20]))
    refused(ctx, "cut short", cut.host, "--type", "heap", "-o", ctx.tmp / "out.pb.gz")
    chunk = bytes(1 << 20)
    long = Server(lambda handler: (handler.send_response(200), handler.end_headers(),
                                   [handler.wfile.write(chunk) for _ in range(2000)]))
    refused(ctx, "longer than 256 MiB", long.host, "--type", "heap", "-o", ctx.tmp / "out.pb.gz")
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(chunk) for _ in range(1000)) + packer.flush()
    server = Server(lambda handler: reply(handler, bomb))
    refused(ctx, "the answer is no profile", server.host, "--type", "heap", "-o",
            ctx.tmp / "out.pb.gz")
    assert not (ctx.tmp / "out.pb.gz").exists()


def test_ctrl_c_leaves_nothing(ctx):
    ended = threading.Event()
    server = Server(lambda handler: ended.wait(600))
    run = ctx.start("fetch", server.host, "-d", "300s", "-o", ctx.tmp / "cpu.pb.gz",
                    env={**os.environ, **NO_CREDENTIALS})
    ctx.eventually(lambda: server.asked, "it has asked")
    run.signal(signal.SIGINT)
    assert run.wait() == 3, run.stderr
    assert "nothing is written" in run.stderr, run.stderr
    assert [path.name for path in ctx.tmp.glob("cpu*")] == []
    ended.set()


def test_urls_that_cannot_be(ctx):
    for url, text in [("http://ann:secret@127.0.0.1:1/", "credentials in a URL"),
                      ("ftp://127.0.0.1/", "http or https"),
                      ("http://127.0.0.1:99999/", "cannot be understood"),
                      ("http://127.0.0.1:1/debug/pprof/heap", "leave one out")]:
        done = refused(ctx, text, url, "--type", "cpu", "-o", ctx.tmp / "out", status=2)
        assert "secret" not in done.stderr, done.stderr
