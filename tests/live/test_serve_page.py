# SPDX-License-Identifier: MIT
"""The page of ptprof serve in headless Chromium: used as a person uses it."""

import base64
import gzip
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "peers"))

from browser import Browser  # noqa: E402
from pprof_known import Made  # noqa: E402
from serving import Server  # noqa: E402

SIDE_BY_SIDE = True

OFTEN = ("--metrics-interval", "200ms")
MS = 1_000_000
# Names a thread as a page must not read it, and works in a function of the main thread.
HOSTILE = """
import ctypes, threading, time
name = ctypes.CDLL(None).prctl
def sleeper():
    name(15, b"<img onerror=1>", 0, 0, 0)
    time.sleep(1000)
threading.Thread(target=sleeper, daemon=True).start()
name(15, b"</script><b>", 0, 0, 0)
print("ready", flush=True)
while True:
    sum(range(10000))
    time.sleep(0.001)
"""


def hostile(ctx):
    process = ctx.spawn(sys.executable, "-c", HOSTILE)
    assert process.line() == "ready"
    return process


def visit(browser, server, path="/"):
    browser.prefers("light")
    browser.size(1280, 900)
    browser.visit(server.url(path))


def quiet(browser, server, but=()):
    """Nothing was complained of, and nothing was asked of anybody else."""
    troubles = [said for said in browser.troubles() if not any(word in said for word in but)]
    assert not troubles, troubles
    strangers = [url for url in browser.requests()
                 if not url.startswith((server.url("/"), "data:", "about:", "blob:"))]
    assert not strangers, strangers


def text(browser, ident):
    return browser.run(f"byId('{ident}').textContent")


def pixels(browser, number):
    """A sum over what a chart shows."""
    return browser.run(f"""(() => {{
        const canvas = document.querySelectorAll("#charts canvas")[{number}];
        const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return data.reduce((sum, byte, i) => (sum * 31 + byte * (i % 97)) % 1000003, 1);
    }})()""")


def asked(browser, word):
    return sum(word in url for url in browser.requests())


def drawn(browser):
    return browser.until("page.graph.data && page.graph.whole > 0")


def cell(browser, name):
    """Where the middle of the largest cell of a function is on the screen."""
    return browser.run(f"""(() => {{
        const graph = page.graph, frames = graph.data.frames.name.length;
        byId("canvas").scrollIntoView({{ block: "center" }});
        for (let i = 0; i < frames; i++) {{
            if (graph.nameOf(i) !== {json.dumps(name)}) continue;
            const box = graph.drawing.boxOf(graph.scene(), graph.largestOf(i));
            const own = byId("canvas").getBoundingClientRect();
            return [own.left + box.x + box.width / 2, own.top + box.y + 8];
        }} }})()""")


def same_range(ctx, server, *kinds):
    """What /api/v1/top says of each kind, over the seconds that are kept of all of them."""
    def kept_of_all():
        ranges = [server.json(f"/api/v1/top?type={kind}")["range"] for kind in kinds]
        begin = max(one["kept_from_ns"] for one in ranges)
        end = min(one["kept_to_ns"] for one in ranges)
        return end - begin > 3e9 and (begin, end)
    begin, end = ctx.eventually(kept_of_all, "three seconds of each kind")
    return [server.json(f"/api/v1/top?type={kind}&from={begin}&to={end}") for kind in kinds]


def between(server, kind, begin, end, view="top"):
    """What the server says of a range that the page has (ms)."""
    return server.json(f"/api/v1/{view}?type={kind}&count=20000&from={int(begin * MS)}"
                       f"&to={int(end * MS)}")


