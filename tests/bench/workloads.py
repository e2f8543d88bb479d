# SPDX-License-Identifier: MIT
"""Large real programs at work."""

import shutil
import subprocess

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
