# SPDX-License-Identifier: MIT
"""Large real programs at work."""

import os
import pathlib
import pwd
import shutil
import subprocess

from lab import run

NODE_SCRIPT = """
const words = Array.from({length: 20000}, (_, i) => 'w' + (i * 7919 % 10007));
for (let round = 0; ; round++) {
    const counts = new Map();
    for (const word of words) counts.set(word, (counts.get(word) || 0) + word.length);
    const sorted = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    const text = JSON.stringify(sorted.map(([w, n]) => ({w, n, r: round})));
    JSON.parse(text).filter(x => /w[0-9]*7[0-9]$/.test(x.w));
}
"""

# Each set of traits makes the compiler instantiate all of <regex> again.
CXX_HEAD = """#include <regex>
#include <string>
template <int N> struct traits : std::regex_traits<char> {};
template <int N> std::string work(const std::string &text)
{
    std::basic_regex<char, traits<N>> pattern("([a-z]+)[0-9]*");
    std::string out;
    std::regex_replace(std::back_inserter(out), text.begin(), text.end(), pattern, "$1");
    return out;
}
"""
CXX_COPIES = 60


def cc1plus(lab):
    """A C++ compiler that has a minute of work, or None."""
    if not shutil.which("g++"):
        return None
    program = subprocess.run(["g++", "-print-prog-name=cc1plus"], capture_output=True, text=True,
                             check=True).stdout.strip()
    source, expanded = lab.tmp / "heavy.cc", lab.tmp / "heavy.ii"
    source.write_text(CXX_HEAD + "".join(f"template std::string work<{i}>(const std::string &);\n"
                                         for i in range(CXX_COPIES)))
    subprocess.run(["g++", "-E", source, "-o", expanded], check=True)
    return lab.spawn(program, "-quiet", "-fpreprocessed", "-O2", expanded, "-o", "/dev/null")


def node(lab):
    program = shutil.which("node")
    return lab.spawn(program, "-e", NODE_SCRIPT) if program else None


ALL = {"cc1plus": cc1plus, "node": node}

# --- the same and more of them: REAL[name](lab) is the pid of the process to look at, None when the
# program is not there. Nothing of them is a service, and all that they write lies in lab.tmp.

PYTHON_SCRIPT = """
import json, re
words = ['w%d' % (i * 7919 % 10007) for i in range(5000)]
while True:
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + len(word)
    text = json.dumps(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    [pair for pair in json.loads(text) if re.search('w[0-9]*7[0-9]$', pair[0])]
"""

GO_SOURCE = """package main

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
)

func main() {
	for {
		counts := map[string]int{}
		for i := 0; i < 20000; i++ {
			counts[fmt.Sprintf("w%d", i*7919%10007)] += i
		}
		var words []string
		for word := range counts {
			words = append(words, strings.ToUpper(word))
		}
		sort.Strings(words)
		text, _ := json.Marshal(words)
		json.Unmarshal(text, &words)
	}
}
"""

POSTGRES_PORT = 54329  # names its socket only: it does not listen on the network


def pid_of(start):
    def begin(lab):
        process = start(lab)
        return process and process.pid
    return begin


def python(lab):
    return lab.spawn("/usr/bin/python3", "-c", PYTHON_SCRIPT).pid \
        if os.path.exists("/usr/bin/python3") else None


def go(lab):
    if not shutil.which("go"):
        return None
    source, program = lab.tmp / "words.go", lab.tmp / "words"
    source.write_text(GO_SOURCE)
    subprocess.run(["go", "build", "-o", program, source], check=True, cwd=lab.tmp,
                   env={**os.environ, "GOCACHE": str(lab.build / "go-cache")})
    return lab.spawn(program).pid


def redis(lab):
    if not shutil.which("redis-server") or not shutil.which("redis-benchmark"):
        return None
    socket = lab.tmp / "redis.sock"
    server = lab.spawn("redis-server", "--port", 0, "--unixsocket", socket, "--save", "",
                       "--appendonly", "no", "--dir", lab.tmp)
    lab.eventually(socket.exists, "redis-server listens")
    lab.spawn("redis-benchmark", "-s", socket, "-t", "get,set", "-c", 20, "-l", "--csv")
    return server.pid


def postgres_server(lab, log):
    """(server, options of its clients), filled; log: file for what it says. None without it."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found or not shutil.which("pgbench"):
        return None
    place, prefix = lab.tmp / "pg", ()
    place.mkdir()
    if os.geteuid() == 0:  # which postgres refuses
        user = pwd.getpwnam("postgres")
        os.chmod(lab.tmp, 0o755)
        os.chown(place, user.pw_uid, user.pw_gid)
        prefix = ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
    where = ("-h", place, "-p", POSTGRES_PORT, "-U", "bench")
    subprocess.run([*prefix, found[-1], "-D", place / "data", "-A", "trust", "-U", "bench",
                    "--no-sync"], check=True, capture_output=True, cwd=place)
    server = lab.spawn(*prefix, found[-1].with_name("postgres"), "-D", place / "data", "-k", place,
                       "-p", POSTGRES_PORT, "-c", "listen_addresses=", "-c", "fsync=off",
                       stderr=log, cwd=place)
    ready = list(map(str, ["pg_isready", "-q", *where]))
    lab.eventually(lambda: subprocess.run(ready).returncode == 0, "postgres answers")
    subprocess.run(list(map(str, ["pgbench", *where, "-i", "-q", "-s", 5, "postgres"])),
                   check=True, capture_output=True)
    lab.eventually(lambda: not backends(server.pid), "who filled it is gone")
    return server, where


def postgres(lab):
    """A server process (backend) of postgres while pgbench asks it."""
    started = postgres_server(lab, subprocess.DEVNULL)
    if not started:
        return None
    server, where = started
    lab.spawn("pgbench", *where, "-n", "-S", "-c", 1, "-T", 600, "postgres",
              stderr=subprocess.DEVNULL)
    return lab.eventually(lambda: backend(server.pid), "a backend of postgres")


def backends(server):
    """{pid: CPU time} of those that serve a client."""
    found = {}
    for child in run.children(server):
        try:
            title = pathlib.Path(f"/proc/{child}/cmdline").read_bytes()
            if title.startswith(b"postgres: bench postgres"):
                found[child] = run.cpu_ns(child)
        except OSError:
            continue
    return found


def backend(server):
    """The one that works: pgbench opens others first, and closes them again."""
    return next((child for child, used in backends(server).items() if used > 3e8), None)


REAL = {
    "redis-server under redis-benchmark": redis,
    "postgres under pgbench": postgres,
    "python3": python,
    "node": pid_of(node),
    "a Go program": go,
    "cc1plus": pid_of(cc1plus),
}
