package own

import (
	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/audit"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
)

const (
	// maxExplained is how many users of one failure are explained at most.
	maxExplained = 10
	// maxFailures is how many users a response about failures explains at most.
	maxFailures = 1000
)

// Failures explains to the reader of the audit log why users did not get the licenses of a group
// (docs/spec/audit.md U28).
type Failures struct {
	*explainer
	request *wire.Request
	written int
}

// ExplainFailures returns the explanations of one response.
func ExplainFailures(r *wire.Request) *Failures { return &Failures{newExplainer(r.Image), r, 0} }

// Append writes the first users of a failure who still lack the license, each with the reason that
// explain gives.
func (f *Failures) Append(b []byte, failure *audit.Failure) ([]byte, error) {
	b = append(b, '[')
	wrong := f.image.Licensing.GroupErrors(failure.Group)
	if wrong == nil {
		return append(b, ']'), nil
	}
	n := 0
	for user := range roaring.Values(roaring.And(failure.Who, wrong)) {
		if n == maxExplained || f.written == maxFailures {
			break
		}
		reason, ok := f.reasonOf(user, failure)
		if !ok {
			continue
		}
		if err := f.request.Work.Yield(); err != nil {
			return b, err
		}
		f.begin(user)
		named := f.image.UserNamed(user)
		b = jsontext.AppendID(append(wire.AppendNext(b), `{"id":`...), named.ID)
		b = jsontext.AppendText(jsontext.AppendName(b, "userPrincipalName"), named.Principal)
		b = append(f.appendReason(jsontext.AppendName(b, "reason"), reason), '}')
		n++
		f.written++
	}
	return append(b, ']'), nil
}

// reasonOf returns why a user lacks the license of a failure now; false if the user has it.
func (f *Failures) reasonOf(user uint32, failure *audit.Failure) (licensing.Reason, bool) {
	for reason := range f.reasons.User(user, false) {
		if !reason.Direct && reason.Group == failure.Group && reason.SKUID == failure.SKUID {
			return reason, true
		}
	}
	return licensing.Reason{}, false
}
