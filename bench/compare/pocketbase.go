package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // creates its own tables
	"github.com/pocketbase/pocketbase/tools/types"

	"licensor/bench/process"
)

// pocketRecords is the path of the people in PocketBase's API.
const pocketRecords = "/api/collections/people/records"

// loadPocketBase fills PocketBase in a child process.
func loadPocketBase(ctx context.Context, folder string, o options) (map[string]time.Duration, error) {
	return once(folder, func() (map[string]time.Duration, error) {
		program, err := os.Executable()
		if err != nil {
			return nil, err
		}
		start := time.Now()
		err = process.RunQuietly(exec.CommandContext(ctx, program, o.roleArgs("pocketbase-load")...), nil)
		return map[string]time.Duration{"all": time.Since(start)}, err
	})
}

func openPocketBase(folder string) (*core.BaseApp, error) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: folder})
	if err := app.Bootstrap(); err != nil {
		return nil, err
	}
	return app, app.RunAllMigrations()
}

// fillPocketBase creates the collections, their records and their indexes.
func fillPocketBase(ctx context.Context, folder string, p *population) error {
	app, err := openPocketBase(folder)
	if err != nil {
		return err
	}
	app.Settings().Logs.MaxDays = 0 // do not log requests
	if err := app.Save(app.Settings()); err != nil {
		return err
	}
	people, err := pocketCollections(app)
	if err != nil {
		return err
	}
	if err := fillPeople(ctx, app, people, p); err != nil {
		return err
	}
	people.Indexes = pocketIndexes()
	if err := app.Save(people); err != nil {
		return err
	}
	if _, err := app.NonconcurrentDB().NewQuery("ANALYZE").Execute(); err != nil {
		return err
	}
	return app.ResetBootstrapState()
}

// pocketCollections creates the collections people, teams and products, and a user who may read and
// change them.
func pocketCollections(app core.App) (*core.Collection, error) {
	callers, err := app.FindCollectionByNameOrId("users")
	if err != nil {
		return nil, err
	}
	caller := core.NewRecord(callers)
	caller.SetEmail("caller@" + domain)
	caller.SetPassword("compare-" + domain)
	if err := app.Save(caller); err != nil {
		return nil, err
	}
	teams, err := pocketNames(app, "teams", groupCount, func(i int) (id, name string) { return groupID(i), groupName(i) })
	if err != nil {
		return nil, err
	}
	skus, err := pocketNames(app, "products", len(products), func(i int) (id, name string) {
		return products[i].skuID, products[i].partNumber
	})
	if err != nil {
		return nil, err
	}
	people := core.NewBaseCollection("people")
	openToCallers(people)
	for _, name := range textProperties {
		people.Fields.Add(&core.TextField{Name: name})
	}
	people.Fields.Add(
		&core.BoolField{Name: "accountEnabled"}, &core.DateField{Name: "createdDateTime"}, &core.JSONField{Name: "proxyAddresses"},
		&core.RelationField{Name: "groups", CollectionId: teams.Id, MaxSelect: groupCount},
		&core.RelationField{Name: "licenses", CollectionId: skus.Id, MaxSelect: len(products)},
	)
	return people, app.Save(people)
}

// openToCallers lets signed-in users read and change the records, whose ids are UUIDs.
func openToCallers(c *core.Collection) {
	c.ListRule = types.Pointer(`@request.auth.id != ""`)
	c.UpdateRule = c.ListRule
	id := c.Fields.GetByName("id").(*core.TextField)
	id.Min, id.Max, id.Pattern, id.AutogeneratePattern = 36, 36, "^[a-f0-9-]+$", ""
}

func pocketNames(app core.App, name string, n int, object func(int) (id, name string)) (*core.Collection, error) {
	c := core.NewBaseCollection(name)
	openToCallers(c)
	c.Fields.Add(&core.TextField{Name: "name"})
	if err := app.Save(c); err != nil {
		return nil, err
	}
	for i := range n {
		id, name := object(i)
		record := core.NewRecord(c)
		record.Set("id", id)
		record.Set("name", name)
		if err := app.Save(record); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// fillPeople inserts all people in one transaction.
func fillPeople(ctx context.Context, app core.App, c *core.Collection, p *population) error {
	db, ok := app.NonconcurrentDB().(*dbx.DB)
	if !ok {
		return fmt.Errorf("the database is a %T", app.NonconcurrentDB())
	}
	tx, err := db.DB().BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // committed, or failed with another error
	columns := append([]string{"id", "accountEnabled", "createdDateTime", "proxyAddresses", "groups", "licenses"}, textProperties[:]...)
	insert, err := tx.PrepareContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) VALUES (?%s)",
		c.Name, strings.Join(columns, ", "), strings.Repeat(", ?", len(columns)-1)))
	if err != nil {
		return err
	}
	for one := range p.people() {
		if err := insertPerson(ctx, insert, one); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func insertPerson(ctx context.Context, insert *sql.Stmt, one person) error {
	teams := []string{}
	for _, g := range one.groups {
		teams = append(teams, groupID(g))
	}
	row := []any{one.id, one.accountEnabled, one.created.Format(types.DefaultDateLayout)}
	for _, list := range [][]string{one.proxyAddresses, teams, one.licenses()} {
		text, err := json.Marshal(list)
		if err != nil {
			return err
		}
		row = append(row, string(text))
	}
	for _, text := range one.text {
		row = append(row, text)
	}
	_, err := insert.ExecContext(ctx, row...)
	return err
}

// pocketIndexes returns indexes on the same columns as PostgreSQL's. SQLite uses an index with
// NOCASE for LIKE and one without for =.
func pocketIndexes() types.JSONArray[string] {
	all := types.JSONArray[string]{
		"CREATE INDEX people_enabled ON people (accountEnabled)",
		"CREATE INDEX people_created ON people (createdDateTime)",
	}
	for _, name := range textProperties {
		all = append(all, fmt.Sprintf("CREATE INDEX people_%[1]s ON people (%[1]s)", name))
	}
	for _, property := range []int{displayName, jobTitle, city} {
		all = append(all,
			fmt.Sprintf("CREATE INDEX people_%[1]s_like ON people (%[1]s COLLATE NOCASE)", textProperties[property]))
	}
	return all
}

// servePocketBase serves PocketBase's own API.
func servePocketBase(ctx context.Context, folder string) error {
	app, err := openPocketBase(folder)
	if err != nil {
		return err
	}
	caller, err := app.FindAuthRecordByEmail("users", "caller@"+domain)
	if err != nil {
		return err
	}
	token, err := caller.NewAuthToken()
	if err != nil {
		return err
	}
	address, err := process.FreeAddress(ctx)
	if err != nil {
		return err
	}
	if err := announce(address, token); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- apis.Serve(app, apis.ServeConfig{HttpAddr: address}) }()
	select {
	case <-ctx.Done(): // open connections do not matter at the end
		return app.ResetBootstrapState()
	case err := <-ended:
		return err
	}
}
