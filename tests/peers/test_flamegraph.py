# SPDX-License-Identifier: MIT
"""The page of ptprof flamegraph in headless Chromium: used as a person uses it."""

import collections
import json
import random
import re
import xml.etree.ElementTree

from browser import Browser
from pprof_known import Made

SIDE_BY_SIDE = True

TYPES = [("samples", "count"), ("cpu", "nanoseconds")]
MS = 1_000_000
HOSTILE = ["</script><script>document.title='owned'</script>", "<!--<script>",
           "\"><img src=x onerror=\"document.title='owned'\">", "{{script}}", "]]>&amp;\x1b[31m",
           "javascript:alert(1)", "__proto__", "constructor", "\u202egnp.exe",
           b"bad \xff\xfe utf-8"]
STACKS = 100_000


def frame(name, module="app", line=0):
    return name, module, f"src/{name}.c", line


def sample_profile(path, factor=1):
    """main calls parse (30 ms, worker) and run (60 ms), run calls hash (40 ms) and itself."""
    made = Made(TYPES, comments=["a comment <b>"], duration=2_000_000_000)
    main, parse, run = frame("main", line=3), frame("parse", line=7), frame("run", line=9)
    digest = frame("hash", "libcrypto.so.3", 41)
    made.add([main, parse], [3, 30 * MS], thread="worker", tid=7, state="running")
    made.add([main, run], [1, 10 * MS], thread="main", tid=6, state="running")
    made.add([main, run, digest], [4, 40 * MS * factor], thread="main", tid=6, state="blocked")
    made.add([main, run, run], [1, 10 * MS], thread="worker", tid=7, state="running")
    return made.write(path)


def page_of(ctx, *words):
    path = ctx.tmp / "page.html"
    done = ctx.run("flamegraph", *words, "-o", path)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"ptprof: wrote \S+ \([\d.]+[KM]\)\n", done.stderr), done.stderr
    return path


def opened(ctx, browser, *words, fragment=""):
    browser.prefers("light")
    browser.size(1280, 800)
    path = page_of(ctx, *words)
    browser.open(path, fragment)
    return path


def shown(browser, name):
    """Where the middle of the largest cell of that function is on the screen."""
    at = browser.run(f"""(() => {{
        const frames = page.data.frames.name.length;
        for (let i = 0; i < frames; i++) {{
            if (page.nameOf(i) !== {json.dumps(name)}) continue;
            const box = page.drawing.boxOf(page.scene(), page.largestOf(i));
            const own = byId("canvas").getBoundingClientRect();
            return [own.left + box.x + box.width / 2, own.top + box.y + 8];
        }} }})()""")
    assert at, f"{name} is nowhere"
    return at


def text(browser, ident):
    return browser.run(f"byId('{ident}').textContent")


def share_of_view(browser):
    return browser.run("(page.view.right - page.view.left) / page.layout.whole")


def rows(browser):
    """Function -> (self, total) in percent, as the table shows them."""
    listed = browser.run("""[...document.querySelectorAll("#space .row")].map((row) =>
        [...row.children].map((cell) => cell.querySelector("b").textContent))""")
    return {row[0]: tuple(row[1:]) for row in listed}


def quiet(browser):
    assert browser.troubles() == [], browser.troubles()


def test_is_one_file_that_works_offline(ctx):
    with Browser(ctx) as browser:
        path = opened(ctx, browser, sample_profile(ctx.tmp / "cpu.pb.gz"))
        assert browser.requests() == [f"file://{path}"], browser.requests()
        assert text(browser, "title") == "cpu.pb.gz" == browser.run("document.title")
        assert text(browser, "about") == "cpu · 90.0 ms · over 2s"
        assert "a comment <b>" in text(browser, "about-list")
        # Something is drawn: the cell of all is grey, others are not.
        colors = browser.run("""[5, 25].map((y) => [...byId("canvas").getContext("2d")
            .getImageData(300, y, 1, 1).data].slice(0, 3))""")
        assert colors[0] == [0xDA, 0xD9, 0xD5] != colors[1], colors
        quiet(browser)


