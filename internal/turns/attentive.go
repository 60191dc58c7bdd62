package turns

import "time"

// noticing is the interval at which the runtime is made to look for requests.
const noticing = 500 * time.Microsecond

// Attentively does long work during which requests are noticed at once. The Go runtime, while a
// goroutine runs that was woken by the network, may have no thread that waits for the network,
// although there is a processor for one. It then looks for new data every 10 ms. A timer that is
// due has it start a thread, which looks for new data, too.
func Attentively(do func()) {
	ticker := time.NewTicker(noticing)
	defer ticker.Stop()
	end := make(chan struct{})
	defer close(end)
	go func() {
		for {
			select {
			case <-ticker.C:
			case <-end:
				return
			}
		}
	}()
	do()
}
