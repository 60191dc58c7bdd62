package history_test

import (
	"path"
	"strconv"
	"strings"
	"testing"

	"licensor/internal/engine"
	"licensor/internal/engine/enginetest"
	"licensor/internal/history"
	"licensor/internal/outcome"
	"licensor/internal/tenant"
)

// Commits of formats before 14 do not say which errors there were before, so they have no
// outcome.Clear (docs/spec/changes.md C14). Commits that are made now say it.
func TestC14CommitsOfEarlierFormatsDoNotKnowErrors(t *testing.T) {
	t.Parallel()
	enginetest.EveryFormat(t, "../engine/testdata", checkErrorsKnown)
}

func checkErrorsKnown(t *testing.T, one *engine.Tenant) {
	was := one.Image().Seq
	name := strings.TrimSuffix(strings.TrimPrefix(path.Base(t.Name()), "format-"), ".db")
	format, err := strconv.Atoi(name)
	if err != nil {
		t.Fatal(err)
	}
	buy := tenant.CreateSubscription{SKUID: one.Image().Licensing.SKUs()[0].SKUID, TotalLicenses: 1}
	if _, err := one.Do(t.Context(), "", buy); err != nil {
		t.Fatal(err)
	}
	q := history.Query{From: one.Image().Seq, Limit: 1000}
	entries, next, err := q.Read(t.Context(), one, one.Image())
	if err != nil || next != 0 || len(entries) < 2 {
		t.Fatalf("there are %d entries: %v", len(entries), err)
	}
	for _, e := range entries {
		now := e.Seq > was || e.Operation == "migrateApplications" // this was made when the tenant was opened
		known := now || format >= tenant.FormatWithErrors
		if e.ErrorsKnown != known {
			t.Errorf("commit %d of %d: errors are known: %v", e.Seq, was, e.ErrorsKnown)
		}
		if n := e.Count(outcome.Clear); !known && n != 0 {
			t.Errorf("commit %d has %d cleared errors", e.Seq, n)
		}
	}
}
