package memory_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"licensor/internal/memory"
)

// A request whose body does not come gives its memory to one that needs it, within the time that
// this one waits, and only to one that can use it.
func TestABodyThatDoesNotComeGivesWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := memory.New(64*megabyte, plenty)
		first, second := uuid.New(), uuid.New()
		reading := func(tenant uuid.UUID) (ended chan error) {
			ctx, share := begin(t, b, tenant)
			if err := share.More(ctx, 20*megabyte); err != nil {
				t.Fatal(err)
			}
			out, in := io.Pipe()
			body := share.Body(out, func() { _ = in.CloseWithError(errors.New("cut off")) })
			ended = make(chan error, 1)
			go func() {
				_, err := io.ReadAll(body)
				share.End()
				ended <- err
			}()
			return ended
		}
		slow, other := reading(first), reading(second)
		ctx, share := begin(t, b, first)
		begun := time.Now()
		if err := share.More(ctx, 10*megabyte); err != nil {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
		wantFull(t, <-slow, memory.CauseTenant)
		select {
		case err := <-other:
			t.Errorf("that of another tenant ends, too: %v", err)
		default:
		}
		share.End()
		ctx, share = begin(t, b, second)
		if err := share.More(ctx, 20*megabyte); err != nil {
			t.Error(err)
		}
		wantFull(t, <-other, memory.CauseTenant)
		share.End()
	})
}

// A body that arrives is read to its end, even if others wait.
func TestABodyThatComesIsRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := memory.New(64*megabyte, plenty)
		tenant := uuid.New()
		ctx, share := begin(t, b, tenant)
		if err := share.More(ctx, 20*megabyte); err != nil {
			t.Fatal(err)
		}
		out, in := io.Pipe()
		go func() {
			for range 20 {
				time.Sleep(time.Second / 2)
				_, _ = io.WriteString(in, strings.Repeat("x", 64<<10))
			}
			_ = in.Close()
		}()
		read := make(chan error, 1)
		go func() {
			_, err := io.ReadAll(share.Body(out, func() { _ = in.CloseWithError(errors.New("cut off")) }))
			read <- err
		}()
		ctx, waits := begin(t, b, tenant)
		wantFull(t, waits.More(ctx, 20*megabyte), memory.CauseTenant)
		if err := <-read; err != nil {
			t.Error(err)
		}
		share.End()
		waits.End()
	})
}
