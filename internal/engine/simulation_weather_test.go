package engine_test

import (
	"math/rand/v2"
	"sync"

	"licensor/internal/store/storetest"
)

// weather determines the outcome of each operation of a simulation's store.
type weather struct {
	mu     sync.Mutex
	fate   *rand.Rand // of the writer's operations
	beside *rand.Rand // of snapshots, which are taken concurrently
	kind   weatherKind
	left   int           // operations of the writer until the connection breaks
	late   func()        // if not nil, called before one of the writer's operations
	gate   chan struct{} // if not nil, appends wait until it is closed
}

type weatherKind uint8

const (
	isCalm     weatherKind = iota
	isBad                  // any operation may fail
	isBreaking             // any operation may fail, and from a certain one on all do
)

func newWeather(seed uint64) *weather {
	w := &weather{
		fate:   rand.New(rand.NewPCG(seed, 1)),
		beside: rand.New(rand.NewPCG(seed, 2)),
		gate:   make(chan struct{}),
	}
	close(w.gate)
	return w
}

// hold makes appends wait until release.
func (w *weather) hold() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gate = make(chan struct{})
}

func (w *weather) release() { close(w.gate) }

func (w *weather) calm()              { w.turn(isCalm, 0) }
func (w *weather) bad()               { w.turn(isBad, 0) }
func (w *weather) breaking(after int) { w.turn(isBreaking, after) }

func (w *weather) turn(kind weatherKind, left int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kind, w.left = kind, left
}

// breaks reports whether the connection breaks or is broken.
func (w *weather) breaks() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.kind == isBreaking
}

// bring calls a function before one of the next operations of the writer.
func (w *weather) bring(late func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.late = late
}

func (w *weather) decide(operation string) storetest.Outcome {
	w.mu.Lock()
	gate := w.gate
	w.mu.Unlock()
	if operation == "Append" {
		<-gate
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.kind == isCalm {
		return storetest.OutcomeWorks
	}
	switch operation {
	case "SaveParts", "ReplaceManifest", "Sweep", "Settle", "TrimLog":
		return failsIf(w.broken() || w.beside.IntN(10) == 0)
	}
	if w.late != nil && w.fate.IntN(3) == 0 {
		w.late()
		w.late = nil
	}
	broken := w.broken()
	w.left--
	switch {
	case operation != "Append":
		return failsIf(broken || w.fate.IntN(4) == 0)
	case !broken && w.fate.IntN(2) == 0:
		return storetest.OutcomeWorks
	}
	return storetest.Outcome(1 + w.fate.IntN(int(storetest.OutcomeFull))) // one of the others
}

func (w *weather) broken() bool { return w.kind == isBreaking && w.left <= 0 }

func failsIf(fails bool) storetest.Outcome {
	if fails {
		return storetest.OutcomeFails
	}
	return storetest.OutcomeWorks
}
