package memory

import "fmt"

// Cause is the reason that a request was refused.
type Cause int

// The causes, with their names in metrics.
const (
	CauseTenant Cause = iota // the tenant's other requests use all that it may have
	CauseCaller              // the other requests of the same caller use all that it may have of that
	CauseAll                 // the requests of all tenants use the budget
	CauseLimit               // the heap is near the limit
	causes
)

func (c Cause) String() string { return [...]string{"tenant", "caller", "all", "limit"}[c] }

// FullError reports that a request has to be retried later.
type FullError struct {
	Cause  Cause
	Wanted int64
}

func (e *FullError) Error() string {
	switch e.Cause {
	case CauseTenant:
		return "The requests of this tenant in progress use all the memory that one tenant may have. Retry when " +
			"some of them have ended, and send fewer at once."
	case CauseCaller:
		return "Your other requests in progress use all the memory that one caller may have. Retry when some of " +
			"them have ended, and send fewer at once."
	case CauseAll:
		return "The requests in progress use all the memory that is reserved for them. Try again in a moment."
	}
	return fmt.Sprintf("The server has little memory left, so it refuses large requests and additions at the moment; "+
		"this one needs %d KB. Try again later, delete data that is not needed, or ask the server's administrator "+
		"for more memory.", (e.Wanted+1023)>>10)
}

func (b *Budget) refuse(why Cause, wanted int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refused[why]++
	return &FullError{why, wanted}
}
