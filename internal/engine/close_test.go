package engine_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"licensor/internal/tenant"
)

// Commands that arrive while the tenant is being closed are executed or refused, but never left
// waiting.
func TestClosingAnswersEverybody(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var wait sync.WaitGroup
	for i := range 50 {
		cmd := newUser(t, fmt.Sprint("user", i))
		wait.Go(func() {
			for n := range 20 {
				_, err := h.Do(ctx, "user test", cmd)
				var problem *tenant.CommandError
				if err != nil && !errors.As(err, &problem) {
					t.Errorf("command %d of client %d: %v", n, i, err)
				}
			}
		})
	}
	time.Sleep(5 * time.Millisecond)
	h.close()
	wait.Wait()
}
