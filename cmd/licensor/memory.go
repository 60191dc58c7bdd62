package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"licensor/internal/memory"
	"licensor/internal/server"
)

// registerMemory adds the flags about which tenants are in memory.
func registerMemory(f *pflag.FlagSet, o *server.Options, budget *string) {
	f.StringVar(budget, "memory", "", "memory for tenants, such as 2GiB; if it is full, the least recently used tenants "+
		"are unloaded. By default about half of the memory of the machine or the container")
	f.StringArrayVar(&o.Pin, "pin", nil, "id or domain of a tenant that is loaded at the start and stays loaded; "+
		"can be repeated")
	f.IntVar(&o.Loading, "loading", server.UsualLoading, fmt.Sprintf("how many tenants are loaded at the same time, 1 to "+
		"%d; others wait", server.MostLoading))
}

// setMemory sets the limit of the process's memory, and what tenants may use of it.
func setMemory(o *server.Options, budget string) (err error) {
	if o.Loading == 0 { // which is the default in the options
		return server.Misuse(fmt.Errorf("--loading is 0: it must be 1 to %d", server.MostLoading))
	}
	if budget == "" {
		o.MemoryLimit, err = memory.SetLimit()
		return err
	}
	if o.TenantMemory, err = parseBytes(budget); err != nil {
		return server.Misuse(fmt.Errorf("--memory is %q, %w: give a number and a unit, such as 512MiB or 2GiB",
			budget, err))
	}
	o.MemoryLimit, err = memory.SetLimitFor(o.TenantMemory)
	return err
}

// importGarbage is how much garbage a process may have that does nothing but import, as a
// percentage of what it keeps. It would spend a tenth of its time on collecting garbage otherwise.
const importGarbage = 300

// collectLess lets the process have more garbage until end is called, unless its environment says
// something else, or no limit of its memory is known.
func collectLess() (end func()) {
	if _, ok := os.LookupEnv("GOGC"); ok {
		return func() {}
	}
	if _, err := memory.SetLimit(); err != nil {
		return func() {}
	}
	usual := debug.SetGCPercent(importGarbage)
	return func() { debug.SetGCPercent(usual) }
}

// leastMemory is room for a few small tenants.
const leastMemory = 1 << 20

// parseBytes reads a size as GOMEMLIMIT writes it.
func parseBytes(text string) (int64, error) {
	unit := int64(1)
	for i, suffix := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if rest, ok := strings.CutSuffix(text, suffix); ok {
			text, unit = rest, 1<<(10*(i+1))
		}
	}
	n, err := strconv.ParseInt(strings.TrimSuffix(text, "B"), 10, 64)
	switch {
	case err != nil:
		return 0, errors.New("which is not a size")
	case n < 0 || n > math.MaxInt64/8/unit:
		return 0, errors.New("which is out of range")
	case n*unit < leastMemory:
		return 0, errors.New("which is less than 1MiB")
	}
	return n * unit, nil
}
