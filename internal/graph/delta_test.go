package graph

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/graph/own"
	"licensor/internal/licensing"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// TestApplyingAllChangesGivesWhatReadingEverythingGives keeps copies of the users and groups of a
// tenant in which everything happens, and compares them with the tenant whenever nothing happens
// for a moment. Things happen between the pages of a round, too.
func TestApplyingAllChangesGivesWhatReadingEverythingGives(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			p := &crowd{world: w, t: t, random: rand.New(rand.NewPCG(seed, 0)), token: w.appToken(allPermissions...)}
			p.must(tenant.CreateSubscription{SKUID: uuid.MustParse(e3), TotalLicenses: 3})
			users := &replica{crowd: p, next: "/v1.0/users/delta?$select=displayName,city,assignedLicenses,licenseAssignmentStates,manager"}
			groups := &replica{crowd: p, next: "/v1.0/groups/delta?$select=displayName,description,assignedLicenses,hasMembersWithLicenseErrors,members,owners"}
			for range 20 {
				for range p.random.IntN(20) {
					p.step()
				}
				users.round(p.random.IntN(2) == 0)
				groups.round(p.random.IntN(2) == 0)
				users.round(false)
				groups.round(false)
				users.compare("/v1.0/users?$top=999&$select=id,displayName,city,assignedLicenses,licenseAssignmentStates")
				groups.compare("/v1.0/groups?$top=999&$select=id,displayName,description,assignedLicenses,hasMembersWithLicenseErrors")
				users.compareLinks("/v1.0/users?$select=id&$expand=manager($select=id)&$top=999", "manager")
				groups.compareLinks("/v1.0/groups?$select=id&$expand=owners($select=id)&$top=999", "owners")
				groups.compareMembers()
			}
		})
	}
}

// crowd is a tenant in which things happen.
type crowd struct {
	*world
	t       *testing.T
	random  *rand.Rand
	token   string
	n       int
	happens func(*crowd) tenant.Command // command when nil
}

func (p *crowd) must(cmd tenant.Command) {
	p.t.Helper()
	if _, err := p.world.tenant.Do(p.t.Context(), "system", cmd); err != nil {
		p.t.Fatal(err)
	}
}

func (p *crowd) read(address string) map[string]any {
	p.t.Helper()
	got := p.do("GET", strings.TrimPrefix(address, p.server.URL), p.token, "", "Prefer: odata.maxpagesize=3")
	var body map[string]any
	if err := json.Unmarshal([]byte(got.body), &body); err != nil || got.status != http.StatusOK {
		p.t.Fatalf("%s: %d %s", address, got.status, got.body)
	}
	return body
}

func (p *crowd) step() {
	p.clock.Add(1)
	happens := p.happens
	if happens == nil {
		happens = (*crowd).command
	}
	_, _ = p.world.tenant.Do(p.t.Context(), "system", happens(p)) // many are refused
}

func (p *crowd) command() tenant.Command {
	index := p.world.tenant.Image().Directory
	p.n++
	if index.Users() < 3 || index.Groups() < 2 || p.random.IntN(5) == 0 {
		return p.create()
	}
	user, group := p.random.Uint32N(index.Users()), p.random.Uint32N(index.Groups())
	member := index.UserID(user)
	if p.random.IntN(4) == 0 {
		member = index.GroupID(p.random.Uint32N(index.Groups()))
	}
	switch p.random.IntN(5) {
	case 0, 1:
		return p.move(user, group, member)
	case 2:
		return p.link(user, group, index.UserID(p.random.Uint32N(index.Users())))
	}
	return p.change(user, group)
}

func (p *crowd) create() tenant.Command {
	if p.random.IntN(2) == 0 {
		return tenant.CreateUser{Patch: parsed(p, directory.ParseUserPatch, `{"accountEnabled":true,"displayName":"u","mailNickname":"u","usageLocation":"DE",`+
			`"userPrincipalName":"u%d@contoso.example","passwordProfile":{"password":"Secret-123"}}`, p.n)}
	}
	if p.random.IntN(2) == 0 {
		return tenant.CreateGroup{Patch: parsed(p, directory.ParseGroupPatch, `{"displayName":"g","mailEnabled":true,"mailNickname":"g%d","securityEnabled":true,"groupTypes":["Unified"]}`, p.n)}
	}
	return tenant.CreateGroup{Patch: parsed(p, directory.ParseGroupPatch, `{"displayName":"g","mailEnabled":false,"mailNickname":"g%d","securityEnabled":true}`, p.n)}
}

