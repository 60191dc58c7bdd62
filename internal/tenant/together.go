package tenant

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
	"licensor/internal/trail"
)

// Step is one of the commands that made a commit together. Field numbers are stored; never
// renumber.
type Step struct {
	Operation string `cbor:"1,keyasint"`
	Effects   []byte `cbor:"2,keyasint"` // as those of a commit
}

// Applying is the operation, in the log, of commands that were executed together.
const Applying = "apply"

// Several is a command that executes others, which make one commit together. If Do fails, none of
// them has an effect.
type Several struct {
	Do func(ctx context.Context, t *Together) error
	// Ready is what Do has made of an image. It is used if that is still the current one.
	Ready *Together
}

func (Several) name() string { return Applying }

// run is never called: such a command consists of several changes.
func (Several) run(*change) error { return fmt.Errorf("%s is not a single change", Applying) }

// Together executes commands one after another, each on the image after the ones before it. All
// have the number and time of one commit. Its methods must not be called concurrently.
type Together struct {
	base, image *Image
	e           Execution
	trial       bool // there will be no commit
	steps       []Step
	concerned   trail.Concerned
	rows        map[ObjectKey]store.Object
	order       []ObjectKey
	bytes       int // of effects and rows
}

// Together begins a commit on an image, which does not change.
func (img *Image) Together(e Execution) *Together {
	return &Together{base: img, image: img, e: e, rows: map[ObjectKey]store.Object{}}
}

// NewIDs sets the source of the ids of new objects.
func (t *Together) NewIDs(newID func() uuid.UUID) { t.e.NewID = newID }

// Try says that there will be no commit, so that less is kept.
func (t *Together) Try() { t.trial = true }

// Base returns the image on which the commit began.
func (t *Together) Base() *Image { return t.base }

// Image returns the image after the last command. Its trail and chain are those of Base.
func (t *Together) Image() *Image { return t.image }

// At returns the time of the commit.
func (t *Together) At() time.Time { return t.e.At }

// Execute executes a command. If it fails, it has no effect.
func (t *Together) Execute(ctx context.Context, cmd Command) (Done, error) {
	e := t.e
	e.Load = t.Load
	e.Ahead = nil
	c := t.image.changeIn(ctx, t.base.Seq+1, e.At, e.NewID)
	executed, err := c.executed(cmd, e)
	if err != nil || executed.Commit == nil {
		return executed.Done, err
	}
	t.image = executed.Image
	if t.bytes += len(executed.Commit.Effects); !t.trial {
		t.steps = append(t.steps, Step{executed.Commit.Operation, executed.Commit.Effects})
		t.concerned.Unite(c.concerned)
	}
	for _, row := range executed.Rows {
		row.Seq = executed.Commit.Seq
		key := ObjectKey{row.Kind, row.Ordinal}
		was, ok := t.rows[key]
		if !ok {
			t.order = append(t.order, key)
		}
		t.bytes += len(row.Document) - len(was.Document)
		t.rows[key] = row
	}
	return executed.Done, nil
}

// Load returns a row as of Image.
func (t *Together) Load(ctx context.Context, kind store.Kind, ordinal uint32) (store.Object, error) {
	if row, ok := t.rows[ObjectKey{kind, ordinal}]; ok {
		return row, nil
	}
	return t.e.Load(ctx, kind, ordinal)
}

// Bytes returns how large the effects and rows are so far, in bytes.
func (t *Together) Bytes() int { return t.bytes }

// executeSeveral executes commands together.
func (img *Image) executeSeveral(ctx context.Context, cmd Several, e Execution) (Executed, error) {
	t := cmd.Ready
	if t == nil || t.base != img {
		t = img.Together(e)
		if err := cmd.Do(ctx, t); err != nil {
			return Executed{}, err
		}
	}
	if len(t.steps) == 0 {
		return Executed{Done: Done{Image: img}}, nil
	}
	data, err := (&Effects{Steps: t.steps}).encode()
	if err != nil {
		return Executed{}, fmt.Errorf("encode effects of %s: %w", Applying, err)
	}
	next := *t.image
	commit := &store.Commit{
		Seq: next.Seq, At: next.At, Actor: e.By.Actor, Operation: Applying, Format: Format, Effects: data,
	}
	next.append(commit, t.concerned, img.Chain)
	executed := Executed{Done: Done{Image: &next, Changed: true}, Commit: commit}
	for _, key := range t.order {
		executed.Rows = append(executed.Rows, t.rows[key])
	}
	return executed, nil
}
