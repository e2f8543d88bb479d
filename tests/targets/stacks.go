// SPDX-License-Identifier: MIT
// Works on another stack than that of its goroutine: in C, in the runtime, in the collector.
package main

// #include <stdint.h>
// static volatile uint64_t sink;
// __attribute__((noinline)) static void c_inner(void)
// {
//     for (unsigned i = 0; i < 1000000; i++)
//         sink += i * 2654435761u;
//     __asm__ volatile("");
// }
// __attribute__((noinline)) static void c_work(void) { c_inner(); __asm__ volatile(""); }
import "C"
import (
	"fmt"
	"os"
	"runtime"
)

type node struct {
	left, right *node
	room        [48]byte
}

var keep *node

//go:noinline
func build(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{left: build(depth - 1), right: build(depth - 1)}
}

//go:noinline
func callsC() { C.c_work() }

//go:noinline
func callers(pcs []uintptr) int { return runtime.Callers(0, pcs) }

func main() {
	pcs := make([]uintptr, 64)
	fmt.Println("ready")
	for {
		switch os.Args[1] {
		case "c":
			callsC()
		case "callers":
			callers(pcs)
		case "garbage":
			keep = build(16)
		}
	}
}