def test_table_has_the_numbers(ctx):
    with Browser(ctx) as browser:
        opened(ctx, browser, sample_profile(ctx.tmp / "cpu.pb.gz"))
        assert rows(browser) == {"hash": ("44.44 %", "44.44 %"), "parse": ("33.33 %", "33.33 %"),
                                 "run": ("22.22 %", "66.67 %"), "main": ("0.00 %", "100.00 %")}
        browser.key("t")
        assert text(browser, "about").startswith("samples · 9 "), text(browser, "about")
        assert rows(browser)["run"] == ("22.22 %", "66.67 %")
        # By keyboard: sort by name, go to the second row, mark it.
        browser.run("document.querySelector('[data-by=name] button').focus()")
        browser.key("Enter")
        assert list(rows(browser)) == ["hash", "main", "parse", "run"]
        browser.run("byId('grid').focus()")
        browser.key("ArrowDown")
        assert browser.run("document.getElementById(byId('grid').getAttribute("
                           "'aria-activedescendant')).textContent").startswith("main")
        browser.key(" ")
        assert text(browser, "found").startswith("1 function, 100.00 %"), text(browser, "found")
        assert browser.run("document.querySelector('#space [aria-selected=true]').textContent"
                           ).startswith("main")
        assert browser.run("byId('grid').getAttribute('aria-rowcount')") == "5"
        quiet(browser)


def test_numbers_are_those_of_report(ctx):
    """Which go tool pprof has confirmed, of every type that Go writes."""
    with Browser(ctx) as browser:
        compared = 0
        for path in sorted((ctx.root / "tests/golden").glob("go-*.pb.gz")):
            done = ctx.run("report", path, "--json", "--top", "10000")
            assert done.returncode == 0, done.stderr
            report = json.loads(done.stdout)
            opened(ctx, browser, path)
            functions, total = browser.run("""(() => {
                const { self, total } = page.functions[0];
                return [Array.from(self, (own, i) => [page.nameOf(i), own, total[i]]),
                    page.after[0]]; })()""")
            assert total == report["total"], (path.name, total, report["total"])
            for row in report["functions"]:
                assert [row["name"], row["self"], row["total"]] in functions, (path.name, row)
                compared += 1
            quiet(browser)
        assert compared > 30, compared


def test_click_zooms_and_the_address_keeps_it(ctx):
    with Browser(ctx) as browser:
        path = opened(ctx, browser, sample_profile(ctx.tmp / "cpu.pb.gz"))
        assert share_of_view(browser) == 1
        browser.click(*shown(browser, "run"))
        assert abs(share_of_view(browser) - 60 / 90) < 1e-9
        assert text(browser, "status-text").startswith("run")
        kept = browser.run("location.hash")
        assert "z=" in kept, kept
        browser.click(*shown(browser, "run"), count=2)
        assert share_of_view(browser) == 1 and browser.run("location.hash") == ""
        browser.open(path, kept)
        assert abs(share_of_view(browser) - 60 / 90) < 1e-9
        browser.key("Escape")
        assert share_of_view(browser) == 1
        # What a stranger's link says is checked.
        browser.open(path, "#z=99999999&type=7&f=1e9&by.thread=nobody&by.x=y&q=%28&theme=x&table=2")
        assert share_of_view(browser) == 1 and text(browser, "about").startswith("cpu")
        quiet(browser)


def test_hover_tells_name_file_and_line(ctx):
    with Browser(ctx) as browser:
        opened(ctx, browser, sample_profile(ctx.tmp / "cpu.pb.gz"))
        browser.mouse("mouseMoved", *shown(browser, "hash"))
        browser.frame()
        assert text(browser, "tip") == ("hashtotal 40.0 ms (44.44 %) · self 40.0 ms (44.44 %)"
                                        "libcrypto.so.3 · src/hash.c:41")
        browser.mouse("mouseMoved", 640, 5)
        browser.frame()
        assert browser.run("byId('tip').hidden")
        quiet(browser)


