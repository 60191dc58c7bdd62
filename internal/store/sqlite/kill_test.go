package sqlite

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"licensor/internal/store"
	"licensor/internal/store/storetest"
)

// child is the process that is killed: it appends forever and prints each sequence number that is
// acknowledged. The effects of each commit name the rows it wrote, and their documents name the
// commit, so that tests can tell what must be there.
func child(path string) {
	ctx := context.Background()
	s, err := Open(ctx, path)
	if err != nil {
		fmt.Println("error:", err)
		return
	}
	if err := s.CreateTenant(ctx, firstTenant); err != nil && !errors.Is(err, store.ErrExists) {
		fmt.Println("error:", err)
		return
	}
	last := uint64(0)
	err = s.Commits(ctx, firstTenant, 0, func(c store.Commit) error {
		last = c.Seq
		return nil
	})
	fmt.Println(last)
	for err == nil {
		batch, rows := childBatch(last)
		if err = storetest.Append(ctx, s, firstTenant, batch, rows); err == nil {
			last += uint64(len(batch))
			fmt.Println(last)
		}
	}
	fmt.Println("error:", err)
}

func childBatch(last uint64) (batch []store.Commit, rows []store.Object) {
	for i := range 1 + rand.Uint64N(3) {
		seq := last + 1 + i
		var changed []uint32
		for range rand.IntN(20) {
			ordinal := rand.Uint32N(200)
			changed = append(changed, ordinal)
			row := userRow(ordinal, fmt.Sprint(seq))
			row.Purged = ordinal%7 == 0 && seq%2 == 0
			rows = append(rows, row)
		}
		effects, _ := json.Marshal(changed)
		batch = append(batch, commitWith(seq, string(effects)))
	}
	return batch, rows
}

func TestKilledWhileWriting(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	rounds := 15
	if testing.Short() {
		rounds = 3
	}
	acknowledged := uint64(0)
	for round := range rounds {
		p := startChild(t, path)
		p.read(t)
		if round%2 == 0 {
			acknowledged = p.read(t) // so that there is a commit each time, however slow the disk is
		}
		time.Sleep(time.Duration(rand.IntN(150)) * time.Millisecond)
		p.kill(t)
		acknowledged = max(acknowledged, p.last(t))
		wantWhole(t, path, acknowledged)
	}
}

// wantWhole checks that all acknowledged commits are there, and that the rows are exactly as the
// commits made them.
func wantWhole(t *testing.T, path string, acknowledged uint64) {
	t.Helper()
	s := open(t, path)
	defer s.Close()
	want, found := map[uint32]string{}, map[uint32]string{}
	all := commits(t, s)
	for _, c := range all {
		var changed []uint32
		if err := json.Unmarshal(c.Effects, &changed); err != nil {
			t.Fatal(err)
		}
		for _, ordinal := range changed {
			want[ordinal] = string(userRow(ordinal, fmt.Sprint(c.Seq)).Document)
			if ordinal%7 == 0 && c.Seq%2 == 0 {
				delete(want, ordinal)
			}
		}
	}
	rows, err := s.Objects(t.Context(), firstTenant, users())
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		found[row.Ordinal] = string(row.Document)
	}
	if uint64(len(all)) < acknowledged || !maps.Equal(want, found) {
		t.Fatalf("%d commits were acknowledged, %d are there; the rows are as these say: %t", acknowledged, len(all), maps.Equal(want, found))
	}
	wantCheck(t, s)
}

// wantCheck has SQLite check the whole file.
func wantCheck(t *testing.T, s *Store) {
	t.Helper()
	var check string
	if err := s.reader.QueryRow("PRAGMA integrity_check").Scan(&check); err != nil || check != "ok" {
		t.Errorf("SQLite finds %s, %v", check, err)
	}
}

// process is a child.
type process struct {
	cmd *exec.Cmd
	out *bufio.Reader
}

func startChild(t *testing.T, path string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd, bufio.NewReader(out)}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	return p
}

func (p *process) pid() string { return strconv.Itoa(p.cmd.Process.Pid) }

func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
}

// read waits for the next sequence number. The first is printed when the store is open.
func (p *process) read(t *testing.T) uint64 {
	t.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	seq, err := strconv.ParseUint(strings.TrimSpace(line), 10, 64)
	if err != nil {
		t.Fatalf("the child says %q", line)
	}
	return seq
}

// last returns the last sequence number that the child printed, after it was killed.
func (p *process) last(t *testing.T) (seq uint64) {
	t.Helper()
	text, err := io.ReadAll(p.out)
	if err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait() // the error says that it was killed
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "error") {
			t.Fatal(line)
		}
		if n, err := strconv.ParseUint(strings.TrimSpace(line), 10, 64); err == nil && strings.HasSuffix(line, "\n") {
			seq = n
		}
	}
	return seq
}
