package oauth

import (
	"fmt"
	"testing"
	"time"
)

// Strangers guess from as many ranges of their providers' networks as they have. An owner who comes
// to a new place, and mistypes the password once, has the right one checked.
func TestAnOwnerInANewPlaceGetsInWhileManyGuess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var checked hours
	for i := range 3 * 1800 {
		for _, remote := range []string{address(i % 1200), afar(i % 10)} {
			if _, ok, _ := w.guess(t, remote, annName, "wrong"); ok {
				checked.at = append(checked.at, w.clock.now())
			}
		}
		if i%400 == 399 {
			place := fmt.Sprintf("203.%d.113.5:1000", i/400)
			if _, ok, took := w.guess(t, place, annName, "mistyped"); !ok || took > longestLine {
				t.Errorf("the owner is checked: %v, after %v", ok, took)
			}
			w.wantIn(t, place, annName)
		}
		w.clock.advance(2 * time.Second)
	}
	if most := checked.most(); most > guessesPerHour || len(checked.at) < guessesPerHour {
		t.Errorf("%d guesses in an hour, %d in all", most, len(checked.at))
	}
}

func TestAddressesAreToldApartByTheirNetworks(t *testing.T) {
	t.Parallel()
	same := func(a, b string) bool {
		one, _ := networkOf(a)
		other, _ := networkOf(b)
		return one == other
	}
	if !same("[2001:db8::1]:1", "[2001:db8::2]:2") || same("[2001:db8::1]:1", "[2001:db8:0:1::1]:1") || same("192.0.2.1:1", "192.0.2.2:1") {
		t.Error("networks are not told apart")
	}
	if rangeOf("[2001:db8::1]:1") != rangeOf("[2001:db8:0:1::1]:1") || rangeOf("192.0.2.1:1") != rangeOf("192.0.2.2:1") || rangeOf("192.0.2.1:1") == rangeOf("192.0.3.1:1") {
		t.Error("ranges are not told apart")
	}
	for _, remote := range []string{"127.0.0.1:7000", "[::1]:7000", "[::ffff:127.0.0.1]:7000", "@"} {
		if _, local := networkOf(remote); !local || ofAddress(remote) != nil {
			t.Errorf("%s is not of this machine", remote)
		}
	}
}
