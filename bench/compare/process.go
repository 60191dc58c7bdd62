package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"licensor/bench/process"
)

// announcement is the first line that a role prints.
type announcement struct{ Address, Token string }

// startRole runs a role of this program, such as postgres or bare, in a child process.
func startRole(ctx context.Context, role string, o options) (*process.Server, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	child := exec.CommandContext(ctx, program, o.roleArgs(role)...)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s, err := process.Launch(child)
	if err != nil {
		return nil, err
	}
	var said announcement
	if err := json.NewDecoder(out).Decode(&said); err != nil {
		return nil, errors.Join(fmt.Errorf("the handler for %s did not start: %w", role, err), s.Stop())
	}
	s.Address, s.Token = said.Address, said.Token
	return s, process.WaitFor(ctx, s.Address)
}

func (o *options) roleArgs(role string) []string {
	return []string{"-role", role, "-work", o.work, "-users", strconv.Itoa(o.users), "-seed", strconv.FormatUint(o.seed, 10)}
}

// announce prints the announcement of this process.
func announce(address, token string) error {
	return json.NewEncoder(os.Stdout).Encode(announcement{address, token})
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

// asUser makes a command run as another user if this program runs as root.
func asUser(child *exec.Cmd, uid, gid int) {
	if os.Getuid() == 0 {
		child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
}
