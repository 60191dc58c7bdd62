package directory_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
)

func ExampleNewUser() {
	body := []byte(`{"accountEnabled":true,"displayName":"Ann","mailNickname":"ann","userPrincipalName":"ann@contoso.com",
		"usageLocation":"de","passwordProfile":{"password":"s3cret"}}`)
	members, err := directory.Members(body)
	if err != nil {
		panic(err)
	}
	patch, err := directory.ParseUserPatch(members)
	if err != nil {
		panic(err)
	}
	id := uuid.MustParse("6e7b768e-07e2-4810-8459-485f84f8f204")
	user, err := directory.NewUser(patch, id, "contoso.example", time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC))
	if err != nil {
		panic(err)
	}
	location, _ := directory.UserProperty("usageLocation")
	fmt.Printf("%s\n", location.Append(nil, user))
	// Output: "DE"
}

func ExampleParseUserPatch() {
	members, _ := directory.Members([]byte(`{"usageLocation":"Germany"}`))
	_, err := directory.ParseUserPatch(members)
	fmt.Println(err)
	fmt.Println("wanted:", err.(*directory.InvalidError).Want)
	// Output:
	// Invalid value specified for property 'usageLocation' of resource 'User'.
	// wanted: a two-letter ISO 3166 country code
}

func ExampleIndex_Draft() {
	index := directory.NewIndex()
	draft := index.Draft()
	sales := draft.AddGroup(uuid.MustParse("1d2c9c4a-2f4b-4a8e-9d5e-3a3b9f6f7b10"))
	ann := draft.AddUser(uuid.MustParse("6e7b768e-07e2-4810-8459-485f84f8f204"), directory.KeyOf("ann@contoso.com"), nil)
	draft.Join(sales, slices.Values([]uint32{ann}))
	next := draft.Finish()

	found, ok := next.UserByName("Ann@Contoso.com")
	fmt.Println(found, ok, next.IsMember(ann, sales))
	_, ok = index.UserByName("ann@contoso.com")
	fmt.Println(ok)
	// Output:
	// 0 true true
	// false
}
