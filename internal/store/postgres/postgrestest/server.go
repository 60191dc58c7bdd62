package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is PostgreSQL in a temporary folder.
type Server struct {
	folder   string
	port     int
	settings []string
	process  *process
}

// Start starts a server for one test, with settings such as "fsync=off" in addition to the usual
// ones.
func Start(tb testing.TB, settings ...string) *Server {
	tb.Helper()
	s, err := New(settings...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Stop)
	return s
}

// New starts a server that runs until Stop, for programs that are not tests.
func New(settings ...string) (*Server, error) {
	folder, err := os.MkdirTemp("", "licensor-postgres-")
	if err != nil {
		return nil, err
	}
	s := &Server{folder: folder, settings: settings}
	if err := s.begin(); err != nil {
		log, _ := os.ReadFile(filepath.Join(folder, "log")) // it may not exist yet
		s.Stop()
		return nil, fmt.Errorf("start PostgreSQL: %w\n%s", err, log)
	}
	return s, nil
}

func (s *Server) begin() error {
	made, err := s.command("initdb", "--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username=postgres", "-D", s.data())
	if err != nil {
		return err
	}
	if out, err := made.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	if s.port, err = freePort(); err != nil {
		return err
	}
	return s.Run()
}

func (s *Server) data() string { return filepath.Join(s.folder, "data") }

// Run starts the server, also again after Kill, and waits until it accepts connections. It does not
// start before the processes of the killed one have ended, which they do by themselves.
func (s *Server) Run() error {
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		err := s.runOnce()
		if !errors.Is(err, errEnded) || time.Since(begin) > 20*time.Second {
			return err
		}
	}
}

var errEnded = errors.New("it has ended by itself")

func (s *Server) runOnce() error {
	args := []string{"-D", s.data(), "-p", fmt.Sprint(s.port)}
	usual := []string{
		"listen_addresses=127.0.0.1", "unix_socket_directories=" + s.folder, "max_connections=200",
		"shared_buffers=64MB", "max_wal_size=2GB",
	}
	for _, setting := range slices.Concat(usual, s.settings) {
		args = append(args, "-c", setting)
	}
	command, err := s.command("postgres", args...)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(s.folder, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close() // the server has opened it itself
	command.Stdout, command.Stderr = log, log
	if s.process, err = run(command); err != nil {
		return err
	}
	return s.await()
}

// await waits until the server accepts connections.
func (s *Server) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-s.process.ended:
			return errEnded
		case <-ctx.Done():
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Kill ends the server like a crash. Its other processes end when they notice.
func (s *Server) Kill() { s.process.kill() }

// Stop ends the server and removes its files.
func (s *Server) Stop() {
	if s.process != nil {
		s.process.end(syscall.SIGQUIT)
	}
	_ = os.RemoveAll(s.folder) // it is temporary
}

// Address returns the address where the server listens.
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", fmt.Sprint(s.port)) }

// Give creates a folder in another one for the files of the server, and gives it access.
func (s *Server) Give(tb testing.TB, within string) string {
	tb.Helper()
	folder := filepath.Join(within, "postgres")
	if err := os.Mkdir(folder, 0o700); err != nil {
		tb.Fatal(err)
	}
	if err := give(folder); err != nil {
		tb.Fatal(err)
	}
	for up := within; up != os.TempDir() && up != filepath.Dir(up); up = filepath.Dir(up) {
		if err := os.Chmod(up, 0o711); err != nil {
			tb.Fatal(err)
		}
	}
	return folder
}

// URL returns the URL of a database of the server, for its superuser.
func (s *Server) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Host: s.Address(), Path: database}
	return u.String()
}

// command returns one of PostgreSQL's programs, run as a user who is not root.
func (s *Server) command(name string, args ...string) (*exec.Cmd, error) {
	path, err := program(name)
	if err != nil {
		return nil, err
	}
	command := exec.Command(path, args...)
	command.Dir = s.folder
	command.Env = append(os.Environ(), "LC_ALL=C")
	return command, lower(command, s.folder)
}

// program returns the path of one of PostgreSQL's programs, the newest installed.
func program(name string) (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil {
		return "", err
	}
	slices.SortFunc(found, func(a, b string) int { // by length first: 9 is less than 13
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	if len(found) > 0 {
		return found[len(found)-1], nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%w: install it (make postgres), or name a server with "+
			"LICENSOR_TEST_DATABASE=postgres://…", err)
	}
	return path, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close() // the server will listen there
	return l.Addr().(*net.TCPAddr).Port, nil
}
