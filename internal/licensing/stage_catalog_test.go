package licensing_test

import (
	"strings"

	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// office is the catalog of most tests: a plan a line, its service and its rules; after the line
// of dashes a product a line.
const office = `
	MAIL1     exchange  excludes MAIL2
	MAIL2     exchange
	BASE      exchange  company
	SITES1    sites     excludes SITES2
	SITES2    sites
	CHAT      chat      prohibited KP
	ARCHIVE   archive   requires MAIL1|MAIL2
	CALLS     calls
	DRAW      draw
	SPACE     rooms     company
	---
	E1      MAIL1 SITES1 CHAT BASE
	E3      MAIL2 SITES2 CHAT BASE
	MAILBOX MAIL1
	POINT1  SITES1
	POINT2  SITES2
	ADDON   ARCHIVE
	TEAMS   CHAT
	PHONE   CALLS
	VISIO   DRAW
	ROOM    company SPACE
`

// id is made of a name, so that ids as bytes are in the order of their names.
func id(kind byte, name string) (id uuid.UUID) {
	id[0] = kind
	copy(id[1:], name)
	return id
}

func plan(name string) uuid.UUID { return id('p', name) }

func plans(names ...string) (ids []uuid.UUID) {
	for _, name := range names {
		ids = append(ids, plan(name))
	}
	return ids
}

func product(name string) uuid.UUID { return id('s', name) }

// called is the name an id was made of.
func called(id uuid.UUID) string { return strings.TrimRight(string(id[1:]), "\x00") }

func country(code string) licensing.Country {
	c, err := licensing.ParseCountry(code)
	if err != nil {
		panic(err)
	}
	return c
}

// readCatalog reads a catalog as office is written.
func readCatalog(text string) *licensing.Catalog {
	c := &licensing.Catalog{}
	above, below, _ := strings.Cut(text, "---\n")
	for line := range strings.Lines(above) {
		if f := strings.Fields(line); len(f) > 0 {
			c.ServicePlans = append(c.ServicePlans, readPlan(f))
		}
	}
	for line := range strings.Lines(below) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		p := licensing.Product{SKUID: product(f[0]), SKUPartNumber: f[0]}
		for _, name := range f[1:] {
			if name == "company" {
				p.AppliesTo = licensing.AppliesToCompany
				continue
			}
			p.ServicePlanIDs = append(p.ServicePlanIDs, plan(name))
		}
		c.Products = append(c.Products, p)
	}
	return c
}

func readPlan(f []string) licensing.ServicePlan {
	p := licensing.ServicePlan{ID: plan(f[0]), Name: f[0], Service: f[1]}
	for i := 2; i < len(f); i++ {
		switch f[i] {
		case "company":
			p.AppliesTo = licensing.AppliesToCompany
		case "excludes":
			i++
			p.Excludes = append(p.Excludes, plan(f[i]))
		case "requires":
			i++
			p.RequiresAnyOf = append(p.RequiresAnyOf, plans(strings.Split(f[i], "|")...))
		case "prohibited":
			i++
			p.ProhibitedIn = append(p.ProhibitedIn, country(f[i]))
		default:
			panic("what is " + f[i])
		}
	}
	return p
}
