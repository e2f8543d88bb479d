# SPDX-License-Identifier: MIT
"""What `ptprof serve` has for Prometheus, held against Debian's: promtool on texts, rules and
configuration, and a server that finds the targets, scrapes them and is asked."""

import importlib.util
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("serving", ROOT / "tests/live/serving.py")
serving = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(serving)

EXAMPLES = ROOT / "examples"
OPEN = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"}
HOSTILE = b'a"b\\c\nd\xff{}'  # a name of a process: 15 bytes at most
SHOWN = 'a"b\\c\nd\ufffd{}'


def need(ctx, *programs):
    for program in programs:
        if not shutil.which(program):
            raise ctx.Skip(f"{program} is not installed")


def hostile_target(ctx):
    """A process of that name with a thread that computes and three that sleep mostly."""
    program = os.fsdecode(os.fsencode(ctx.tmp) + b"/" + HOSTILE)
    shutil.copy(ctx.program("threads"), program)
    target = ctx.spawn(program, "--busy", "1", "--sleeping", "3")
    while target.line() != "ready":
        pass
    return target


# --- a strict reader of both formats ---

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:\\[\\"n]|[^"\\\n])*)"(,|(?=\}))')


def take_labels(line, at):
    """The labels behind the brace at that place, and where they end."""
    labels, at = {}, at + 1
    while line[at] != "}":
        match = LABEL.match(line, at)
        assert match and match[1] not in labels, line
        labels[match[1]] = re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]),
                                  match[2])
        at = match.end()
    return labels, at + 1


def split_sample(line):
    """Name, labels, value, and labels of the exemplar; braces and blanks may stand in values."""
    at, labels, shown = re.match(NAME, line).end(), {}, None
    name = line[:at]
    if line[at] == "{":
        labels, at = take_labels(line, at)
    assert line[at] == " ", line
    value, _, exemplar = line[at + 1:].partition(" # ")
    if exemplar:
        shown, end = take_labels(exemplar, 0)
        number = re.fullmatch(r" (\d+\.\d+) \d+\.\d+", exemplar[end:])
        assert number and value != "0" and float(number[1]) <= float(labels["le"]), line
        assert sum(len(key) + len(text) for key, text in shown.items()) <= 128
    return name, labels, float(value), shown


SUFFIXES = {  # of samples, by format and type
    True: {"counter": ["_total"], "gauge": [""], "info": ["_info"],
           "histogram": ["_bucket", "_sum", "_count"]},
    False: {"counter": [""], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]},
}


def parse(text, is_open):
    """{family: (type, [(name, labels, value, exemplar)])}; whatever is against the format fails."""
    assert text.endswith("\n")
    lines = text[:-1].split("\n")
    if is_open:
        assert lines.pop() == "# EOF"
    families, current, series = {}, None, set()
    for line in lines:
        if line.startswith("# "):
            word, name, rest = line[2:].split(" ", 2)
            if word == "HELP":
                assert name not in families, f"{name} stands in two places"
                families[name], current = [None, []], name
                assert re.fullmatch(r"(\\[\\n]|[^\\\n])*", rest)
            assert name == current, line
            if word == "TYPE":
                families[name][0] = rest
            elif word == "UNIT":
                assert is_open and name.endswith("_" + rest), line
            else:
                assert word == "HELP", line
            continue
        name, labels, value, exemplar = split_sample(line)
        kind = families[current][0]
        assert name in [current + suffix for suffix in SUFFIXES[is_open][kind]], (line, kind)
        assert (name, tuple(sorted(labels.items()))) not in series, f"twice: {line}"
        series.add((name, tuple(sorted(labels.items()))))
        assert not math.isnan(value) and value >= 0, line
        assert exemplar is None or (is_open and name.endswith("_bucket")), line
        families[current][1].append((name, labels, value, exemplar))
    for name, (kind, samples) in families.items():
        if kind == "histogram":
            check_histogram(name, samples)
    return families


def check_histogram(name, samples):
    by_labels = {}
    for sample, labels, value, _ in samples:
        rest = tuple(sorted((key, text) for key, text in labels.items() if key != "le"))
        by_labels.setdefault(rest, {}).setdefault(sample[len(name):], []).append(
            (float(labels.get("le", "nan")), value))
    for parts in by_labels.values():
        bounds = [bound for bound, _ in parts["_bucket"]]
        counts = [count for _, count in parts["_bucket"]]
        assert bounds == sorted(set(bounds)) and bounds[-1] == math.inf, name
        assert counts == sorted(counts) and counts[-1] == parts["_count"][0][1], name


