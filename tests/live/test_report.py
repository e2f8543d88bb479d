# SPDX-License-Identifier: MIT
"""ptprof report refuses what it cannot answer, in words that say what to do, and shows no byte of a
hostile profile that a terminal would obey."""

import gzip
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "peers"))
import pprof_by_chance  # noqa: E402

SIDE_BY_SIDE = True

HOSTILE = ["\x1b[2J\x1b]0;owned\x07", "two\nlines", "\u202egnp.exe", "%s%n%p", "<b>&amp;",
           "a" * 5000]
VIEWS = [[], ["--tree"], ["--peek", "."], ["--traces"], ["--by", "module"], ["--by", HOSTILE[1]],
         ["--json"], ["--json", "--tree"], ["--json", "--traces"]]


def refused(ctx, status, word, *arguments):
    done = ctx.run("report", *arguments)
    assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
    assert word in done.stderr and done.stdout == "", (arguments, done.stderr)
    assert done.stderr.startswith("ptprof: ") and len(done.stderr.splitlines()) < 4, done.stderr


def golden(ctx, name="go-cpu"):
    return ctx.root / "tests" / "golden" / f"{name}.pb.gz"


def test_what_cannot_be_answered_is_said(ctx):
    cpu, heap = golden(ctx), golden(ctx, "go-heap")
    refused(ctx, 2, "--tree and --peek exclude each other", cpu, "--tree", "--peek", "x")
    refused(ctx, 2, "--inuse, --alloc and --sample-type exclude each other", heap, "--inuse",
            "--sample-type", "0")
    refused(ctx, 2, "--base and --diff-base exclude each other", cpu, "--base", cpu, "--diff-base",
            cpu)
    refused(ctx, 2, "it has samples, cpu", cpu, "--sample-type", "wall")
    refused(ctx, 2, "it has samples, cpu", cpu, "--sample-type", "2")
    refused(ctx, 2, "it has samples, cpu", cpu, "--alloc")
    refused(ctx, 2, "request", cpu, "--by", "state")
    refused(ctx, 2, "is not a regular expression", cpu, "--focus", "(")
    refused(ctx, 2, "is not a regular expression", cpu, "--peek", "(")
    refused(ctx, 2, "is not a regular expression", cpu, "--tagfocus", "thread=(")
    refused(ctx, 1, "no function matches /nosuch/", cpu, "--peek", "nosuch")
    refused(ctx, 2, "of different types", cpu, heap)
    refused(ctx, 2, "of different types", cpu, "--base", heap)
    refused(ctx, 1, "nosuch: it cannot be opened", cpu, "nosuch")
    refused(ctx, 2, "FILE... is missing")


def test_damaged_files_are_refused(ctx):
    whole = golden(ctx).read_bytes()
    plain = gzip.decompress(whole)
    for at, data in enumerate([b"", whole[:-9], whole + whole, plain[:-7], b"\x1f\x8b" + plain,
                               b"<html>no</html>", bytes(4096)]):
        path = ctx.tmp / f"bad-{at}.pb.gz"
        path.write_bytes(data)
        refused(ctx, 1, path.name, path)
        refused(ctx, 1, path.name, golden(ctx), "--diff-base", path)


def test_filters_that_take_nothing_say_so(ctx):
    done = ctx.run("report", golden(ctx), "--focus", "nosuch")
    assert done.returncode == 0 and "no sample passes the filters" in done.stderr, done.stderr
    assert "Showing nodes accounting for 0" in done.stdout, done.stdout
    empty = ctx.tmp / "empty.pb.gz"
    empty.write_bytes(pprof_by_chance.make(1, samples=0))
    done = ctx.run("report", empty)
    assert done.returncode == 0 and "the profile has no samples" in done.stderr, done.stderr


def hostile_profile(ctx):
    """Every text of it is one of the hostile ones."""
    writer = pprof_by_chance.Writer()
    text = [writer.text(word) for word in HOSTILE]
    number, message = pprof_by_chance.number, pprof_by_chance.message
    writer.add(1, (1, text[0]), (2, text[1]))
    writer.add(3, (1, 1), (2, 0x1000), (3, 0x9000), (5, text[2]), (6, text[0]))
    for at, name in enumerate(text):
        writer.add(5, (1, at + 1), (2, name), (4, text[0]))
        writer.parts.append(message(4, number(1, at + 1) + number(2, 1) + number(3, 0x1000 + at) +
                                    message(4, number(1, at + 1) + number(2, 3))))
    label = number(1, text[1]) + number(2, text[0])
    odd = number(1, text[3]) + number(3, 7) + number(4, text[2])
    stack = b"".join(map(pprof_by_chance.varint, range(1, len(text) + 1)))
    writer.parts.append(message(2, message(1, stack) + message(2, pprof_by_chance.varint(9)) +
                                message(3, label) + message(3, odd)))
    writer.parts.append(number(13, text[0]) + number(15, text[1]))
    path = ctx.tmp / "hostile.pb.gz"
    path.write_bytes(writer.bytes())
    return path


def test_hostile_texts_do_no_harm(ctx):
    path = hostile_profile(ctx)
    for view in VIEWS:
        done = ctx.run("report", path, *view)
        assert done.returncode == 0, (view, done.stderr)
        for bad in "\x1b\x07\u202e":
            assert bad not in done.stdout + done.stderr, (view, bad)
        if "--json" in view:
            assert json.loads(done.stdout)["total"] == 9
        else:
            assert "two\nlines" not in done.stdout, view
            assert "two\\nlines" in done.stdout or "\\x0a" in done.stdout, (view, done.stdout[:900])
    done = ctx.run("report", path, "--by", "nosuch")
    assert done.returncode == 2 and "\x1b" not in done.stderr and "\n" == done.stderr[-1:]