def test_search_counts(ctx):
    with Browser(ctx) as browser:
        opened(ctx, browser, sample_profile(ctx.tmp / "cpu.pb.gz"))
        browser.key("/")
        browser.type("^(hash|run)$")
        # run is in three stacks, twice in one of them, and hash is below it.
        assert text(browser, "found") == "2 functions, 66.67 % (60.0 ms)", text(browser, "found")
        assert set(rows(browser)) == {"hash", "run"}
        browser.key("Enter")
        assert text(browser, "status-text").startswith("run")
        browser.key("Enter")
        assert text(browser, "status-text").startswith("hash")
        browser.key("Escape")
        assert text(browser, "found") == "" and len(rows(browser)) == 4
        browser.key("/")
        browser.type("(")  # no regular expression: a text that nothing has
        assert text(browser, "found") == "0 functions, 0.00 % (0 ns)", text(browser, "found")
        quiet(browser)


def test_keyboard(ctx):
    with Browser(ctx) as browser:
        opened(ctx, browser, sample_profile(ctx.tmp / "cpu.pb.gz"))

        def after(*keys):
            for key in keys:
                browser.key(key)
            return browser.run("byId('status-text').firstChild.textContent")

        assert after("ArrowDown") == "main"
        assert after("ArrowDown") == "run"
        assert after("ArrowRight") == "parse"
        assert after("ArrowLeft", "ArrowDown") == "hash"
        assert after("ArrowUp", "Enter") == "run"
        assert abs(share_of_view(browser) - 60 / 90) < 1e-9
        after("Backspace")
        assert share_of_view(browser) == 1
        after("+")
        assert share_of_view(browser) < 0.7
        after("0")
        assert share_of_view(browser) == 1
        after("?")
        assert browser.run("byId('help').open")
        after("Escape")
        assert not browser.run("byId('help').open")
        after("w")
        assert browser.run("getComputedStyle(byId('functions')).display") == "none"
        after("d")
        assert browser.run("document.documentElement.dataset.theme") == "dark"
        assert browser.run("location.hash") == "#theme=dark&table=0"
        quiet(browser)


def test_inverted_from_the_leaf_up(ctx):
    with Browser(ctx) as browser:
        opened(ctx, browser, sample_profile(ctx.tmp / "cpu.pb.gz"))
        browser.key("i")
        tree = browser.run("""Array.from({ length: page.tree.count }, (_, i) => [
            i ? page.nameOf(page.tree.frame[i]) : "", page.tree.parent[i], page.after[i]])""")

        def path(i):
            return (path(tree[i][1]) + (tree[i][0],)) if i else ()

        found = {path(i): total / MS for i, (_, _, total) in enumerate(tree)}
        assert found == {
            (): 90, ("parse",): 30, ("parse", "main"): 30, ("hash",): 40, ("hash", "run"): 40,
            ("hash", "run", "main"): 40, ("run",): 20, ("run", "main"): 10, ("run", "run"): 10,
            ("run", "run", "main"): 10}, found
        assert rows(browser)["run"] == ("22.22 %", "66.67 %")
        browser.key("i")
        assert browser.run("page.tree.count") == 6
        quiet(browser)


def test_threads_and_labels_filter(ctx):
    with Browser(ctx) as browser:
        opened(ctx, browser, sample_profile(ctx.tmp / "cpu.pb.gz"))
        names = browser.run("[...document.querySelectorAll('#filters label')].map((one) => "
                            "[one.firstChild.textContent, ...[...one.querySelectorAll('option')]"
                            ".map((option) => option.textContent)])")
        assert names == [["thread", "all", "main", "worker"],
                         ["tid", "all", "6", "7"],
                         ["state", "all", "running", "blocked"]], names

        def choose(key, value):
            browser.run(f"""(() => {{
                const select = document.querySelectorAll("#filters select")[{key}];
                select.selectedIndex = {value};
                select.dispatchEvent(new Event("change")); }})()""")
            browser.frame()

        choose(0, 2)
        assert rows(browser) == {"parse": ("75.00 %", "75.00 %"), "run": ("25.00 %", "25.00 %"),
                                 "main": ("0.00 %", "100.00 %")}, rows(browser)
        assert browser.run("location.hash") == "#by.thread=worker"
        choose(2, 2)
        assert browser.run("!byId('empty').hidden") and rows(browser) == {}
        choose(0, 0)
        assert set(rows(browser)) == {"main", "run", "hash"}
        quiet(browser)


