package turns_test

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"licensor/internal/turns"
)

// However much long work there is aside, one processor is left to the requests. Short work does not
// wait for it.
func TestLongWorkAsideLeavesAProcessor(t *testing.T) {
	t.Parallel()
	most := max(1, runtime.GOMAXPROCS(0)-1)
	var wait sync.WaitGroup
	var mu sync.Mutex
	now, highest := 0, 0
	count := func(n int) {
		mu.Lock()
		defer mu.Unlock()
		now += n
		highest = max(highest, now)
	}
	begun, end := make(chan struct{}, 8*most), make(chan struct{})
	for range 8 * most {
		wait.Go(func() {
			turns.Aside(true, func() {
				count(1)
				begun <- struct{}{}
				<-end
				count(-1)
			})
		})
	}
	for range most {
		<-begun
	}
	turns.Aside(false, func() {})
	time.Sleep(10 * time.Millisecond) // more would begin, if there were no limit
	close(end)
	wait.Wait()
	if highest != most {
		t.Errorf("%d ran at once, want %d", highest, most)
	}
}
