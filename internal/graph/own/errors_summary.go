package own

import (
	"bytes"
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/fold"
	"licensor/internal/graph/odata"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
)

// maxSummed is the maximum length of each list of a summary.
const maxSummed = 100

// SummarizeErrors answers GET /licensor/v1/licenseErrors/summary: the errors that satisfy $filter,
// counted by error, product and group, and the remedies that would clear them, each list with the
// largest number of users first (docs/spec/licensing.md L78). Try returns how many users a change
// set clears of an error.
func SummarizeErrors(r *wire.Request, try func(*wire.Request, []Change) (int, error)) error {
	if err := r.Allow("group", "at", "$filter"); err != nil {
		return err
	}
	at, err := asOf(r)
	if err != nil {
		return err
	}
	list, err := errorsOf(r, r.Values("group"))
	if err != nil {
		return err
	}
	s := newSummary(list)
	s.filter, s.members = r.Options.Filter, len(r.Values("group")) > 0
	var failed error
	n := 0
	err = list.each(r, -1, func(user, _ uint32) bool {
		if n++; n%pausing == 0 {
			failed = r.Work.Yield()
		}
		s.take(user)
		return failed == nil
	})
	if err = cmp.Or(err, failed); err != nil {
		return err
	}
	s.settleSeats()
	if at == nil { // change sets are tried on the tenant as it is now
		if err := s.try(r, try); err != nil {
			return err
		}
	}
	b := r.AppendHead(r.Begin(), "licenseErrors/summary")
	b = jsontext.AppendInt(jsontext.AppendName(b, "users"), s.all.users)
	b = jsontext.AppendTime(jsontext.AppendName(b, "oldestDateTime"), began(s.all.oldest))
	b = appendSums(b, "byError", s.kinds, func(b []byte, kind licensing.Violation) []byte {
		return jsontext.AppendText(jsontext.AppendName(b, "error"), kind.String())
	})
	b = appendSums(b, "byProduct", s.skus, func(b []byte, number licensing.SKU) []byte {
		return s.explainer.appendSKU(b, s.products[number].SKUID)
	})
	b = appendSums(b, "byGroup", s.sources, func(b []byte, source licensing.Source) []byte {
		group, ok := source.Group()
		return s.explainer.appendGroup(b, !ok, group)
	})
	return r.Send(http.StatusOK, append(s.appendRemedies(b), '}'))
}

// summary counts errors. A user counts once in each number.
type summary struct {
	list      *errorList
	filter    *odata.Filter
	members   bool // only members of given groups are counted
	explainer *explainer
	products  []licensing.SKUInfo // by number
	all       sum
	kinds     map[licensing.Violation]*sum
	skus      map[licensing.SKU]*sum
	sources   map[licensing.Source]*sum
	waiting   map[licensing.SKU]*sum // users with nothing in the way but seats
	remedies  map[remedyKey]*remedySum
}

// sum counts users, each of them once.
type sum struct {
	users  int
	oldest uint32
	last   uint32 // one more than the user who was counted last
}

func (s *sum) count(user, since uint32) {
	if s.last != user+1 {
		s.last = user + 1
		s.users++
	}
	if s.oldest == 0 || since < s.oldest {
		s.oldest = since
	}
}

// remedyKey identifies equal remedies.
type remedyKey struct {
	kind   licensing.RemedyKind
	sku    uuid.UUID
	direct bool
	group  uint32
	plans  string
}

type remedySum struct {
	sum
	remedy licensing.Remedy
	errors [licensing.Violations]bool // that it clears
	// of are the licenses with these errors.
	of    map[licenseKey]bool
	exact bool // the change set has been tried
}

// licenseKey is a license of a SKU from a group, or a direct one.
type licenseKey struct {
	sku    licensing.SKU
	source licensing.Source
}

func newSummary(list *errorList) *summary {
	s := &summary{
		list: list, explainer: newExplainer(list.image), products: list.image.Licensing.EverySKU(),
		kinds: map[licensing.Violation]*sum{}, skus: map[licensing.SKU]*sum{}, sources: map[licensing.Source]*sum{},
		waiting: map[licensing.SKU]*sum{}, remedies: map[remedyKey]*remedySum{},
	}
	s.explainer.reasons.WithoutOthers = true
	return s
}

