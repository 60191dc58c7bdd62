package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"licensor/bench/load"
	"licensor/bench/process"
)

// The programs that licensor is compared with. They are built by the go command and run as
// processes, so no module of this repository depends on them.
const (
	pocketBaseProgram = "github.com/pocketbase/pocketbase/examples/base@v0.36.8"
	openFGAProgram    = "github.com/openfga/openfga/cmd/openfga@v1.22.1"
)

// neighbor is a server with the requests that do what licensor does, by number. Those that write
// are different for each number.
type neighbor struct {
	name   string
	server *process.Server
	// create creates a record, and read reads the one that was created with number 0.
	create, read func(n int) []byte
	// join adds a user to a group, and members lists a group with 100 users.
	join, members func(n int) []byte
}

// others measures records and memberships over HTTP: of ours on both stores with a few users,
// of PocketBase, and of OpenFGA with both of its embedded stores.
func (s *scale) others(ctx context.Context) error {
	lite := s.file("few.db")
	pg, err := s.database(ctx, "few")
	if err != nil {
		return err
	}
	for _, start := range []func(context.Context) (*neighbor, error){
		func(ctx context.Context) (*neighbor, error) { return s.ours(ctx, lite) },
		func(ctx context.Context) (*neighbor, error) { return s.ours(ctx, pg) },
		s.pocketBase,
		func(ctx context.Context) (*neighbor, error) { return s.openFGA(ctx, fgaMemory) },
		func(ctx context.Context) (*neighbor, error) { return s.openFGA(ctx, fgaSQLite) },
	} {
		of, err := start(ctx)
		if err != nil {
			return err
		}
		err = s.neighbor(ctx, of)
		if err := errors.Join(err, of.server.Stop()); err != nil {
			return fmt.Errorf("%s: %w", of.name, err)
		}
	}
	return errors.Join(removeDatabase(lite.at), s.dropDatabase(ctx, "few"))
}

// neighbor measures what a server has of the four requests.
func (s *scale) neighbor(ctx context.Context, of *neighbor) error {
	for _, row := range []struct {
		name    string
		callers int
		writes  bool
		request func(n int) []byte
	}{
		{"create-1", 1, true, of.create},
		{"create-64", batch, true, of.create},
		{"read-8", 8, false, of.read},
		{"join-1", 1, true, of.join},
		{"join-64", batch, true, of.join},
		{"members-8", 8, false, of.members},
	} {
		if row.request == nil {
			continue
		}
		l := load.Load{Callers: row.callers, Cycle: !row.writes, Time: s.time}
		many := 1
		if row.writes {
			many = s.plenty(row.callers)
		}
		for range many {
			l.Requests = append(l.Requests, row.request(int(changed.Add(1))))
		}
		o, err := load.Put(ctx, of.server.Address, l)
		if err != nil {
			return fmt.Errorf("%s: %w", row.name, err)
		}
		s.add(row.name, of.name, o)
	}
	return nil
}

// fewGroups is the number of groups of ours that users join.
const fewGroups = 1000

// ours serves a database with 100 users, who join groups.
func (s *scale) ours(ctx context.Context, h *house) (*neighbor, error) {
	var tokens []string
	err := h.within(ctx, func() error {
		if err := h.small(ctx, 0); err != nil {
			return err
		}
		if err := h.someGroups(ctx); err != nil {
			return err
		}
		var err error
		tokens, err = h.tokens(ctx, 1)
		return err
	})
	if err != nil {
		return nil, err
	}
	v, err := s.serve(ctx, h)
	if err != nil {
		return nil, err
	}
	ask := func(method, path, body string) []byte {
		return load.Request(method, v.Address, "/v1.0"+path, tokens[0], body)
	}
	return &neighbor{
		name: h.name, server: v.Server,
		create: func(n int) []byte { return ask("POST", "/groups", record(n)) },
		read:   func(int) []byte { return ask("GET", fmt.Sprintf("/groups/%s", id('g', 0)), "") },
		join: func(n int) []byte {
			return ask("POST", fmt.Sprintf("/groups/%s/members/$ref", id('g', 1+n/smallTenant%fewGroups)),
				fmt.Sprintf(`{"@odata.id":"https://graph.microsoft.com/v1.0/directoryObjects/%s"}`, id('u', n%smallTenant)))
		},
		members: func(int) []byte {
			return ask("GET", fmt.Sprintf("/groups/%s/members?$top=100&$select=id", id('g', 0)), "")
		},
	}, nil
}

// record is what is created: the body is the same for all.
func record(n int) string {
	return fmt.Sprintf(`{"displayName":"Team %[1]d","description":"A team of many","mailEnabled":false,`+
		`"mailNickname":"team%[1]d","securityEnabled":true}`, n)
}

