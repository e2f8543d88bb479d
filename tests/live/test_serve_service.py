# SPDX-License-Identifier: MIT
"""A server as a service: where its settings come from, what signals tell it, what systemd gives it
and is told, how it ends; and the server of the library."""

import contextlib
import http.client
import os
import pathlib
import pty
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import serving

SIDE_BY_SIDE = True


def config(ctx, *arguments, **environment):
    done = ctx.run("config", *arguments, env={**os.environ, **environment})
    assert done.returncode == 0 and done.stderr == "", done.stderr
    rows = re.findall(r"^(?:# )?([a-z-]+): *(.*?) +# (.*)$", done.stdout, re.M)
    return {name: (value, origin) for name, value, origin in rows}


def test_config_says_where_settings_come_from(ctx):
    path = ctx.tmp / "a.yaml"
    path.write_text("rate: 50\nmetrics:\n  interval: 5s\nmatch: [comm=a, 'exe=/b']\nauth: no\n")
    found = config(ctx, "--config", path, "--metrics-history", 9, PTPROF_RATE="60")
    assert found["rate"] == ("60", "PTPROF_RATE"), found
    assert found["metrics-interval"] == ("5s", f"{path}:3"), found
    assert found["match"] == ('["comm=a", "exe=/b"]', f"{path}:4"), found
    assert found["no-auth"] == ("yes", f"{path}:5"), found
    assert found["metrics-history"] == ("9", "--metrics-history"), found
    assert found["listen"] == ('"127.0.0.1:6060"', "default"), found
    # What it prints is a configuration that means the same.
    again = ctx.tmp / "b.yaml"
    again.write_text(ctx.run("config", "--config", path).stdout)
    assert {name: value for name, (value, _) in config(ctx, "--config", again).items()} == \
        {name: value for name, (value, _) in config(ctx, "--config", path).items()}
    for option, value, text in (("--listen", "foo", "'foo' is no address"),
                                ("--listen", "127.0.0.1:99999", "is no address"),
                                ("--listen", "unix:x", "begins with /"),
                                ("--listen", ",".join(["127.0.0.1:0"] * 17), "more than 16"),
                                ("--token-file", "/nowhere", "No such file"),
                                ("--password-file", "/nowhere", "No such file"),
                                ("--listen", "0.0.0.0:6060", "others than this machine")):
        for command in "config", "serve":
            bad = ctx.run(command, option, value)
            assert bad.returncode == 2 and text in bad.stderr and not bad.stdout, bad.stderr
    taken = serving.Server(ctx, ctx.target("idle").pid)  # nothing is opened
    assert config(ctx, "--listen", taken.address)["listen"][1] == "--listen"
    bad = ctx.run("config", "--config", path, "--rate", "x")
    assert bad.returncode == 2 and "--rate: 'x'" in bad.stderr, bad.stderr


class Asking(threading.Thread):
    """A request that waits."""

    def __init__(self, server, path, headers=()):
        super().__init__(daemon=True)
        self.server, self.path, self.headers, self.answer = server, path, headers, None
        self.start()

    def run(self):
        self.answer = self.server.request(self.path, headers=self.headers)

    def result(self):
        self.join(60)
        return self.answer


def all_kinds(server):
    """Windows of each kind that takes one, all begun, with no end in sight."""
    asking = [Asking(server, f"/debug/pprof/{kind}?seconds=60")
              for kind in ("profile", "heap", "goroutine", "threadcreate")]

    def at_work():
        named = [server.ctx.comm_of(pid) for pid in server.ctx.children(server.pid)]
        return named.count("ptprof-job") == len(asking) - 1 and "ptprof-runner" in named
    server.ctx.eventually(at_work, "each has somebody at work")
    return asking


def wait_for_whole_seconds(ctx, target):
    """They are what is answered; on a busy machine sampling begins late."""
    def stops():
        return sum(int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)",
                                 (task / "status").read_text())[1])
                   for task in pathlib.Path(f"/proc/{target.pid}/task").iterdir())
    before = stops()
    time.sleep(3)
    ctx.eventually(lambda: stops() > before + 50, "the target is sampled")