// take adds the errors of a user.
func (s *summary) take(user uint32) {
	for reason := range s.explainer.reasons.Those(user, s.list.is(user)) {
		e := &reason.Entry
		s.all.count(user, e.Updated)
		sumOf(s.kinds, e.Error).count(user, e.Updated)
		sumOf(s.skus, e.SKU).count(user, e.Updated)
		sumOf(s.sources, e.Source).count(user, e.Updated)
		if onlySeats(&reason) {
			sumOf(s.waiting, e.SKU).count(user, e.Updated)
			continue
		}
		for _, m := range reason.Remedies {
			switch m.Kind {
			case licensing.RemedyClearOther: // the other error has its own remedies
				continue
			case licensing.RemedyReprocess:
				m.SKUID = reason.SKUID
			}
			sum := s.remedy(m)
			sum.errors[e.Error] = true
			sum.of[licenseKey{e.SKU, e.Source}] = true
			sum.count(user, e.Updated)
		}
	}
}

func sumOf[K comparable](sums map[K]*sum, key K) *sum {
	if sums[key] == nil {
		sums[key] = new(sum)
	}
	return sums[key]
}

// onlySeats reports whether an error is only a matter of seats, whether some are free by now or
// not.
func onlySeats(r *licensing.Reason) bool {
	return r.Error == licensing.CountViolation
}

// remedy returns the sum of a remedy.
func (s *summary) remedy(m licensing.Remedy) *remedySum {
	key := remedyKey{m.Kind, m.SKUID, m.Direct, m.Group, plansKey(m.Plans)}
	if s.remedies[key] == nil {
		s.remedies[key] = &remedySum{remedy: m, of: map[licenseKey]bool{}}
	}
	return s.remedies[key]
}

func plansKey(plans []uuid.UUID) string {
	var b []byte
	for i := range plans {
		b = append(b, plans[i][:]...)
	}
	return string(b)
}

// settleSeats makes remedies of the users who only need seats: as many as are free by now only need
// to be reprocessed.
func (s *summary) settleSeats() {
	for number, waiting := range s.waiting {
		info := &s.products[number]
		free := min(max(0, info.Free()), waiting.users)
		if free > 0 {
			s.remedy(licensing.Remedy{Kind: licensing.RemedyReprocess, SKUID: info.SKUID}).add(free, waiting.oldest)
		}
		if rest := waiting.users - free; rest > 0 {
			m := s.remedy(licensing.Remedy{Kind: licensing.RemedyFreeSeats, SKUID: info.SKUID})
			m.remedy.Seats = waiting.users - info.Free()
			m.add(rest, waiting.oldest)
		}
	}
}

// add adds users who were not counted yet.
func (s *sum) add(users int, oldest uint32) {
	s.users += users
	if s.oldest == 0 || oldest < s.oldest {
		s.oldest = oldest
	}
}

// appendSums writes a list of sums, and its whole length if it is cut.
func appendSums[K cmp.Ordered](b []byte, name string, sums map[K]*sum, write func([]byte, K) []byte) []byte {
	keys := slices.SortedFunc(maps.Keys(sums), func(k, l K) int {
		return cmp.Or(cmp.Compare(sums[l].users, sums[k].users), cmp.Compare(k, l))
	})
	b = appendLength(b, name, len(keys))
	keys = keys[:min(len(keys), maxSummed)]
	return jsontext.AppendList(jsontext.AppendName(b, name), keys, func(b []byte, k K) []byte {
		return append(sums[k].append(write(append(b, '{'), k)), '}')
	})
}

func (s *sum) append(b []byte) []byte {
	b = jsontext.AppendInt(jsontext.AppendName(b, "users"), s.users)
	return jsontext.AppendTime(jsontext.AppendName(b, "oldestDateTime"), began(s.oldest))
}

// appendLength writes the length of a list that is too long to be written.
func appendLength(b []byte, name string, n int) []byte {
	if n > maxSummed {
		b = jsontext.AppendInt(jsontext.AppendName(b, name+"@odata.count"), n)
	}
	return b
}

