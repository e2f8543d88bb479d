# SPDX-License-Identifier: MIT
"""`ptprof serve` as Parca, Alloy and Pyroscope see it: fakes of them (scrapers.py) scrape several
processes at once, again and again, and judge what they get as those do."""

import gzip
import os
import pathlib
import signal
import sys
import threading
import time

import scrapers
from pprof_wire import message, number

sys.path.append(str(pathlib.Path(__file__).parent.parent / "live"))
import serving  # noqa: E402

INTERVAL = 2  # s; Parca's own is 10, Alloy's 15
ROUNDS = 4
TARGETS = "busy", "contention", "leak"


def examples(ctx):
    found = {}
    for name in TARGETS:
        path = ctx.build / "examples" / name
        if not path.exists():
            raise ctx.Skip(f"{path.relative_to(ctx.build)} is not built")
        found[name] = ctx.spawn(path)
        found[name].line()
    return found


def keeps_scraping(scraper, name, first):
    for number in range(ROUNDS):
        time.sleep(max(0, first + number * INTERVAL - time.monotonic()))
        scraper.once(name)


def scrape(all_of_them):
    """Each profile of each target in a loop of its own, as scrapers do."""
    first = time.monotonic()
    loops = [threading.Thread(target=keeps_scraping, args=(scraper, name, first))
             for scraper in all_of_them for name in scraper.paths]
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join()


def errors(scraper):
    return [text for texts in scraper.errors.values() for text in texts]


def check_cpu(scraper):
    """busy has a known split: who takes 50 % of its time does so of all windows together."""
    profiles = scraper.rounds["process_cpu"]
    share = sum(profile.total("cpu", "parse") for profile in profiles) / \
        sum(profile.total("cpu") for profile in profiles)
    assert 0.25 < share < 0.75, share
    for profile in profiles:
        assert profile.duration > 0.8e9 * (INTERVAL - 1), profile.duration


def pushed_functions(scraper, name):
    return {function for delta in scraper.deltas[name] for functions, _ in delta
            for function in functions}


def check_deltas(ctx, scraper):
    """What is pushed adds up to what was counted between the first round and the last."""
    for name in "block", "mutex":
        while "lock_queue" not in pushed_functions(scraper, name):  # a busy machine is late
            assert len(scraper.rounds[name]) < 10 * ROUNDS, (name, scraper.deltas[name])
            time.sleep(INTERVAL / 4)
            scraper.once(name)
        profiles, deltas = scraper.rounds[name], scraper.deltas[name]
        assert len(deltas) == len(profiles) - 1, (len(deltas), len(profiles))
        pushed = sum(values[1] for delta in deltas for _, values in delta)
        assert pushed == profiles[-1].total("delay") - profiles[0].total("delay"), name
    assert not errors(scraper), errors(scraper)


def check_memory(scraper):
    """leak loses 25 sessions of 4 kB a second, and all that is counted stays."""
    spaces = [profile.total("inuse_space") for profile in scraper.rounds["memory"]]
    assert spaces == sorted(spaces) and spaces[-1] - spaces[0] > 4000 * 10, spaces


def test_parca_and_alloy_scrape_several_targets(ctx):
    targets = examples(ctx)
    server = serving.Server(ctx, *(target.pid for target in targets.values()))
    health = {name: ctx.health(target.pid) for name, target in targets.items()}
    found = server.get("/sd")
    parca, alloy = (scrapers.discovered(kind, found, INTERVAL, scrapers.OUR_PATHS)
                    for kind in (scrapers.Parca, scrapers.Alloy))
    assert parca.keys() == alloy.keys() == targets.keys(), found
    everybody = [*parca.values(), *alloy.values()]
    scrape(everybody)
    wrong = [text for scraper in everybody for text in errors(scraper)]
    assert not wrong, "\n".join(wrong[:10]) + f"\n{len(wrong)} errors"
    for scraper in everybody:
        assert all(len(scraper.rounds[name]) == ROUNDS for name in scraper.paths)
    check_cpu(parca["busy"])
    check_cpu(alloy["busy"])
    check_deltas(ctx, alloy["contention"])
    check_memory(parca["leak"])
    for name, target in targets.items():
        if name != "leak":  # which grows by itself
            assert ctx.health(target.pid) == health[name], name
    assert server.stop() == 0
    check_in_time(ctx, everybody)


