package own

import (
	"licensor/internal/graph/wire"
	"licensor/internal/licensing"
	"licensor/internal/memory"
)

const (
	// maxTriedUsers limits how many users the remedies of a summary process when they are tried.
	maxTriedUsers = 200_000
	// filterCost is how many users in error a filter examines in the time in which one is processed.
	filterCost = 8
	// triedBytes is the maximum memory of a draft for a user whom it processes.
	triedBytes = 256
)

// try makes the numbers of remedies those of their change sets: seats may lack when other errors
// have been cleared, and a license that is removed may clear errors of other users. Remedies that
// process too many users keep the number of those with the error, which is not less.
func (s *summary) try(r *wire.Request, try func(*wire.Request, []Change) (int, error)) error {
	r.Work.Doing("trying remedies")
	list := s.inOrder()
	var tried []*remedySum
	left, most := maxTriedUsers, 0
	for _, m := range list[:min(len(list), maxSummed)] {
		if n := s.processed(m); n <= left && len(s.changes(m)) > 0 {
			tried = append(tried, m)
			left, most = left-n, max(most, n)
		}
	}
	if !r.Share.Try(triedBytes * int64(most)) { // that of one at a time
		return nil
	}
	in := *r
	in.SetContext(memory.Without(r.Context()))
	for _, m := range tried {
		if err := r.Work.Yield(); err != nil {
			return err
		}
		users, err := try(&in, s.changes(m))
		if err != nil {
			return err
		}
		m.users, m.exact = users, true
	}
	return nil
}

// processed returns how many users the change set of a remedy may process.
func (s *summary) processed(m *remedySum) int {
	img := s.list.image.Licensing
	failed := int(img.InError().GetCardinality())
	n := failed / filterCost
	if img.Settings().AutoReprocess {
		n = failed
	}
	switch m.remedy.Kind {
	case licensing.RemedyReprocess, licensing.RemedyFreeSeats:
		n += failed
	case licensing.RemedyDisablePlan, licensing.RemedyRemoveLicense:
		if !m.remedy.Direct {
			n += int(img.GroupMembers(m.remedy.Group).GetCardinality())
		}
	}
	return n + m.users
}