def are_answered(asking):
    for each in asking:
        answer = each.result()
        assert answer.status == 200 and answer.body[:2] == b"\x1f\x8b", (each.path, answer)


def test_signals(ctx):
    """All of them in one life: settings are read again, sampling is off and on, the end."""
    path = ctx.tmp / "a.yaml"
    path.write_text("metrics-interval: 1s\n")
    target = ctx.target("threads", "--busy", 1)
    profile = f"/targets/{target.pid}/debug/pprof/profile?seconds="
    with ctx.unharmed(target.pid):
        server = serving.Server(ctx, target.pid, "--config", path)
        asking = Asking(server, profile + "3")
        server.run.process("runner")
        path.write_text("metrics-interval: 2s\n")
        server.run.signal(signal.SIGHUP)
        server.run.says("the settings were read again")
        assert b"threads" in server.get("/debug/pprof/cmdline")
        server.run.signal(signal.SIGHUP)
        ctx.eventually(lambda: server.stderr.count("the settings were read again") == 2, "again")
        answer = asking.result()  # though who reads HTTP is another process now
        assert answer.status == 200 and answer.body[:2] == b"\x1f\x8b", answer
        path.write_text("metrics-interval: 1s\nrate: fast\n")
        server.run.signal(signal.SIGHUP)
        server.run.says(r"the settings stay as they are: .*a\.yaml:2:1: rate: 'fast'")
        assert b"threads" in server.get("/debug/pprof/cmdline")

        asking = all_kinds(server)
        wait_for_whole_seconds(ctx, target)
        everybody = {server.pid, *ctx.children(server.pid)}
        for pid in everybody:  # as `systemctl kill` does
            with contextlib.suppress(ProcessLookupError):  # who has answered ends
                os.kill(pid, signal.SIGUSR2)
        are_answered(asking)
        server.run.says("switched off")
        refused = server.request(profile + "1")
        assert refused.status == 503 and b"switched off" in refused.body, refused
        assert server.request("/debug/pprof/goroutine?debug=2").status == 503
        for figures in ("api/profiling/health", "api/profiling/metrics", "api/profiling/gc",
                        "api/profiling/memory", "api/profiling/runtime", "debug/stats",
                        "api/profiling/goroutines", "api/v1/targets"):
            server.get("/" + figures)  # these are read on
        server.run.signal(signal.SIGUSR1)
        server.run.says("switched on")
        answer = server.request(profile + "1")
        assert answer.status == 200, answer

        asking = all_kinds(server)
        wait_for_whole_seconds(ctx, target)
        assert server.stop() == 0
        are_answered(asking)


def test_switched_off_at_once(ctx):
    """Of what was not sampled for long enough nothing is told; the target has not ended."""
    target = ctx.target("threads", "--busy", 1)
    server = serving.Server(ctx, target.pid)
    with ctx.unharmed(target.pid):
        asking = Asking(server, "/debug/pprof/profile?seconds=60")
        runner = server.run.process("runner")
        os.kill(runner, signal.SIGSTOP)
        server.run.signal(signal.SIGUSR2)
        server.run.says("switched off")
        os.kill(runner, signal.SIGCONT)
        answer = asking.result()
        if answer.status != 200:  # else it had run for a second before it was stopped
            assert answer.status == 503 and b"switched off" in answer.body, answer
        assert server.stop() == 0


