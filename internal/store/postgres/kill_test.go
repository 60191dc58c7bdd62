package postgres_test

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
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
	"licensor/internal/store/postgres"
	"licensor/internal/store/postgres/postgrestest"
)

// childEnv makes the test binary be another process that appends to the tenant with that id; see
// child.
const childEnv, tenantEnv = "LICENSOR_POSTGRES_CHILD", "LICENSOR_POSTGRES_TENANT"

// child is a process that is killed: it appends forever, like others, and prints what was
// acknowledged.
func child(url string) {
	s, err := postgres.Open(context.Background(), url, postgres.Options{})
	if err != nil {
		fmt.Println("error:", err)
		return
	}
	defer s.Close()
	tenant := uuid.MustParse(os.Getenv(tenantEnv))
	name := fmt.Sprint("process ", os.Getpid())
	fmt.Println("open")
	err = appendForEver(context.Background(), s, tenant, name, func(seq uint64) { fmt.Println(seq, name) })
	fmt.Println("error:", err)
}

// appendForEver appends until ctx ends, whatever happens to the database, and reports acknowledged
// commits.
func appendForEver(
	ctx context.Context, s store.Store, tenant uuid.UUID, name string, acknowledged func(seq uint64),
) error {
	for ctx.Err() == nil {
		at, err := s.Place(ctx, tenant)
		if errors.Is(err, store.ErrUnavailable) || ctx.Err() != nil {
			continue
		} else if err != nil {
			return err
		}
		commits, rows := namedBatch(at, name)
		err = s.Append(ctx, tenant, at, commits, rows)
		switch {
		case err == nil:
			acknowledged(at.Seq + 1)
		case errors.Is(err, store.ErrConflict), errors.Is(err, store.ErrUnavailable),
			errors.Is(err, store.ErrUnknown), ctx.Err() != nil:
		default:
			return err
		}
	}
	return nil
}

// namedBatch returns one commit, whose effects name the rows it wrote and whose actor names the
// process.
func namedBatch(at store.Place, name string) ([]store.Commit, []store.Object) {
	c := nextCommit(at)
	var changed []uint32
	var rows []store.Object
	for range rand.IntN(20) {
		ordinal := rand.Uint32N(200)
		changed = append(changed, ordinal)
		row := userRow(ordinal, fmt.Sprint(name, c.Seq))
		row.Purged = ordinal%7 == 0 && c.Seq%2 == 0
		row.Seq = c.Seq
		rows = append(rows, row)
	}
	c.Actor = name
	c.Effects, _ = json.Marshal(changed)
	c.Chain = c.Link(at.Chain)
	return []store.Commit{c}, rows
}

// wantWhole checks that all acknowledged commits are in the log at their places, that the log is
// complete, and that the rows are as the commits say.
func wantWhole(t *testing.T, s store.Store, tenant uuid.UUID, acknowledged map[uint64]string) {
	t.Helper()
	var chain store.Chain
	want, found, authors := map[uint32]uint64{}, map[uint32]uint64{}, map[uint64]string{}
	for i, c := range allCommits(t, s, tenant) {
		if chain = c.Link(chain); c.Seq != uint64(i+1) || c.Chain != chain {
			t.Fatalf("number %d of the commits does not follow the one before", i)
		}
		authors[c.Seq] = c.Actor
		var changed []uint32
		if err := json.Unmarshal(c.Effects, &changed); err != nil {
			t.Fatal(err)
		}
		for _, ordinal := range changed {
			want[ordinal] = c.Seq
			if ordinal%7 == 0 && c.Seq%2 == 0 {
				delete(want, ordinal)
			}
		}
	}
	for seq, name := range acknowledged {
		if authors[seq] != name {
			t.Errorf("commit %d was acknowledged to %s, and is of %q", seq, name, authors[seq])
		}
	}
	rows, err := s.Objects(t.Context(), tenant, store.Query{Kind: store.KindUser, After: -1})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		found[row.Ordinal] = row.Seq
	}
	if !maps.Equal(want, found) {
		t.Errorf("the rows were written by the commits %v, want %v", found, want)
	}
}

// TestProcessesAreKilledWhileAppending has three processes append to one tenant, and kills one
// after another.
func TestProcessesAreKilledWhileAppending(t *testing.T) {
	t.Parallel()
	url := postgrestest.Database(t)
	s := open(t, url)
	tenant := withTenant(t, s)
	acknowledged := map[uint64]string{}
	var running []*process
	for range 9 {
		for len(running) < 3 {
			running = append(running, startChild(t, url, tenant))
		}
		if _, err := running[0].out.Peek(1); err != nil { // until a commit is acknowledged
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.IntN(150)) * time.Millisecond)
		maps.Copy(acknowledged, running[0].kill(t))
		running = running[1:]
	}
	for _, p := range running {
		maps.Copy(acknowledged, p.kill(t))
	}
	// Appends that the processes had in progress may still arrive. After this they cannot.
	if _, err := s.Fence(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	wantWhole(t, s, tenant, acknowledged)
}

// process is a child.
type process struct {
	cmd *exec.Cmd
	out *bufio.Reader
}

func startChild(t *testing.T, url string, tenant uuid.UUID) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+url, tenantEnv+"="+tenant.String())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd, bufio.NewReader(out)}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	if line, err := p.out.ReadString('\n'); err != nil || line != "open\n" {
		t.Fatalf("the child says %q, %v", line, err)
	}
	return p
}

// kill kills the child and returns the commits that it printed as acknowledged.
func (p *process) kill(t *testing.T) map[uint64]string {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(p.out)
	if err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait() // the error says that it was killed
	acknowledged := map[uint64]string{}
	for line := range strings.Lines(string(text)) {
		line, whole := strings.CutSuffix(line, "\n")
		var seq, pid uint64
		if _, err := fmt.Sscanf(line, "%d process %d", &seq, &pid); err != nil && whole {
			t.Fatalf("the child says %q", line)
		} else if whole {
			acknowledged[seq] = fmt.Sprint("process ", pid)
		}
	}
	return acknowledged
}

// TestDatabaseIsKilledWhileAppending kills the whole server again and again, while two stores
// append.
func TestDatabaseIsKilledWhileAppending(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	url := server.URL("postgres")
	if err := postgres.Create(t.Context(), url, postgres.Options{}); err != nil {
		t.Fatal(err)
	}
	a, b := open(t, url), open(t, url)
	tenant := withTenant(t, a)
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	var all sync.WaitGroup
	var sofar atomic.Int64
	acknowledged := map[uint64]string{}
	for i := range 4 {
		name := fmt.Sprint("writer ", i)
		all.Go(func() {
			err := appendForEver(ctx, []store.Store{a, b}[i%2], tenant, name, func(seq uint64) {
				mu.Lock()
				defer mu.Unlock()
				acknowledged[seq] = name
				sofar.Add(1)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	for range 5 {
		before := sofar.Load()
		for deadline := time.Now().Add(30 * time.Second); sofar.Load() < before+10; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("nothing is appended any more")
			}
		}
		time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond)
		server.Kill()
		if err := server.Run(); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	all.Wait()
	if _, err := a.Fence(t.Context(), tenant); err != nil && !errors.Is(err, store.ErrUnknown) {
		t.Error(err)
	}
	wantWhole(t, open(t, url), tenant, acknowledged)
}
