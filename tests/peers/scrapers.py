# SPDX-License-Identifier: MIT
"""What Parca and Grafana Alloy (for Pyroscope) ask of a server with Go's /debug/pprof, and how they
and the servers behind them judge what they get, for tests on machines that have neither.

Parca: pkg/scrape, pkg/normalizer of parca-dev/parca 3b5647c. Alloy: component/pyroscope/scrape of
grafana/alloy 66ebea8. Pyroscope: pkg/validation, pkg/pprof of grafana/pyroscope 3fe6a45."""

import collections
import http.client
import json
import re
import time
import urllib.parse
import zlib

import pprof_wire

GZIP_MAGIC = b"\x1f\x8b"
METRIC_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
S = 1_000_000_000  # ns
HANGING = 60  # s

# name of the series -> (path, whether the scraper asks for a window)
Profile = collections.namedtuple("Profile", "path window")
GO_PATHS = {
    "memory": Profile("/debug/pprof/allocs", False),
    "block": Profile("/debug/pprof/block", False),
    "goroutine": Profile("/debug/pprof/goroutine", False),
    "mutex": Profile("/debug/pprof/mutex", False),
    "process_cpu": Profile("/debug/pprof/profile", True),
}
# What examples/ says to configure: there is no allocs from outside.
OUR_PATHS = {**GO_PATHS, "memory": Profile("/debug/pprof/heap", False)}


class Refused(Exception):
    """What the scraper would show as the error of this profile."""


class Decoded:
    """A profile as the union of its readers wants it; Refused says what one of them would."""

    def __init__(self, body):
        raw = unpacked(body)
        self.size = len(raw)
        try:
            self.fields = pprof_wire.decode(raw)
        except (IndexError, KeyError, AssertionError) as error:
            raise Refused(f"malformed: {error!r}") from error
        self.strings = self.fields.get("string_table", [])
        need(self.strings and self.strings[0] == b"", "string_table[0] is not empty")
        for text in self.strings:
            need(is_utf8(text), f"not UTF-8: {text!r}")
        self.types = [self.value_type(one) for one in self.fields.get("sample_type", [])]
        need(self.types, "profile has no sample types")
        need("period_type" in self.fields, "no period_type: the list of profile types would fail")
        self.period_type = self.value_type(self.fields["period_type"][-1])
        self.time = pprof_wire.one(self.fields, "time_nanos")
        self.duration = pprof_wire.one(self.fields, "duration_nanos")
        self.check_ids()
        self.samples = [self.sample(one) for one in self.fields.get("sample", [])]
        need(not any(self.text(at).startswith("executableInfo=")
                     for at in self.fields.get("comment", [])), "a comment that Parca parses")

    def text(self, index):
        need(0 <= index < len(self.strings), f"string {index} of {len(self.strings)}")
        return self.strings[index].decode()

    def value_type(self, fields):
        return tuple(self.text(pprof_wire.one(fields, name)) for name in ("type", "unit"))

    def check_ids(self):
        """Parca: id is not sequential."""
        self.of = {}
        for kind in "mapping", "location", "function":
            entries = self.fields.get(kind, [])
            ids = [pprof_wire.one(entry, "id") for entry in entries]
            need(ids == list(range(1, len(entries) + 1)), f"{kind} id is not sequential")
            self.of[kind] = dict(zip(ids, entries))
        for location in self.of["location"].values():
            mapping = pprof_wire.one(location, "mapping_id")
            need(not mapping or mapping in self.of["mapping"], "a dangling mapping_id")
            for line in location.get("line", []):
                need(pprof_wire.one(line, "function_id") in self.of["function"],
                     "line with nil function")
        for function in self.of["function"].values():
            for name in "name", "system_name", "filename":
                self.text(pprof_wire.one(function, name))

    def sample(self, fields):
        """(stack, labels, values): addresses, leaf first; labels; numbers with their sign."""
        values = [signed(value) for value in fields.get("value", [])]
        need(len(values) == len(self.types),
             f"mismatch: sample has {len(values)} values vs. {len(self.types)} types")
        locations = fields.get("location_id", [])
        need(all(one in self.of["location"] for one in locations), "sample has nil location")
        labels = []
        for label in fields.get("label", []):
            key = pprof_wire.one(label, "key")
            need(key, "a label without a key")
            if text := pprof_wire.one(label, "str"):
                need(not pprof_wire.one(label, "num"), "a label that is text and number")
            labels.append((self.text(key), self.text(text) if text else
                           pprof_wire.one(label, "num")))
        return tuple(locations), tuple(sorted(labels, key=str)), values

    def addresses(self, stack):
        return tuple(pprof_wire.one(self.of["location"][one], "address") for one in stack)

    def functions(self, stack):
        """Names, leaf first, inlined ones too."""
        return [self.text(pprof_wire.one(self.of["function"][pprof_wire.one(line, "function_id")],
                                         "name"))
                for one in stack for line in self.of["location"][one].get("line", [])]

    def total(self, kind, function=None):
        """The sum of a type, of samples with a function in their stack."""
        at = [name for name, _ in self.types].index(kind)
        return sum(values[at] for stack, _, values in self.samples
                   if function is None or function in self.functions(stack))