def test_lives_and_pauses(ctx):
    target = ctx.target("contended", "normal")
    before = ctx.health(target.pid)
    server = Server(ctx, target.pid, *OFTEN, "--keep-views", "3s")
    with Browser(ctx) as browser:
        browser.call("Emulation.setTimezoneOverride", timezoneId="Pacific/Marquesas")
        begun = time.time()
        visit(browser, server)
        # Charts move: readings come as events, and each is drawn.
        browser.until("page.axis.readings.length > 3 && page.readings.heard > 0")
        first = [pixels(browser, i) for i in range(5)]
        count = browser.run("page.axis.readings.length")
        browser.until(f"page.axis.readings.length > {count + 3}")
        browser.frame()
        assert [pixels(browser, i) for i in range(5)] != first
        stats = browser.run("[...byId('stats').children].map((one) => one.children[1].textContent)")
        threads = len(list(pathlib.Path(f"/proc/{target.pid}/task").iterdir()))
        assert stats[2] == str(threads) and stats[0].endswith(" %") and "iB" in stats[1], stats
        label = browser.run("document.querySelector('#charts canvas').getAttribute('aria-label')")
        assert label.startswith("CPU at ") and "program" in label, label
        # Values under the pointer.
        box = browser.run("""(() => { const box = document.querySelector("#charts canvas")
            .getBoundingClientRect(); return [box.right - 30, box.top + 40]; })()""")
        browser.mouse("mouseMoved", *box)
        browser.frame()
        assert browser.run("page.axis.at >= 0")
        # When that was stands below it, in each chart.
        times = browser.run("""[clockOf(page.axis.pointed().time),
            ...[...document.querySelectorAll(".chart .when:not([hidden])")].map((one) =>
                one.textContent)]""")
        assert len(times) == 6 and len(set(times)) == 1, times
        browser.mouse("mouseMoved", 1, 1)
        browser.frame()
        assert browser.run("[...document.querySelectorAll('.when')].every((one) => one.hidden)")
        # Which time charts and picture are of is said, by the clock of the browser, with its zone.
        drawn(browser)
        whole = browser.run("(page.axis.until - page.axis.from) / 1000")
        said = text(browser, "range-text")
        assert said.startswith(f"Charts: the last {whole:.0f} s. "), (said, whole)
        assert said.endswith("Times are of Pacific/Marquesas, UTC−09:30."), said
        about = browser.until("/over the last (\\d+) s .([\\d:]+) – ([\\d:]+)/.exec("
                              "byId('about').textContent)")
        assert int(about[1]) <= time.time() - begun + 1, (about, begun)
        there = [time.strftime("%H:%M:%S", time.gmtime(second - 34200))
                 for second in range(int(begun), int(time.time()) + 2)]
        assert about[3] in there, (about, there)
        # The flame graph lives, zooms, and stays zoomed when new data come.
        browser.until("page.graph.data.texts.includes('hold_long')")
        browser.click(*cell(browser, "hold_long"))
        # What is in sight is as wide as the cell, whose share of few samples may be any.
        zoom = """(({ view, layout, state, tree }) => [page.graph.nameOf(tree.frame[state.zoomed]),
            (view.right - view.left) / layout.size[state.zoomed]])(page.graph)"""
        name, width = browser.run(zoom)
        assert name == "hold_long" and abs(width - 1) < 1e-6, (name, width)
        number = asked(browser, "/api/v1/flame")
        ctx.eventually(lambda: asked(browser, "/api/v1/flame") > number + 1, "new cells")
        name, width = browser.run(zoom)
        assert name == "hold_long" and abs(width - 1) < 1e-6, (name, width)
        # Keys that scroll do, as long as the graph is not chosen; then arrows move in it.
        browser.run("document.activeElement.blur()")
        browser.run("""addEventListener("keydown", (event) => {
            window.taken = event.defaultPrevented; })""")
        browser.run("scrollTo(0, 0)")
        browser.key("PageDown")
        browser.until("scrollY > 0")
        assert browser.run("taken") is False
        browser.run("byId('canvas').focus()")
        was = browser.run("page.graph.selected")
        browser.key("ArrowUp")
        assert browser.run("taken") is True and browser.run("page.graph.selected") != was, was
        assert "of 99 Hz" in text(browser, "quality") and "p99" in text(browser, "quality")
        # Nothing is asked while it is paused, and nothing is drawn.
        browser.run("document.activeElement.blur()")
        browser.key("p")
        assert browser.run("location.hash") == "#paused=1", browser.run("location.hash")
        ctx.eventually(lambda: not browser.run("page.busy"), "the last answer")
        number, count = len(browser.requests()), browser.run("page.axis.readings.length")
        time.sleep(4)
        later = [url for url in browser.requests()[number:] if not url.endswith("/targets")]
        assert not later, later
        assert browser.run("page.axis.readings.length") == count
        # Nobody is sampled any more by now; what was sampled can still be looked at.
        browser.run("page.axis.choose([page.axis.kept[1] - 3000, page.axis.kept[1]], false)")
        browser.until("byId('about').textContent.includes(' (3 s)') && page.graph.whole > 0")
        assert browser.run("byId('state').hidden"), text(browser, "state")
        browser.run("byId('live').click()")
        browser.key("p")
        browser.until(f"page.axis.readings.length > {count + 3}")
        # Who waits, and for whom.
        browser.key("3")
        browser.until("byId('panel-threads').textContent.includes('waiter1')")
        caption = browser.run("page.views.threads.caption.textContent")
        assert caption.startswith("Threads · the last "), caption
        browser.key("4")
        browser.until("byId('panel-waits').textContent.includes('the_mutex')")
        # Those who hold locks and those who wait for them have the same time, and each counts once.
        both = same_range(ctx, server, "block", "mutex")
        assert 0 < both[1]["window_delay_ns"] <= 1.2 * both[0]["window_delay_ns"], [
            (one["range"], one["window_delay_ns"]) for one in both]
        browser.key("5")
        browser.until("byId('panel-runtime').textContent.includes('glibc')")
        assert "nothing collects garbage there" in text(browser, "panel-runtime")
        facts = browser.run("""Object.fromEntries([...document.querySelectorAll(".facts dt")].map(
            (one) => [one.textContent, one.nextSibling.textContent]))""")
        assert facts["allocator · free"].endswith("B"), facts
        assert "UTC" not in facts["start time"] and "T" not in facts["start time"], facts
        assert "400 %" in browser.run("byId('stats').children[3].title")
        assert len([name for name in facts if name.startswith("request count, ")]) == 1, facts
        browser.until("byId('health-text').textContent")
        assert text(browser, "health-text") in ("healthy", "degraded", "unhealthy")
        browser.run("byId('collect').click()")
        browser.until("byId('action-text').textContent.includes('nothing collects garbage')")
        browser.key("2")
        browser.until("byId('panel-functions').textContent.includes('hold_long')")
        # Of a long name three lines are shown, all of it by a tap, and its title has it.
        browser.run("page.pause()")
        ctx.eventually(lambda: not browser.run("page.busy"), "the last answer")
        name = "std::map<" + "std::vector<std::pair<int, char>>, " * 200 + "x>::find"
        heights = browser.run(f"""(() => {{
            page.views.functions.show([{{ function: {json.dumps(name)}, module: "m" }}], "", "");
            const cell = document.querySelector("#panel-functions td");
            const high = () => cell.firstElementChild.getBoundingClientRect().height;
            const heights = [high(), cell.click() ?? high()];
            return [...heights, parseFloat(getComputedStyle(cell).lineHeight), cell.title];
        }})()""")
        assert heights[0] < 3.5 * heights[2] < heights[1] and heights[3] == name, heights
        quiet(browser, server)
    assert server.stop() == 0
    after = ctx.health(target.pid)
    assert after == before, (before, after)


