package loglimit

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// output is what a log has written; its handlers do not wait for each other.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// linesOf is how often a text is in the log.
func linesOf(log, text string) int { return strings.Count(log, text) }

func TestLinesOfOneKindAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out output
		log := slog.New(New(slog.NewTextHandler(&out, nil)))
		for i := range 3000 {
			log.With("tenant", i).Info("an application failed to authenticate", "address", i)
			if i%100 == 0 {
				log.Warn("another kind", "i", i)
			}
		}
		log.Error("an application failed to authenticate")
		if got := linesOf(out.String(), "level=INFO msg=\"an application failed to authenticate"); got != linesPerSecond {
			t.Errorf("%d lines were written at once", got)
		}
		if linesOf(out.String(), "another kind") != linesPerSecond || linesOf(out.String(), "level=ERROR") != 1 {
			t.Errorf("other kinds are not told apart: %s", out.String())
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if !strings.Contains(out.String(), `some were left out" kind="an application failed to authenticate" leftOut=2990`) ||
			!strings.Contains(out.String(), `kind="another kind" leftOut=20`) {
			t.Errorf("it is not told how many were left out: %s", out.String())
		}
		for range 30 { // twice a second all are written
			time.Sleep(time.Second / 2)
			log.Info("seldom")
		}
		if got := linesOf(out.String(), "seldom"); got != 30 {
			t.Errorf("%d of 30 were written", got)
		}
		for range 1000 { // a hundred a second
			time.Sleep(time.Second / 100)
			log.Info("often")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := linesOf(out.String(), "msg=often"); got < 90 || got > 110 {
			t.Errorf("%d of 1000 were written in ten seconds", got)
		}
	})
}

// The server of net/http writes addresses into its messages, and whatever else may.
func TestLinesOfNetHTTPAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out output
		handler := New(slog.NewTextHandler(&out, nil))
		server := slog.NewLogLogger(handler, slog.LevelWarn)
		for i := range 1000 {
			server.Printf("http: TLS handshake error from 192.0.2.%d:%d: EOF", i%256, i)
			server.Printf("http: TLS handshake error from [2001:db8::%x]:%d: EOF", i, i)
		}
		if got := linesOf(out.String(), "TLS handshake error"); got != linesPerSecond {
			t.Errorf("%d lines were written", got)
		}
		for i := range 3 * knownKinds {
			name := strings.NewReplacer("0", "a", "1", "b", "2", "c", "3", "d", "4", "e",
				"5", "f", "6", "g", "7", "h", "8", "i", "9", "j").Replace(fmt.Sprint(i))
			slog.New(handler).Info("made up " + name)
		}
		if got := linesOf(out.String(), "made up"); got > knownKinds+linesPerSecond {
			t.Errorf("%d kinds were told apart", got)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !strings.Contains(out.String(), `kind="http: TLS handshake error from" leftOut=1990`) {
			t.Errorf("it is not told how many were left out")
		}
	})
}
