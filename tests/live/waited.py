# SPDX-License-Identifier: MIT
"""What the meters of a target (meter.h) and the pprof files of ptprof say about waits."""

import collections
import gzip
import json
import os
import pathlib
import sys

from measure import ClockLog, interpolate

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "peers"))
from pprof_wire import decode, one  # noqa: E402

Sample = collections.namedtuple("Sample", "functions labels values")  # leaf first; by name


class File:
    """A profile in the pprof format, which all types share."""

    def __init__(self, path):
        fields = decode(gzip.decompress(pathlib.Path(path).read_bytes()))
        self.strings = [text.decode("utf-8") for text in fields["string_table"]]
        self.types = [self.pair(entry) for entry in fields["sample_type"]]
        self.period_type = self.pair(fields["period_type"][0])
        self.period = one(fields, "period")
        self.default = self.strings[one(fields, "default_sample_type")]
        self.files = [self.strings[one(entry, "filename")] for entry in fields.get("mapping", [])]
        self.start, self.duration = one(fields, "time_nanos"), one(fields, "duration_nanos")
        functions = {one(entry, "id"): self.strings[one(entry, "name")]
                     for entry in fields.get("function", [])}
        places = {one(entry, "id"): [functions[one(line, "function_id")]
                                     for line in entry.get("line", [])]
                  for entry in fields.get("location", [])}
        self.samples = [self.sample(entry, places) for entry in fields.get("sample", [])]

    def pair(self, entry):
        return self.strings[one(entry, "type")], self.strings[one(entry, "unit")]

    def sample(self, entry, places):
        functions = [name for place in entry["location_id"] for name in places[place]]
        labels = {self.strings[one(label, "key")]:
                  self.strings[one(label, "str")] if one(label, "str") else one(label, "num")
                  for label in entry.get("label", [])}
        assert len(labels) == len(entry.get("label", [])), "a label twice"
        values = dict(zip((name for name, _ in self.types), entry["value"], strict=True))
        return Sample(functions, labels, values)

    def chosen(self, function=None, **labels):
        """The samples with all of the labels that go through the function."""
        return [sample for sample in self.samples
                if (function is None or function in sample.functions) and
                all(sample.labels.get(key) == value for key, value in labels.items())]

    def sum(self, function=None, value="delay", **labels):
        return sum(sample.values[value] for sample in self.chosen(function, **labels))

    def by(self, label, function=None, value="delay", **labels):
        """{value of the label: sum}."""
        found = collections.Counter()
        for sample in self.chosen(function, **labels):
            found[sample.labels.get(label)] += sample.values[value]
        return found


NEXT_END = 200_000_000  # ns in which a wait has ended, most likely


def so_far(points):
    """[(moment, ns)] of a meter's (moment, ns, times, going): what goes on is a wait for no longer
    than it turns out to have been one when it ends. The rest was the queue for a CPU."""
    found, next_end = [], None  # ns at the first later point by which it had ended
    for at in range(len(points) - 1, -1, -1):
        moment, ns, times, going = points[at]
        if at + 1 < len(points) and points[at + 1][2] != times:
            next_end = points[at + 1][1]
        found.append((moment, ns + (going if next_end is None else min(going, next_end - ns))))
    return found[::-1]


class Meters(ClockLog):
    """What a target with --log wrote: ns, how often, and what goes on of each of its meters."""

    def __init__(self, path, names):
        super().__init__(path)
        self.names = names

    def during(self, profile):
        """{name: (ns, times)} of the time of a profile."""
        start, end = profile.start, profile.start + profile.duration
        self.await_moment(end + NEXT_END)
        points = self.points()
        assert points[0][0] <= start, "the log begins after the profile"

        def between(column):
            return interpolate(column, end) - interpolate(column, start)
        found = {}
        for i, name in enumerate(self.names):
            own = [(point[0], *point[1 + 3 * i:4 + 3 * i]) for point in points]
            found[name] = between(so_far(own)), between([(point[0], point[2]) for point in own])
        return found


def stolen_ns():
    """What the host of a virtual machine has kept from all CPUs, ns. A thread that ran then has it
    on no clock, neither as CPU time nor as time in the queue, so it passes for time blocked."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return int(fields[8]) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def files(ctx, target, types, *options, rate=(), seconds=5):
    """{type: File} of a run that leaves its target as it was; ctx.run_facts is what the summary
    says about it."""
    folder = ctx.new_path("profiles-{}")
    folder.mkdir()
    output = ("-o", folder / f"one-{types}.pb.gz") if "," not in types else \
        ("--output-dir", folder)
    stolen = stolen_ns()
    with ctx.unharmed(target.pid):
        done = ctx.run("attach", target.pid, "--type", types, "-d", f"{seconds}s", "--summary",
                       "json", *rate, *options, *output)
    assert done.returncode == 0 and not done.stdout, f"exit status {done.returncode}"
    ctx.run_facts = json.loads(done.stderr[done.stderr.index("{"):])["run"]
    found = {path.name.rpartition("-")[2].partition(".")[0]: File(path)
             for path in folder.iterdir()}
    assert sorted(found) == sorted(types.split(",")), f"{sorted(found)} were written"
    for file in found.values():
        file.stolen = stolen_ns() - stolen
    return found
