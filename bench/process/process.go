// Package process runs the programs that benchmarks measure.
package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Server is a child process that serves HTTP.
type Server struct {
	Command *exec.Cmd
	ended   chan error
	Address string
	Token   string
}

// Launch starts a program, which ends when the context of its command does.
func Launch(command *exec.Cmd) (*Server, error) {
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = time.Minute
	if err := command.Start(); err != nil {
		return nil, err
	}
	s := &Server{Command: command, ended: make(chan error, 1)}
	go func() { s.ended <- command.Wait() }()
	return s, nil
}

// Stop ends the process and waits for it.
func (s *Server) Stop() error {
	if err := s.Command.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	if err, failed := errors.AsType[*exec.ExitError](<-s.ended); failed && err.ExitCode() != -1 {
		return err
	}
	return nil
}

// Kill ends the process like a crash, and waits for it.
func (s *Server) Kill() error {
	if err := s.Command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-s.ended
	return nil
}

// Resident returns the resident memory of the process.
func (s *Server) Resident() (int64, error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", s.Command.Process.Pid))
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

// WaitFor waits until a server accepts connections at an address.
func WaitFor(ctx context.Context, address string) error {
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

// FreeAddress returns a loopback address that is not in use.
func FreeAddress(ctx context.Context) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// LastLines keeps the end of the output of a process, for error messages.
type LastLines struct{ Text []byte }

// Write implements io.Writer.
func (l *LastLines) Write(b []byte) (int, error) {
	l.Text = append(l.Text, b...)
	l.Text = l.Text[max(0, len(l.Text)-2000):]
	return len(b), nil
}

// RunQuietly runs a command. Its output is part of the error if it fails.
func RunQuietly(command *exec.Cmd, out io.Writer) error {
	var said LastLines
	command.Stderr = &said
	command.Stdout = &said
	if out != nil {
		command.Stdout = out
	}
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(command.Args, " "), err, said.Text)
	}
	return nil
}
