package main

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

// figure is the result of one row for one contender. Times are in milliseconds.
type figure struct {
	Time           string // of the run
	Users          int
	Row, Contender string
	Requests       int
	P50, P99, Rate float64
	Value          float64 // of rows that are not about requests, in the row's own unit
	Note           string
}

var figuresHeader = []string{"time", "users", "row", "contender", "requests", "p50_ms", "p99_ms", "per_second", "value", "note"}

func (f *figure) cells() []string {
	decimal := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	return []string{
		f.Time, strconv.Itoa(f.Users), f.Row, f.Contender, strconv.Itoa(f.Requests),
		decimal(f.P50), decimal(f.P99), decimal(f.Rate), decimal(f.Value), f.Note,
	}
}

func parseFigure(cells []string) (f figure, err error) {
	f.Time, f.Row, f.Contender, f.Note = cells[0], cells[2], cells[3], cells[9]
	for cell, to := range map[int]*int{1: &f.Users, 4: &f.Requests} {
		n, bad := strconv.Atoi(cells[cell])
		*to, err = n, errors.Join(err, bad)
	}
	for i, to := range []*float64{&f.P50, &f.P99, &f.Rate, &f.Value} {
		v, bad := strconv.ParseFloat(cells[5+i], 64)
		*to, err = v, errors.Join(err, bad)
	}
	return f, err
}

func figuresFile(docs string) string { return filepath.Join(docs, "performance", "figures.csv") }

// appendFigures adds the figures of a run to the file, which has those of all runs.
func appendFigures(docs string, figures []figure) (err error) {
	name := figuresFile(docs)
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
		err = out.Write(figuresHeader)
	}
	for _, f := range figures {
		err = errors.Join(err, out.Write(f.cells()))
	}
	out.Flush()
	return errors.Join(err, out.Error())
}

func readFigures(docs string) (*figures, error) {
	file, err := os.Open(figuresFile(docs))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, err
	}
	var list []figure
	for i, cells := range rows[1:] {
		f, err := parseFigure(cells)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file.Name(), i+2, err)
		}
		list = append(list, f)
	}
	return newFigures(list), nil
}

// place identifies a figure in a table or plot.
type place struct {
	users          int
	row, contender string
}

// figures has the latest figure of each place.
type figures struct {
	latest map[place]figure
	sizes  []int // ascending
}

func newFigures(list []figure) *figures {
	all := &figures{latest: map[place]figure{}}
	for _, f := range list {
		all.latest[place{f.Users, f.Row, f.Contender}] = f
		if !slices.Contains(all.sizes, f.Users) {
			all.sizes = append(all.sizes, f.Users)
		}
	}
	slices.Sort(all.sizes)
	return all
}

func (all *figures) at(users int, row, contender string) (figure, bool) {
	f, ok := all.latest[place{users, row, contender}]
	return f, ok
}