def test_rules_are_read_again(ctx):
    """Who is still meant stays what it is, others come and go."""
    one, two = ctx.target("idle"), ctx.target("threads", "--busy", 1)
    path = ctx.tmp / "a.yaml"
    path.write_text(f"match: ['exe={ctx.program('idle')},name=x']\n")
    server = serving.Server(ctx, "--config", path)

    def listed():
        return {target["pid"]: target["id"] for target in server.json("/api/v1/targets")["targets"]
                if target["running"]}
    before = listed()
    assert before[one.pid] == "x" and two.pid not in before, before
    path.write_text(f"match: ['exe={ctx.program('idle')},name=x', 'exe={ctx.program('threads')}']")
    server.run.signal(signal.SIGHUP)
    ctx.eventually(lambda: two.pid in listed(), "a rule that is new")
    assert listed()[one.pid] == "x"
    path.write_text(f"match: ['exe={ctx.program('threads')}']\n")
    server.run.signal(signal.SIGHUP)
    ctx.eventually(lambda: one.pid not in listed(), "a rule that is gone")
    assert two.pid in listed()
    path.write_text("match: ['nonsense']\n")
    server.run.signal(signal.SIGHUP)
    server.run.says("the settings stay as they are: ")
    assert two.pid in listed()
    assert server.stop() == 0


def test_tokens_are_read_again(ctx):
    target, tokens = ctx.target("threads", "--busy", 1), ctx.tmp / "tokens"

    def write(token):
        tokens.write_text(token + "\n")
        tokens.chmod(0o600)

    def bearer(token):
        return {"Authorization": "Bearer " + token}

    def status(token):
        return server.request("/debug/pprof/cmdline", headers=bearer(token)).status
    write("first-of-two-tokens-of-a-test")
    server = serving.Server(ctx, target.pid, "--token-file", tokens)
    assert status("first-of-two-tokens-of-a-test") == 200
    asking = Asking(server, "/debug/pprof/profile?seconds=60",
                    headers=bearer("first-of-two-tokens-of-a-test"))
    server.run.process("runner")
    connected = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connected.request("GET", "/debug/pprof/cmdline",
                      headers=bearer("first-of-two-tokens-of-a-test"))
    assert connected.getresponse().read()
    write("second-of-two-tokens-of-a-test")
    server.run.signal(signal.SIGHUP)
    server.run.says("the settings were read again")
    assert status("second-of-two-tokens-of-a-test") == 200
    assert status("first-of-two-tokens-of-a-test") == 401

    def refused():  # by who goes by the first one, and is still there
        connected.request("GET", "/debug/pprof/cmdline",
                          headers=bearer("first-of-two-tokens-of-a-test"))
        answer = connected.getresponse()
        assert answer.read()
        return answer.status == 503 and answer
    answer = ctx.eventually(refused, "a connection from before is refused")
    assert answer.getheader("Connection") == "close" and asking.is_alive(), answer.headers
    tokens.unlink()
    server.run.signal(signal.SIGHUP)
    server.run.says("the settings stay as they are: .*tokens")
    assert status("second-of-two-tokens-of-a-test") == 200
    wait_for_whole_seconds(ctx, target)
    assert server.stop() == 0
    assert asking.result().status == 200


def test_a_terminal_that_is_closed(ctx):
    """Its end is the server's: nobody is there who would end it."""
    target = ctx.target("idle")
    child, terminal = pty.fork()
    if child == 0:
        os.execv(ctx.ptprof, [str(ctx.ptprof), "serve", str(target.pid), "--listen",
                              "127.0.0.1:0"])
    said = b""
    while b"serving at" not in said:
        said += os.read(terminal, 4096)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_an_address_in_use(ctx):
    target = ctx.target("idle")
    server = serving.Server(ctx, target.pid)
    second = ctx.run("serve", target.pid, "--listen", server.address)
    assert second.returncode == 1 and "another server has it" in second.stderr, second.stderr
    assert server.stop() == 0
    # It is free at once for the next one.
    third = ctx.start("serve", target.pid, "--listen", server.address)
    third.says("serving at")
    third.signal(signal.SIGTERM)
    assert third.wait() == 0, third.stderr


