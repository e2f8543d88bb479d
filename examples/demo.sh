#!/bin/sh
# SPDX-License-Identifier: MIT
# What `make demo` shows: a program with a known split of CPU time, profiled while it runs.
set -eu
build=$1
"$build/examples/busy" 30 & busy=$!
trap 'kill $busy 2>/dev/null' EXIT
sleep 1
"$build/ptprof" attach "$busy" -d 5s -o demo.pb.gz
"$build/ptprof" attach "$busy" -d 2s -q -f collapsed -o demo.folded
echo
"$build/ptprof" attach "$busy" -d 2s -q -f text
cat <<TEXT

demo.pb.gz   go tool pprof -http=: demo.pb.gz      (or drop it on speedscope)
demo.folded  flamegraph.pl demo.folded > demo.svg
TEXT
