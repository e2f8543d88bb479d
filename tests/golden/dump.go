goroutine 4242 [select]:
main()
	main.c:12 +0x85

goroutine 4243 [semacquire]:
futex_wait()
	??:0 +0x67
__lll_lock_wait()
	??:0 +0x1f
check<int>(int)()
	??:0
Bank::transfer(Account&)()
	??:0 +0x42
...additional frames elided...

goroutine 4251 [semacquire, 3 minutes]:
futex_wait()
	??:0 +0x67
__lll_lock_wait()
	??:0 +0x1f
check<int>(int)()
	??:0
Bank::transfer(Account&)()
	??:0 +0x42
...additional frames elided...

goroutine 4300 [running]:
evil;\x1b[31m()
	??:0 +0x10

goroutine 4301 [sleep]:
[libc.so.6]()
	??:0 +0x9545
[libc.so.6]()
	??:0 +0x1235

goroutine 4302 [sleep]:
[libc.so.6]()
	??:0 +0x9545
[libc.so.6]()
	??:0 +0x1235

goroutine 4303 [sleep]:
[libc.so.6]()
	??:0 +0x9545
[libc.so.6]()
	??:0 +0x1235

goroutine 4305 [sleep]:
[libc.so.6]()
	??:0 +0x9545
[libc.so.6]()
	??:0 +0x1235

goroutine 4400 [syscall]:
	goroutine running on other thread; stack unavailable