class Manager:
    """The end of systemd's notification socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(60)
        self.environment = {**os.environ, "NOTIFY_SOCKET": str(path)}

    def hears(self, word):
        while word not in (said := self.socket.recv(4096).decode()):
            assert said == "WATCHDOG=1", said
        return said


def test_a_service_manager_is_told(ctx):
    manager = Manager(ctx.tmp / "notify")
    target = ctx.target("idle")
    path = ctx.tmp / "a.yaml"
    path.write_text("rate: 50\n")
    run = ctx.start("serve", target.pid, "--listen", "127.0.0.1:0", "--config", path,
                    env={**manager.environment, "WATCHDOG_USEC": "1000000"})
    manager.hears("READY=1")
    for _ in range(3):
        assert manager.socket.recv(4096) == b"WATCHDOG=1"
    run.signal(signal.SIGHUP)
    assert re.search(r"^MONOTONIC_USEC=\d+$", manager.hears("RELOADING=1"), re.M)
    manager.hears("READY=1")
    run.signal(signal.SIGTERM)
    manager.hears("STOPPING=1")
    assert run.wait() == 0, run.stderr


def given_socket(ctx, listener, target):
    """ptprof serve with a socket at 3, as systemd starts it."""
    shell = ["sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"']
    return ctx.start("serve", target.pid, prefix=shell, pass_fds=[3],
                     preexec_fn=lambda: os.dup2(listener.fileno(), 3))


def test_sockets_of_a_service_manager(ctx):
    target = ctx.target("idle")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        run = given_socket(ctx, listener, target)
        run.says(f"serving at http://127.0.0.1:{port}/")
        with socket.create_connection(("127.0.0.1", port), 60) as client:
            client.sendall(b"GET /debug/pprof/cmdline HTTP/1.0\r\n\r\n")
            assert b"200" in client.recv(100)
        run.signal(signal.SIGTERM)
        assert run.wait() == 0, run.stderr
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wrong:
        run = given_socket(ctx, wrong, target)
        assert run.wait() == 2 and "no stream socket that listens" in run.stderr, run.stderr


def test_systemd_socket_activate(ctx):
    if not shutil.which("systemd-socket-activate"):
        raise ctx.Skip("systemd-socket-activate is not installed")
    target, port = ctx.target("idle"), serving.free_port()
    run = ctx.spawn("systemd-socket-activate", "-l", f"127.0.0.1:{port}", ctx.ptprof, "serve",
                    str(target.pid), stderr=subprocess.DEVNULL)

    def answer():
        try:
            with socket.create_connection(("127.0.0.1", port), 60) as client:
                client.sendall(b"GET /debug/pprof/cmdline HTTP/1.0\r\n\r\n")
                return client.recv(100)
        except OSError:
            return None
    assert b"200" in ctx.eventually(answer, "the first request starts it")
    run.signal(signal.SIGTERM)
    assert run.wait() == 0


def test_lines_for_the_journal(ctx):
    """They have a priority where standard error is the journal's, and a time elsewhere."""
    target = ctx.target("idle")
    path = ctx.tmp / "journal"
    with open(path, "wb") as journal:
        status = os.fstat(journal.fileno())
        process = subprocess.Popen(
            [ctx.ptprof, "serve", str(target.pid), "--listen", "127.0.0.1:0"], stderr=journal,
            env={**os.environ, "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}",
                 "PTPROF_LISTN": "x"})
        try:
            ctx.eventually(lambda: "serving at" in path.read_text(), "it serves")
        finally:
            process.terminate()
            process.wait(60)
    lines = path.read_text().splitlines()
    assert lines[0] == "<4>the variable PTPROF_LISTN is no setting; PTPROF_LISTEN is one", lines
    assert lines[1].startswith("<6>serving at "), lines
    assert all(re.match(r"<[3-6]>", line) for line in lines), lines
    run = ctx.start("serve", target.pid, "--listen", "127.0.0.1:0")
    run.says(r"(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ptprof: serving at ")


