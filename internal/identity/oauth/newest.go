package oauth

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// newest is the ticket of a user's families of one kind, oldest first, which limits their number:
// refresh tokens last for months, and it is unknown which ones are still in use.
type newest struct {
	Families []byte `json:"families"` // 16 bytes each
}

// mostFamilies is the maximum number of sessions of a user, and of refresh tokens for each
// application.
const mostFamilies = 200

// newestFamily records a new family, and ends the oldest one if there are too many of its kind.
func (s *Server) newestFamily(c *call, kind string, user, family uuid.UUID, life time.Duration) error {
	s.newest.Lock()
	defer s.newest.Unlock()
	var found newest
	id := forNewest.id(c.tenant.String() + " " + user.String() + " " + kind)
	ticket, ok, err := s.ticket(c.Context(), id, &found)
	if err != nil {
		return err
	}
	var ended []uuid.UUID
	for len(found.Families) >= mostFamilies*len(family) {
		ended = append(ended, uuid.UUID(found.Families[:len(family)]))
		found.Families = found.Families[len(family):]
	}
	found.Families = slices.Concat(found.Families, family[:])
	if ticket.Expires = s.config.Now().UTC().Add(life).Truncate(time.Second); ok {
		_, err = s.changeTicket(c.Context(), ticket, found)
	} else {
		_, err = s.addTicket(c.Context(), id, c.tenant, user, life, found)
	}
	for _, old := range ended {
		if err == nil {
			err = s.config.Tickets.DropFamily(c.Context(), old)
		}
	}
	return err
}