def need(fact, text):
    if not fact:
        raise Refused(text)


def is_utf8(text):
    try:
        text.decode()
        return True
    except UnicodeDecodeError:
        return False


def signed(value):
    return value - (1 << 64) if value >> 63 else value


def unpacked(body):
    need(body[:2] == GZIP_MAGIC, f"no gzip: {body[:40]!r}")
    unpacker = zlib.decompressobj(31)
    try:
        raw = unpacker.decompress(body)
    except zlib.error as error:
        raise Refused(str(error)) from error
    need(unpacker.eof, "unexpected EOF")
    need(not unpacker.unused_data, "a second member: concatenated profiles detected")
    return raw


class Scraper:
    """Scrapes one target. `rounds` has what came: name -> its profiles; `errors` name -> texts.
    labels: of a target that was found, those of "__param_" are added to each query; params: of the
    configuration."""

    name = agent = ""

    def __init__(self, host, prefix, interval, paths, params=(), labels=None):
        self.host, self.prefix, self.interval = host, prefix, interval
        self.paths = paths
        self.labels = labels or {}
        self.found = [(key.removeprefix("__param_"), value) for key, value in self.labels.items()
                      if key.startswith("__param_")]
        self.params = {name: [(key, value) for key, value in params] for name in paths}
        self.rounds = collections.defaultdict(list)
        self.errors = collections.defaultdict(list)
        self.slowest = {name: 0 for name in paths}  # s beyond the window that was asked for
        self.late = []     # what the scraper would not have waited for

    def once(self, name):
        """One scrape of one profile, as a loop of the scraper does it."""
        profile = self.paths[name]
        seconds = self.seconds(profile)
        path = self.prefix + profile.path
        query = self.found + self.query(name, seconds)
        if query:
            path += "?" + urllib.parse.urlencode(query)
        begin = time.monotonic()
        try:
            self.rounds[name].append(self.judged(self.asked(path), name))
        except (Refused, OSError, http.client.HTTPException) as error:
            self.errors[name].append(f"{self.name} {path}: {error!r}")
        took = time.monotonic() - begin
        self.slowest[name] = max(self.slowest[name], took - (seconds or 0))
        if took > self.timeout(seconds):
            self.late.append(f"{self.name} {path}: {took:.1f} s, context deadline exceeded")

    def asked(self, path):
        """The whole answer; redirects are not followed."""
        connection = http.client.HTTPConnection(*self.host.split(":"), timeout=HANGING)
        try:
            connection.request("GET", path, headers={"User-Agent": self.agent})
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        self.check_answer(answer, body)
        return body


def discovered(kind, text, interval, paths):
    """{name: a scraper of it} of what an HTTP service discovery lists."""
    scrapers = {}
    for group in json.loads(text):
        assert group.keys() == {"targets", "labels"}, group
        labels = group["labels"]
        assert all(isinstance(value, str) and METRIC_NAME.fullmatch(key)
                   for key, value in labels.items()), labels
        for host in group["targets"]:
            # Pyroscope makes "unspecified" of a missing one: all targets would be one service.
            assert labels["service_name"] not in scrapers, labels
            scrapers[labels["service_name"]] = kind(host, "", interval, paths, labels=labels)
    return scrapers


class Parca(Scraper):
    """The scraper of a Parca server, and what it says of a profile before it stores it."""

    name, agent = "Parca", "conprof/v0.22.0"

    def seconds(self, profile):
        return self.interval if profile.window else None

    def timeout(self, seconds):
        return self.interval + 3

    def query(self, name, seconds):
        """The map of `params` is one for all paths: what one adds to it, all have."""
        if not self.params[name]:
            return [("seconds", seconds)] if seconds else []
        shared = self.params[next(iter(self.params))]
        if not any(key == "seconds" for key, _ in shared):
            shared.append(("seconds", self.interval))
        return list(shared)

    def check_answer(self, answer, body):
        need(answer.status == 200, f"server returned HTTP status {answer.status}: {body[:200]!r}")
        need(body, "empty profile")

    def judged(self, body, name):
        profile = Decoded(body)
        for text in [*profile.types, profile.period_type]:
            for word in text:
                need(METRIC_NAME.fullmatch(word), f"no metric name: {word!r}")
        # What has a duration is a type of its own, ":delta".
        need(bool(profile.duration) == bool(self.query(name, self.seconds(self.paths[name]))),
             f"duration {profile.duration} of {name}")
        need(abs(time.time_ns() - profile.time) < 7200 * S, f"time {profile.time}")
        return profile