def value_of(families, family, **wanted):
    found = [value for _, labels, value, _ in families[family][1]
             if all(labels.get(key) == text for key, text in wanted.items())]
    assert len(found) == 1, (family, wanted, found)
    return found[0]


def texts_of(server, query=""):
    """What /metrics answers, as text and as OpenMetrics, both parsed."""
    plain = server.request("/metrics" + query)
    other = server.request("/metrics" + query, headers=OPEN)
    assert plain.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert other.headers["Content-Type"] == \
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    for accept in "application/openmetrics-text;q=0", \
            "application/openmetrics-text;q=0.4,text/plain;q=0.5":
        less = server.request("/metrics" + query, headers={"Accept": accept})
        assert less.headers["Content-Type"] == plain.headers["Content-Type"], accept
    return plain.body, parse(plain.body.decode(), False), parse(other.body.decode(), True)


def promtool(*arguments, **popen):
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, timeout=120,
                          **popen)
    assert done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")


def readings_are_there(server):
    def fact():
        families = parse(server.get("/metrics").decode(), False)
        return families["ptprof_target_cpu_seconds_total"][1]
    return fact


def test_formats(ctx):
    """Both formats keep their rules, whatever a process is called, and promtool agrees."""
    target, other = hostile_target(ctx), ctx.target("threads", "--still", "5")
    with ctx.unharmed(target.pid), ctx.unharmed(other.pid):
        server = serving.Server(ctx, target.pid, other.pid, "--metrics-interval", "200ms")
        ctx.eventually(readings_are_there(server), "the first readings")
        ctx.eventually(lambda: value_of(parse(server.get("/metrics").decode(), False),
                                        "ptprof_target_thread_states", target="threads",
                                        state="sleeping") == 6, "all of its threads sleep")
        plain, text, opened = texts_of(server)
        if shutil.which("promtool"):
            promtool("check", "metrics", input=plain)
        for families in text, opened:
            info = families["ptprof_target_info" if families is text else "ptprof_target"][1]
            assert sorted(labels["comm"] for _, labels, _, _ in info) == sorted([SHOWN, "threads"])
        value = lambda family, **labels: value_of(text, family, target="threads", **labels)
        assert value("ptprof_target_threads") == 6
        assert value("ptprof_target_running") == 1
        assert value("ptprof_target_open_descriptors") == len(os.listdir(f"/proc/{other.pid}/fd"))
        assert value("ptprof_target_resident_memory_bytes") > 100000
        assert value_of(text, "ptprof_targets") == 2
        assert value_of(text, "ptprof_processes") >= 2
        only = parse(server.get("/metrics?target=threads").decode(), False)
        assert {labels.get("target") for _, samples in only.values()
                for _, labels, _, _ in samples} == {"threads"}
        assert server.request("/metrics?target=nobody").status == 404
        server.stop()


