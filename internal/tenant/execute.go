package tenant

import (
	"context"
	"time"

	"github.com/google/uuid"

	"licensor/internal/licensing/vector"
	"licensor/internal/store"
	"licensor/internal/trail"
)

// Execution says how a command is executed.
type Execution struct {
	At    time.Time
	NewID func() uuid.UUID
	By    By
	// Load returns a row as of the image.
	Load func(ctx context.Context, kind store.Kind, ordinal uint32) (store.Object, error)
	// Claim claims names for the tenant, or returns a claim of another one; nil if nothing is claimed.
	Claim func(ctx context.Context, names []string) (other *store.Claim, err error)
	Ahead *Ahead // nil: no rule was evaluated ahead
}

// Executed is the result of a command.
type Executed struct {
	Done
	Commit *store.Commit  // nil if nothing changed
	Rows   []store.Object // to write with it
}

// Execute executes a command on an image, which does not change.
func (img *Image) Execute(ctx context.Context, cmd Command, e Execution) (Executed, error) {
	if several, ok := cmd.(Several); ok {
		return img.executeSeveral(ctx, several, e)
	}
	c := img.change(ctx, e.At, e.NewID)
	executed, err := c.executed(cmd, e)
	if err == nil && executed.Commit != nil {
		executed.Image.append(executed.Commit, c.concerned, img.Chain)
	}
	return executed, err
}

// executed executes a command on a change that has just begun.
func (c *change) executed(cmd Command, e Execution) (Executed, error) {
	c.load, c.claim, c.ahead = e.Load, e.Claim, e.Ahead
	next, commit, err := c.execute(e.By, cmd)
	if err != nil {
		return Executed{}, err
	}
	c.done.Image, c.done.Changed = next, commit != nil
	return Executed{c.done, commit, c.rows}, nil
}

// append makes the image, which is the result of a commit, the one at the end of the log.
func (img *Image) append(commit *store.Commit, concerned trail.Concerned, before store.Chain) {
	img.Trail.Add(new(vector.Owner), concerned)
	img.Chain = commit.Link(before)
	commit.Chain = img.Chain
}

// Operation returns the name of a command in the log.
func Operation(cmd Command) string { return cmd.name() }

// rowReader is a command that always reads a row.
type rowReader interface{ reads() ObjectKey }

// Reads returns the row that a command always reads, if there is one.
func Reads(cmd Command) (ObjectKey, bool) {
	reader, ok := cmd.(rowReader)
	if !ok {
		return ObjectKey{}, false
	}
	return reader.reads(), true
}

// Recheck is a command that reads a row and changes nothing.
type Recheck ObjectKey

func (Recheck) name() string { return "recheck" }

func (cmd Recheck) run(c *change) error {
	_, err := c.document(cmd.Kind, cmd.Ordinal)
	return err
}