// parsed reads a patch.
func parsed[P any](p *crowd, parse func([]directory.Member) (P, error), body string, n int) P {
	members, err := directory.Members(fmt.Appendf(nil, body, n))
	p.world.must(err)
	patch, err := parse(members)
	p.world.must(err)
	return patch
}

func (p *crowd) move(user, group uint32, member uuid.UUID) tenant.Command {
	switch p.random.IntN(9) {
	case 0, 1, 2:
		return tenant.AddMembers{Group: group, Members: []uuid.UUID{member}}
	case 3:
		return tenant.RemoveMember{Group: group, Member: member}
	case 4:
		return tenant.DeleteUser{User: user}
	case 5:
		return tenant.RestoreUser{User: user}
	case 6:
		return tenant.PurgeUser{User: user}
	case 7:
		return tenant.DeleteGroup{Group: group}
	}
	return tenant.RestoreGroup{Group: group}
}

func (p *crowd) link(user, group uint32, other uuid.UUID) tenant.Command {
	switch p.random.IntN(8) {
	case 0:
		return tenant.RemoveManager{User: user}
	case 1:
		return tenant.RemoveOwner{Group: group, Owner: other}
	case 2, 3, 4:
		return tenant.AddOwners{Group: group, Owners: []uuid.UUID{other}}
	}
	return tenant.SetManager{User: user, Manager: other}
}

func (p *crowd) change(user, group uint32) tenant.Command {
	switch p.random.IntN(6) {
	case 0:
		return tenant.UpdateUser{User: user, Patch: parsed(p, directory.ParseUserPatch, `{"city":"City %d"}`, p.n)}
	case 1:
		return tenant.UpdateGroup{Group: group, Patch: parsed(p, directory.ParseGroupPatch, `{"description":"Group %d"}`, p.n)}
	case 2:
		return tenant.AssignUser{User: user, Add: []licensing.Assign{{SKUID: uuid.MustParse(e3)}}}
	case 3:
		return tenant.AssignGroup{Group: group, Remove: []uuid.UUID{uuid.MustParse(e3)}}
	case 4:
		return tenant.PurgeGroup{Group: group}
	}
	return tenant.AssignGroup{Group: group, Add: []licensing.Assign{{SKUID: uuid.MustParse(e3)}}}
}

// replica is a client's copy of a list, kept by following links.
type replica struct {
	*crowd
	next    string
	objects map[string]map[string]any
	members map[string]map[string]bool
	links   map[string]map[string]bool // managers or owners
}

// round follows the links of one round; when it is busy, something happens between the pages.
func (c *replica) round(busy bool) {
	for pages := 0; ; pages++ {
		if pages > 1000 {
			c.t.Fatal("the round does not end")
		}
		body := c.read(c.next)
		for _, element := range body["value"].([]any) {
			c.apply(element.(map[string]any))
		}
		if link, ok := body["@odata.deltaLink"].(string); ok {
			c.next = link
			return
		}
		c.next = body["@odata.nextLink"].(string)
		if busy {
			c.step()
		}
	}
}

func (c *replica) apply(object map[string]any) {
	if c.objects == nil {
		c.objects = map[string]map[string]any{}
		c.members, c.links = map[string]map[string]bool{}, map[string]map[string]bool{}
	}
	id := object["id"].(string)
	if _, removed := object["@removed"]; removed {
		delete(c.objects, id)
		delete(c.members, id)
		delete(c.links, id)
		return
	}
	take(c.members, id, object, "members@delta")
	take(c.links, id, object, "owners@delta")
	take(c.links, id, object, "manager@delta")
	delete(object, "@odata.etag")
	c.objects[id] = object
}

// take moves the changes of an object's links of one name to where these are kept.
func take(links map[string]map[string]bool, id string, object map[string]any, name string) {
	if links[id] == nil {
		links[id] = map[string]bool{}
	}
	changes, _ := object[name].([]any)
	delete(object, name)
	for _, change := range changes {
		linked := change.(map[string]any)
		if _, removed := linked["@removed"]; removed {
			delete(links[id], linked["id"].(string))
		} else {
			links[id][linked["id"].(string)] = true
		}
	}
}

// compareLinks compares managers or owners with a list of everything, in which they are expanded.
func (c *replica) compareLinks(address, name string) {
	c.t.Helper()
	for _, element := range c.read(address)["value"].([]any) {
		object := element.(map[string]any)
		want, id := []string{}, object["id"].(string)
		switch linked := object[name].(type) {
		case map[string]any:
			want = append(want, linked["id"].(string))
		case []any:
			for _, one := range linked {
				want = append(want, one.(map[string]any)["id"].(string))
			}
		}
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(c.links[id])); !slices.Equal(got, want) {
			c.t.Errorf("the %s of %s is %v, in the copy %v", name, id, want, got)
		}
	}
}