// inOrder returns the remedies, those that clear the most first.
func (s *summary) inOrder() []*remedySum {
	return slices.SortedFunc(maps.Values(s.remedies), func(m, n *remedySum) int {
		return cmp.Or(cmp.Compare(n.users, m.users), compareRemedies(&m.remedy, &n.remedy))
	})
}

func (s *summary) appendRemedies(b []byte) []byte {
	list := s.inOrder()
	b = appendLength(b, "remedies", len(list))
	list = list[:min(len(list), maxSummed)]
	return jsontext.AppendList(jsontext.AppendName(b, "remedies"), list, func(b []byte, m *remedySum) []byte {
		b = m.append(append(b, '{'))
		b = jsontext.AppendBool(jsontext.AppendName(b, "exact"), m.exact)
		b = s.explainer.appendRemedy(b, m.remedy, manyUsers)
		return append(appendChangeSet(b, s.changes(m)), '}')
	})
}

// changes returns the requests that carry out a remedy for all users that it counts; nil if there
// are none, or too many.
func (s *summary) changes(of *remedySum) []Change {
	m := of.remedy
	filter, ok := s.filterOf(of)
	if !ok {
		return nil
	}
	reprocess := Change{"POST", ownRoot + "/reprocess", append(jsontext.AppendText([]byte(`{"filter":`), filter), '}')}
	var first Change
	switch m.Kind {
	case licensing.RemedyReprocess:
		return []Change{reprocess}
	case licensing.RemedyFreeSeats:
		first, ok = s.explainer.moreSeats(m.SKUID, m.Seats)
	case licensing.RemedyDisablePlan, licensing.RemedyRemoveLicense:
		if ok = !m.Direct; ok {
			first, ok = s.explainer.reassign(&m)
		}
	default:
		return nil
	}
	if !ok {
		return nil
	}
	return []Change{first, reprocess}
}

// maxFilter is the maximum length of a filter of reprocess, with some room for what is added to it.
const maxFilter = 15 << 10

// filterOf returns the filter of the users that a remedy counts; false if they cannot be selected,
// or if the setting autoReprocess gives seats to others before.
func (s *summary) filterOf(of *remedySum) (string, bool) {
	filter := ""
	if s.filter != nil {
		filter = "(" + fold.Text(s.filter.String()) + ") and " // filters ignore letter case
	}
	if s.members || s.filter != nil && s.list.image.Licensing.Settings().AutoReprocess || len(filter) > maxFilter {
		return "", false
	}
	if of.remedy.Kind == licensing.RemedyFreeSeats || of.remedy.Kind == licensing.RemedyReprocess {
		return filter + "skuId eq '" + of.remedy.SKUID.String() + "'", true
	}
	var names []string
	for kind, is := range of.errors {
		if is {
			names = append(names, "'"+licensing.Violation(kind).String()+"'")
		}
	}
	return filter + "error in (" + strings.Join(names, ",") + ")" + s.licenses(of), true
}

// maxLicenses is the maximum number of licenses that a filter of reprocess names.
const maxLicenses = 50

// licenses returns the condition that an error is one of those that a remedy clears, so that no
// other licenses of users are processed because of it; "" if there are too many.
func (s *summary) licenses(of *remedySum) string {
	if len(of.of) > maxLicenses {
		return ""
	}
	var parts []string
	for l := range of.of {
		group := "null"
		if ordinal, ok := l.source.Group(); ok {
			group = "'" + s.list.image.Directory.GroupID(ordinal).String() + "'"
		}
		parts = append(parts, "(skuId eq '"+s.products[l.sku].SKUID.String()+"' and group eq "+group+")")
	}
	slices.Sort(parts)
	return " and (" + strings.Join(parts, " or ") + ")"
}

// compareRemedies is an order in which no two different remedies are equal.
func compareRemedies(m, n *licensing.Remedy) int {
	return cmp.Or(
		cmp.Compare(m.Kind, n.Kind), bytes.Compare(m.SKUID[:], n.SKUID[:]), cmp.Compare(m.Group, n.Group),
		cmp.Compare(plansKey(m.Plans), plansKey(n.Plans)), cmp.Compare(asNumber(m.Direct), asNumber(n.Direct)),
	)
}

func asNumber(is bool) int {
	if is {
		return 1
	}
	return 0
}
