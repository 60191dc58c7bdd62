package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"

	"licensor/internal/catalog"
	"licensor/internal/directory"
	"licensor/internal/store"
	"licensor/internal/store/memory"
	"licensor/internal/store/storetest"
	"licensor/internal/tenant"
)

func organization(domain string) directory.Organization {
	return directory.Organization{
		DisplayName: "Test", CountryLetterCode: "DE",
		VerifiedDomains: []directory.VerifiedDomain{{Name: domain, IsDefault: true, IsInitial: true, Type: "Managed"}},
	}
}

// If 16 tenants claim a domain at once, in any letter case, one gets it. If 16 are created with the
// same id, one succeeds.
func TestADomainIsOneTenants(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]func(i int) (uuid.UUID, string){
		"domain": func(i int) (uuid.UUID, string) {
			return uuid.UUID{2, byte(i)}, []string{"same.example", "SAME.example"}[i%2]
		},
		"id": func(i int) (uuid.UUID, string) { return uuid.UUID{3}, fmt.Sprintf("domain%d.example", i) },
	} {
		h := newHouse(t, 0)
		errs, start := make([]error, 16), make(chan struct{})
		var group sync.WaitGroup
		for i := range errs {
			group.Go(func() {
				<-start
				id, domain := of(i)
				_, errs[i] = h.tenants.Create(context.Background(), id, organization(domain), catalog.BuiltIn())
			})
		}
		close(start)
		group.Wait()
		made := 0
		for _, err := range errs {
			if err == nil {
				made++
			} else if text := err.Error(); !strings.Contains(text, "belongs to tenant") && !strings.Contains(text, "property id already exists") {
				t.Errorf("%s: %s", name, text)
			}
		}
		if made != 1 {
			t.Errorf("%s: %d tenants are created, want 1", name, made)
		}
	}
}

// Names whose commit failed are not claimed.
func TestAClaimThatFailsIsFreeAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	other, err := h.tenants.Create(t.Context(), uuid.UUID{2}, organization("other.example"), catalog.BuiltIn())
	if err != nil {
		t.Fatal(err)
	}
	trust := directory.SignIn{
		TrustedIssuers: []directory.TrustedIssuer{{Issuer: "https://issuer.example", Audiences: []string{"a"}, PermissionsClaim: "roles"}},
	}
	failing := tenant.If{Holds: func(*tenant.Image) bool { return true }, Then: tenant.UpdateSignIn{SignIn: trust}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Do(ctx, "test", failing); err == nil {
		t.Fatal("a command whose caller has gone was carried out")
	}
	broken := trust
	broken.TrustedIssuers = append(broken.TrustedIssuers, directory.TrustedIssuer{Issuer: "no address"})
	if _, err := h.Do(t.Context(), "test", tenant.UpdateSignIn{SignIn: broken}); err == nil {
		t.Fatal("an issuer without an address was taken")
	}
	if _, err := other.Do(t.Context(), "test", tenant.UpdateSignIn{SignIn: trust}); err != nil {
		t.Errorf("a name that nobody has cannot be claimed: %s", err)
	}
	h.reopen()
	if _, err := h.Do(t.Context(), "test", tenant.UpdateSignIn{SignIn: trust}); err == nil {
		t.Error("after a restart, two tenants trust an issuer for the same audience")
	}
}

// Duplicates that earlier versions have stored are logged at the start and kept. They can still be
// read and changed.
func TestStoredDuplicatesAreListed(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	ann := h.must(newUser(t, "ann"))
	first := directory.Application{ID: uuid.UUID{7}, AppID: uuid.UUID{8}, DisplayName: "First", Properties: uris(`["api://same"]`)}
	second := directory.Application{ID: ann.ID, AppID: uuid.UUID{9}, DisplayName: "Second", Properties: uris(`["api://same"]`)}
	trust := directory.SignIn{
		TrustedIssuers: []directory.TrustedIssuer{{Issuer: "https://issuer.example", Audiences: []string{"a"}, PermissionsClaim: "roles"}},
	}
	other, err := h.tenants.Create(t.Context(), uuid.UUID{2}, organization("other.example"), catalog.BuiltIn())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Do(t.Context(), "test", tenant.UpdateSignIn{SignIn: trust}); err != nil {
		t.Fatal(err)
	}
	h.appendAsBefore(tenant.Effects{SignIn: trust.Document(), Applications: []tenant.DocumentNow{
		{Ordinal: 0, Document: first.Document()}, {Ordinal: 1, Document: second.Document()},
	}})
	h.close()
	var log bytes.Buffer
	h.log = slog.New(slog.NewTextHandler(&log, nil))
	h.open(nil)
	for _, want := range []string{
		ann.ID.String() + " is that of several: user, application", "api://same", "issuer https://issuer.example for the audience a",
	} {
		if n := strings.Count(log.String(), want); n != 1 {
			t.Errorf("the log says %q %d times:\n%s", want, n, log.String())
		}
	}
	second.DisplayName = "Renamed"
	h.must(tenant.SetClient{Client: directory.Client{Application: second}})
	h.must(tenant.UpdateSignIn{
		SignIn: directory.SignIn{AllowPasswordGrant: true, TrustedIssuers: trust.TrustedIssuers},
	})
	h.reopen()
}

