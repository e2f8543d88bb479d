# SPDX-License-Identifier: MIT
"""Headless Chromium, driven over the pipe of its DevTools protocol: a page as a person uses it."""

import base64
import fcntl
import itertools
import json
import os
import shutil
import signal
import subprocess
import threading
import time

PATIENCE = 60  # seconds for one answer; only against hanging
KEYS = {"Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39,
        "ArrowDown": 40, "Backspace": 8, "Tab": 9, "Home": 36, "End": 35, "PageDown": 34}


def high_pipe():
    """A pipe whose descriptors are neither of the two that the browser talks through."""
    low = os.pipe()
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in low]
    for fd in low:
        os.close(fd)
    return high


class Browser:
    """Ends with its `with`."""

    def __init__(self, ctx, width=1280, height=800):
        # Debian's wrapper of it is a script; what it runs is what we end.
        path = next((found for name in ("chromium", "chromium-browser", "google-chrome")
                     if (found := shutil.which(name))), None)
        if not path:
            raise ctx.Skip("chromium is not installed")
        self.ctx, self.numbers, self.session = ctx, itertools.count(1), None
        self.answers, self.events, self.changed = {}, [], threading.Condition()
        their_in, self.into = high_pipe()
        self.out_of, their_out = high_pipe()
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$0" "$@" 3<&{their_in} 4>&{their_out}', path, "--headless=new",
             "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--disable-extensions", "--disable-background-networking",
             f"--user-data-dir={ctx.tmp}/chromium", f"--window-size={width},{height}",
             "--hide-scrollbars", "about:blank"],
            pass_fds=(their_in, their_out), stdin=subprocess.DEVNULL, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=open(ctx.tmp / "chromium.log", "wb"))
        os.close(their_in)
        os.close(their_out)
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self):
        target = self.ctx.eventually(lambda: next(
            (one for one in self.call("Target.getTargets")["targetInfos"]
             if one["type"] == "page"), None), "Chromium has a page")
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"],
                                 flatten=True)["sessionId"]
        for domain in "Page", "Runtime", "Log", "Network":
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        os.close(self.into)

    def _read(self):
        rest = b""
        with open(self.out_of, "rb", buffering=0) as stream:
            while part := stream.read(1 << 20):
                *whole, rest = (rest + part).split(b"\0")
                with self.changed:
                    for text in whole:
                        message = json.loads(text)
                        if "id" in message:
                            self.answers[message["id"]] = message
                        else:
                            self.events.append(message)
                    self.changed.notify_all()

    def call(self, method, **parameters):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.into, json.dumps(message).encode() + b"\0")
        with self.changed:
            there = self.changed.wait_for(lambda: number in self.answers, PATIENCE)
            assert there, f"Chromium does not answer {method}"
            answer = self.answers.pop(number)
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def open(self, path, fragment=""):
        """Opens a file and waits until it has loaded."""
        self.visit(f"file://{path}{fragment}")

    def visit(self, url):
        """Goes to an address and waits until it has loaded."""
        self.events.clear()
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=url)
        scheme = url.split(":")[0]
        self.until(f"document.readyState === 'complete' && location.protocol === '{scheme}:'")
        self.frame()

    def run(self, script):
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True,
                           awaitPromise=True)
        assert "exceptionDetails" not in answer, (script, answer["exceptionDetails"])
        return answer["result"].get("value")

    def until(self, script):
        end = time.monotonic() + PATIENCE
        while not (value := self.run(script)):
            assert time.monotonic() < end, f"never true: {script}"
            time.sleep(0.02)
        return value

    def frame(self):
        """Waits until what was asked for is drawn."""
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def key(self, key, shift=False):
        code = KEYS.get(key, ord(key[0].upper()))
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        for kind in "keyDown", "keyUp":
            self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code,
                      modifiers=8 if shift else 0, **(text if kind == "keyDown" else {}))
        self.frame()

    def type(self, text):
        self.call("Input.insertText", text=text)
        self.frame()

    def mouse(self, kind, x, y, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, x, y, count=1):
        self.mouse("mouseMoved", x, y)
        for number in range(1, count + 1):
            for kind in "mousePressed", "mouseReleased":
                self.mouse(kind, x, y, button="left", clickCount=number)
        self.frame()

    def drag(self, x, y, to_x, to_y, shift=False):
        keys = {"modifiers": 8 if shift else 0, "button": "left"}
        self.mouse("mouseMoved", x, y)
        self.mouse("mousePressed", x, y, clickCount=1, **keys)
        for part in 0.3, 0.7, 1:
            self.mouse("mouseMoved", x + (to_x - x) * part, y + (to_y - y) * part, **keys)
        self.mouse("mouseReleased", to_x, to_y, clickCount=1, **keys)
        self.frame()

    def tap(self, x, y):
        self.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        self.frame()

    def pinch(self, x, y, before, after, steps=5):
        """Two fingers, from one distance to another."""
        def points(distance):
            return [{"x": x - distance / 2, "y": y, "id": 0}, {"x": x + distance / 2, "y": y,
                                                              "id": 1}]
        self.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=points(before))
        for step in range(1, steps + 1):
            self.call("Input.dispatchTouchEvent", type="touchMove",
                      touchPoints=points(before + (after - before) * step / steps))
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        self.frame()

    def size(self, width, height, scale=1, phone=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=scale, mobile=phone)
        self.call("Emulation.setTouchEmulationEnabled", enabled=phone)
        self.frame()

    def prefers(self, scheme):
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme},
                            {"name": "prefers-reduced-motion", "value": "reduce"}])
        self.frame()

    def screenshot(self, path):
        data = self.call("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(data))

    def troubles(self):
        """What the page complained of: exceptions, refusals, errors. That pixels are read is our
        doing."""
        return [said for event in self.events
                if (event["method"] == "Runtime.exceptionThrown" or
                    (event["method"] == "Log.entryAdded" and
                     event["params"]["entry"]["level"] in ("error", "warning")))
                and "getImageData" not in (said := json.dumps(event["params"])[:500])]

    def requests(self):
        """What it asked for, beside itself."""
        return [event["params"]["request"]["url"] for event in self.events
                if event["method"] == "Network.requestWillBeSent"]
