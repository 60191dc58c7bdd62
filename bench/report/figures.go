// Package report keeps figures in CSV files, and writes tables and plots of them into documents.
package report

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// Figure is the result of one row for one contender. Times are in milliseconds.
type Figure struct {
	Time           string // of the run
	Size           int    // the number of users, or of what else the row is measured by
	Row, Contender string
	Requests       int
	P50, P99, Rate float64
	Value          float64 // of rows that are not about requests, in the row's own unit
	Note           string
}

var header = []string{"time", "size", "row", "contender", "requests", "p50_ms", "p99_ms", "per_second", "value", "note"}

func (f *Figure) cells() []string {
	decimal := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	return []string{
		f.Time, strconv.Itoa(f.Size), f.Row, f.Contender, strconv.Itoa(f.Requests),
		decimal(f.P50), decimal(f.P99), decimal(f.Rate), decimal(f.Value), f.Note,
	}
}

func parseFigure(cells []string) (f Figure, err error) {
	f.Time, f.Row, f.Contender, f.Note = cells[0], cells[2], cells[3], cells[9]
	for cell, to := range map[int]*int{1: &f.Size, 4: &f.Requests} {
		n, bad := strconv.Atoi(cells[cell])
		*to, err = n, errors.Join(err, bad)
	}
	for i, to := range []*float64{&f.P50, &f.P99, &f.Rate, &f.Value} {
		v, bad := strconv.ParseFloat(cells[5+i], 64)
		*to, err = v, errors.Join(err, bad)
	}
	return f, err
}

// Append adds the figures of a run to a file, which has those of all runs.
func Append(name string, figures []Figure) (err error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	_, missing := os.Stat(name)
	file, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	out := csv.NewWriter(file)
	if errors.Is(missing, fs.ErrNotExist) {
		err = out.Write(header)
	}
	for _, f := range figures {
		err = errors.Join(err, out.Write(f.cells()))
	}
	out.Flush()
	return errors.Join(err, out.Error())
}

// Read reads the figures of a file.
func Read(name string) (*Figures, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, err
	}
	var list []Figure
	for i, cells := range rows[1:] {
		f, err := parseFigure(cells)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file.Name(), i+2, err)
		}
		list = append(list, f)
	}
	return NewFigures(list), nil
}

// place identifies a figure in a table or plot.
type place struct {
	size           int
	row, contender string
}

// Figures has the latest figure of each place.
type Figures struct {
	latest map[place]Figure
	Sizes  []int // ascending
}

// NewFigures returns the latest figures of a list.
func NewFigures(list []Figure) *Figures {
	all := &Figures{latest: map[place]Figure{}}
	for _, f := range list {
		all.latest[place{f.Size, f.Row, f.Contender}] = f
		if !slices.Contains(all.Sizes, f.Size) {
			all.Sizes = append(all.Sizes, f.Size)
		}
	}
	slices.Sort(all.Sizes)
	return all
}

// At returns the latest figure of a size, row and contender.
func (all *Figures) At(size int, row, contender string) (Figure, bool) {
	f, ok := all.latest[place{size, row, contender}]
	return f, ok
}