// Microsoft 365 groups are found by their mailNickname after a restart, from a snapshot or from
// commits. A duplicate that an earlier version allowed is logged and kept.
func TestMailNicknamesAreKnownAfterARestart(t *testing.T) {
	t.Parallel()
	team := func(name string) tenant.CreateGroup {
		return tenant.CreateGroup{Patch: groupPatch(t, `{"displayName":%[1]q,"mailEnabled":true,"mailNickname":%[1]q,"securityEnabled":false,"groupTypes":["Unified"]}`, name)}
	}
	for _, after := range []int{0, 1 << 30} {
		h := newHouse(t, after)
		h.must(team("first"))
		second := h.must(team("second"))
		h.reopen()
		h.refused(team("FIRST"), tenant.ProblemTaken)
		h.refused(team("second"), tenant.ProblemTaken)
		h.must(tenant.UpdateGroup{Group: second.Ordinal, Patch: groupPatch(t, `{"mailNickname":"third"}`)})
		h.must(team("second"))
		changes := (&directory.Group{MailNickname: "first"}).Changed(&directory.Group{MailNickname: "third"})
		h.appendAsBefore(tenant.Effects{GroupValues: []tenant.GroupValues{{
			Ordinal: second.Ordinal, Data: directory.GroupSchema().AppendChanges(nil, changes),
		}}})
		h.close()
		var log bytes.Buffer
		h.log = slog.New(slog.NewTextHandler(&log, nil))
		h.open(nil)
		if n := strings.Count(log.String(), "Microsoft 365 groups"); n != 1 || !strings.Contains(log.String(), second.ID.String()) {
			t.Errorf("the log has %d lines of duplicates: %s", n, log.String())
		}
		h.must(tenant.UpdateGroup{Group: second.Ordinal, Patch: groupPatch(t, `{"description":"kept"}`)})
	}
}

func uris(list string) map[string]json.RawMessage {
	return map[string]json.RawMessage{"identifierUris": json.RawMessage(list)}
}

// appendAsBefore writes a commit like a version that checked nothing.
func (h *house) appendAsBefore(f tenant.Effects) {
	h.tb.Helper()
	data, err := cbor.Marshal(&f)
	if err != nil {
		h.tb.Fatal(err)
	}
	img, rows := h.Image(), []store.Object(nil)
	for _, now := range f.Applications {
		a, err := directory.ParseApplication(now.Document)
		if err != nil {
			h.tb.Fatal(err)
		}
		rows = append(rows, store.Object{
			Kind: store.KindApplication, Ordinal: now.Ordinal,
			ID: a.ID, Document: now.Document, Seq: img.Seq + 1,
		})
	}
	commit := store.Commit{Seq: img.Seq + 1, At: img.At, Actor: "test", Operation: "test", Format: 4, Effects: data}
	if err := storetest.Append(context.Background(), h.store, h.ID(), []store.Commit{commit}, rows); err != nil {
		h.tb.Fatal(err)
	}
}

// silent is a store whose claims can no longer be read, once is is set.
type silent struct {
	store.Store
	is bool
}

func (s *silent) Claimed(ctx context.Context, names []string) ([]store.Claim, error) {
	if s.is {
		return nil, store.ErrUnavailable
	}
	return s.Store.Claimed(ctx, names)
}

// TestADatabaseThatDoesNotAnswerIsNotTakenForNoTenant, by any of those who look for one by a name.
func TestADatabaseThatDoesNotAnswerIsNotTakenForNoTenant(t *testing.T) {
	t.Parallel()
	s := &silent{Store: memory.New().Open()}
	e := newEstate(t, s, 1, 0)
	e.pass(time.Hour) // what is remembered of claims
	s.is = true
	for name, ask := range map[string]func() error{
		"by a domain":  func() error { _, err := e.ByDomain(t.Context(), "t0.example"); return err },
		"by an issuer": func() error { _, err := e.ByIssuer(t.Context(), "https://a.example", []string{"a", "b"}); return err },
		"an issuer":    func() error { _, err := e.KnowsIssuer(t.Context(), "https://a.example"); return err },
		"an app":       func() error { _, err := e.KnowsApp(t.Context(), uuid.New()); return err },
	} {
		if err := ask(); !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