def check_in_time(ctx, everybody):
    """Whether a scraper would have waited is a matter of the machine where others use it too."""
    late = [text for scraper in everybody for text in scraper.late]
    slowest = max((seconds, name) for scraper in everybody
                  for name, seconds in scraper.slowest.items())
    ctx.figure = f"{slowest[0]:.1f} s at most beyond a window ({slowest[1]}), {len(late)} too late"
    assert not late or ctx.slowdown > 1.5, "\n".join(late)


def test_configured_parameters_spread(ctx):
    """Parca adds `seconds` to the parameters of all paths, Alloy once more at each round."""
    target = examples(ctx)["contention"]
    server = serving.Server(ctx, target.pid)
    params = [("target", "contention")]
    both = [kind(server.address, "", 1, scrapers.OUR_PATHS, params)
            for kind in (scrapers.Parca, scrapers.Alloy)]
    for scraper in both:
        for name in "process_cpu", "mutex", "block", "memory", "goroutine", "process_cpu":
            scraper.once(name)
        assert not errors(scraper), errors(scraper)
    assert all(one.duration > 0.5e9 for one in both[0].rounds["mutex"])


def named(ctx, pid, name):
    """The descendant with this name."""
    for child in ctx.children(pid):
        if found := child if ctx.comm_of(child) == name else named(ctx, child, name):
            return found
    return None


def test_names_that_come_late(ctx):
    """What kind of wait it is hangs on them: what is counted for all time never changes its labels
    afterwards."""
    target = examples(ctx)["contention"]
    server = serving.Server(ctx, target.pid)
    alloy = scrapers.Alloy(server.address, "", INTERVAL, scrapers.OUR_PATHS,
                           [("target", "contention")])
    alloy.once("block")
    names = ctx.eventually(lambda: named(ctx, server.pid, "ptprof-names"), "it begins to name")
    os.kill(names, signal.SIGSTOP)
    for _ in range(2):
        alloy.once("block")
    os.kill(names, signal.SIGCONT)
    ctx.eventually(lambda: alloy.once("block") or
                   "lock_queue" in pushed_functions(alloy, "block"), "names have come")
    assert not errors(alloy), errors(alloy)
    labels = {label for _, labels, _ in alloy.rounds["block"][-1].samples for label in labels}
    assert ("wait", "lock") in labels and ("wait", "not known yet") not in labels, labels


def test_defaults_find_no_allocs(ctx):
    """With the paths of Go programs one is answered 501, and the others go on."""
    target = examples(ctx)["busy"]
    server = serving.Server(ctx, target.pid)
    for kind in scrapers.Parca, scrapers.Alloy:
        scraper = kind(server.address, "", 1, scrapers.GO_PATHS)
        for name in scraper.paths:
            scraper.once(name)
        assert list(scraper.errors) == ["memory"], errors(scraper)
        assert "501" in errors(scraper)[0], errors(scraper)


def test_fakes_notice(ctx):
    """What the judges are for: each of these is refused by one of the two."""
    good = wire(ids=1, period=True)
    assert refusal(good) is None, refusal(good)
    for body, said in ((wire(ids=2, period=True), "not sequential"),
                       (wire(ids=1, period=False), "no period_type"),
                       (wire(ids=1, period=True, kind=b"c-u"), "no metric name"),
                       (wire(ids=1, period=True, value=-1), "negative"),
                       (wire(ids=1, period=True, kind=b"\xff"), "not UTF-8"),
                       (good[:-3], "unexpected EOF"), (good + good, "concatenated"),
                       (b"{}", "no gzip")):
        assert said in (refusal(body) or ""), (said, refusal(body))


def refusal(body):
    """The first word of Parca, else of Alloy, against a profile."""
    for judge in (scrapers.Parca("a:1", "", 1, scrapers.GO_PATHS),
                  scrapers.Alloy("a:1", "", 1, scrapers.GO_PATHS)):
        try:
            judge.judged(body, "block")
        except scrapers.Refused as error:
            return str(error)
    return None


def wire(ids, period, kind=b"delay", value=5):
    """A profile with one sample of one location."""
    kinds = number(1, 1) + number(2, 2)
    body = message(1, kinds) + message(2, number(1, ids) + number(2, value))
    body += message(4, number(1, ids) + number(3, 0x1000))
    for text in b"", kind, b"nanoseconds":
        body += message(6, text)
    body += number(9, time.time_ns()) + (message(11, kinds) if period else b"")
    return gzip.compress(body)