func (c *replica) compare(address string) {
	c.t.Helper()
	all := map[string]map[string]any{}
	for _, element := range c.read(address)["value"].([]any) {
		object := element.(map[string]any)
		all[object["id"].(string)] = object
	}
	if len(all) == 0 && len(c.objects) == 0 || reflect.DeepEqual(c.objects, all) {
		return
	}
	for id := range everyKey(all, c.objects) {
		if !reflect.DeepEqual(all[id], c.objects[id]) {
			c.t.Errorf("the copy has\n%v, there is\n%v", c.objects[id], all[id])
		}
	}
}

func everyKey(a, b map[string]map[string]any) map[string]map[string]any {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

func (c *replica) compareMembers() {
	c.t.Helper()
	for id, members := range c.members {
		var want []string
		for _, element := range c.read("/v1.0/groups/" + id + "/members?$select=id&$top=999")["value"].([]any) {
			want = append(want, element.(map[string]any)["id"].(string))
		}
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(members)); !slices.Equal(got, want) {
			c.t.Errorf("group %s has the members %v, in the copy %v", id, want, got)
		}
	}
}

// TestAGroupOfManyMembersGoesOnOnTheNextPage follows the pages of a group with more members than a
// page shows.
func TestAGroupOfManyMembersGoesOnOnTheNextPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.appToken(allPermissions...)
	const members = 2*maxDeltaMembers + 1
	var rows strings.Builder
	for _, id := range []string{nobodysID, "b0000000-0000-4000-8000-000000000002"} {
		fmt.Fprintf(&rows, `{"group":{"id":"%s","displayName":"Red","mailEnabled":false,"mailNickname":"red","securityEnabled":true}}`+"\n", id)
	}
	for n := range members {
		id := fmt.Sprintf("a0000000-0000-4000-8000-%012d", n)
		fmt.Fprintf(&rows, `{"user":{"id":"%s","displayName":"U","userPrincipalName":"u%d@contoso.example","mailNickname":"u","accountEnabled":true}}`+"\n", id, n)
		fmt.Fprintf(&rows, `{"member":{"group":"%s","member":"%s"}}`+"\n", nobodysID, id)
	}
	w.do("POST", "/licensor/v1/import", token, rows.String(), "Content-Type: "+own.LinesType)
	c := &replica{crowd: &crowd{world: w, t: t, token: token}, next: "/v1.0/groups/delta"}
	c.round(false)
	if len(c.objects) != 2 || len(c.members[nobodysID]) != members {
		t.Errorf("there are %d groups, the first with %d members", len(c.objects), len(c.members[nobodysID]))
	}
}

