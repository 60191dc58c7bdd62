package devkit

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"

	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/jsontext"
)

// noted are the operations that callers have requested since the start, and what they need.
type noted struct {
	mu      sync.Mutex
	callers map[notedCaller]map[notedOperation]string // the least permission
	version int                                       // how often something new was noted
}

// notedCaller is an application, for itself or on behalf of users.
type notedCaller struct {
	tenant, app uuid.UUID
	delegated   bool
}

type notedOperation struct {
	method, path string
	need         identity.Operation
}

// mostNoted is the number of callers that are noted. The operations of each are at most all that
// exist.
const mostNoted = 1000

// Note notes what a request needs, whether or not its caller may do it. Of permissions that are
// sufficient it is the least one that shows or does all of it.
func (d *Kit) Note(r *wire.Request, need identity.Operation) {
	if d == nil || r.Op.Anyone || r.Op.IsDevelopment() {
		return
	}
	needed := identity.Needs[need]
	least := needed.LeastFor(r.Caller.Delegated, r.Relation() == identity.RelationSelf)
	n := &d.noted
	n.mu.Lock()
	defer n.mu.Unlock()
	caller := notedCaller{r.Caller.Tenant, r.Caller.AppID, r.Caller.Delegated}
	if n.callers[caller] == nil {
		if len(n.callers) >= mostNoted {
			return
		}
		if n.callers == nil {
			n.callers = map[notedCaller]map[notedOperation]string{}
		}
		n.callers[caller] = map[notedOperation]string{}
	}
	op := notedOperation{r.Method, r.Op.Path, need}
	if was, ok := n.callers[caller][op]; !ok || was != least {
		n.callers[caller][op] = least
		n.version++
	}
}

// getPermissions answers GET /licensor/v1/development/permissions.
func (d *Kit) getPermissions(r *wire.Request) error {
	if err := r.Allow(); err != nil {
		return err
	}
	b := r.AppendHead(r.Begin(), "development/permissions")
	b, _ = d.noted.appendTo(b)
	return r.Send(http.StatusOK, append(b, '}'))
}

// Permissions returns as JSON which least permissions the requests since the start would have
// needed, and how often that has changed.
func (d *Kit) Permissions() (document []byte, version int) {
	b, version := d.noted.appendTo([]byte{'{'})
	return append(b, "}\n"...), version
}

func (n *noted) appendTo(b []byte) ([]byte, int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	callers := slices.SortedFunc(maps.Keys(n.callers), func(x, y notedCaller) int {
		if c := bytes.Compare(x.app[:], y.app[:]); c != 0 || x.delegated == y.delegated {
			return c
		}
		return boolOrder(x.delegated) - boolOrder(y.delegated)
	})
	return jsontext.AppendList(jsontext.AppendName(b, "value"), callers, func(b []byte, c notedCaller) []byte {
		return appendNoted(b, c, n.callers[c])
	}), n.version
}

func boolOrder(is bool) int {
	if is {
		return 1
	}
	return 0
}

func appendNoted(b []byte, c notedCaller, operations map[notedOperation]string) []byte {
	b = jsontext.AppendID(append(b, `{"tenantId":`...), c.tenant)
	b = jsontext.AppendID(jsontext.AppendName(b, "appId"), c.app)
	kind := "Application"
	if c.delegated {
		kind = "Delegated"
	}
	b = jsontext.AppendText(jsontext.AppendName(b, "type"), kind)
	b = jsontext.AppendList(jsontext.AppendName(b, "permissions"), together(operations, c.delegated), jsontext.AppendText)
	list := slices.SortedFunc(maps.Keys(operations), func(x, y notedOperation) int {
		return strings.Compare(x.path+" "+x.method+string(x.need), y.path+" "+y.method+string(y.need))
	})
	b = jsontext.AppendList(jsontext.AppendName(b, "operations"), list, func(b []byte, op notedOperation) []byte {
		b = jsontext.AppendText(append(b, `{"method":`...), op.method)
		b = jsontext.AppendText(jsontext.AppendName(b, "path"), op.path)
		b = jsontext.AppendList(jsontext.AppendName(b, "permissions"), parts(operations[op]), jsontext.AppendText)
		return append(b, '}')
	})
	return append(b, '}')
}

// forget makes a reset server begin again.
func (n *noted) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.callers = nil
	n.version++
}

// parts returns the permissions that are needed together.
func parts(permission string) []string {
	if permission == "" {
		return nil
	}
	return strings.Split(permission, "+")
}

// together returns permissions that are sufficient for all operations, without those that others
// make superfluous.
func together(operations map[notedOperation]string, delegated bool) []string {
	all := map[string]bool{}
	for _, permission := range operations {
		for _, part := range parts(permission) {
			all[part] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		delete(all, name)
		if !suffices(slices.Collect(maps.Keys(all)), operations, delegated) {
			all[name] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func suffices(permissions []string, operations map[notedOperation]string, delegated bool) bool {
	for op, least := range operations {
		need := identity.Needs[op.need]
		if least != "" && !need.FulfilledBy(permissions, delegated, least) {
			return false
		}
	}
	return true
}
