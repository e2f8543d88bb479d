# SPDX-License-Identifier: MIT
"""JSON of ptprof serve: each document is as its description says, its values are those that the
target knows itself and /proc tells, and no target notices."""

import contextlib
import gzip
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

from control_groups import control_group
from serving import Server

SIDE_BY_SIDE = True

JSON = {"Content-Type": "application/json"}
DOCUMENTS = ["metrics", "metrics/history", "memory", "gc", "goroutines", "runtime", "health"]

PYTHON = "import sys; print(sys.version.split()[0], flush=True); sys.stdin.read()"
NODE = "console.log(process.version); process.stdin.resume()"
JAVA = """import java.lang.management.*;
public class Collects {
    static byte[][] kept = new byte[100][];
    public static void main(String[] words) throws Exception {
        for (int i = 0; i < 50000; i++)
            kept[i % 100] = new byte[10000];
        System.gc();
        long count = 0, time = 0;
        for (GarbageCollectorMXBean bean : ManagementFactory.getGarbageCollectorMXBeans()) {
            if (bean.getName().contains("Concurrent"))
                continue;
            count += bean.getCollectionCount();
            time += bean.getCollectionTime();
        }
        System.out.println(System.getProperty("java.vm.version") + " " + count + " " + time);
        System.in.read();
    }
}
"""
GO = """package main
import ("bufio"; "fmt"; "os"; "runtime")
var kept [100][]byte
func main() {
    for i := 0; i < 100000; i++ { kept[i%100] = make([]byte, 10000) }
    in := bufio.NewScanner(os.Stdin)
    for in.Scan() {
        var m runtime.MemStats
        runtime.ReadMemStats(&m)
        fmt.Println(runtime.Version(), m.NumGC, m.PauseTotalNs, m.NextGC, m.TotalAlloc, m.LastGC,
            m.PauseNs[(m.NumGC+255)%256], m.GCCPUFraction)
    }
}
"""
# A thread and 2 MiB more ten times a second, after a second of neither.
LEAKS = """import threading, time
print("ready", flush=True)
time.sleep(1)
kept = []
while True:
    threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
    kept.append(b"x" * (2 << 20))
    time.sleep(0.1)
"""


# --- descriptions

class Schema:
    """What documents have to be, as far as our description says so."""
    KINDS = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float),
             "boolean": bool}

    def __init__(self, document):
        self.document = document

    def resolve(self, schema):
        while "$ref" in schema:
            at = self.document
            for word in schema["$ref"].removeprefix("#/").split("/"):
                at = at[word]
            schema = at
        return schema

    def check(self, schema, value, where="$"):
        schema = self.resolve(schema)
        unknown = set(schema) - {"type", "properties", "required", "additionalProperties", "items",
                                 "enum", "nullable", "format", "minimum", "maximum", "default",
                                 "description", "allOf"}
        assert not unknown, f"{where}: this validator does not know {unknown}"
        if value is None:
            assert schema.get("nullable"), f"{where} is null"
            return
        for part in schema.get("allOf", ()):
            self.check(part, value, where)
        kind = schema.get("type", "object")
        assert isinstance(value, self.KINDS[kind]) and \
            (kind == "boolean" or not isinstance(value, bool)), f"{where}: {value!r} is no {kind}"
        assert "enum" not in schema or value in schema["enum"], f"{where}: {value!r}"
        if kind in ("integer", "number"):
            assert schema.get("minimum", value) <= value <= schema.get("maximum", value), \
                f"{where}: {value}"
        elif schema.get("format") == "date-time":
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value), where
        elif kind == "array":
            for number, each in enumerate(value):
                self.check(schema["items"], each, f"{where}[{number}]")
        elif kind == "object":
            self.check_object(schema, value, where)

    def check_object(self, schema, value, where):
        properties, more = schema.get("properties", {}), schema.get("additionalProperties", True)
        missing = set(schema.get("required", ())) - set(value)
        assert not missing, f"{where} lacks {missing}"
        for key, each in value.items():
            if key in properties:
                self.check(properties[key], each, f"{where}.{key}")
            else:
                assert more is not False, f"{where}.{key} is not described"
                if isinstance(more, dict):
                    self.check(more, each, f"{where}.{key}")

    def check_answer(self, path, method, answer):
        """Against what is described for the path, and returns the document."""
        row = self.document["paths"][path][method]
        described = self.resolve(row["responses"][str(answer.status)])
        document = json.loads(answer.body)
        self.check(described["content"]["application/json"]["schema"], document, path)
        assert answer.headers["Content-Type"].startswith("application/json"), answer.headers
        return document


