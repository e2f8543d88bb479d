# SPDX-License-Identifier: MIT
"""Targets of `ptprof serve`: rules find processes, soon and cheaply; restarts keep their identity;
and what is not permitted is said."""

import os
import pathlib
import re
import subprocess
import time

from serving import Server

SIDE_BY_SIDE = True


def listed(server, **wanted):
    """Targets with these facts."""
    return [each for each in server.json("/api/v1/targets")["targets"]
            if all(each[key] == value for key, value in wanted.items())]


def unique(word):
    """A name of a process that no other run of the tests gives."""
    return f"u{os.getpid()}-{word}"


def named(ctx, word, *arguments):
    """A target whose program has that name."""
    path = ctx.tmp / unique(word)
    if not path.exists():
        path.symlink_to(ctx.program("idle"))
    return ctx.spawn(path, *arguments)


def test_rules(ctx):
    """What is there, what comes, what runs another program, and what ends."""
    first, rule, (one, two, three) = named(ctx, "one"), f"comm={unique('*')}", \
        map(unique, ("one", "two", "three"))
    server = Server(ctx, "--match", rule, "--match", f"name=shell,cmdline~{ctx.tmp}/odd")
    ctx.eventually(lambda: listed(server, id=one, state="running"), "the first one")
    target, = listed(server)
    assert target["pid"] == first.pid and target["rule"] == rule
    assert target["exe"] == str(ctx.program("idle")) and target["user"] == "root" or os.getuid()
    assert str(ctx.tmp) in target["cmdline"] and target["restarts"] == 0
    began = time.monotonic()
    later = ctx.spawn("sh", "-c", 'read go; exec "$PROGRAM" "$WORD"', stdin=subprocess.PIPE,
                      env={"PROGRAM": str(ctx.program("idle")), "WORD": f"{ctx.tmp}/odd"})
    second = named(ctx, "two")
    ctx.eventually(lambda: listed(server, id=two), "one that comes later")
    ctx.figure = f"found after {time.monotonic() - began:.1f} s"
    assert not listed(server, pid=later.pid)
    assert later.say("") == "ready"
    ctx.eventually(lambda: listed(server, id="shell", pid=later.pid), "what a shell executes")
    assert server.get(f"/targets/{two}/debug/pprof/cmdline")
    second.kill()
    ctx.eventually(lambda: listed(server, id=two, state="ended"), "it has ended")
    assert server.request(f"/targets/{two}/debug/pprof/cmdline").status == 410
    assert server.request(f"/targets/{three}/debug/pprof/cmdline").status == 404
    assert listed(server, id=one, state="running")


def test_a_first_thread_that_has_ended(ctx):
    """Such a process has a program still, which rules find."""
    program = ctx.tmp / unique("zombie")
    program.write_bytes(pathlib.Path(ctx.program("zombie_leader")).read_bytes())
    program.chmod(0o700)
    target = ctx.spawn(program)
    stat = pathlib.Path(f"/proc/{target.pid}/stat")
    ctx.eventually(lambda: ") Z " in stat.read_text(), "the first thread ends")
    server = Server(ctx, "--match", f"exe={program}")
    ctx.eventually(lambda: listed(server, pid=target.pid, exe=str(program)), "it is found")
    entry, = server.json("/sd")
    assert entry["labels"]["__meta_ptprof_exe"] == str(program), entry
    assert server.stop() == 0 and target.alive()


def test_restart_is_the_same(ctx):
    """Its ID and its counts go on; two that come are two new ones."""
    first = named(ctx, "web")
    server = Server(ctx, "--match", f"name=web,comm={unique('web')}")
    ctx.eventually(lambda: listed(server, id="web", pid=first.pid), "it is found")
    server.get("/targets/web/debug/pprof/block")
    first.kill()
    second = named(ctx, "web")
    ctx.eventually(lambda: listed(server, id="web", pid=second.pid, restarts=1), "its successor")
    assert len(listed(server)) == 1
    assert server.get("/targets/web/debug/pprof/block")
    assert server.request("/debug/pprof/cmdline").status == 200, "it is the only one"
    third = named(ctx, "web")
    ctx.eventually(lambda: listed(server, id=f"web-{third.pid}"), "another one beside it")
    assert listed(server, id="web", pid=second.pid)


def test_own_processes_and_the_kernel_are_none(ctx):
    server = Server(ctx, "--match", "comm~.", "--max-targets", "10")
    targets = server.json("/api/v1/targets")
    assert len(targets["targets"]) <= 10
    own = {server.pid, *ctx.children(server.pid)}
    assert not own & {each["pid"] for each in targets["targets"]}
    assert all(each["exe"] or each["state"] == "not permitted" or
               ctx.state_of(each["pid"]) in (None, "Z") for each in targets["targets"])
    if targets["left_out"]:
        assert "left out" in server.stderr


