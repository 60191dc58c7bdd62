package graph

import (
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/directory"
	"licensor/graph/odata"
)

// filters is what can be filtered of a type of object.
type filters struct {
	resource string                    // User
	kinds    map[string]directory.Kind // by property (P30)
	ending   []string                  // properties that endsWith works on (P31)
	later    []string                  // properties that cannot be filtered by yet
	licensed map[string]collection     // collections that come from the image, not from the document
	ordered  []string                  // properties that everybody can order by (P33)
	total    func(*request) uint32     // how many ordinals are in use
	// everything is all that a filter without conditions finds.
	everything func(*request) *roaring.Bitmap
}

var userFilters = withKinds(filters{
	resource:   "User",
	ending:     []string{"userPrincipalName", "mail", "otherMails", "proxyAddresses"},
	later:      []string{"manager", "directReports"},
	licensed:   userCollections,
	ordered:    simpleUserOrders,
	total:      func(r *request) uint32 { return r.image.Directory.Users() },
	everything: func(r *request) *roaring.Bitmap { return r.image.Licensing.Everybody() },
}, directory.UserProperty, "accountEnabled", "businessPhones", "city", "companyName", "country", "createdDateTime", "department", "displayName",
	"employeeId", "givenName", "id", "imAddresses", "jobTitle", "mail", "mailNickname", "mobilePhone", "officeLocation", "onPremisesImmutableId",
	"otherMails", "postalCode", "proxyAddresses", "state", "surname", "usageLocation", "userPrincipalName", "userType")

var groupFilters = withKinds(filters{
	resource:   "Group",
	ending:     []string{"mail", "proxyAddresses"},
	later:      []string{"licenseProcessingState", "members", "owners", "memberOf"},
	licensed:   groupCollections,
	ordered:    simpleGroupOrders,
	total:      func(r *request) uint32 { return r.image.Directory.Groups() },
	everything: (*request).everyGroup,
}, directory.GroupProperty, "createdDateTime", "description", "displayName", "groupTypes", "id", "mail", "mailEnabled", "mailNickname", "proxyAddresses",
	"securityEnabled", "visibility")

// withKinds takes the kinds of the properties named from the table of properties.
func withKinds[T any](f filters, property func(string) (*directory.Property[T], bool), names ...string) *filters {
	f.kinds = map[string]directory.Kind{}
	for _, name := range names {
		p, ok := property(name)
		if !ok || !p.Stored() {
			panic("no document has the property " + name)
		}
		f.kinds[name] = p.Kind
	}
	return &f
}

// filter turns the request's $filter into a condition.
func (r *request) filter(f *filters) (condition, error) {
	if r.options.Filter == nil {
		return anything, nil
	}
	c := &converter{filters: f, request: r, filter: r.options.Filter, advanced: r.advanced()}
	return c.condition(c.filter.Root)
}

// advanced says whether the caller asks for the advanced queries (P31).
func (r *request) advanced() bool {
	return r.eventual() && (r.options.Count || strings.HasSuffix(r.URL.Path, "/$count"))
}

// converter turns one filter into conditions.
type converter struct {
	*filters
	request  *request
	filter   *odata.Filter
	advanced bool // the caller asks for the advanced queries (P31)
}

// scope is where a condition stands: within the lambda of a collection, or not.
type scope struct{ variable, collection string }

// maxValues bounds the values of in, so that the store's own bounds are never met.
const maxValues = 200

// unsupported is the answer for a part of the filter that cannot be; it says where the part stands.
func (c *converter) unsupported(n odata.Node, property, token, remedy string) error {
	return unsupported("Unsupported or invalid query filter clause specified for property '%s' of resource '%s': '%s' at position %d. %s",
		property, c.resource, token, c.filter.Column(n), remedy)
}

// condition converts a part of the filter. What it asks of licensing is answered here, the rest is for the store.
func (c *converter) condition(n odata.Node) (condition, error) {
	switch n := n.(type) {
	case *odata.Logic:
		return c.logic(n)
	case *odata.Not:
		if err := c.mustBeAdvanced(n, "not"); err != nil {
			return nil, err
		}
		arg, err := c.condition(n.Arg)
		if err != nil {
			return nil, err
		}
		return c.possible(n, not(c.everything(c.request), arg))
	case *odata.Lambda:
		if of, ok := c.licensed[n.Path.String()]; ok {
			return c.having(n, of)
		}
	case *odata.Compare:
		if path, ok := n.Left.(*odata.Path); ok {
			if of, ok := c.licensed[path.Names[0]]; ok && path.Count {
				return c.counted(n, path.Names[0], of)
			}
			if c.resource == "Group" && path.String() == hasErrors {
				return c.withErrors(n)
			}
		}
	}
	where, err := c.document(n, scope{})
	return condition{{where: where}}, err
}

func (c *converter) logic(n *odata.Logic) (condition, error) {
	all := make([]condition, len(n.Args))
	for i, arg := range n.Args {
		var err error
		if all[i], err = c.condition(arg); err != nil {
			return nil, err
		}
	}
	if n.Op == odata.And {
		return c.possible(n, and(all...))
	}
	return c.possible(n, or(c.everything(c.request), all...))
}

// possible refuses what takes too many questions to the store.
func (c *converter) possible(n odata.Node, joined condition) (condition, error) {
	if len(joined) > maxClauses {
		return nil, unsupported("The filter is too complex: it mixes licenses and other properties too often (position %d). Ask in several requests.", c.filter.Column(n))
	}
	return joined, nil
}
