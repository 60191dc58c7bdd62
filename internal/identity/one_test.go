package identity

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// letters are the alphabet of base64url.
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// Each part of a token has one spelling, though its last character has bits that its bytes do not
// use.
func TestATokenHasOneSpelling(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := w.issue(t, robot())
	if _, err := w.Verify(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	for i, part := range parts {
		for _, letter := range letters {
			other := strings.Clone(part[:len(part)-1]) + string(letter)
			if other == part {
				continue
			}
			spelled := append(append(append([]string{}, parts[:i]...), other), parts[i+1:]...)
			if caller, err := w.Verify(t.Context(), strings.Join(spelled, ".")); err == nil {
				t.Errorf("part %d that ends with %c is accepted as %+v", i, letter, caller)
			}
		}
	}
}

func TestOneSpelling(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]bool{
		"AA.AAA.AAAA": true, "AB.AAA.AAAA": false, "AA.AAB.AAAA": false, "AA.AAA.A": false, "AA.AAA.AA==": false,
		"AA.AAA.AA\n": false, "A\rA.AAA.AA": false, "AA.AAA.A+": false, "AA.AAA.A A": false, "..": true,
	} {
		if OneSpelling(raw) != want {
			t.Errorf("%q: %v, want %v", raw, !want, want)
		}
	}
}

// A token is good for the object it was given to, and not for another that has its ids later.
func TestATokenIsNotGoodForAnotherWithTheSameID(t *testing.T) {
	t.Parallel()
	for name, replace := range map[string]func(*town){
		"nobody":                    func(*town) {},
		"the user":                  func(t *town) { u := t.users[ann]; u.Serial = 3; t.users[ann] = u },
		"the application of a user": func(t *town) { a := t.apps[appID]; a.Serial = 8; t.apps[appID] = a },
	} {
		w := newWorld(t)
		w.town.change(func() {
			u, a := w.town.users[ann], w.town.apps[appID]
			u.Serial, a.Serial = 2, 7
			w.town.users[ann], w.town.apps[appID] = u, a
		})
		ofUser, ofApp := user(ann), robot()
		ofUser.Serial, ofUser.AppSerial, ofApp.Serial = 2, 7, 7
		rawUser, rawApp := w.issue(t, ofUser), w.issue(t, ofApp)
		old := w.issue(t, user(ann)) // of a version without serial numbers
		w.town.change(func() { replace(w.town) })
		if _, err := w.Verify(t.Context(), rawUser); (err == nil) != (name == "nobody") {
			t.Errorf("%s is replaced: the user's token: %v", name, err)
		}
		if _, err := w.Verify(t.Context(), rawApp); (err == nil) == (name == "the application of a user") {
			t.Errorf("%s is replaced: the application's token: %v", name, err)
		}
		if _, err := w.Verify(t.Context(), old); err != nil {
			t.Errorf("%s is replaced: a token of an earlier version: %v", name, err)
		}
	}
}

// The caller that stands for the subject of another issuer is not one of the directory's users.
func TestASubjectElsewhereIsNoUserHere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	trust := Trusted{Tenant: contoso}
	trust.Issuer = "https://issuer.example"
	claims := foreignClaims{"sub": "robot"}
	caller, err := w.foreignCaller(context.Background(), claims, trust)
	if err != nil {
		t.Fatal(err)
	}
	if caller.ObjectID == uuid.Nil {
		t.Fatal("it has no id")
	}
	w.town.change(func() { w.town.users[caller.ObjectID] = User{ID: caller.ObjectID, Enabled: true} })
	if _, err := w.foreignCaller(context.Background(), claims, trust); err == nil {
		t.Error("it is taken for the user that has its id")
	}
}