def test_not_permitted(ctx):
    if os.getuid() != 0:
        raise ctx.Skip("only root can start a server as somebody else")
    target = named(ctx, "root")
    server = Server(ctx, "--match", f"comm={unique('root')}",
                    prefix=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                            "--inh-caps=-all", "--bounding-set=-all"))
    ctx.eventually(lambda: listed(server, pid=target.pid, state="not permitted"), "it is listed")
    assert listed(server, pid=target.pid)[0]["why"]
    answer = server.request(f"/targets/{target.pid}/debug/pprof/profile?seconds=1")
    assert answer.status == 403 and b"cannot attach" in answer.body, answer


def test_arguments(ctx):
    """As Go has them, empty ones too, and not as many as their owner wants."""
    program = ctx.program("idle")
    few = ctx.spawn("./spin", "a", "b c", "", executable=program)
    padded = ctx.spawn("nginx: master", "", "", "", executable=program)
    many = ctx.spawn(program, *["x" * 100_000] * 15)
    server = Server(ctx, few.pid, padded.pid, many.pid)

    def arguments(process):
        return server.get(f"/pid/{process.pid}/debug/pprof/cmdline")
    assert arguments(few) == b"./spin\0a\0b c\0"
    assert arguments(padded) == b"nginx: master"
    assert len(arguments(many)) == 128 << 10
    shown, = (each["cmdline"] for each in listed(server, pid=many.pid))
    assert shown.endswith("x...") and len(shown) == (128 << 10) + 3
    assert listed(server, pid=few.pid)[0]["cmdline"] == "./spin a b c"


def test_bad_rules(ctx):
    for rule, text in ("usr=x", "'usr' is no key: 'user' is"), ("nginx", "is no condition"), \
            ("name=a/b,comm=x", "letters, digits"), ("cmdline~(", "--match"):
        done = ctx.run("serve", "--match", rule)
        assert done.returncode == 2 and text in done.stderr, (rule, done.returncode, done.stderr)


def test_more_targets_than_descriptors(ctx):
    """Figures of all of them, and whoever asks gets an answer."""
    for _ in range(150):
        named(ctx, "many")
    server = Server(ctx, "--match", f"comm={unique('many')}", prefix=("prlimit", "--nofile=128"))
    ctx.eventually(lambda: len(listed(server, state="running")) == 150, "all of them")

    def figures():
        text = server.get("/metrics").decode()
        return {name: len(re.findall(rf"^ptprof_target_{name}{{", text, re.M))
                for name in ("threads", "resident_memory_bytes", "open_descriptors")}
    ctx.eventually(lambda: set(figures().values()) == {150}, "the figures of all of them")
    assert len(os.listdir(f"/proc/{server.pid}/fd")) < 100
    pid = listed(server)[77]["pid"]
    assert server.request(f"/targets/{pid}/debug/pprof/profile?seconds=1").status == 200
    assert server.request(f"/targets/{pid}/debug/pprof/threads?debug=2").status == 200


def test_runs_have_a_bound(ctx):
    """Who is sampled counts, not who was looked at before, nor who is asked for figures."""
    pids = [named(ctx, "runs").pid for _ in range(3)]
    server = Server(ctx, "--match", f"comm={unique('runs')}", "--max-runs", 1,
                    "--keep-views", "500ms")
    ctx.eventually(lambda: len(listed(server, state="running")) == 3, "all of them")

    def is_busy():  # unless more time than that has passed between the two
        if server.request(f"/api/v1/top?target={pids[0]}").status != 200:
            return None
        answer = server.request(f"/targets/{pids[1]}/debug/pprof/profile?seconds=1")
        return answer.status == 503 and answer
    busy = ctx.eventually(is_busy, "there is no room for a second one")
    assert b"1 processes are looked into" in busy.body, busy
    seen = server.run.process("runner")
    figures = server.request(f"/targets/{pids[1]}/api/profiling/health")
    assert figures.status == 200, figures
    for pid in pids[1:]:  # a view is kept for minutes, but nobody is sampled for it
        ctx.eventually(lambda: server.request(f"/targets/{pid}/debug/pprof/profile?seconds=1")
                       .status == 200, "there is room")
    ctx.eventually(lambda: not os.path.exists(f"/proc/{seen}"), "the one before has gone")


def test_idle_cost(ctx):
    """An idle server with 50 targets among some hundred processes."""
    for _ in range(50):
        named(ctx, "cheap")
    for _ in range(150):
        named(ctx, "other")
    server = Server(ctx, "--match", f"comm={unique('cheap')}")
    ctx.eventually(lambda: len(listed(server, state="running")) == 50, "all of them")
    before, began = ctx.cpu_ns(server.pid), time.monotonic()
    time.sleep(8)
    share = 100 * (ctx.cpu_ns(server.pid) - before) / 1e9 / (time.monotonic() - began)
    ctx.figure = f"{share:.2f} % of a CPU"
    assert share < 2, ctx.figure  # on a loaded machine; `make bench` has the figure


test_idle_cost.alone = True