func (s *scale) pocketBase(ctx context.Context) (*neighbor, error) {
	program, err := s.built(ctx, "base", pocketBaseProgram)
	if err != nil {
		return nil, err
	}
	data, caller, password := s.path("pocketbase"), "caller@scale.example", "scale-of-a-caller"
	upsert := exec.CommandContext(ctx, program, "superuser", "upsert", caller, password, "--dir", data)
	if err := process.RunQuietly(upsert, nil); err != nil {
		return nil, err
	}
	of, err := s.run(ctx, program, func(address string) []string {
		return []string{"serve", "--dir", data, "--http", address}
	})
	if err != nil {
		return nil, err
	}
	var login struct{ Token string }
	err = of.call(ctx, "/api/collections/_superusers/auth-with-password", fmt.Sprintf(`{"identity":%q,"password":%q}`, caller, password), &login)
	of.Token = login.Token
	var made struct{ ID string }
	if err == nil {
		err = of.call(ctx, "/api/collections", `{"name":"teams","type":"base","fields":[{"name":"displayName","type":"text"},`+
			`{"name":"description","type":"text"},{"name":"mailNickname","type":"text"},{"name":"mailEnabled","type":"bool"},`+
			`{"name":"securityEnabled","type":"bool"}]}`, nil)
	}
	const records = "/api/collections/teams/records"
	if err == nil {
		err = of.call(ctx, records, record(0), &made)
	}
	if err != nil {
		return nil, errors.Join(err, of.Stop())
	}
	return &neighbor{
		name: pocketBase, server: of.Server,
		create: func(n int) []byte { return load.Request("POST", of.Address, records, of.Token, record(n)) },
		read:   func(int) []byte { return load.Request("GET", of.Address, records+"/"+made.ID, of.Token, "") },
	}, nil
}

// model is a group with users as members.
const model = `{"schema_version":"1.1","type_definitions":[{"type":"user"},{"type":"group","relations":{"member":{"this":{}}},` +
	`"metadata":{"relations":{"member":{"directly_related_user_types":[{"type":"user"}]}}}}]}`

func (s *scale) openFGA(ctx context.Context, name string) (*neighbor, error) {
	program, err := s.built(ctx, "openfga", openFGAProgram)
	if err != nil {
		return nil, err
	}
	const key = "scale-of-a-key"
	more := []string{"--datastore-engine", "memory"}
	if name == fgaSQLite {
		more = []string{"--datastore-engine", "sqlite", "--datastore-uri", "file:" + s.path("openfga.db")}
		migrate := exec.CommandContext(ctx, program, append([]string{"migrate"}, more...)...)
		if err := process.RunQuietly(migrate, nil); err != nil {
			return nil, err
		}
	}
	internal, err := process.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	of, err := s.run(ctx, program, func(address string) []string {
		return append([]string{
			"run", "--http-addr", address, "--grpc-addr", internal, "--playground-enabled=false", "--metrics-enabled=false",
			"--log-level", "error", "--authn-method", "preshared", "--authn-preshared-keys", key,
		}, more...)
	})
	if err != nil {
		return nil, err
	}
	of.Token = key
	var made struct{ ID string }
	var described struct {
		ID string `json:"authorization_model_id"`
	}
	err = of.call(ctx, "/stores", `{"name":"scale"}`, &made)
	root := "/stores/" + made.ID
	if err == nil {
		err = of.call(ctx, root+"/authorization-models", model, &described)
	}
	tuple := func(n int) string {
		return fmt.Sprintf(`{"writes":{"tuple_keys":[{"user":"user:%d","relation":"member","object":"group:%d"}]},"authorization_model_id":%q}`,
			n%smallTenant, n/smallTenant, described.ID)
	}
	for n := 0; n < smallTenant && err == nil; n++ {
		err = of.call(ctx, root+"/write", tuple(n), nil)
	}
	if err != nil {
		return nil, errors.Join(err, of.Stop())
	}
	list := fmt.Sprintf(`{"object":{"type":"group","id":"0"},"relation":"member","user_filters":[{"type":"user"}],"authorization_model_id":%q}`, described.ID)
	return &neighbor{
		name: name, server: of.Server,
		join:    func(n int) []byte { return load.Request("POST", of.Address, root+"/write", key, tuple(smallTenant+n)) },
		members: func(int) []byte { return load.Request("POST", of.Address, root+"/list-users", key, list) },
	}, nil
}

// built returns the path of a program, which it builds unless an earlier run did.
func (s *scale) built(ctx context.Context, name, source string) (string, error) {
	folder := filepath.Join(s.work, "programs", strings.NewReplacer("/", "-", "@", "-").Replace(source))
	folder, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	s.log("build %s", source)
	return path, goTool(ctx, folder, "install", source)
}

// other is a running program.
type other struct{ *process.Server }

// run starts a program that listens at a free address, and waits until it does.
func (s *scale) run(ctx context.Context, program string, args func(address string) []string) (*other, error) {
	address, err := process.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	var said process.LastLines
	command := exec.CommandContext(ctx, program, args(address)...)
	command.Dir, command.Stderr, command.Stdout = s.folder, &said, &said
	p, err := process.Launch(command)
	if err != nil {
		return nil, err
	}
	p.Address = address
	if err := process.WaitFor(ctx, address); err != nil {
		return nil, errors.Join(fmt.Errorf("%s did not start: %w\n%s", program, err, said.Text), p.Stop())
	}
	return &other{p}, nil
}

// call sends a POST request and reads the JSON response, unless answer is nil.
func (o *other) call(ctx context.Context, path, body string, answer any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+o.Address+path, bytes.NewBufferString(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+o.Token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= 300 {
		err = fmt.Errorf("%s: %s: %s", path, response.Status, text)
	}
	if err != nil || answer == nil {
		return err
	}
	return json.Unmarshal(text, answer)
}