def test_unit_files(ctx):
    if not shutil.which("systemd-analyze"):
        raise ctx.Skip("systemd-analyze is not installed")
    for name in "ptprof.service", "ptprof.socket":
        text = (ctx.root / "examples" / "systemd" / name).read_text()
        (ctx.tmp / name).write_text(text.replace("/usr/local/bin/ptprof", str(ctx.ptprof)))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", "./ptprof.service",
                           "./ptprof.socket"], cwd=ctx.tmp, capture_output=True, text=True)
    assert done.returncode == 0 and "ptprof" not in done.stderr, done.stderr
    done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager",
                           "./ptprof.service"], cwd=ctx.tmp, capture_output=True, text=True)
    level = re.search(r"Overall exposure level for ptprof.service: ([\d.]+)", done.stdout)
    assert level and float(level.group(1)) < 4, done.stdout[-500:]
    done = ctx.run("config", "--config", ctx.root / "examples" / "systemd" / "ptprof.yaml")
    assert done.returncode == 0, done.stderr


def calls_of(groups):
    """The names of the system calls in groups of systemd's."""
    names = set()
    for group in groups:
        done = subprocess.run(["systemd-analyze", "syscall-filter", group], check=True,
                              capture_output=True, text=True)
        words = [line.strip() for line in done.stdout.splitlines()[1:] if "#" not in line]
        names |= {word for word in words if word[:1] not in ("", "@")}
        names |= calls_of([word for word in words if word.startswith("@")])
    return names


def test_calls_are_those_that_the_unit_permits(ctx):
    """A process of ours that makes another one is ended by the kernel, in the service alone."""
    for program in "systemd-analyze", "strace":
        if not shutil.which(program):
            raise ctx.Skip(f"{program} is not installed")
    unit = (ctx.root / "examples" / "systemd" / "ptprof.service").read_text()
    words = re.search(r"^SystemCallFilter=(.*)$", unit, re.M)[1].split()
    permitted = calls_of(word for word in words if word.startswith("@")) | set(words)
    target = ctx.target("blocking")
    log = ctx.tmp / "calls"
    server = serving.Server(ctx, target.pid, prefix=("strace", "-D", "-f", "-qq", "-o", log))
    with ctx.unharmed(target.pid):
        for path in ("/debug/pprof/profile?seconds=1", "/debug/pprof/trace?seconds=1",
                     "/debug/pprof/block", "/debug/pprof/mutex", "/debug/pprof/heap",
                     "/debug/pprof/goroutine?debug=2", "/debug/pprof/symbol", "/metrics", "/sd",
                     "/api/profiling/runtime", "/api/profiling/health", "/"):
            server.get(path)
        server.run.signal(signal.SIGHUP)
        server.get("/debug/pprof/cmdline")
        server.run.signal(signal.SIGTERM)
        server.run.wait()
    made = set(re.findall(r"^\d+ +(\w+)\(", log.read_text(errors="replace"), re.M))
    assert {"ptrace", "seccomp", "process_vm_readv"} <= made, made
    assert made <= permitted, f"not permitted: {sorted(made - permitted)}"


def test_server_of_the_library(ctx):
    target = ctx.target("idle")
    program = ctx.build / "tests" / "live" / "embedded"
    with ctx.unharmed(target.pid):
        run = ctx.spawn(program, target.pid, stdin=subprocess.PIPE)
        host, port = run.line().rsplit(":", 1)
        with socket.create_connection((host, int(port)), 60) as client:
            client.sendall(b"GET /debug/pprof/cmdline HTTP/1.0\r\n\r\n")
            assert b"200" in client.recv(100)
        second = ctx.helper("embedded", target.pid, f"{host}:{port}")
        assert second.returncode == 1 and "another server has it" in second.stdout, second.stdout
        run.popen.stdin.close()
        assert run.line() == "stopped 0, 0"
        assert run.wait() == 0
    gone = ctx.helper("embedded", 999999999)
    assert gone.returncode == 1 and gone.stdout.startswith("failed 3: "), gone.stdout
    # It ends with who started it.
    run = ctx.spawn(program, target.pid, stdin=subprocess.PIPE)
    run.line()
    server = ctx.children(run.pid)[0]
    run.kill()
    ctx.eventually(lambda: not os.path.exists(f"/proc/{server}") or
                   "Z" in open(f"/proc/{server}/stat").read(), "the server ends")
