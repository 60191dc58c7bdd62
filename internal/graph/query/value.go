package query

import (
	"math"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/fold"
	"licensor/internal/graph/odata"
	columns "licensor/internal/query"
)

// comparison is true if a property is equal to a value, or for OpGe and OpLe at least or at most
// the value. A property that is not stored is null for all objects.
func (c *converter) comparison(about *directory.Asked, op odata.Operator, value any) *columns.Condition {
	if id, ok := value.(string); ok && about.Path == "id" {
		return c.equalID(id)
	}
	if id, ok := value.(string); ok && about.Path == "manager/id" && c.Type == directory.TypeUser {
		return c.managedBy(id)
	}
	if about.Column < 0 {
		if value == nil {
			return columns.All()
		}
		return columns.None()
	}
	switch value := value.(type) {
	case string:
		return columns.Text(about.Column, column.Test{Op: textOperators[op], Text: fold.Text(value)})
	case bool:
		return columns.Truth(about.Column, column.TruthOf(value))
	case time.Time:
		return comparedTime(about.Column, op, value)
	}
	switch about.Kind { // null
	case directory.KindBool:
		return columns.Truth(about.Column, column.TruthNull)
	case directory.KindDateTime:
		return columns.Not(columns.Time(about.Column, 1, math.MaxInt64))
	}
	return columns.Not(columns.Text(about.Column, column.Test{Op: column.OpPresent}))
}

// textOperators are the tests of the comparisons; ne is the opposite of eq.
var textOperators = map[odata.Operator]column.Op{
	odata.OpEq: column.OpEqual,
	odata.OpNe: column.OpEqual,
	odata.OpGe: column.OpGreaterOrEqual,
	odata.OpLe: column.OpLessOrEqual,
}

// textual is a test of a property; it is always false for one that is not stored.
func (c *converter) textual(about *directory.Asked, test column.Test) *columns.Condition {
	if about.Column < 0 {
		return columns.None()
	}
	return columns.Text(about.Column, test)
}

// managedBy is true for the users whose manager a user is.
func (c *converter) managedBy(id string) *columns.Condition {
	index := c.Image.Directory
	manager, ok := c.ByID(c.Image, id)
	if !ok || index.UserDeleted(manager) {
		return columns.None()
	}
	return columns.Set(roaring.BitmapOf(index.Reports(manager)...))
}

// comparedTime compares with whole seconds, the precision of all times (P23).
func comparedTime(place int, op odata.Operator, at time.Time) *columns.Condition {
	seconds, whole := column.TimeOf(at), at.Nanosecond() == 0
	switch op {
	case odata.OpGe:
		if !whole {
			seconds++
		}
		return columns.Time(place, seconds, math.MaxInt64)
	case odata.OpLe:
		return columns.Time(place, 1, seconds)
	}
	if !whole {
		return columns.None()
	}
	return columns.Time(place, seconds, seconds)
}

// guids are the properties of objects and elements that are GUIDs. They are compared as texts.
var guids = []string{"appId", "applicationTemplateId", "appOwnerOrganizationId", "createdObjects", "createdByAppId", "createdOnBehalfOf/id", "id", "manager/id", "requiredResourceAccess"}

// value returns the value that a property of a kind is compared with.
func (c *converter) value(n odata.Node, kind directory.Kind, property string) (any, error) {
	literal, ok := n.(*odata.Literal)
	if !ok {
		return nil, c.unsupported(n, property, nodeText(n),
			sidesText)
	}
	if literal.Value == nil {
		return nil, nil
	}
	switch v := literal.Value.(type) {
	case string:
		return v, c.typed(kind == directory.KindString, n, property, kind)
	case uuid.UUID: // bare (P37)
		return v.String(), c.typed(slices.Contains(guids, property), n, property, kind)
	case bool:
		return v, c.typed(kind == directory.KindBool, n, property, kind)
	case int64:
		return v, c.typed(kind == directory.KindInt32, n, property, kind)
	case time.Time:
		return v, c.typed(kind == directory.KindDateTime, n, property, kind)
	case odata.Date:
		day, err := time.Parse(time.DateOnly, string(v))
		return day, c.typed(kind == directory.KindDateTime && err == nil, n, property, kind)
	}
	return nil, c.typed(false, n, property, kind)
}

// typed refuses a value of the wrong type.
func (c *converter) typed(ok bool, n odata.Node, property string, kind directory.Kind) error {
	if ok {
		return nil
	}
	want := map[directory.Kind]string{
		directory.KindString: "a text in quotation marks", directory.KindBool: "true or false",
		directory.KindDateTime: "a time, such as 2026-01-31T12:00:00Z", directory.KindInt32: "a whole number",
	}[kind]
	return c.unsupported(n, property, nodeText(n), "It is compared with "+want+".")
}
