package turns_test

import (
	"testing"
	"testing/synctest"
	"time"

	"licensor/internal/turns"
)

// Work is done once, however long it takes, and nothing of it is left afterwards, also if it
// panics: synctest.Test fails if a goroutine remains.
func TestAttentively(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		done := 0
		turns.Attentively(func() {
			time.Sleep(time.Second)
			done++
		})
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic is lost")
				}
			}()
			turns.Attentively(func() { panic("of the work") })
		}()
		if done != 1 {
			t.Errorf("it was done %d times", done)
		}
	})
}
