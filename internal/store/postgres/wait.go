package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Clock tells the time while a database is waited for.
type Clock interface {
	Now() time.Time
	// After returns a channel that receives the time after d.
	After(d time.Duration) <-chan time.Time
}

const (
	askEvery = time.Second
	sayEvery = 5 * time.Second
)

// Wait waits until a host of the database accepts connections, up to a maximum time. Every five
// seconds it reports which hosts refuse, and why; so does its error. It returns at once if waiting
// does not help, for example if the password is wrong.
func Wait(ctx context.Context, url string, atMost time.Duration, clock Clock, say func(text string)) error {
	config, err := parse(url)
	if err != nil {
		return err
	}
	h := newHosts(config.ConnConfig)
	begin := clock.Now()
	said := begin
	for {
		why := refusals(h.askAll(ctx))
		if why == "" || ctx.Err() != nil {
			return ctx.Err()
		}
		now := clock.Now()
		if now.Sub(begin) >= atMost {
			return fmt.Errorf("no database answers within %s: %s", atMost, why)
		}
		if now.Sub(said) >= sayEvery {
			said = now
			say(fmt.Sprintf("waiting for the database, %s so far: %s", now.Sub(begin).Round(time.Second), why))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-clock.After(askEvery):
		}
	}
}

// refusals says why no host can be used yet; "" if one may be.
func refusals(states []state) string {
	var why []string
	for _, s := range states {
		if s.err == nil || isFinal(s.err) {
			return ""
		}
		why = append(why, reason(s.host, s.err))
	}
	return strings.Join(why, "; ")
}

// isFinal reports whether the response of a host will not change: it does not know the database or
// the role, or does not accept the password. Open reports that.
func isFinal(err error) bool {
	code := codeOf(err)
	return strings.HasPrefix(code, "28") || strings.HasPrefix(code, "3D") || strings.HasPrefix(code, "42")
}
