# SPDX-License-Identifier: MIT
"""Profiles whose truth is known, written as pprof files without a library."""

import gzip

from pprof_wire import message, number, varint


class Made:
    """add() samples, then write()."""

    def __init__(self, types, comments=(), duration=0):
        self.types, self.comments, self.duration = types, comments, duration
        self.texts, self.functions, self.modules, self.samples = {b"": 0}, {}, {}, []

    def text(self, text):
        data = text if isinstance(text, bytes) else text.encode()
        return self.texts.setdefault(data, len(self.texts))

    def location(self, frame):
        """frame: "name", or (name, module, file, line)."""
        name, module, file, line = frame if isinstance(frame, tuple) else (frame, "app", "app.c", 0)
        self.modules.setdefault(module, len(self.modules) + 1)
        return self.functions.setdefault((name, module, file, line), len(self.functions) + 1)

    def add(self, stack, values, **labels):
        """stack: root first."""
        self.samples.append(([self.location(frame) for frame in reversed(stack)], values, labels))

    def write(self, path):
        out = []
        for name, unit in self.types:
            out.append(message(1, number(1, self.text(name)) + number(2, self.text(unit))))
        for ids, values, labels in self.samples:
            body = message(1, b"".join(map(varint, ids)))
            body += message(2, b"".join(map(varint, values)))
            for key, value in labels.items():
                body += message(3, number(1, self.text(key)) + (
                    number(3, value) if isinstance(value, int) else number(2, self.text(value))))
            out.append(message(2, body))
        for module, at in self.modules.items():
            out.append(message(3, number(1, at) + number(2, at << 32) +
                            number(3, (at << 32) + (1 << 30)) + number(7, 1) +
                            number(5, self.text("/usr/lib/" + module))))
        for (name, module, file, line), at in self.functions.items():
            module = self.modules[module]
            out.append(message(4, number(1, at) + number(2, module) +
                            number(3, (module << 32) + at * 16) +
                            message(4, number(1, at) + number(2, line))))
            out.append(message(5, number(1, at) + number(2, self.text(name)) +
                            number(3, self.text(name)) + number(4, self.text(file))))
        for comment in self.comments:
            out.append(number(13, self.text(comment)))
        out.append(number(10, self.duration))
        out += [message(6, text) for text in self.texts]
        with gzip.open(path, "wb", 1) as file:
            file.write(b"".join(out))
        return path