// TestATokenThatCannotBeGoneOnFrom is answered 410 with where to start again, 400 when it is not
// one of this list.
func TestATokenThatCannotBeGoneOnFrom(t *testing.T) {
	t.Parallel()
	w, _ := withAnn(t)
	token := w.appToken(allPermissions...)
	id := w.tenant.ID()
	seal := append(id[:], byte(store.KindUser))
	future := deltaToken{
		after: w.tenant.Image().Seq + 1, place: -1, member: -1,
		selected: []string{"city"}, ids: []uuid.UUID{{1}},
	}
	got := w.do("GET", "/v1.0/users/delta?$deltatoken="+future.text(seal), token, "")
	want := w.server.URL + "/v1.0/users/delta?$select=city&$filter=id%20eq%20%2701000000-0000-0000-0000-000000000000%27"
	if got.status != http.StatusGone || !strings.Contains(got.body, `"code":"syncStateNotFound"`) || got.header.Get("Location") != want {
		t.Errorf("%d %s, Location: %s", got.status, got.body, got.header.Get("Location"))
	}
	if got := w.do("GET", strings.TrimPrefix(want, w.server.URL), token, ""); got.status != http.StatusOK {
		t.Errorf("starting again: %d %s", got.status, got.body)
	}
	other := uuid.New()
	past := deltaToken{after: 1, place: -1, member: -1}
	for name, path := range map[string]string{
		"another tenant": "/v1.0/users/delta?$deltatoken=" + past.text(append(other[:], byte(store.KindUser))),
		"another kind":   "/v1.0/groups/delta?$deltatoken=" + past.text(seal),
		"cut off":        "/v1.0/users/delta?$deltatoken=" + past.text(seal)[:12],
		"backwards":      "/v1.0/users/delta?$skiptoken=" + deltaToken{after: 2, upTo: 1, place: -1, member: -1}.text(seal),
	} {
		if got := w.do("GET", path, token, ""); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

// TestChangesGoOnAfterARestart follows a link that an earlier life of the server has given.
func TestChangesGoOnAfterARestart(t *testing.T) {
	t.Parallel()
	w, ann := withAnn(t)
	token := w.appToken(allPermissions...)
	c := &replica{crowd: &crowd{world: w, t: t, token: token}, next: "/v1.0/users/delta?$deltatoken=latest&$select=city"}
	c.round(false)
	w.do("PATCH", "/v1.0/users/"+ann, token, `{"city":"Bonn"}`)
	again, err := engine.Open(t.Context(), w.store, engine.Options{Now: w.now, NewID: numbered(), Log: newLog(w)})
	w.must(err)
	defer func() { w.must(again.Close(t.Context())) }()
	config := w.config()
	config.Tenant = again.Tenant
	server := httptest.NewServer(New(config))
	defer server.Close()
	c.next = strings.TrimPrefix(c.next, w.server.URL)
	w.server = server
	c.round(false)
	if len(c.objects) != 1 || c.objects[ann]["city"] != "Bonn" {
		t.Errorf("what changed is %v", c.objects)
	}
}

// FuzzDeltaTokens sends any token as it is, and any content of a token sealed as ours are.
func FuzzDeltaTokens(f *testing.F) {
	w, ann := withAnn(f)
	token := w.appToken(allPermissions...)
	id := w.tenant.ID()
	for _, t := range []deltaToken{
		{after: 1, place: -1, member: -1},
		{upTo: 3, count: 1, place: 0, member: 4, selected: []string{"city", "members"}, ids: []uuid.UUID{uuid.MustParse(ann)}},
		{after: 1 << 62, place: 1 << 31, member: 1 << 40},
	} {
		f.Add(false, t.text(append(id[:], byte(store.KindUser))), []byte{})
		f.Add(true, "latest", []byte{1, 3, 0, 0, 0, 0})
		f.Add(true, "", []byte{0, 3, 9, 1, 1, 0, '*'})
	}
	api := New(w.config())
	f.Fuzz(func(t *testing.T, ofGroups bool, text string, content []byte) {
		kind, path := store.KindUser, "/v1.0/users/delta"
		if ofGroups {
			kind, path = store.KindGroup, "/v1.0/groups/delta"
		}
		if len(content) > 0 {
			text = sealed(append(id[:], byte(kind)), content)
		}
		for _, option := range []string{"$deltatoken", "$skiptoken"} {
			request := httptest.NewRequest(http.MethodGet, path+"?"+option+"="+url.QueryEscape(text), http.NoBody)
			request.Header.Set("Authorization", "Bearer "+token)
			answer := httptest.NewRecorder()
			api.ServeHTTP(answer, request)
			if answer.Code >= 500 || answer.Code == http.StatusOK && !json.Valid(answer.Body.Bytes()) {
				t.Fatalf("%s %q %x: %d %s\n%s", path, text, content, answer.Code, answer.Body, w.logged())
			}
		}
	})
}

// BenchmarkDelta asks what is new about 100,000 users: nothing, or one of them.
func BenchmarkDelta(b *testing.B) {
	w := newWorld(b)
	token := w.appToken(allPermissions...)
	const people = 100_000
	for first := 0; first < people; first += 10_000 {
		var rows strings.Builder
		for n := first; n < first+10_000; n++ {
			fmt.Fprintf(&rows, `{"user":{"displayName":"User %d","userPrincipalName":"u%d@contoso.example","mailNickname":"u%d","accountEnabled":true}}`+"\n", n, n, n)
		}
		w.do("POST", "/licensor/v1/import", token, rows.String(), "Content-Type: "+own.LinesType)
	}
	api := New(w.config())
	id, seq := w.tenant.ID(), w.tenant.Image().Seq
	patch := parsed(&crowd{world: w}, directory.ParseUserPatch, `{"city":"City %d"}`, 1)
	_, err := w.tenant.Do(b.Context(), "system", tenant.UpdateUser{User: 7, Patch: patch})
	w.must(err)
	for _, c := range []struct {
		name  string
		after uint64
	}{{"nothing", seq + 1}, {"one user", seq}, {"everybody's first page", 0}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			t := deltaToken{after: c.after, place: -1, member: -1}
			request := httptest.NewRequest(http.MethodGet, "/v1.0/users/delta?$deltatoken="+t.text(append(id[:], byte(store.KindUser))), http.NoBody)
			request.Header.Set("Authorization", "Bearer "+token)
			for b.Loop() {
				api.ServeHTTP(nowhere{}, request)
			}
		})
	}
}