def at_path(document, path):
    """The values that a path of `unavailable` stands for."""
    found = [document]
    for word in path.split("."):
        found = [each[word.removesuffix("[]")] for each in found]
        if word.endswith("[]"):
            found = [item for each in found for item in each]
    return found


def nulls(value, path=""):
    if isinstance(value, dict):
        for key, each in value.items():
            yield from nulls(each, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for each in value:
            yield from nulls(each, path + "[]")
    elif value is None:
        yield path


# What `ptprof memory` says has its reasons with it.
OWN = re.compile(r"use\.")


def check_reasons(document):
    """Each null has a reason, and what has a reason is null."""
    given = document["unavailable"]
    for path, why in given.items(): # of a list, why one at least is null
        values = at_path(document, path)
        assert why and None in values and ("[]" in path or values == [None]), path
    for path in nulls({key: each for key, each in document.items() if key != "unavailable"}):
        assert path in given or OWN.match(path), f"{path} is null without a reason"


# --- targets

@contextlib.contextmanager
def untouched(ctx, *targets):
    """None was stopped or traced, or has more than before; no thread that sleeps has run."""
    def seen(pid):
        states = ctx.thread_states(pid)
        return {tid: pathlib.Path(f"/proc/{pid}/task/{tid}/schedstat").read_text().split()[2]
                for tid in states}
    before = {target.pid: (seen(target.pid), ctx.health(target.pid)) for target in targets}
    yield
    for target in targets:
        assert (seen(target.pid), ctx.health(target.pid)) == before[target.pid], target.name


def spawn(ctx, *command):
    return ctx.spawn(*command, stdin=subprocess.PIPE)


def built_java(ctx):
    (ctx.tmp / "Collects.java").write_text(JAVA)
    subprocess.run(["javac", "-d", ctx.tmp / "classes", ctx.tmp / "Collects.java"], check=True,
                   capture_output=True, timeout=240)
    return ["java", "-Xmx64m", "-XX:+UseSerialGC", "-cp", ctx.tmp / "classes", "Collects"]


def compilers():
    return sorted({os.path.realpath(go) for go in (shutil.which("go"), "/usr/bin/go") if go and
                   os.path.exists(go)})


def built_go(ctx, go):
    path = ctx.tmp / f"collects-{compilers().index(go)}"
    (ctx.tmp / "collects.go").write_text(GO)
    subprocess.run([go, "build", "-o", path, ctx.tmp / "collects.go"], check=True, timeout=240,
                   capture_output=True,
                   env={**os.environ, "GO111MODULE": "off", "GOTOOLCHAIN": "local",
                        "CGO_ENABLED": "0", "GOCACHE": str(ctx.build / "go-cache")})
    return path


def description(ctx):
    return Schema(json.loads((ctx.root / "src/serve/page/openapi.json").read_text()))


def documents(server, schema, target, reasons=True):
    """All documents of a target, each as it is described."""
    found = {}
    for name in DOCUMENTS:
        path = f"/api/profiling/{name}"
        answer = server.request(f"/targets/{target.pid}{path}")
        assert answer.status == 200, (path, answer.body)
        found[name] = schema.check_answer(path, "get", answer)
        check_reasons(found[name])
    stats = server.request(f"/debug/stats?target={target.pid}")
    found["stats"] = schema.check_answer("/debug/stats", "get", stats)
    check_reasons(found["stats"])
    return found


# --- tests

def test_description_has_each_path(ctx):
    schema = description(ctx)
    described = set(schema.document["paths"])
    routes = set()
    for source in sorted((ctx.root / "src/serve/front").glob("*_routes.c")):
        text = source.read_text()
        short = dict(re.findall(r'^#define (\w+) "(/[^"]*)"$', text, re.M))
        for name, path in re.findall(r'^    \{(\w+ )?"([^"]*)", \w*METHOD', text, re.M):
            routes.add(short.get(name.strip(), "") + path)
    json_routes = {path for path in routes if path.startswith(("/api/", "/debug/"))}
    assert len(json_routes) > 15, routes
    assert described == json_routes, described ^ json_routes
    server = Server(ctx, ctx.target("idle").pid)
    assert server.json("/api/openapi.json") == schema.document
    for path, row in schema.document["paths"].items():
        if "get" not in row:
            assert server.request(path).status == 405, path
            assert server.request(path, "POST", "{}", JSON).status == 403, path
    server.stop()


def check_idle(ctx, target, found):
    rss = int(re.search(r"VmRSS:\s+(\d+)",
                        pathlib.Path(f"/proc/{target.pid}/status").read_text()).group(1)) * 1024
    threads = len(ctx.thread_states(target.pid))
    memory, metrics = found["memory"]["memory"], found["metrics"]["metrics"]
    assert memory["sys"] == rss and metrics["memory_bytes"]["rss"] == rss, (memory, rss)
    assert found["memory"]["details"]["sys_mb"] == round(rss / (1 << 20), 2)
    assert metrics["goroutines"] == metrics["cpu"]["num_goroutine"] == threads
    assert found["goroutines"]["count"] == threads
    assert found["goroutines"]["stack_trace"].count("goroutine ") == threads
    assert found["health"]["num_goroutines"] == threads and found["health"]["status"] == "healthy"
    assert metrics["cpu"]["num_cpu"] == len(os.sched_getaffinity(target.pid))
    assert metrics["memory"]["heap_sys"] >= metrics["memory"]["alloc"] > 0
    assert found["memory"]["use"]["process"]["rss"] == rss
    assert found["gc"]["num_gc"] is None and found["gc"]["allocator"]["name"] == "glibc"
    runtime = found["runtime"]["runtime"]
    assert runtime["libc_version"] == os.confstr("CS_GNU_LIBC_VERSION").split()[1]
    assert runtime["name"] == "native"
    assert found["runtime"]["go_version"] is None


def test_documents_of_a_program_at_rest(ctx):
    schema, target = description(ctx), ctx.target("idle")
    server = Server(ctx, target.pid, "--metrics-interval", "100ms")
    ctx.eventually(lambda: server.json("/api/profiling/metrics/history")["count"] > 2, "readings")
    with untouched(ctx, target):
        check_idle(ctx, target, documents(server, schema, target))
    ticks = int(pathlib.Path(f"/proc/{target.pid}/stat").read_text().rpartition(")")[2].split()[19])
    uptime = float(pathlib.Path("/proc/uptime").read_text().split()[0]) - ticks / os.sysconf(2)
    assert abs(server.json("/api/profiling/runtime")["uptime_seconds"] - uptime) < 5
    history = server.json("/api/profiling/metrics/history?count=2")
    assert history["count"] == len(history["samples"]) == 2
    assert history["samples"][0]["timestamp"] < history["samples"][1]["timestamp"]
    for wrong in ("0", "1001", "x", "-1", "1x", ""):
        answer = server.request(f"/api/profiling/metrics/history?count={wrong}")
        assert answer.status == 400, (wrong, answer)
        schema.check_answer("/api/profiling/metrics/history", "get", answer)
    check_files(server, schema)
    check_end(ctx, server, schema, target)
    server.stop()


def test_threads(ctx):
    """The table of threads, with what they wait for and who has the lock."""
    schema, target = description(ctx), ctx.target("locks", "deadlock2")
    server = Server(ctx, target.pid)

    def rows():
        answer = server.request("/api/v1/threads?type=wall")
        document = schema.check_answer("/api/v1/threads", "get", answer)
        assert document["functions"] == [] and document["type"] == "wall", document
        return document["threads"]

    with ctx.unharmed(target.pid):
        tids = {int(tid) for tid in ctx.thread_states(target.pid)}
        ctx.eventually(lambda: {row["tid"] for row in rows()} == tids, "all threads have a row")
        ctx.eventually(lambda: {row["owner"] for row in rows() if row["wait"]} & tids,
                       "who has the lock")
        answer = server.request("/api/v1/threads?type=heap")
        assert answer.status == 400, answer
        server.stop()


def check_files(server, schema):
    for path, name in (("heap-dump", "heap"), ("cpu-profile?duration=1", "cpu")):
        answer = server.request(f"/api/profiling/{path}")
        assert answer.status == 200, answer
        assert re.fullmatch(rf'attachment; filename="{name}-\d{{8}}-\d{{6}}\.prof"',
                            answer.headers["Content-Disposition"]), answer.headers
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert len(gzip.decompress(answer.body)) > 20
    for wrong in ("0", "301", "x"):
        answer = server.request(f"/api/profiling/cpu-profile?duration={wrong}")
        assert answer.status == 400, answer
        schema.check_answer("/api/profiling/cpu-profile", "get", answer)


def check_end(ctx, server, schema, target):
    assert server.request("/targets/no-such-one/api/profiling/health").status == 404
    target.kill()
    ctx.eventually(lambda: server.request("/api/profiling/health").status == 410, "it has ended")
    for name in DOCUMENTS:
        answer = server.request(f"/api/profiling/{name}")
        assert answer.status == 410, answer
        schema.check_answer(f"/api/profiling/{name}", "get", answer)


def test_actions(ctx):
    schema = description(ctx)
    server = Server(ctx, ctx.target("idle").pid, "--allow-actions")
    for path in "/api/profiling/force-gc", "/debug/gc", "/debug/freeOSMemory":
        answer = server.request(path, "POST", "{}", JSON)
        assert answer.status == 501, answer
        assert server.request(path).status == 405
    schema.check_answer("/api/profiling/force-gc", "post",
                        server.request("/api/profiling/force-gc", "POST", "{}", JSON))
    server.stop()


def test_runtimes(ctx):
    schema = description(ctx)
    started = {"CPython": spawn(ctx, sys.executable, "-c", PYTHON)}
    if node := shutil.which("node"):
        started["node"] = spawn(ctx, node, "-e", NODE)
    if shutil.which("javac"):
        started["JVM"] = spawn(ctx, *built_java(ctx))
    said = {name: target.line().split() for name, target in started.items()}
    server = Server(ctx, *(target.pid for target in started.values()))
    for name, target in started.items():
        found = documents(server, schema, target)
        assert found["runtime"]["runtime"]["name"] == name, found["runtime"]
        assert found["runtime"]["runtime"]["version"] == said[name][0].removeprefix("v"), \
            (found["runtime"], said[name])
        known = found["metrics"]["metrics"]["memory"]["alloc"]
        assert (known is None) == (name != "CPython"), (name, known)  # its objects are not counted
        if name == "JVM":
            check_jvm(found["gc"], said[name])
        else:
            assert found["gc"]["num_gc"] is None, found["gc"]
    assert server.request("/api/profiling/runtime").status in (400, 404)  # which one?
    server.stop()
    if len(started) < 3:
        raise ctx.Skip("node or a JDK is not installed; the others were looked at")


def check_jvm(found, said):
    assert found["num_gc"] == int(said[1]) > 0, (found, said)
    assert abs(found["pause_total_ms"] - int(said[2])) <= int(said[1]) + 5, (found, said)
    assert found["source"] == "hsperfdata" and found["jvm"]["used_after_last_gc"] > 0
    assert found["last_gc"] and 0 < found["recent_pauses_ns"][0] <= found["pause_total_ms"] * 1e6


def test_go_collections(ctx):
    if not compilers():
        raise ctx.Skip("no Go is installed")
    schema = description(ctx)
    targets = [spawn(ctx, built_go(ctx, go)) for go in compilers()]
    server = Server(ctx, *(target.pid for target in targets))
    for target in targets:
        before = target.say("").split()
        path = f"/targets/{target.pid}"
        gc = schema.check_answer("/api/profiling/gc", "get",
                                 server.request(path + "/api/profiling/gc"))
        stats = server.json(path + "/debug/stats")["memstats"]
        runtime = server.json(path + "/api/profiling/runtime")
        after = target.say("").split()
        if before[1] != after[1]:
            continue  # it has collected meanwhile
        version, count, total, goal, allocated, last, pause = before[:7]
        assert runtime["go_version"] == version and runtime["runtime"]["name"] == "Go", runtime
        assert stats["StackInuse"] is None and 0 < stats["HeapAlloc"] <= stats["HeapSys"], stats
        assert gc["num_gc"] == stats["NumGC"] == int(count) > 10, gc
        assert stats["PauseTotalNs"] == int(total) and gc["recent_pauses_ns"][0] == int(pause)
        assert stats["NextGC"] == int(goal) and stats["LastGC"] == int(last), (stats, before)
        assert abs(stats["TotalAlloc"] - int(allocated)) < 1 << 20, (stats, before)
        assert abs(gc["gc_cpu_fraction"] - float(before[7])) < 1e-6, (gc, before)
    server.stop()


def issues_of(document):
    return {issue["rule"]: issue["status"] for issue in document["rules"]}


def test_health(ctx):
    schema = description(ctx)
    leaks = ctx.spawn(sys.executable, "-c", LEAKS)
    assert leaks.line() == "ready"
    locked, still = ctx.target("locks", "deadlock2"), ctx.target("idle")
    server = Server(ctx, leaks.pid, locked.pid, still.pid, "--metrics-interval", "100ms",
                    "--trend", "4s", "--deadlock-interval", "100ms", "--threads-warning", "5",
                    "--threads-critical", "1000")

    def health(target, query=""):
        answer = server.request(f"/targets/{target.pid}/api/profiling/health{query}")
        return answer.status, schema.check_answer("/api/profiling/health", "get", answer)

    def strictly_ill(query):  # but where a look at all threads did not end in time
        def told():
            status, document = health(locked, query)
            return status == 503 and document
        return ctx.eventually(told, f"a deadlock is told to {query}")

    with untouched(ctx, locked, still):
        for target in leaks, locked, still:
            ctx.eventually(lambda: health(target)[1]["num_goroutines"], "the first reading")
        document = strictly_ill("?strict")
        assert document["status"] == "unhealthy", document
        assert issues_of(document)["deadlock"] == "unhealthy", document
        tids = json.loads(locked.said_before[0])["deadlock"]
        assert all(f"({tid})" in document["issues"][0] for tid in tids), (document, tids)
        assert health(locked)[0] == health(locked, "?strict=0")[0] == 200
        assert health(locked, "?strict=false")[0] == 200
        strictly_ill("?strict=1")
        status, document = health(still, "?strict")
        assert status == 200 and issues_of(document) == {"threads": "degraded"}, document
        assert document["deadlock"]["verdict"] == "none", document
        grown = {"memory_growth": "degraded", "thread_leak": "degraded"}
        ctx.eventually(lambda: grown.items() <= issues_of(health(leaks)[1]).items(),
                       "what grows is told", 120)
        document = health(leaks)[1]
        assert document["trends"]["threads"]["per_minute"] > 60, document
        assert issues_of(health(still)[1]) == {"threads": "degraded"}
    server.stop()


HOLDS = """import os, pathlib, sys, time
pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
kept = b"x" * (54 << 20)
print("ready", flush=True)
time.sleep(3600)
"""


def test_limit_of_memory(ctx):
    """A target that is near its limit is told, by what the group uses and cannot drop."""
    schema = description(ctx)
    with control_group(ctx, "/sys/fs/cgroup", "/sys/fs/cgroup/memory") as group:
        limit = next((group / name for name in ("memory.max", "memory.limit_in_bytes")
                      if (group / name).exists()), None)
        if not limit:
            raise ctx.Skip("no limit of memory can be set here")
        limit.write_text(str(70 << 20))
        target = ctx.spawn(sys.executable, "-c", HOLDS, group / "cgroup.procs")
        assert target.line() == "ready"
        server = Server(ctx, target.pid, "--metrics-interval", "100ms")
        answer = server.request("/api/profiling/health")
        document = schema.check_answer("/api/profiling/health", "get", answer)
        assert 75 < document["memory_usage_pct"] < 100, document
        assert document["memory_usage_of"] == "its cgroup's limit", document
        assert issues_of(document)["memory"] in ("degraded", "unhealthy"), document
        memory = server.json("/api/profiling/memory")
        assert memory["limit"] == 70 << 20, memory["limit"]
        assert abs(memory["memory"]["usage_percent"] - document["memory_usage_pct"]) < 5, memory
        server.stop()
        target.kill()
