package tenant

import (
	"github.com/google/uuid"

	"licensor/internal/directory"
)

// FormerApplication is the new state of an application in format 1.
type FormerApplication struct {
	Document []byte `cbor:"1,keyasint"`
	Removed  bool   `cbor:"2,keyasint,omitempty"`
}

func (now FormerApplication) apply(d *draft) (bool, error) {
	client, err := directory.ParseFormerApplication(now.Document)
	if err == nil {
		d.next.former = replaced(d.next.former, *client, now.Removed, func(c directory.Client) uuid.UUID {
			return c.ID
		})
	}
	return true, err
}

func (now FormerApplication) note(f *Effects) { f.Former = append(f.Former, now) }

// Migrate gives ordinals and rows to the applications of the first version, which kept them in a
// separate list. It is the first commit of a version that has them.
type Migrate struct{}

func (Migrate) name() string { return "migrateApplications" }

func (Migrate) run(c *change) error {
	if err := c.addGraph(c.next.Organization); err != nil {
		return err
	}
	for i := range c.base.former {
		if err := c.setClient(c.applications.len(), nil, &c.base.former[i]); err != nil {
			return err
		}
	}
	return nil
}

// addGraph adds the service principal of Microsoft Graph, which is the first of every tenant.
func (c *change) addGraph(tenant *directory.Organization) error {
	return c.setPrincipal(0, nil, &directory.Client{Principal: directory.GraphPrincipal(tenant.ID)}, tenant)
}