def test_resize(ctx):
    with Browser(ctx) as browser:
        opened(ctx, browser, sample_profile(ctx.tmp / "cpu.pb.gz"))
        for width, height, scale in (800, 500, 1), (1600, 1000, 2), (320, 240, 1):
            browser.size(width, height, scale)
            browser.frame()
            canvas, box, drawn = browser.run("""[byId("canvas").width,
                byId("graph").getBoundingClientRect().width, page.drawing.width]""")
            assert drawn == int(box) and canvas == drawn * scale, (canvas, box, drawn)
            assert browser.run("document.documentElement.scrollWidth") <= width
        quiet(browser)


def test_dark_and_light(ctx):
    with Browser(ctx) as browser:
        opened(ctx, browser, sample_profile(ctx.tmp / "cpu.pb.gz"))

        def ground():
            browser.frame()
            return browser.run("""[getComputedStyle(document.body).backgroundColor,
                byId("canvas").getContext("2d").getImageData(5, 400, 1, 1).data.join()]""")

        light = ["rgb(251, 250, 248)", "251,250,248,255"]
        dark = ["rgb(27, 26, 24)", "27,26,24,255"]
        assert ground() == light
        browser.prefers("dark")
        assert ground() == dark
        browser.key("d")
        assert ground() == light
        quiet(browser)


def test_difference(ctx):
    with Browser(ctx) as browser:
        before = sample_profile(ctx.tmp / "before.pb.gz")
        after = sample_profile(ctx.tmp / "after.pb.gz", factor=4)
        opened(ctx, browser, before, after)
        assert text(browser, "title") == "after.pb.gz compared with before.pb.gz"
        assert text(browser, "about").startswith(
            "cpu · 210 ms · before 90.0 ms · shares compared: both totals count as equal")
        assert [name in text(browser, "legend") for name in ("gone", "new", "about equal")] == \
            [True] * 3
        # hash: 40 of 90 before, 160 of 210 after.
        found = rows(browser)["hash"]
        assert found == ("76.19 %", "76.19 %", "+31.75"), found
        browser.mouse("mouseMoved", *shown(browser, "hash"))
        browser.frame()
        assert "before 40.0 ms (44.44 %) · after 160 ms (76.19 %) · +71 %" in text(browser, "tip")
        colors = browser.run("""["hash", "parse"].map((name) => {
            const frame = page.data.texts.indexOf(name);
            const at = [...page.data.frames.name].indexOf(frame), node = page.largestOf(at);
            return page.scene().colorOf(node) - HUES; })""")
        assert colors == [4, 1], colors  # more; less than half
        browser.key("e")
        assert "compared as measured" in text(browser, "about")
        assert rows(browser)["parse"] == ("14.29 %", "14.29 %", "0.00"), rows(browser)["parse"]
        browser.key("i")
        assert browser.run("page.tree.count") > 1
        quiet(browser)


def hostile_profile(path):
    made = Made(TYPES, comments=HOSTILE[:3])
    for i, name in enumerate(HOSTILE):
        word = name if isinstance(name, str) else "bytes"
        made.add([frame("main"), (name, word.replace("/", "_"), name, i)], [1, MS * (i + 1)],
                 thread=name, **{word: word})
    return made.write(path)


