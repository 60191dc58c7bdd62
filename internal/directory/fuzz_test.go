package directory

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
)

func FuzzParsePatch(f *testing.F) {
	f.Add([]byte(`{` + minimalUser + `,"passwordProfile":{"password":"x"},"identities":[{"issuer":"a"}]}`))
	f.Add([]byte(` { "skills" : [ "\u00e4\ud83d" , "\\\"" ] , "birthday":"2026-01-31T12:00:00Z" } `))
	f.Add([]byte(`{"proxyAddresses":["SMTP:a@b.c"],"proxyAddresses":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		sent := slices.Clone(body)
		changed, err := patchUser(User{}, string(body))
		invalid := new(InvalidError)
		if err != nil {
			if !errors.As(err, &invalid) || invalid.Error() == "" {
				t.Fatalf("%v is no *InvalidError", err)
			}
			return
		}
		if !slices.Equal(sent, body) {
			t.Fatal("the body was changed")
		}
		document := changed.Document()
		again, err := ParseUser(document)
		if err != nil || string(again.Document()) != string(document) {
			t.Fatalf("%s is not read again: %v", document, err)
		}
	})
}

func FuzzParseUser(f *testing.F) {
	f.Add([]byte(`{"accountEnabled":true,"id":"6e7b768e-07e2-4810-8459-485f84f8f204","onPremisesExtensionAttributes":{"extensionAttribute2":"x"}}`))
	f.Add([]byte(`{"displayName":"","skills":["",""],"hireDate":"0001-01-01T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		user, err := ParseUser(document)
		if err != nil {
			return
		}
		written := user.Document()
		again, err := ParseUser(written)
		if err != nil || !json.Valid(written) || string(again.Document()) != string(written) {
			t.Fatalf("%s is not read again: %v", written, err)
		}
	})
}

func FuzzValid(f *testing.F) {
	for _, text := range validTexts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if got, want := valid(text), json.Valid(text); got != want {
			t.Fatalf("valid(%q) is %v, json.Valid says %v", text, got, want)
		}
	})
}

func FuzzDecode(f *testing.F) {
	d := sample(5, 3).Draft()
	d.DeleteUser(1)
	d.PurgeUser(2)
	d.JoinGroup(0, 1)
	d.AddOwner(1, 3)
	head, parts := encode(d.Finish())
	f.Add(head, parts[0])
	head, _ = encode(NewIndex())
	f.Add(head, []byte(nil))
	f.Fuzz(func(t *testing.T, head, part []byte) {
		parts := [][]byte{part}
		if len(part) == 0 {
			parts = nil
		}
		x, err := Decode(head, parts, nil)
		if err != nil {
			return
		}
		head, parts = encode(x)
		if _, err := Decode(head, parts, nil); err != nil {
			t.Fatalf("what is decoded cannot be encoded: %v", err)
		}
		for u := range x.Users() {
			x.AddressShared(u)
			for _, g := range x.MemberOf(u) {
				x.Owners(g)
			}
		}
	})
}
