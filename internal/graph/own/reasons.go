package own

import (
	"github.com/google/uuid"

	"licensor/internal/graph/wire"
	"licensor/internal/tenant"
)

// Reasons writes reasons of errors in an image, which may be a draft.
type Reasons struct{ x *explainer }

// ReasonsIn returns Reasons for an image.
func ReasonsIn(image *tenant.Image) *Reasons { return &Reasons{newExplainer(image)} }

// Append writes the list of the reasons of a user's errors of a product, as explain does, at most
// MaxProblems.
func (s *Reasons) Append(b []byte, user uint32, skuID uuid.UUID) []byte {
	s.x.begin(user)
	b = append(b, '[')
	n := 0
	for reason := range s.x.reasons.User(user, false) {
		if reason.SKUID == skuID && n < MaxProblems {
			n++
			b = s.x.appendReason(wire.AppendNext(b), reason)
		}
	}
	return append(b, ']')
}