def test_hostile_names_are_inert(ctx):
    with Browser(ctx) as browser:
        path = hostile_profile(ctx.tmp / "x.pb.gz")
        opened(ctx, browser, path, "--title", HOSTILE[0])
        assert browser.run("document.title") == HOSTILE[0]
        assert text(browser, "title") == HOSTILE[0]
        before = browser.run("document.querySelectorAll('script, img').length")
        for at in range(len(HOSTILE)):
            browser.key("ArrowDown")
            browser.key("ArrowRight")
            browser.run(f"page.choose({at}, true)")
        for key in "i", "t", "/", "Escape", "d":
            browser.key(key)
        browser.open(path.with_name("page.html"), "#q=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
        assert before == 2 == browser.run("document.querySelectorAll('script, img').length")
        assert browser.run("document.title") == HOSTILE[0]
        names = browser.run("page.data.texts")
        assert {HOSTILE[0], HOSTILE[2], "__proto__", "{{script}}"} <= set(names), names
        assert "\\u{202e}gnp.exe" in names and not any("\x1b" in name for name in names)
        quiet(browser)


def test_no_other_script_runs(ctx):
    """Should markup get in all the same, the page's policy keeps it from running."""
    with Browser(ctx) as browser:
        opened(ctx, browser, sample_profile(ctx.tmp / "cpu.pb.gz"))
        browser.run("""(() => {
            const script = document.createElement("script");
            script.textContent = "document.title = 'owned'";
            document.body.append(script);
            byId("tip").innerHTML = "<img src=x onerror=\\"document.title='owned'\\">";
            fetch("data:text/plain,x").catch(() => 0);
        })()""")
        browser.until("true")
        browser.frame()
        assert browser.run("document.title") == "cpu.pb.gz"
        assert len(browser.troubles()) >= 2, browser.troubles()


def test_phone(ctx):
    with Browser(ctx) as browser:
        path = page_of(ctx, sample_profile(ctx.tmp / "cpu.pb.gz"))
        browser.prefers("light")
        browser.size(390, 800, 2, phone=True)
        browser.open(path)
        assert browser.run("document.documentElement.scrollWidth") <= 390
        assert browser.run("getComputedStyle(byId('functions')).display") == "none"
        browser.tap(*shown(browser, "run"))
        assert abs(share_of_view(browser) - 60 / 90) < 1e-9
        browser.run("byId('reset').click()")
        browser.pinch(*shown(browser, "main"), 60, 240)
        assert share_of_view(browser) < 0.4
        browser.run("byId('reset').click()")
        browser.run("byId('table-toggle').click()")
        browser.frame()
        top, bottom, foot = browser.run("""(() => {
            const box = byId("functions").getBoundingClientRect();
            const foot = document.querySelector("footer").getBoundingClientRect();
            return [box.top, box.bottom, foot.top];
        })()""")
        assert bottom - top > 150 and bottom <= foot + 1, (top, bottom, foot)
        quiet(browser)


def many_stacks(path):
    """Distinct stacks as a server's are: they part later and later, and 30 deep on average."""
    chance, made, stacks = random.Random(1), Made(TYPES), [()]
    frames = [(f"function_{i}_of_a_name_of_usual_length", f"lib{i % 17}.so", f"src/file{i % 300}.c",
               i) for i in range(8000)]
    seen = set()
    while len(seen) < STACKS:
        stack = stacks[int(len(stacks) * chance.random())][:chance.randint(3, 45)]
        stack += tuple(min(int(chance.paretovariate(0.5)), 7999)
                       for _ in range(chance.randint(1, 8)))
        if len(stack) > 60 or stack in seen:
            continue
        seen.add(stack)
        stacks.append(stack)
        made.add([frames[0], *(frames[i] for i in stack)], [1, chance.randint(1, 50) * MS],
                 thread=f"worker-{len(seen) % 64}")
    return made.write(path)


def test_hundred_thousand_stacks(ctx):
    """Times are told and not judged: they are the machine's."""
    with Browser(ctx) as browser:
        path = opened(ctx, browser, many_stacks(ctx.tmp / "many.pb.gz"))
        measured = browser.run("""performance.getEntriesByName("ptprof-load")[0].duration""")
        opened_after = browser.run("""performance.getEntriesByType("navigation")[0].duration""")
        assert browser.run("page.data.sides[0].cell.length") == STACKS
        browser.run("performance.clearMeasures()")
        frames = browser.run("""(async () => {
            const whole = page.layout.whole, times = [];
            let last = 0;
            for (let i = 0; i < 90; i++) {
                page.look(whole * (0.2 + i * 0.004), whole * (0.5 + i * 0.004));
                page.scrollTo(i * 4);
                const now = await new Promise((done) => requestAnimationFrame(done));
                if (last) times.push(now - last);
                last = now;
            }
            return times.sort((a, b) => a - b); })()""")
        draws = browser.run("""performance.getEntriesByName("ptprof-draw")
            .map((one) => one.duration).sort((a, b) => a - b)""")
        assert len(draws) >= 60, len(draws)
        browser.run("performance.clearMeasures()")
        browser.key("i")
        turned = browser.run("""performance.getEntriesByName("ptprof-layout")[0].duration""")
        total = browser.run("page.after[0]")
        assert total == browser.run("page.data.sides[0].values[1].reduce((a, b) => a + b)")
        ctx.figure = (
            f"{browser.run('page.calls.count')} cells, {path.stat().st_size >> 20} MiB: open after "
            f"{opened_after:.0f} ms, script {measured:.0f} ms; a frame while panning "
            f"{frames[len(frames) // 2]:.0f} ms (95 %: {frames[int(len(frames) * 0.95)]:.0f} ms), "
            f"drawing {draws[len(draws) // 2]:.1f} ms; inverted in {turned:.0f} ms")
        quiet(browser)


def test_picture(ctx):
    """The picture is well-formed and has no script, also in a browser."""
    path = ctx.tmp / "x.svg"
    done = ctx.run("flamegraph", hostile_profile(ctx.tmp / "x.pb.gz"), "-o", path, "--title",
                   HOSTILE[0])
    assert done.returncode == 0, done.stderr
    tree = xml.etree.ElementTree.parse(path)
    tags = collections.Counter(one.tag.rpartition("}")[2] for one in tree.iter())
    assert set(tags) == {"svg", "style", "rect", "text", "g", "title"}, tags
    assert tags["title"] == len(HOSTILE) + 2, tags  # and main, and all
    titles = [one.text for one in tree.iter() if one.tag.endswith("title")]
    assert any(title.startswith(HOSTILE[0]) for title in titles), titles
    with Browser(ctx) as browser:
        browser.open(path)
        assert browser.run("document.documentElement.tagName") == "svg"
        assert browser.requests() == [f"file://{path}"], browser.requests()
        quiet(browser)


def test_options(ctx):
    cpu = sample_profile(ctx.tmp / "cpu.pb.gz")
    with open(cpu, "rb") as stream:
        done = ctx.run("flamegraph", "-", "-o", "-", "-f", "svg", "--focus", "hash",
                       "--sample-type", "samples", stdin=stream)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert "<title>hash\n4 (100.00 %)" in done.stdout and "parse" not in done.stdout
    done = ctx.run("flamegraph", cpu, "-o", "-", "-f", "svg", "--ignore", "hash")
    assert "hash" not in done.stdout and "<title>parse\n30.0ms (60.00 %)" in done.stdout
    done = ctx.run("flamegraph", cpu)
    assert done.returncode == 0 and (ctx.tmp / "cpu.html").exists(), done.stderr
    assert f"wrote {ctx.tmp}/cpu.html" in done.stderr, done.stderr
    for status, word, *words in (
            (2, "ends neither in .html nor in .svg", cpu, "-o", "x.png"),
            (2, "no values of type wall; it has samples, cpu", cpu, "--sample-type", "wall"),
            (2, "only one of the profiles", "-", "-"),
            (2, "is not a regular expression", cpu, "--focus", "("),
            (1, "cannot write into the directory", cpu, "-o", "/nowhere/x.html"),
            (1, "", "/nowhere.pb.gz")):
        done = ctx.run("flamegraph", *words)
        assert done.returncode == status and word in done.stderr, (words, done)
        assert not done.stdout
