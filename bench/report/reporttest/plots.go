// Package reporttest checks what reports consist of.
package reporttest

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// Plot checks that a file with a plot exists and is XML.
func Plot(t *testing.T, docs, name string) {
	t.Helper()
	plot, err := os.Open(filepath.Join(docs, "performance", name+".svg"))
	if err != nil {
		t.Fatal(err)
	}
	defer plot.Close()
	decoder := xml.NewDecoder(plot)
	for err == nil {
		_, err = decoder.Token()
	}
	if !errors.Is(err, io.EOF) {
		t.Errorf("%s.svg: %v", name, err)
	}
}