def test_discovery(ctx):
    """Each process is found with what it is, under the host by which it is asked for."""
    target = hostile_target(ctx)
    server = serving.Server(ctx, target.pid)
    answer = server.request("/sd")
    assert answer.headers["Content-Type"] == "application/json"
    found, = json.loads(answer.body)
    labels = found["labels"]
    assert found["targets"] == [server.address]
    assert labels["__meta_ptprof_comm"] == SHOWN and labels["__meta_ptprof_pid"] == str(target.pid)
    assert all(isinstance(value, str) for value in labels.values())
    assert all(re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", key) for key in labels)
    profiles = labels["__meta_ptprof_profiles"]
    assert ",profile," in profiles and ",heap," in profiles and "allocs" not in profiles
    ask = labels["__metrics_path__"] + "?" + urllib.parse.urlencode(
        {"target": labels["__param_target"]})
    assert b"ptprof_target_cpu_seconds_total" in server.get(ask)
    server.stop()


def test_delays(ctx):
    """Waits for locks are told as histograms while mutex profiles are asked for, with the functions
    that wait."""
    target = ctx.target("contended", "normal")
    with ctx.unharmed(target.pid, grows=True):
        server = serving.Server(ctx, target.pid, "--metrics-interval", "200ms")

        def delays():
            server.get("/debug/pprof/mutex")
            families = parse(server.request("/metrics", headers=OPEN).body.decode(), True)
            samples = families["ptprof_target_lock_delay_seconds"][1]
            functions = {exemplar["function"] for _, _, _, exemplar in samples if exemplar}
            return functions and (functions, families)
        functions, families = ctx.eventually(delays, "delays by locks, with exemplars")
        assert not [name for name in functions if name.startswith(("sys_", "pthread_", "__"))], \
            f"they name the system call and not who waits: {functions}"
        ctx.figure = " ".join(sorted(functions))
        assert value_of(families, "ptprof_sampling_runs") == 1
        assert value_of(families, "ptprof_sampling_running") == 1
        queue = families["ptprof_target_run_queue_delay_seconds"][1]
        assert any(value for name, _, value, _ in queue if name.endswith("_count"))
        server.stop()


def test_run_queue(ctx):
    """Waits for a CPU name the function that is preempted while somebody samples, and none before;
    nobody is sampled for that."""
    cpu = str(min(os.sched_getaffinity(0)))
    target = ctx.target("threads", "--busy", "4", prefix=("taskset", "-c", cpu))
    with ctx.unharmed(target.pid):
        server = serving.Server(ctx, target.pid, "--metrics-interval", "200ms")

        def queue():
            families = parse(server.request("/metrics", headers=OPEN).body.decode(), True)
            return families["ptprof_target_run_queue_delay_seconds"][1], families

        def functions():
            return {exemplar["function"] for _, _, _, exemplar in queue()[0] if exemplar}

        ctx.eventually(lambda: any(value for name, _, value, _ in queue()[0]
                                   if name.endswith("_count")), "threads wait for a CPU")
        assert not functions() and not value_of(queue()[1], "ptprof_sampling_runs")
        profile = "/debug/pprof/profile?seconds=2"
        ctx.eventually(lambda: server.get(profile) and "burn" in functions(), "who is preempted")
        ctx.figure = " ".join(sorted(functions()))
        assert functions() <= {"burn", "busy", "[threads]"}, functions()
        server.stop()


# --- a real Prometheus ---

class Prometheus:
    def __init__(self, ctx, config):
        self.port = serving.free_port()
        path = ctx.new_path("prometheus-{}.yml")
        path.write_text(config)
        ctx.spawn("prometheus", f"--config.file={path}",
                  f"--storage.tsdb.path={ctx.new_path('data-{}')}", "--log.level=error",
                  "--enable-feature=exemplar-storage",
                  f"--web.listen-address=127.0.0.1:{self.port}")
        ctx.eventually(self.is_ready, "Prometheus answers")

    def get(self, path, **query):
        url = f"http://127.0.0.1:{self.port}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=60) as answer:
            return json.load(answer)

    def is_ready(self):
        try:
            url = f"http://127.0.0.1:{self.port}/-/ready"
            return urllib.request.urlopen(url, timeout=5).status == 200
        except OSError:
            return False

    def query(self, text):
        answer = self.get("/api/v1/query", query=text)
        assert answer["status"] == "success", (text, answer)
        return answer["data"]["result"]


def configuration(server):
    """The one of the examples, with both of its jobs and scraping often."""
    text = (EXAMPLES / "prometheus/prometheus.yml").read_text()
    here, _, others = text.partition("  # From another host")
    found = "  # - job_name: ptprof-processes" + others.partition("ptprof-processes")[2]
    text = here + re.sub(r"^  # (- job_name|  )", r"  \1", found, flags=re.M)
    text = text.replace("127.0.0.1:6060", server.address).replace("15s", "1s", 2)
    return text.replace("- ptprof.rules.yml", f"- {EXAMPLES / 'prometheus/ptprof.rules.yml'}")


def expressions():
    """All that the dashboard asks for."""
    board = json.loads((EXAMPLES / "grafana/ptprof.json").read_text())
    found = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    found += [annotation["expr"] for annotation in board["annotations"]["list"]]
    assert len(found) > 25
    return [re.sub(r"\$(instance|target)", ".*", text).replace("$__rate_interval", "10s")
            for text in found]


def bounds(points, begin, end):
    """The least that a value which only grows can have had from begin to end, and the most."""
    return (max(value for at, value in points if at <= max(begin, points[0][0])),
            min(value for at, value in points if at >= min(end, points[-1][0])))


def test_prometheus(ctx):
    """A Prometheus with the configuration of the examples finds the processes and scrapes them; CPU
    time is what the kernel charged; what the dashboard and the rules ask for is there."""
    need(ctx, "prometheus", "promtool")
    target = hostile_target(ctx)
    with ctx.unharmed(target.pid):
        server = serving.Server(ctx, target.pid, "--metrics-interval", "100ms")
        asked = Prometheus(ctx, configuration(server))
        kernel = []

        def scraped():
            kernel.append((time.time(), ctx.cpu_ns(target.pid) / 1e9))
            found = asked.query("count_over_time(ptprof_target_cpu_seconds_total[1m]) >= 4")
            return len(found) >= 4 and \
                all(float(each["value"][1]) == 1 for each in asked.query("up"))
        ctx.eventually(scraped, "both jobs are scraped")
        assert {each["metric"]["job"] for each in asked.query("up == 1")} == \
            {"ptprof", "ptprof-processes"}
        compare_cpu(ctx, asked, kernel)
        by_name = asked.query("ptprof_target_info")
        assert [each["metric"]["comm"] for each in by_name] == [SHOWN, SHOWN]
        assert not any(key.startswith("exported_") for each in by_name for key in each["metric"]), \
            by_name
        names = asked.get("/api/v1/label/__name__/values")["data"]
        for text in expressions():
            asked.query(text)
            for name in re.findall(r"\bptprof_\w+", text):
                assert name in names or "_delay_seconds_bucket" in name or \
                    name.startswith("ptprof_sampling"), name
        rules = asked.get("/api/v1/rules")["data"]["groups"]
        assert {rule["health"] for group in rules for rule in group["rules"]} <= {"ok", "unknown"}
        server.stop()


def compare_cpu(ctx, asked, kernel):
    user, system = asked.query('ptprof_target_cpu_seconds_total{job="ptprof"}[1m]')
    took = {at: float(seconds) for at, seconds in
            asked.query('scrape_duration_seconds{job="ptprof"}[1m]')[0]["values"]}
    found = [(float(at), float(value) + float(more), took.get(at, 0))
             for (at, value), (_, more) in zip(user["values"], system["values"])]
    kernel.append((time.time(), ctx.cpu_ns(int(
        asked.query("ptprof_target_info{job='ptprof'}")[0]["metric"]["pid"])) / 1e9))
    inside = [each for each in found if kernel[0][0] <= each[0] <= kernel[-1][0]]
    assert len(inside) >= 3, (found, kernel)
    for at, value, seconds in inside:  # as old as a reading and what is kept of an answer
        least, most = bounds(kernel, at - 4, at + seconds)
        assert least - 0.05 <= value <= most + 0.05, (at, value, seconds, kernel)
    ctx.figure = f"{value:.2f} s, from {least:.2f} to {most:.2f} s CPU"


RULE_TESTS = """
rule_files: [RULES]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'ptprof_target_running{target="a"}', values: '1 1 0 0 0 0'}
      - {series: 'ptprof_target_run_queue_wait_seconds_total{target="a"}', values: '0+120x20'}
      - {series: 'ptprof_target_open_descriptors{target="a"}', values: '900x20'}
      - {series: 'ptprof_target_max_descriptors{target="a"}', values: '1000x20'}
      - {series: 'ptprof_target_threads{target="a"}', values: '100x20'}
      - {series: 'ptprof_target_cpu_seconds_total{target="a",mode="user"}', values: '0+30x20'}
      - {series: 'ptprof_target_cpu_seconds_total{target="a",mode="system"}', values: '0+30x20'}
    promql_expr_test:
      - expr: sum without (mode) (rate(ptprof_target_cpu_seconds_total[5m]))
        eval_time: 10m
        exp_samples: [{labels: '{target="a"}', value: 1}]
    alert_rule_test:
      - {alertname: PtprofTargetHasEnded, eval_time: 2m, exp_alerts: []}
      - alertname: PtprofTargetHasEnded
        eval_time: 4m
        exp_alerts:
          - exp_labels: {severity: warning, target: a}
            exp_annotations: {summary: "a has ended and has not come back"}
      - alertname: PtprofThreadsWaitForACpu
        eval_time: 15m
        exp_alerts:
          - exp_labels: {severity: warning, target: a}
            exp_annotations:
              summary: "2.0 threads of a wait for a CPU"
              description: "There are more runnable threads than CPUs, or a quota: see \
/debug/pprof/profile for who runs."
      - alertname: PtprofDescriptorsRunOut
        eval_time: 15m
        exp_alerts:
          - exp_labels: {severity: warning, target: a}
            exp_annotations: {summary: "a has 90% of its descriptors open"}
      - {alertname: PtprofManyThreads, eval_time: 15m, exp_alerts: []}
"""


def test_rules(ctx):
    """The examples are what promtool takes, and alerts come when they should."""
    need(ctx, "promtool")
    promtool("check", "config", EXAMPLES / "prometheus/prometheus.yml")
    path = ctx.new_path("rules-{}.test.yml")
    path.write_text(RULE_TESTS.replace("RULES", str(EXAMPLES / "prometheus/ptprof.rules.yml")))
    promtool("test", "rules", path)
