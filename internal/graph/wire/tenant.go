package wire

import (
	"context"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/licensing"
	"licensor/internal/membership"
	columns "licensor/internal/query"
	"licensor/internal/store"
	"licensor/internal/tenant"
	"licensor/internal/turns"
)

// Tenant is the interface of a tenant that operations use.
type Tenant interface {
	ID() uuid.UUID
	Image() *tenant.Image
	DoBy(ctx context.Context, by tenant.By, c tenant.Command) (tenant.Done, error)
	// Begin is engine.Tenant.Begin.
	Begin(ctx context.Context, by tenant.By, c tenant.Command, of *engine.Series) (wait func() (tenant.Done, error))
	Turn(ctx context.Context) (*turns.Turn, error)
	Work(ctx context.Context) (context.Context, *turns.Work, error)
	// Find and Page are engine.Tenant.Find and Page for the objects of a type.
	Find(
		ctx context.Context, img *tenant.Image, of directory.Type, within columns.Within,
		c *columns.Condition, name string, page *engine.Page,
	) (*columns.Rows, error)
	Page(
		ctx context.Context, img *tenant.Image, of directory.Type, within columns.Within,
		rows *columns.Rows, p engine.Page,
	) ([]columns.Place, error)
	// FirstCommits, LastCommits, CommitsAt and FirstSince read the log.
	FirstCommits(ctx context.Context, after, upTo uint64) ([]store.Commit, error)
	LastCommits(ctx context.Context, after, upTo uint64) ([]store.Commit, error)
	CommitsAt(ctx context.Context, seqs []uint64) ([]store.Commit, error)
	FirstSince(ctx context.Context, t time.Time) (uint64, error)
	Changes(ctx context.Context, after, upTo uint64) (*engine.Changes, error)
	// ImageAt and ImagesAt return images as of earlier times.
	ImageAt(ctx context.Context, at time.Time) (img *tenant.Image, release func(), err error)
	ImagesAt(ctx context.Context, times []time.Time, do func(time.Time, *tenant.Image) error) error
	User(ctx context.Context, img *tenant.Image, user uint32) (*directory.User, error)
	UserNow(ctx context.Context, img *tenant.Image, user uint32) (*directory.User, *tenant.Image, error)
	Users(ctx context.Context, img *tenant.Image, ordinals []uint32) ([]*directory.User, error)
	Group(ctx context.Context, img *tenant.Image, group uint32) (*directory.Group, error)
	GroupNow(ctx context.Context, img *tenant.Image, group uint32) (*directory.Group, *tenant.Image, error)
	Groups(ctx context.Context, img *tenant.Image, ordinals []uint32) ([]*directory.Group, error)
	EvaluateRule(ctx context.Context, img *tenant.Image, rule *membership.Rule, user uint32) (*membership.Detail, error)
	PreviewRule(
		ctx context.Context, img *tenant.Image, rule string, group *uint32, again bool,
	) (*engine.RulePreview, error)
	Password(ctx context.Context, user uint32) (string, error)
	// Rehearse and Together execute several commands, for nothing or in one commit.
	Rehearse(
		ctx context.Context, by tenant.By, do func(context.Context, *engine.Rehearsal) error,
	) (before, after *tenant.Image, err error)
	Together(
		ctx context.Context, by tenant.By, do func(context.Context, *engine.Rehearsal) error,
	) (tenant.Done, error)
	// Waiting returns the pending change of a group's licenses; nil if its members have all
	// licenses.
	Waiting(group uint32, now time.Time) *Waiting
}

// Waiting is the state of a group while a change of its licenses is pending for its members.
type Waiting struct {
	State    string // of licenseProcessingState
	Licenses []licensing.Assign
}

// Direct is a tenant whose groups pass on their licenses immediately.
type Direct struct{ *engine.Tenant }

// Waiting always returns nil.
func (Direct) Waiting(uint32, time.Time) *Waiting { return nil }

// Rehearsed is a tenant in which a change set is run.
type Rehearsed struct{ *engine.Rehearsal }

// Waiting always returns nil.
func (Rehearsed) Waiting(uint32, time.Time) *Waiting { return nil }
