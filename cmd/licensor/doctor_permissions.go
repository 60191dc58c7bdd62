package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/identity"
)

// commandNeeds are the operations of the commands, those that only read first.
var commandNeeds = []struct {
	commands  string
	operation identity.Operation
	reads     bool
}{
	{"errors, explain, products, costs, overview", identity.ReadErrors, true},
	{"users", identity.ReadUsers, true},
	{"groups", identity.ReadGroups, true},
	{"prices, catalog list", identity.ReadSettings, true},
	{"preview, check", identity.Preview, true},
	{"export", identity.Export, false},
	{"prices import, catalog import", identity.WriteSettings, false},
	{"reprocess", identity.Reprocess, false},
	{"rule test", identity.EvaluateGroupRule, false},
	{"import", identity.Import, false},
	{"backup", identity.BackUp, false},
}

// examinePermissions compares what the token permits with what the commands need. Commands that
// read are expected to work; that others do not may be intended.
func (d *doctor) examinePermissions(c *connection) {
	if c.tokens == nil {
		d.good("permissions", "on a database, all commands may do everything")
		return
	}
	token, err := c.tokens.Token()
	caller := new(identity.Caller)
	if err == nil {
		caller, err = callerOf(token.AccessToken)
	}
	if err != nil {
		d.note("permissions", "", "they cannot be read from the token: %v", err)
		return
	}
	for _, need := range commandNeeds {
		access, err := need.operation.Check(caller, identity.RelationOther)
		remedy := "grant the application one of " + strings.Join(permissionsFor(need.operation), ", ")
		switch {
		case err == nil && access == identity.AccessFull:
			d.good("permissions", "%s: permitted", need.commands)
		case err == nil:
			d.note("permissions", remedy, "%s: only a part of the properties", need.commands)
		case need.reads:
			d.find("permissions", remedy, "%s: not permitted to %s", need.commands, need.operation)
		default:
			d.note("permissions", remedy, "%s: not permitted to %s", need.commands, need.operation)
		}
	}
}

// permissionsFor returns the permissions that are sufficient for an application, least first.
func permissionsFor(op identity.Operation) []string {
	need := identity.Needs[op]
	return slices.DeleteFunc(slices.Concat(need.Full, need.Application), func(name string) bool {
		return slices.ContainsFunc(strings.Split(name, "+"), func(one string) bool {
			_, ok := identity.ApplicationPermission(one)
			return !ok
		})
	})
}

// callerOf returns the application of an access token, with its permissions and roles. The
// signature is not checked: the token has just come from the authority.
func callerOf(token string) (*identity.Caller, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errors.New("it is not a JSON Web Token")
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, err
	}
	var claims struct {
		Roles []string    `json:"roles"`
		WIDs  []uuid.UUID `json:"wids"`
	}
	if err := json.Unmarshal(data, &claims); err != nil {
		return nil, err
	}
	return &identity.Caller{Permissions: claims.Roles, Roles: claims.WIDs}, nil
}
