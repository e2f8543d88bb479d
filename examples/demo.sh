#!/bin/sh
# SPDX-License-Identifier: MIT
# What `make demo` shows: a program with a known split of CPU time, profiled while it runs, and what
# it measured itself beside what the profile says.
set -eu
build=$1
said=$build/demo.said
"$build/examples/busy" 60 >"$said" & busy=$!
trap 'kill $busy 2>/dev/null || :' EXIT
sleep 1
cat "$said"
"$build/ptprof" attach "$busy" -d 5s -o demo.pb.gz --flamegraph demo.html
"$build/ptprof" attach "$busy" -d 5s -q -f collapsed -o demo.folded
kill "$busy"
wait "$busy"

echo
"$build/ptprof" report demo.pb.gz --top 5

echo
printf '%-18s %8s %10s\n' function true measured
sed -n 's/^true share of \(.*\): \(.*\) %$/\1 \2/p' "$said" | while read -r name true; do
    awk -v name="$name" -v true="$true" '
        $0 ~ "^(.*;)?(parse|hash_table_lookup|checksum)[; ]" { all += $NF }
        $0 ~ "^(.*;)?" name "[; ]" { its += $NF }
        END { printf "%-18s %6.1f %% %8.1f %%\n", name, true, 100 * its / all }' demo.folded
done
cat <<TEXT

demo.html    a flame graph for any browser
demo.pb.gz   $build/ptprof view demo.pb.gz         (or go tool pprof, speedscope, ...)
demo.folded  flamegraph.pl demo.folded > demo.svg
TEXT
