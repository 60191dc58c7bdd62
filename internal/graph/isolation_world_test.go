package graph

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/catalog"
	"licensor/internal/directory"
	"licensor/internal/identity"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// neighbours are two tenants in one server: a world whose callers ask, and Fabrikam, of which they
// are to see nothing.
type neighbours struct {
	*world          // Contoso
	fabrikam *world // the same server
	callers  []string
	strange  []string // ids and names that are Fabrikam's, and that callers ask by
	silent   []string // others of Fabrikam's, which no one asks by
	own      []string // ids that are Contoso's
	phantoms *strings.Replacer
	tokens   []string // of Fabrikam's lists: $skiptoken and $deltatoken
}

// unseen is in all of Fabrikam's texts that are not names to ask by. No request has it.
const unseen = "zebrafish"

func newNeighbours(t testing.TB) *neighbours {
	w := newWorld(t)
	w.serveQuickly(nil)
	n := &neighbours{world: w, fabrikam: w.second("fabrikam.example")}
	n.strange, n.silent = n.fabrikam.settle("quetzal", unseen)
	n.own, _ = w.settle("lapwing", "plain")
	n.tokens = n.fabrikam.listTokens()
	var pairs []string
	for i, text := range n.strange {
		pairs = append(pairs, text, phantom(i, text))
	}
	n.phantoms = strings.NewReplacer(pairs...)
	user := uuid.MustParse(w.create("/v1.0/users", person("caller", w.domain(), "plain")))
	roles := []uuid.UUID{identity.GlobalAdministrator.ID}
	all := everyPermission()
	n.callers = []string{
		w.appToken(all...), w.userToken(user, all, roles, false), w.userToken(user, []string{"User.Read"}, nil, false),
		w.appToken("User.ReadBasic.All", "GroupMember.Read.All"),
	}
	return n
}

