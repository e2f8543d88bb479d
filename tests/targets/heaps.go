// SPDX-License-Identifier: MIT
// heaps COUNT [CHURNERS]: a Go program that knows its objects. COUNT of each size stay; CHURNERS
// goroutines make garbage of other sizes. It prints the truth as a line of JSON, and on each line
// that it reads what its runtime says; on "drop" it gives 300 MiB back to the kernel before.
// Nothing is collected meanwhile unless it churns.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
)

type node struct {
	next    *node
	numbers [19]uint64
}

type large struct { // its pointers are described by a word before it
	next *large
	room [1592]byte
}

var (
	nodes  *node
	larges *large
	kept   [][]byte
	sink   [64]*[352]byte
)

func build(count int) {
	kept = make([][]byte, 0, 3*count+1)
	for i := 0; i < count; i++ {
		nodes = &node{next: nodes}
		larges = &large{next: larges}
		for _, size := range []int{240, 1150, 6000} {
			block := make([]byte, size)
			copy(block, "text that stays")
			kept = append(kept, block)
		}
	}
	kept = append(kept, make([]byte, 3<<20))
}

func churn() {
	for i := 0; ; i++ {
		sink[i%64] = new([352]byte)
	}
}

func drop() {
	dropped := make([][]byte, 300)
	for i := range dropped {
		dropped[i] = make([]byte, 1<<20)
	}
	runtime.KeepAlive(dropped)
	dropped = nil
	debug.FreeOSMemory()
}

func main() {
	count, churners := 1000, 0
	if len(os.Args) > 1 {
		count, _ = strconv.Atoi(os.Args[1])
	}
	if len(os.Args) > 2 {
		churners, _ = strconv.Atoi(os.Args[2])
	}
	build(count)
	runtime.GC() // what was made on the way is swept
	if churners == 0 {
		debug.SetGCPercent(-1)
	}
	for i := 0; i < churners; i++ {
		go churn()
	}
	fmt.Printf("{\"pid\": %d, \"version\": %q, \"count\": %d}\n", os.Getpid(), runtime.Version(), count)
	input := bufio.NewReader(os.Stdin)
	for {
		line, err := input.ReadString('\n')
		if err != nil {
			return
		}
		if line == "drop\n" {
			drop()
		}
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		text, _ := json.Marshal(map[string]uint64{
			"HeapAlloc": stats.HeapAlloc, "HeapInuse": stats.HeapInuse, "HeapSys": stats.HeapSys,
			"HeapIdle": stats.HeapIdle, "HeapReleased": stats.HeapReleased,
			"HeapObjects": stats.HeapObjects, "Sys": stats.Sys})
		fmt.Println(string(text))
	}
}
