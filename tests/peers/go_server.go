// SPDX-License-Identifier: MIT

// go_server USER PASSWORD [CERTIFICATE KEY]: a program with net/http/pprof behind a password, on a
// free port of 127.0.0.1 that it prints; over https if it has a certificate. It keeps 64 MiB in
// keep() and is busy in spin().
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"time"
)

var kept [][]byte

//go:noinline
func keep() {
	for i := 0; i < 64; i++ {
		kept = append(kept, make([]byte, 1<<20))
	}
}

//go:noinline
func spin() {
	for x := 0; ; {
		for i := 0; i < 1000000; i++ {
			x += i * x
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func guarded(user, password string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, p, _ := r.BasicAuth()
		if user != "" && (u != user || p != password) {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		http.DefaultServeMux.ServeHTTP(w, r)
	})
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	keep()
	go spin()
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	handler := guarded(os.Args[1], os.Args[2])
	if len(os.Args) == 5 {
		log.Fatal(http.ServeTLS(listener, handler, os.Args[3], os.Args[4]))
	}
	log.Fatal(http.Serve(listener, handler))
}
