package engine_test

import (
	"context"
	"fmt"
	"log"

	"github.com/google/uuid"

	"licensor/internal/catalog"
	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/licensing"
	"licensor/internal/store/sqlite"
	"licensor/internal/tenant"
)

// A tenant in a database in memory buys two seats, and assigns one to a user.
func ExampleTenant_Do() {
	ctx := context.Background()
	db, err := sqlite.OpenMemory(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	tenants, err := engine.Open(ctx, db, engine.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer tenants.Close(ctx)
	t, err := tenants.Create(ctx, uuid.New(), directory.Organization{
		DisplayName: "Contoso", CountryLetterCode: "DE",
		VerifiedDomains: []directory.VerifiedDomain{{Name: "contoso.example", IsDefault: true, IsInitial: true}},
	}, catalog.BuiltIn())
	if err != nil {
		log.Fatal(err)
	}

	members, _ := directory.Members([]byte(`{
		"accountEnabled": true, "displayName": "Ann", "mailNickname": "ann",
		"userPrincipalName": "ann@contoso.example", "usageLocation": "DE",
		"passwordProfile": {"password": "Correct horse 9"}
	}`))
	patch, err := directory.ParseUserPatch(members)
	if err != nil {
		log.Fatal(err)
	}
	ann, err := t.Do(ctx, "administrator", tenant.CreateUser{Patch: patch})
	if err != nil {
		log.Fatal(err)
	}

	e3 := uuid.MustParse("6fd2c87f-b296-42f0-b197-1e91e994b900") // Office 365 E3
	assign := tenant.AssignUser{User: ann.Ordinal, Add: []licensing.Assign{{SKUID: e3}}}
	_, err = t.Do(ctx, "administrator", assign)
	fmt.Println("refused without seats:", err != nil)

	if _, err := t.Do(ctx, "administrator", tenant.CreateSubscription{SKUID: e3, TotalLicenses: 2}); err != nil {
		log.Fatal(err)
	}
	done, err := t.Do(ctx, "administrator", assign)
	fmt.Println("refused with seats:", err != nil)
	for _, sku := range done.Image.Licensing.SKUs() {
		fmt.Printf("%d of %d seats are taken\n", sku.Consumed, sku.Units.Enabled)
	}
	// Output:
	// refused without seats: true
	// refused with seats: false
	// 1 of 2 seats are taken
}
