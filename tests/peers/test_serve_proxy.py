# SPDX-License-Identifier: MIT
"""The configuration of nginx in examples/, in front of a real `ptprof serve`."""

import base64
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).parent.parent / "live"))
import serving  # noqa: E402

SIDE_BY_SIDE = True
NAME = "profiles.example.org"
PASSWORD = "Basic " + base64.b64encode(b"oncall:secret").decode()


def openssl(*words):
    return subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True,
                          text=True).stdout


def proxy(ctx, server):
    """Starts nginx as examples/production/nginx.conf says, and returns its port."""
    place, port = ctx.tmp / "nginx", serving.free_port()
    place.mkdir()
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={NAME}", "-days", 2,
            "-keyout", place / "key", "-out", place / "certificate")
    (place / "passwords").write_text("oncall:" + openssl("passwd", "-apr1", "secret"))
    text = (ctx.root / "examples" / "production" / "nginx.conf").read_text()
    for old, new in (("listen 443", f"listen 127.0.0.1:{port}"), ("127.0.0.1:6060", server.address),
                     ("/etc/ssl/profiles.pem", place / "certificate"),
                     ("/etc/ssl/private/profiles.key", place / "key"),
                     ("/etc/nginx/ptprof.htpasswd", place / "passwords")):
        assert old in text, old
        text = text.replace(old, str(new))
    (place / "nginx.conf").write_text(f"""
        daemon off; worker_processes 1; pid {place}/pid; error_log {place}/log;
        events {{ }}
        http {{
            access_log off; client_body_temp_path {place}/body; proxy_temp_path {place}/proxy;
            fastcgi_temp_path {place}/fastcgi; uwsgi_temp_path {place}/uwsgi;
            scgi_temp_path {place}/scgi;
            {text}
        }}""")
    ctx.spawn("nginx", "-c", place / "nginx.conf", stderr=subprocess.DEVNULL)
    ctx.eventually(lambda: serving.listens(port), "nginx listens")
    return port


def connect(port):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), 60),
                               server_hostname=NAME)


def ask(port, path, *header, host=NAME):
    """What comes back on a connection that ends with it."""
    with connect(port) as connection:
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close", *header]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = b""
        while more := connection.recv(1 << 16):
            answer += more
    return int(answer.split()[1]), answer


def test_nginx_as_in_the_guide(ctx):
    for program in "nginx", "openssl":
        if not shutil.which(program):
            raise ctx.Skip(f"{program} is not installed")
    target = ctx.spawn("sleep", "600")
    server = serving.Server(ctx, target.pid, "--allowed-hosts", NAME)
    port = proxy(ctx, server)
    login = f"Authorization: {PASSWORD}"
    assert ask(port, "/")[0] == 401
    assert ask(port, "/debug/pprof/cmdline", login)[1].endswith(b"sleep\x00600")
    assert ask(port, "/", login, f"Origin: https://{NAME}")[0] == 200
    assert ask(port, "/", login, "Origin: https://elsewhere.example")[0] == 403
    assert ask(port, "/", login, host="elsewhere.example")[0] == 421
    status, answer = ask(port, "/debug/pprof/profile?seconds=1", login)
    assert status == 200 and b"\r\n\r\n\x1f\x8b" in answer, answer[:500]
    check_events(port, login)


def check_events(port, login):
    """Each event of a stream that does not end is there when it happens."""
    with connect(port) as connection:
        connection.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: {NAME}\r\n{login}\r\n\r\n"
                           .encode())
        got = b""
        while got.count(b"\n\n") < 2:
            more = connection.recv(1 << 16)
            assert more, got
            got += more
    assert got.startswith(b"HTTP/1.1 200 ") and b"\ndata:" in got.replace(b"\r", b""), got[:500]
