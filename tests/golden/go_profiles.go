// SPDX-License-Identifier: MIT
// Writes profiles into a directory. Those beside it, which tests/unit/test_pprof_parse.c reads, were
// made by Go 1.19:
//
//	go build -trimpath -o /tmp/go_profiles tests/golden/go_profiles.go
//	/tmp/go_profiles tests/golden
package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"
)

var sink uint64

//go:noinline
func hot() {
	for i := uint64(0); i < 1<<20; i++ {
		sink += i * i
	}
}

func inlined() { sink++ }

//go:noinline
func cold() {
	for i := 0; i < 1<<18; i++ {
		inlined()
	}
}

//go:noinline
func work() {
	for end := time.Now().Add(400 * time.Millisecond); time.Now().Before(end); {
		hot()
		cold()
	}
}

func contend() {
	var mutex sync.Mutex
	var both sync.WaitGroup
	for i := 0; i < 2; i++ {
		both.Add(1)
		go func() {
			mutex.Lock()
			time.Sleep(10 * time.Millisecond)
			mutex.Unlock()
			both.Done()
		}()
	}
	both.Wait()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func create(name string) *os.File {
	file, err := os.Create(filepath.Join(os.Args[1], name+".pb.gz"))
	must(err)
	return file
}

func write(profile, name string) {
	file := create(name)
	must(pprof.Lookup(profile).WriteTo(file, 0))
	must(file.Close())
}

func main() {
	runtime.MemProfileRate = 1
	runtime.SetBlockProfileRate(1)
	runtime.SetMutexProfileFraction(1)
	file := create("go-cpu")
	must(pprof.StartCPUProfile(file))
	pprof.Do(context.Background(), pprof.Labels("request", "42"), func(context.Context) { work() })
	pprof.StopCPUProfile()
	must(file.Close())

	wait := make(chan bool)
	go func() { time.Sleep(20 * time.Millisecond); wait <- true }()
	<-wait
	contend()
	kept := make([][]byte, 64)
	for i := range kept {
		kept[i] = make([]byte, 1000)
	}
	runtime.GC()
	write("allocs", "go-allocs")
	write("block", "go-block")
	write("heap", "go-heap")
	write("goroutine", "go-threads")
	write("mutex", "go-mutex")
	write("threadcreate", "go-threadcreate")
	runtime.KeepAlive(kept)
}
