package graph

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/graph/own"
	"licensor/internal/identity"
)

// wanted is what a caller gets a backup of.
type wanted struct {
	tenants        []uuid.UUID
	withoutSecrets bool
}

// TestWhoGetsWhichBackup asks as applications and users, of which one application is an operator.
func TestWhoGetsWhichBackup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var got *wanted
	w.backups.Write = func(ctx context.Context, to io.Writer, tenants []uuid.UUID, withoutSecrets bool) error {
		if until, ok := ctx.Deadline(); !ok || time.Until(until) < time.Hour {
			t.Errorf("the backup has to be there until %v, as any request", until)
		}
		got = &wanted{tenants, withoutSecrets}
		_, err := io.WriteString(to, "a backup")
		return err
	}
	app := w.appToken(allPermissions...)
	user := w.userToken(w.importUser("ann"), allPermissions, []uuid.UUID{identity.GlobalAdministrator.ID}, false)
	own1, other := w.tenant.ID(), uuid.New()
	operator := own.Operator{Tenant: own1, AppID: w.app.AppID}
	elsewhere := own.Operator{Tenant: other, AppID: w.app.AppID}
	for _, test := range []struct {
		name     string
		operator own.Operator
		token    string
		query    string
		want     *wanted
	}{
		{"an application", own.Operator{}, app, "", &wanted{[]uuid.UUID{own1}, true}},
		{"an application, of another tenant", own.Operator{}, app, "?tenant=" + other.String(), nil},
		{"an application, with secrets", own.Operator{}, app, "?withoutSecrets=false", nil},
		{"an operator", operator, app, "", &wanted{nil, false}},
		{"an operator, of another tenant", operator, app, "?tenant=" + other.String(), &wanted{[]uuid.UUID{other}, false}},
		{"an operator, without secrets", operator, app, "?withoutSecrets=true", &wanted{nil, true}},
		{"one with the client id of another tenant's operator", elsewhere, app, "", &wanted{[]uuid.UUID{own1}, true}},
		{"a user of an operator's application", operator, user, "", &wanted{[]uuid.UUID{own1}, true}},
		{"a user of an operator's application, of another tenant", operator, user, "?tenant=" + other.String(), nil},
	} {
		w.backups.Operators, got = []own.Operator{test.operator}, nil
		answer := w.send("GET", "/licensor/v1/backup"+test.query, test.token, "")
		switch {
		case test.want == nil:
			if answer.status != http.StatusForbidden || got != nil {
				t.Errorf("%s: %d, got %v", test.name, answer.status, got)
			}
		case answer.status != http.StatusOK || answer.body != "a backup" || got == nil ||
			!slices.Equal(got.tenants, test.want.tenants) || (got.tenants == nil) != (test.want.tenants == nil) ||
			got.withoutSecrets != test.want.withoutSecrets:
			t.Errorf("%s: %d %s, got %v; want %v", test.name, answer.status, answer.body, got, test.want)
		}
	}
}

func (w *world) importUser(name string) uuid.UUID {
	w.t.Helper()
	id := uuid.New()
	w.imports(`{"user":{"id":"` + id.String() + `","displayName":"` + name + `","userPrincipalName":"` + name +
		`@contoso.example","mailNickname":"` + name + `","accountEnabled":true}}`)
	return id
}

func TestAnOperatorAsksForATenantThatIsNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.backups.Operators = []own.Operator{{Tenant: w.tenant.ID(), AppID: w.app.AppID}}
	const other = "5a1f0d4e-3c6b-4b8e-9a52-0f6e4e7d2c11"
	got := w.do("GET", "/licensor/v1/backup?tenant="+other, w.appToken(allPermissions...), "")
	if got.status != http.StatusNotFound || !strings.Contains(got.body, other) {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestOneBackupIsMadeAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	begun, end := make(chan bool), make(chan bool)
	w.backups.Write = func(context.Context, io.Writer, []uuid.UUID, bool) error {
		begun <- true
		<-end
		return nil
	}
	token := w.appToken(allPermissions...)
	first := make(chan answer, 1)
	go func() { first <- w.send("GET", "/licensor/v1/backup", token, "") }()
	<-begun
	got := w.do("GET", "/licensor/v1/backup", token, "")
	if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" {
		t.Errorf("a second one: %d %v", got.status, got.header)
	}
	other, elsewhere := w.second("fabrikam.example"), make(chan answer, 1)
	go func() { elsewhere <- other.send("GET", "/licensor/v1/backup", other.appToken(allPermissions...), "") }()
	<-begun // another tenant does not wait
	w.backups.Operators = []own.Operator{{Tenant: w.tenant.ID(), AppID: w.app.AppID}}
	operator := make(chan answer, 1)
	go func() { operator <- w.send("GET", "/licensor/v1/backup", token, "") }()
	<-begun
	if got := w.do("GET", "/licensor/v1/backup", token, ""); got.status != http.StatusTooManyRequests {
		t.Errorf("a second one of an operator: %d", got.status)
	}
	close(end)
	for _, others := range []chan answer{elsewhere, operator} {
		if got := <-others; got.status != http.StatusOK {
			t.Errorf("one of others: %d %s", got.status, got.body)
		}
	}
	if got := <-first; got.status != http.StatusOK {
		t.Errorf("the first one: %d %s", got.status, got.body)
	}
	go func() { first <- w.send("GET", "/licensor/v1/backup", token, "") }()
	<-begun
	if got := <-first; got.status != http.StatusOK {
		t.Errorf("a later one: %d %s", got.status, got.body)
	}
}

var errDisk = errors.New("the disk cannot be read")

// A backup that fails is an error, or does not look like a whole response.
func TestABackupFails(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"at once": 0, "later": 3 << 20} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.backups.Write = func(_ context.Context, to io.Writer, _ []uuid.UUID, _ bool) error {
				if _, err := to.Write(make([]byte, size)); err != nil {
					return err
				}
				return errDisk
			}
			r, err := http.NewRequest("GET", w.server.URL+"/licensor/v1/backup", http.NoBody)
			w.must(err)
			r.Header.Set("Authorization", "Bearer "+w.appToken(allPermissions...))
			response, err := w.server.Client().Do(r)
			w.must(err)
			defer response.Body.Close()
			n, err := io.Copy(io.Discard, response.Body)
			if size == 0 && (response.StatusCode != http.StatusInternalServerError || err != nil) ||
				size > 0 && err == nil {
				t.Errorf("%s, %d bytes, %v", response.Status, n, err)
			}
			if !strings.Contains(w.logged(), errDisk.Error()) {
				t.Errorf("the log has %q", w.logged())
			}
		})
	}
}
