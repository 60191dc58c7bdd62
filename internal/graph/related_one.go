package graph

import (
	"net/http"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/jsontext"
)

// one answers GET …/members/{member} and similar requests: an object of the relation, by its id
// (P27).
func (rel relation) one(r *wire.Request) error {
	if err := r.Allow("$select"); err != nil {
		return err
	}
	id, of, err := rel.related(r)
	if err != nil {
		return err
	}
	if kind, ordinal, ok := among(r, of, id); ok {
		return sendObject(r, r.Image, kind, ordinal)
	}
	for _, role := range of.roles {
		if o := directoryRoles(r.Image)[role]; o.id == id {
			return sendMixed(r, &o)
		}
	}
	return problem.NotFound(id.String())
}

// oneReference answers GET …/members/{member}/$ref: the URL of the object, if it is one of the
// relation. A reference has no properties, so $select, which hamilton sends, has no effect.
func (rel relation) oneReference(r *wire.Request) error {
	if err := r.Allow("$select"); err != nil {
		return err
	}
	id, of, err := rel.related(r)
	if err != nil {
		return err
	}
	if _, _, ok := among(r, of, id); !ok {
		return problem.NotFound(id.String())
	}
	return sendReference(r, id)
}

// sendReference answers with the URL of an object.
func sendReference(r *wire.Request, id uuid.UUID) error {
	b := r.AppendHead(r.Begin(), "$ref")
	b = append(append(append(jsontext.AppendName(b, "@odata.id"), '"'), r.Root...), "/directoryObjects/"...)
	return r.Send(http.StatusOK, append(jsontext.AppendBareID(b, id), `"}`...))
}

// related returns the id at the end of the path, and the objects of the relation.
func (rel relation) related(r *wire.Request) (uuid.UUID, sets, error) {
	of, err := rel(r)
	if err != nil {
		return uuid.Nil, of, err
	}
	key := r.Keys[len(r.Keys)-1]
	id, ok := guid.Parse(key)
	if !ok {
		return uuid.Nil, of, problem.NotFound(key)
	}
	return id, of, nil
}

// among finds a live object in sets.
func among(r *wire.Request, of sets, id uuid.UUID) (kind *objectKind, ordinal uint32, ok bool) {
	for _, kind := range objectKinds {
		set := kind.of(of)
		if ordinal, ok := directory.LiveByID(kind.In(r.Image), id); ok && set != nil && set.Contains(ordinal) {
			return kind, ordinal, true
		}
	}
	return nil, 0, false
}

// one answers GET …/memberOf/{object}.
func (m memberships) one(r *wire.Request) error { return relation(m.all).one(r) }