def test_ranges_compare_and_the_address_keeps_them(ctx):
    target = ctx.target("contended", "normal")
    server = Server(ctx, target.pid, *OFTEN)
    with Browser(ctx) as browser:
        visit(browser, server, "/performance#type=wall&theme=dark&history=1&q=hold")
        assert browser.run("document.documentElement.dataset.theme") == "dark"
        assert browser.run("byId('history').getAttribute('aria-pressed')") == "true"
        drawn(browser)
        assert browser.run("byId('radio-wall').getAttribute('aria-checked')") == "true"
        assert text(browser, "measures").startswith("All time of all threads")
        assert "functions" in browser.until("byId('found').textContent")
        browser.until("page.axis.kept && page.axis.kept[1] - page.axis.kept[0] > 4000")
        # What is counted from now on has no past to be shown, or to be compared with.
        far = browser.run("page.axis.kept[0]")
        browser.run("byId('radio-mutex').click()")
        browser.until("page.axis.kept[0] > " + str(far + 3000))
        browser.until("page.graph.data.types[page.graph.state.type].name === 'delay'")
        assert browser.run("page.views.seen[1] - page.views.seen[0] <= "
                           f"Date.now() - {far + 3000}")
        early = server.request(f"/api/v1/top?type=block&from={int(far * MS)}"
                               f"&to={int(far * MS) + 9**9}")
        assert early.status == 400 and b"was counted yet" in early.body, early
        browser.run("byId('radio-wall').click()")
        browser.until("page.axis.kept[0] < " + str(far + 1000))
        drawn(browser)
        # Two ranges by mouse: the whole chart, and with Shift its left part, which is too early.
        x, y, width = browser.run("""(() => { const box = document.querySelector("#charts canvas")
            .getBoundingClientRect(); return [box.left, box.top + 40, box.width]; })()""")
        browser.drag(x + 60, y, x + width - 10, y)
        assert browser.run("page.state.range[1] - page.state.range[0] > 2000")
        assert browser.run("!byId('live').hidden")
        drawn(browser)
        # By keys: what is begun can be seen, and given up.
        browser.run("document.querySelector('#charts canvas').focus()")
        for key in "ArrowLeft", " ", "ArrowLeft":
            browser.key(key)
        begun = browser.run("page.axis.begun()")
        assert begun[1] > begun[0], begun
        browser.key("Escape")
        assert browser.run("page.axis.begun() === null && page.state.range === null")
        browser.until("page.axis.kept[1] - page.axis.kept[0] > 6000")
        early = browser.run("Date.now() - 3600000")
        browser.run(f"page.axis.choose([{early}, {early + 5000}], true)")
        browser.until("byId('state').textContent.includes('this range lies before')")
        browser.run("""(() => { const [from, until] = page.axis.kept;
            page.axis.choose([from + 2500, until - 500], false);
            page.axis.choose([from + 500, from + 2500], true); })()""")
        browser.until("page.graph.two && page.graph.data.sides.length === 2")
        assert browser.run("document.body.classList.contains('two')")
        # So do the tables, with the figures of each range.
        for tab in "functions", "threads":
            browser.run(f"byId('tab-{tab}').click()")
            browser.until(f"page.drawn.{tab} === page.wanted()")
            shown = browser.run(f"""[page.views.{tab}.caption.textContent,
                [...document.querySelectorAll("#panel-{tab} th:not([hidden])")].map((one) =>
                    one.textContent), document.querySelector("#panel-{tab} tbody").textContent]""")
            assert "(2 s)" in shown[0] and "compared with" in shown[0], shown
            assert "Change" in shown[1] and "before" in shown[2], shown
        ranges = [between(server, "wall", *browser.run(f"page.state.{one}"))
                  for one in ("range", "base")]
        told = browser.run("page.views.functions.rows.map((row) => [row.function, [row, row.was]])")
        for which, view in enumerate(ranges):
            truth = {row["function"]: row["total_percent"] for row in view["functions"]}
            assert {name: both[which]["total_percent"] for name, both in told
                    if both[which]["total_percent"]} == truth, (told, truth)
        # CPU time of threads is that of the ranges, and not of the last seconds.
        told = {row["name"]: row for row in browser.run("page.views.threads.rows")}
        for which, row in (("range", told["holder"]), ("base", told["holder"]["was"])):
            begin, end = browser.run(f"page.state.{which}")
            used = sum(between(server, "cpu", begin, end, "flame")["samples"][0]["values"][1])
            share = 100 * used / ((end - begin) * MS)
            assert 0 < row["cpu_percent"] <= share * 1.001 + 0.1, (which, row, share)
        # Of waits nothing is known of the first range; later both are compared.
        browser.run("byId('tab-waits').click()")
        browser.until("byId('state').textContent.includes('counted yet')")
        assert browser.run("byId('panel-waits').offsetHeight") == 0
        shown = browser.run("[page.state.range, page.state.base]")
        until = same_range(ctx, server, "block", "mutex")[0]["range"]["to_ns"] / MS
        browser.run(f"page.axis.choose([{until - 1500}, {until - 500}], false)")
        browser.run(f"page.axis.choose([{until - 2500}, {until - 1500}], true)")
        browser.until("page.drawn.waits === page.wanted()")
        assert browser.run("byId('state').hidden && page.views.mutex.two"), text(browser, "state")
        assert "compared with" in text(browser, "panel-waits")
        browser.run(f"""(([range, base]) => {{ page.axis.choose(range, false);
            page.axis.choose(base, true); }})({json.dumps(shown)})""")
        browser.run("byId('tab-flame').click()")
        browser.until("page.graph.two && page.drawn.flame === page.wanted()")
        # Absolute, or as if both were as long.
        equal = browser.run("page.graph.scale")
        browser.run("byId('canvas').focus()")
        browser.key("e")
        assert browser.run("page.graph.scale") == 1 != equal
        # One thread alone: the address keeps it, also while there is no sample of it.
        waiter = next(row["tid"] for row in ranges[0]["threads"] if row["name"] == "waiter1")
        browser.run(f"page.showThread({{ tid: {waiter} }})")
        browser.until("page.graph.state.chosen.size === 1")
        words = browser.run("location.hash")
        assert "absolute=1" in words and "base_from=" in words and f"tid={waiter}" in words, words
        # A link shows the same; the way back leads to what was before.
        browser.visit(server.url("/performance" + words))
        browser.until("page.graph.two && page.graph.scale === 1")
        chosen = browser.run("""[...page.graph.state.chosen].map(([key, text]) =>
            [key.name, page.graph.data.texts[text], key.select.selectedOptions[0].textContent])""")
        assert chosen == [["tid", str(waiter), str(waiter)]], chosen
        browser.run("byId('live').click()")
        browser.until("page.state.range === null && !page.graph.two")
        browser.run("history.back()")
        browser.until("page.state.range !== null")
        browser.run("page.graph.askFor([['tid', '1']])")
        browser.run("byId('live').click()")
        browser.until("byId('state').textContent.includes('Nothing was seen of tid 1.')")
        assert "&tid=1&" in browser.run("location.hash"), browser.run("location.hash")
        browser.run("""(() => { const one = [...document.querySelectorAll("#filters select")].find(
            (select) => select.value && select.selectedOptions[0].textContent === "1");
            one.value = ""; one.dispatchEvent(new Event("change")); })()""")
        assert "tid=" not in browser.run("location.hash")
        drawn(browser)
        quiet(browser, server, but=("status of 400",))