func everyPermission() []string {
	var all []string
	for _, need := range identity.Needs {
		all = append(all, slices.Concat(need.Full, need.Basic)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// second adds a tenant to the server, and returns a world that is it.
func (w *world) second(domain string) *world {
	w.t.Helper()
	org := directory.Organization{
		DisplayName: unseen + " organization", CountryLetterCode: "FR", City: unseen,
		VerifiedDomains: []directory.VerifiedDomain{{Name: domain, IsDefault: true, IsInitial: true, Type: "Managed"}},
	}
	other, err := w.tenants.Create(w.t.Context(), uuid.MustParse("f0000000-0000-4000-8000-000000000002"), org, catalog.BuiltIn())
	w.must(err)
	app := newClient(unseen)
	app.Principal.Permissions = everyPermission()
	_, err = other.Do(w.t.Context(), "system", tenant.SetClient{Client: app})
	w.must(err)
	return &world{
		t: w.t, server: w.server, authority: w.authority, store: w.store,
		tenants: w.tenants, tenant: other, app: app,
	}
}

func (w *world) domain() string { return w.tenant.Image().Organization.VerifiedDomains[0].Name }

func person(name, domain, mark string) string {
	return fmt.Sprintf(
		`{"accountEnabled":true,"displayName":"%[3]s %[1]s","jobTitle":"%[3]s","mailNickname":"%[1]s","userPrincipalName":"%[1]s@%[2]s","usageLocation":"DE",`+
			`"passwordProfile":{"password":"Correct horse 9 battery"}}`, name, domain, mark)
}

// create makes an object and returns its id.
func (w *world) create(path, body string) string {
	w.t.Helper()
	got := w.do("POST", path, w.appToken(everyPermission()...), body)
	var object struct{ ID string }
	if err := json.Unmarshal([]byte(got.body), &object); err != nil || got.status/100 != 2 {
		w.t.Fatalf("POST %s: %d %s", path, got.status, got.body)
	}
	return object.ID
}

// settle fills a tenant whose texts have a mark. It returns the ids and names by which what is in
// it can be asked for, and those of others that are in it, too, and belong with them.
func (w *world) settle(prefix, mark string) (names, silent []string) {
	w.t.Helper()
	names = []string{
		w.tenant.ID().String(), w.domain(), w.app.AppID.String(), w.app.Principal.ID.String(), w.app.ID.String(),
	}
	subscription := w.create("/licensor/v1/subscriptions", `{"skuId":"`+e3+`","totalLicenses":5}`)
	bought, _ := w.tenant.Image().Subscription(uuid.MustParse(subscription))
	names = append(names, subscription, bought.CommerceSubscriptionID.String(), w.tenant.ID().String()+"_"+e3)
	var users, groups []string
	for i := range 5 {
		name := fmt.Sprintf("%s%d", prefix, i)
		users = append(users, w.create("/v1.0/users", person(name, w.domain(), mark)))
		groups = append(groups, w.create("/v1.0/groups", fmt.Sprintf(
			`{"displayName":"%[2]s %[1]s","description":"%[2]s","mailNickname":"%[1]s","mailEnabled":true,"securityEnabled":false,"groupTypes":["Unified"]}`, name, mark)))
		if i < 4 {
			names = append(names, name+"@"+w.domain(), users[i], groups[i])
		}
	}
	for i, group := range groups {
		w.request("POST", "/v1.0/groups/"+group+"/members/$ref", `{"@odata.id":"x/directoryObjects/`+users[4]+`"}`)
		w.request("POST", "/v1.0/groups/"+group+"/owners/$ref", `{"@odata.id":"x/users/`+users[4]+`"}`)
		if i < 4 {
			w.request("POST", "/v1.0/groups/"+groups[4]+"/members/$ref", `{"@odata.id":"x/directoryObjects/`+users[i]+`"}`)
			w.request("PUT", "/v1.0/users/"+users[i]+"/manager/$ref", `{"@odata.id":"x/users/`+users[4]+`"}`)
		}
	}
	w.request("POST", "/v1.0/users/"+users[0]+"/assignLicense", `{"addLicenses":[{"skuId":"`+e3+`"}],"removeLicenses":[]}`)
	w.request("DELETE", "/v1.0/users/"+users[3], "")
	w.request("DELETE", "/v1.0/groups/"+groups[3], "")
	return names, []string{users[4], groups[4], prefix + "4"}
}

func (w *world) request(method, path, body string) {
	w.t.Helper()
	if got := w.do(method, path, w.appToken(everyPermission()...), body); got.status/100 != 2 {
		w.t.Fatalf("%s %s: %d %s", method, path, got.status, got.body)
	}
}

// listTokens are tokens of lists of the tenant that have more pages, and of rounds of delta.
func (w *world) listTokens() (tokens []string) {
	w.t.Helper()
	for _, path := range []string{"users?$top=1", "groups?$top=1", "users?$top=1&$orderby=displayName", "users/delta", "groups/delta", "applications?$top=1"} {
		got := w.do("GET", "/v1.0/"+path, w.appToken(everyPermission()...), "", "Prefer: odata.maxpagesize=1")
		_, token, ok := strings.Cut(got.body, "token=")
		if ok {
			token, _, _ = strings.Cut(token, `"`)
			tokens = append(tokens, token)
		}
	}
	if len(tokens) < 4 {
		w.t.Fatalf("only %d lists have a token", len(tokens))
	}
	return tokens
}

// phantom is a text of the form of another that names nothing at all.
func phantom(i int, text string) string {
	sum := sha256.Sum256(fmt.Append(nil, i, text))
	id := uuid.UUID(sum[:16])
	switch {
	case strings.Contains(text, "_"):
		return id.String() + text[36:]
	case uuid.Validate(text) == nil:
		return id.String()
	}
	return hex.EncodeToString(sum[:8]) + ".example"
}

// everything is all that is stored of a tenant: its commits, and its rows as they are.
func (w *world) everything() string {
	w.t.Helper()
	h := sha256.New()
	ctx := w.t.Context()
	w.must(w.store.Commits(ctx, w.tenant.ID(), 0, func(c store.Commit) error {
		fmt.Fprintf(h, "%d %s %s %s %x\n", c.Seq, c.At.Format(time.RFC3339Nano), c.Actor, c.Operation, c.Effects)
		return nil
	}))
	for _, kind := range []store.Kind{store.KindUser, store.KindGroup, store.KindPassword} {
		for _, deleted := range []bool{false, true} {
			rows, err := w.store.Objects(ctx, w.tenant.ID(), store.Query{Kind: kind, Deleted: deleted, After: -1})
			w.must(err)
			for _, row := range rows {
				fmt.Fprintf(h, "%d %d %s %s %s\n", row.Kind, row.Ordinal, row.ID, row.Deleted, row.Document)
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
