# SPDX-License-Identifier: MIT
"""The Java heap as a mapping: where it lies and how much of it is committed."""

import glob
import os
import re
import shutil
import subprocess

from blocks import allocator, assert_near, census

SIDE_BY_SIDE = True

SOURCE = """public class Held {
    static byte[][] kept = new byte[2000][];
    public static void main(String[] words) throws Exception {
        for (int i = 0; i < kept.length; i++)
            kept[i] = new byte[10000];
        System.out.println(Runtime.getRuntime().totalMemory());
        System.in.read();
    }
}
"""


def homes():
    """Each Java that is here, with a compiler."""
    java = shutil.which("javac")
    found = {os.path.dirname(os.path.realpath(java))} if java else set()
    return found | {os.path.realpath(os.path.dirname(path))
                    for path in glob.glob("/usr/lib/jvm/*/bin/javac")}


def committed(home, pid, total):
    """What the JVM itself says. Two of its collectors leave a survivor space out of the total; they
    tell where each generation begins, ends, and could end."""
    said = subprocess.run([f"{home}/jcmd", str(pid), "GC.heap_info"], capture_output=True,
                          text=True, timeout=60).stdout
    generations = re.findall(r"total .*\[0x(\w+), 0x(\w+), 0x\w+\)", said)
    return sum(int(end, 16) - int(start, 16) for start, end in generations) or total


def check(ctx, home, collector):
    target = ctx.spawn(f"{home}/java", f"-XX:+Use{collector}GC", "-Xms48m", "-Xmx192m", "-cp",
                       ctx.tmp / "classes", "Held", stdin=subprocess.PIPE)
    total = int(target.line())
    document = census(ctx, target.pid, grows=True)
    books = allocator(document, "JVM")
    assert not books["walked"] and books["version"].isdigit(), books
    assert_near(books["system"], committed(home, target.pid, total), 0.01, "committed")
    assert books["in_use"] is None and "move" in books["unknown"]["in_use"], books
    assert all(row["allocator"] != "JVM" for row in document["rows"])


def test_heap_is_a_mapping(ctx):
    found = homes()
    if not found:
        raise ctx.Skip("no JDK is installed")
    (ctx.tmp / "Held.java").write_text(SOURCE)
    oldest = min(found, key=lambda home: subprocess.run(
        [f"{home}/javac", "-version"], capture_output=True, text=True).stdout)
    subprocess.run([f"{oldest}/javac", "-d", ctx.tmp / "classes", ctx.tmp / "Held.java"],
                   check=True, capture_output=True, timeout=240)
    for home in sorted(found):
        for collector in "G1", "Serial", "Parallel":
            check(ctx, home, collector)