class Alloy(Scraper):
    """pyroscope.scrape, its subtraction, and what Pyroscope says of what is pushed to it then."""

    name, agent = "Alloy", "Alloy/v1.11.0"
    DELTAS = {"memory": {"alloc_objects", "alloc_space"}, "block": {"contentions", "delay"},
              "mutex": {"contentions", "delay"}}

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.last = {}     # name -> {(addresses, labels): values} and time
        self.deltas = collections.defaultdict(list)  # name -> what is pushed, from the second on

    def seconds(self, profile):
        return max(1, self.interval - 1) if profile.window else None

    def timeout(self, seconds):
        return 10 + (seconds or 0)

    def query(self, name, seconds):
        """Each synchronisation of targets adds it once more."""
        if seconds:
            self.params[name].append(("seconds", seconds))
        return list(self.params[name])

    def check_answer(self, answer, body):
        need(200 <= answer.status < 300,
             f"server returned HTTP status {answer.status}: {body[:200]!r}")
        kind = answer.headers["Content-Type"] or ""
        need(kind.startswith("application/octet-stream"), f"content type {kind!r}")
        need(not answer.headers["Content-Encoding"], "the body is gzip by itself")
        need(len(body) > 2 and body.lstrip()[:1] not in b"<{", "HTML or JSON")
        need(body[:2] == GZIP_MAGIC or body[0] & 7 < 6, "neither gzip nor a profile")

    def judged(self, body, name):
        profile = Decoded(body)
        self.check_push(profile)
        if name in self.DELTAS and not self.query_has_window(name):
            self.subtract(profile, name)
        return profile

    def query_has_window(self, name):
        return any(key == "seconds" for key, _ in self.params[name])

    @staticmethod
    def check_push(profile):
        age = time.time_ns() - profile.time
        need(-600 * S < age < 3600 * S, f"time is {age / S:.0f} s ago")
        need(len(profile.samples) <= 16000, f"{len(profile.samples)} samples")
        need(profile.size <= 4 << 20, f"{profile.size} bytes")
        for kind, _ in profile.types:
            need("-" not in kind, f"sample type {kind!r}")
        for stack, labels, values in profile.samples:
            need(len(labels) <= 100, f"{len(labels)} labels")
            need(min(values) >= 0, f"negative: {values} of {profile.functions(stack)[:3]}")

    def subtract(self, profile, name):
        """fastdelta: samples are the same by the addresses of their locations, and labels."""
        need(len(profile.types) <= 4, f"{len(profile.types)} sample types")
        columns = [kind in self.DELTAS[name] for kind, _ in profile.types]
        now = {}
        for stack, labels, values in profile.samples:
            key = profile.addresses(stack), labels
            need(0 not in key[0], f"address 0: {profile.functions(stack)[:3]}")
            other, already = now.get(key, (stack, [0] * len(values)))
            need(other == stack, f"two stacks of the same addresses: {profile.functions(stack)}")
            now[key] = stack, [value + more for value, more in zip(values, already)]
        if name in self.last:
            before, time_before = self.last[name]
            need(profile.time > time_before, "time_nanos does not advance")
            self.deltas[name].append(self.difference(profile, columns, before, now))
        self.last[name] = now, profile.time

    @staticmethod
    def difference(profile, columns, before, now):
        """[(functions, values)] of what was counted since; what counts is never taken back."""
        for key in before.keys() - now.keys():
            need(not any(value and counts for value, counts in zip(before[key][1], columns)),
                 f"what was counted is gone: {before[key]}")
        pushed = []
        for key, (stack, values) in now.items():
            old = before[key][1] if key in before else [0] * len(values)
            new = [value - was if counts else value
                   for value, was, counts in zip(values, old, columns)]
            need(min(new) >= 0, f"negative delta {new} of {profile.functions(stack)[:4]}")
            if any(new):
                pushed.append((profile.functions(stack), new))
        return pushed
