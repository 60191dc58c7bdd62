package backup_test

import (
	"testing"

	"licensor/internal/store/storetest/everystore"
)

func TestMain(m *testing.M) { everystore.Main(m) }

var (
	stores    = everystore.Kinds
	noon      = everystore.Noon
	written   = everystore.Written
	wantError = everystore.WantError
)
