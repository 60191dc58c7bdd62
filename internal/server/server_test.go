package server

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestARunningServerReplacesAnOldKey(t *testing.T) {
	t.Parallel()
	var elapsed atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(elapsed.Load())) }
	s, err := Open(t.Context(), Options{Memory: true, RotateKeys: LeastRotation, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	before := s.authority.PublicKeys().Keys[0].KeyID
	elapsed.Store(int64(LeastRotation))
	end := s.Run(t.Context())
	defer end()
	for s.authority.PublicKeys().Keys[0].KeyID == before {
		time.Sleep(time.Millisecond)
	}
	if keys := s.authority.PublicKeys().Keys; len(keys) != 2 || keys[1].KeyID != before {
		t.Errorf("after it was replaced, the key before is not published: %d keys", len(keys))
	}
}

func TestQuickServersKeepTheKeyThatTheyShare(t *testing.T) {
	t.Parallel()
	var keys []string
	for _, clock := range []time.Time{{}, time.Now().AddDate(50, 0, 0)} {
		s, err := Open(t.Context(), Options{Memory: true, Development: true, Quick: true, Clock: clock})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close(t.Context())
		if s.settings.RotateKeys >= 0 {
			t.Errorf("the key is replaced after %s", s.settings.RotateKeys)
		}
		keys = append(keys, s.authority.PublicKeys().Keys[0].KeyID)
	}
	if keys[0] != keys[1] {
		t.Errorf("two servers have the keys %v", keys)
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		options Options
		option  string
		want    string
	}{
		{Options{}, "Data", "or set Database or Memory"},
		{Options{Data: "x", Memory: true}, "Memory", `Data is "x"`},
		{Options{Memory: true, SecretsKey: []byte("short")}, "SecretsKey", "5 bytes: it must have 32"},
		{Options{Memory: true, PublicURL: "licensor.example"}, "PublicURL", "scheme and host only"},
		{Options{Memory: true, TrustedProxies: []string{"10.0.0.1", "proxy"}}, "TrustedProxies", `"proxy", which is not an address`},
		{Options{Memory: true, Origins: []string{"admin.contoso.com"}}, "Origins", "not an origin"},
		{Options{Memory: true, Origins: []string{"https://a.example/path"}}, "Origins", "not an origin"},
		{Options{Memory: true, Origins: []string{"https://a.example", "*"}}, "Origins", `has "*"`},
		{Options{Memory: true, Origins: []string{""}}, "Origins", `has ""`},
		{Options{Memory: true, Quick: true}, "Quick", "set Development"},
		{Options{Memory: true, Development: true, Clock: time.Unix(1<<40, 0)}, "Clock", "from 1 to 9999"},
		{Options{Memory: true, Faults: []string{"/users=503"}}, "Faults", "set Development"},
		{Options{Memory: true, Development: true, Faults: []string{"users=503"}}, "Faults", "does not begin with a slash"},
		{Options{Memory: true, Development: true, Latency: 2 * time.Minute}, "Latency", "is 2m0s: it must be 0 to 55s"},
		{Options{Memory: true, Development: true, GroupProcessing: -1}, "GroupProcessing", "0 or more"},
	} {
		s, err := Open(t.Context(), test.options)
		wrong, ok := errors.AsType[*OptionError](err)
		if !ok || s != nil || wrong.Option != test.option || !strings.Contains(err.Error(), test.want) ||
			!strings.HasPrefix(err.Error(), "Options."+test.option+" ") {
			t.Errorf("%+v: %v", test.options, err)
		}
	}
}
