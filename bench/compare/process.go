package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is a child process that serves HTTP.
type server struct {
	process *exec.Cmd
	ended   chan error
	address string
	token   string
}

// announcement is the first line that a role prints.
type announcement struct{ Address, Token string }

// startRole runs a role of this program, such as postgres or bare, in a child process.
func startRole(ctx context.Context, role string, o options) (*server, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	process := exec.CommandContext(ctx, program, o.roleArgs(role)...)
	process.Stderr = os.Stderr
	out, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s, err := launch(process)
	if err != nil {
		return nil, err
	}
	var said announcement
	if err := json.NewDecoder(out).Decode(&said); err != nil {
		return nil, errors.Join(fmt.Errorf("the handler for %s did not start: %w", role, err), s.stop())
	}
	s.address, s.token = said.Address, said.Token
	return s, waitFor(ctx, s.address)
}

func (o *options) roleArgs(role string) []string {
	return []string{"-role", role, "-work", o.work, "-users", strconv.Itoa(o.users), "-seed", strconv.FormatUint(o.seed, 10)}
}

// announce prints the announcement of this process.
func announce(address, token string) error {
	return json.NewEncoder(os.Stdout).Encode(announcement{address, token})
}

func launch(process *exec.Cmd) (*server, error) {
	process.Cancel = func() error { return process.Process.Signal(os.Interrupt) }
	process.WaitDelay = time.Minute
	if err := process.Start(); err != nil {
		return nil, err
	}
	s := &server{process: process, ended: make(chan error, 1)}
	go func() { s.ended <- process.Wait() }()
	return s, nil
}

// stop ends the process and waits for it.
func (s *server) stop() error {
	if err := s.process.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	if err, failed := errors.AsType[*exec.ExitError](<-s.ended); failed && err.ExitCode() != -1 {
		return err
	}
	return nil
}

// residentBytes returns the resident memory of the process.
func (s *server) residentBytes() (int64, error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", s.process.Process.Pid))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			kilobytes, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, errors.New("the process has no VmRSS")
}

// waitFor waits until a server accepts connections at an address.
func waitFor(ctx context.Context, address string) error {
	for end := time.Now().Add(time.Minute); ; {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			return connection.Close()
		}
		if ctx.Err() != nil || time.Now().After(end) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// freeAddress returns a loopback address that is not in use.
func freeAddress(ctx context.Context) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// once fills a folder unless an earlier run did, and returns the times of the run that did. It
// removes the remains of a failed attempt.
func once(folder string, fill func() (map[string]time.Duration, error)) (map[string]time.Duration, error) {
	mark := filepath.Join(folder, "loaded.json")
	if data, err := os.ReadFile(mark); err == nil {
		var took map[string]time.Duration
		return took, json.Unmarshal(data, &took)
	}
	if err := os.RemoveAll(folder); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	took, err := fill()
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(took)
	if err != nil {
		return nil, err
	}
	return took, os.WriteFile(mark, data, 0o644)
}

// diskBytes returns the size of all files in a folder.
func diskBytes(folder string) (sum int64, err error) {
	err = filepath.WalkDir(folder, func(_ string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	return sum, err
}

// lastLines keeps the end of the output of a process, for error messages.
type lastLines struct{ text []byte }

func (l *lastLines) Write(b []byte) (int, error) {
	l.text = append(l.text, b...)
	l.text = l.text[max(0, len(l.text)-2000):]
	return len(b), nil
}

// runQuietly runs a command. Its output is part of the error if it fails.
func runQuietly(process *exec.Cmd, out io.Writer) error {
	var said lastLines
	process.Stderr = &said
	process.Stdout = &said
	if out != nil {
		process.Stdout = out
	}
	if err := process.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(process.Args, " "), err, said.text)
	}
	return nil
}

// asUser makes a command run as another user if this program runs as root.
func asUser(process *exec.Cmd, uid, gid int) {
	if os.Getuid() == 0 {
		process.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
}