def test_a_range_is_what_was_sampled_then(ctx):
    """The target is stopped for some seconds of a busy time: that range has no CPU time, and those
    before and after it have."""
    target = ctx.target("contended", "normal")
    server = Server(ctx, target.pid)
    server.json("/api/v1/top")
    time.sleep(4)
    begun = time.time()
    target.signal(signal.SIGSTOP)
    time.sleep(6)
    target.signal(signal.SIGCONT)
    ended = time.time()
    server.json("/api/v1/top")
    time.sleep(1)

    def words(start, end):
        return f"from={int(start * 1e9)}&to={int(end * 1e9)}"

    def samples(start, end):
        answer = server.request(f"/api/v1/top?{words(start, end)}")
        if answer.status == 400:
            assert b"nothing is known of this range yet" in answer.body, answer.body
            return 0
        return json.loads(answer.body)["window_samples"]

    def time_of(start, end):
        flame = server.json(f"/api/v1/flame?{words(start, end)}")
        return sum(flame["samples"][0]["values"][1])

    inside = begun + 1.5, ended - 1.5
    assert samples(*inside) == 0 and time_of(*inside) == 0, samples(*inside)
    before = begun - 3, begun
    assert samples(*before) > 3 and time_of(*before) > 0.03e9, samples(*before)
    assert server.json(f"/api/v1/top?{words(*before)}")["window"] == "3s"
    ctx.eventually(lambda: samples(ended + 0.5, time.time()) > 3, "samples after it")
    refused = server.request(f"/api/v1/top?from=1&to={int(begun * 1e9) - 3600 * 10**9}")
    assert refused.status == 400 and b"lies before" in refused.body, refused
    for wrong in "from=x", "from=-1", "type=heap", "count=y", "filter=/(/":
        refused = server.request(f"/api/v1/flame?{wrong}")
        assert refused.status == 400 and json.loads(refused.body)["error"], (wrong, refused)
    # Files are sent once: whoever has one is told that it is the same.
    style = server.request("/assets/page.css", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(style.body) == server.get("/assets/page.css")
    again = server.request("/assets/page.css", headers={"Accept-Encoding": "gzip",
                                                       "If-None-Match": style.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")
    assert server.request("/assets/nothing").status == 404
    for path, to in ("/targets", "./"), ("/targets/", "../"), ("/targets/x", "x/"), (
            "/performance/", "../performance"):
        moved = server.request(path)
        assert (moved.status, moved.headers["Location"]) == (301, to), moved
    assert server.request("/targets/%0d%0aX:y").status in (400, 404)


def dropped(browser, name, data):
    browser.run(f"""(() => {{
        const bytes = Uint8Array.from(atob("{base64.b64encode(data).decode()}"),
                                      (one) => one.charCodeAt(0));
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([bytes], "{name}"));
        document.dispatchEvent(new DragEvent("drop", {{ dataTransfer, bubbles: true,
                                                        cancelable: true }}));
    }})()""")


def test_files(ctx):
    target = ctx.target("contended", "normal")
    server = Server(ctx, target.pid)
    folder = ctx.tmp / "downloads"
    folder.mkdir()
    with Browser(ctx) as browser:
        browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
        visit(browser, server)
        drawn(browser)
        browser.run("TAKEN['get-cpu'][0] = TAKEN['get-cpu'][0].replace('30', '2')")
        for ident, value in ("get-cpu", "cpu"), ("get-threads", "goroutine"), ("get-heap", "inuse"):
            browser.run(f"byId('{ident}').click()")
            assert ident != "get-cpu" or "stop" in text(browser, ident)
            said = browser.until("byId('action-text').textContent")
            assert "is saved" in said, said
            name = said.split(" ")[0]
            assert name.startswith("contended-") and name.endswith("Z.pb.gz"), name
            path = folder / name
            ctx.eventually(path.exists, f"{name} is there")
            for reader in [ctx.command(["report"]), ["go", "tool", "pprof", "-top"]]:
                if not shutil.which(reader[0]):
                    continue
                done = subprocess.run([*reader, path], capture_output=True, text=True)
                assert done.returncode == 0 and f"Type: {value}" in done.stdout, \
                    (reader, done.stderr, done.stdout[:400])
            browser.run("byId('action-text').replaceChildren()")
        # One that is stopped meanwhile.
        browser.run("TAKEN['get-cpu'][0] = TAKEN['get-cpu'][0].replace(/=2$/, '=60')")
        browser.run("byId('get-cpu').click()")
        browser.run("byId('get-cpu').click()")
        assert "was stopped" in browser.until("byId('action-text').textContent")
        # A file that is dropped opens here, with its numbers; nothing is sent.
        number = asked(browser, "/api/v1/flame")
        made = Made([("samples", "count"), ("cpu", "nanoseconds")], duration=2_000_000_000)
        names = [(one, "app", f"src/{one}.c", 3) for one in ("main", "run", "<img src=x>")]
        made.add(names[:2], [3, 30 * MS], thread="worker")
        made.add(names, [6, 60 * MS], thread="main")
        path = made.write(ctx.tmp / "dropped.pb.gz")
        dropped(browser, "dropped.pb.gz", pathlib.Path(path).read_bytes())
        browser.until("page.state.file === 'dropped.pb.gz'")
        listed = browser.run("""[...document.querySelectorAll("#space .row")].map((row) =>
            [...row.children].map((cell) => cell.querySelector("b").textContent))""")
        assert listed == [["<img src=x>", "66.67 %", "66.67 %"], ["run", "33.33 %", "100.00 %"],
                          ["main", "0.00 %", "100.00 %"]], listed
        about = text(browser, "about")
        assert about.startswith("cpu · 90.0 ms · over 2.00 s"), about
        time.sleep(2.5)
        assert asked(browser, "/api/v1/flame") <= number + 1
        # Collapsed stacks too, as flamegraph.pl takes them: read as ptprof reads them.
        folded = b"main;run;<img>;mutex_lock_[i];sys_futex_[k] 12\n# none\n\nmain;a b 7 2.5\n"
        (ctx.tmp / "some.folded").write_bytes(folded)
        truth = json.loads(subprocess.run(
            ctx.command(["report", "--json", ctx.tmp / "some.folded"]), check=True,
            capture_output=True).stdout)
        dropped(browser, "some.folded", folded)
        browser.until("page.state.file === 'some.folded'")
        listed = browser.run("""[...document.querySelectorAll("#space .row")].map((row) =>
            row.children[0].querySelector("b").textContent)""")
        assert sorted(listed) == sorted(row["name"] for row in truth["functions"]), listed
        for wrong in (b"", b"\x1f\x8bxx", gzip.compress(b"\x0a\xff\xff"), b"plain text",
                      b"a;b 7 150\n"):
            dropped(browser, "wrong", wrong)
            browser.until("byId('action-text').textContent.includes('cannot be opened')")
            assert "collapsed stacks" in text(browser, "action-text")
            browser.run("byId('action-text').replaceChildren()")
        browser.run("byId('live').click()")
        browser.until("page.state.file === null && page.graph.data.texts.includes('hold_long')")
        quiet(browser, server, but=("ERR_ABORTED",))


def test_targets_names_and_sizes(ctx):
    """Several targets, names that are no words, a phone; one that ends, and a server that does."""
    target, other = hostile(ctx), ctx.target("idle")
    server = Server(ctx, target.pid, other.pid, *OFTEN)
    with Browser(ctx) as browser:
        visit(browser, server)
        browser.until("document.querySelectorAll('.targets a').length === 2")
        assert "Which one" in text(browser, "state")
        assert f"pid {other.pid}" in text(browser, "choices"), text(browser, "choices")
        assert "ctypes.CDLL(None)" in text(browser, "choices"), text(browser, "choices")
        assert asked(browser, "/api/v1/flame") == 0
        # A file opens there too, and the list is back when it is closed.
        dropped(browser, "some.folded", b"main;work 3\nmain 1\n")
        browser.until("page.state.file === 'some.folded' && byId('panel-flame').offsetHeight > 0")
        browser.until("document.querySelectorAll('#space .row').length === 2")
        assert browser.run("!byId('choices').children.length && !byId('charts').offsetHeight")
        browser.run("byId('live').click()")
        browser.until("document.querySelectorAll('.targets a').length === 2")
        assert browser.run("!byId('panel-flame').offsetHeight && !byId('state').hidden")
        where = browser.run("[...document.querySelectorAll('.targets a')].map((one) => one.href)")
        own = next(url for url in where if str(other.pid) not in url and "idle" not in url)
        browser.visit(own + "#tab=threads&type=wall")
        browser.until("byId('panel-threads').textContent.includes('<img onerror=1>')")
        title = browser.run("document.title")
        assert title.startswith("</script><b>"), title
        assert browser.run("document.querySelectorAll('img, iframe, b script').length") == 0
        assert browser.run("document.scripts.length") == 1
        browser.key("1")
        drawn(browser)
        # On a phone nothing lies beside the screen, in any panel.
        browser.size(390, 844, 2, phone=True)
        for panel in "flame", "functions", "threads", "waits", "runtime":
            browser.run(f"byId('tab-{panel}').click()")
            ctx.eventually(lambda: not browser.run("page.busy"), "an answer")
            width = browser.run("document.documentElement.scrollWidth")
            assert width <= 390, (panel, width)
            tab = browser.run(f"byId('tab-{panel}').getBoundingClientRect().right")
            assert tab <= 390, (panel, tab)
        small = browser.run("""[...document.querySelectorAll("button, select, summary")]
            .filter((one) => one.offsetParent && one.getBoundingClientRect().height < 30)
            .map((one) => one.id || one.textContent)""")
        assert not small, small
        # All buttons can be reached there, and what they answer can be read.
        browser.run("byId('collect').click()")
        browser.until("byId('action-text').textContent.includes('cannot be collected')")
        beside = browser.run("""[...document.querySelectorAll(".actions button, #action-text")]
            .filter((one) => one.getBoundingClientRect().right > innerWidth)
            .map((one) => one.id)""")
        assert not beside, beside
        browser.size(1280, 900)
        # The target ends.
        browser.run("byId('tab-flame').click()")
        drawn(browser)
        target.kill()
        browser.until("byId('notice').textContent.includes('ended')")
        # What had been drawn of it stays; nothing is shown of anything else under another heading.
        browser.until("byId('state').hidden && byId('panel-flame').offsetHeight > 0")
        browser.run("byId('radio-block').click()")
        browser.until("byId('state').textContent.includes('stacks are no longer there')")
        assert browser.run("byId('panel-flame').offsetHeight") == 0
        browser.run("byId('radio-wall').click()")
        browser.until("byId('state').hidden && byId('panel-flame').offsetHeight > 0")
        quiet(browser, server, but=("/api/", ))
        # Another one of a server that ends.
        browser.visit(server.url(f"/?target={other.pid}"))
        browser.until("page.axis.readings.length > 1")
        browser.run("page.pause()")
        server.stop()
        browser.until("byId('notice').textContent.includes('does not answer')")
        ctx.start("serve", other.pid, "--listen", server.address)
        browser.until("byId('notice').hidden")
