package turns

import "runtime"

// aside has room for as much work as leaves one processor to the requests. With all of them busy,
// a request would wait until the Go runtime takes a processor from one of them, which it does every
// 10 ms, for each goroutine before it.
var aside = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1))

// Aside does a piece of work that no turn is held for, such as a part of loading a tenant. If it is
// long, it waits until a processor is left to the requests. It must not wait for other such work.
func Aside(long bool, do func()) {
	if !long {
		do()
		return
	}
	aside <- struct{}{}
	defer func() { <-aside }()
	Patiently(do)
}
