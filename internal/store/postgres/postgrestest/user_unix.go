//go:build unix

package postgrestest

import (
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// lower makes a command run as a user who is not root, which PostgreSQL requires, and gives the
// folder to that user.
func lower(command *exec.Cmd, folder string) error {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endWithParent(command.SysProcAttr)
	if os.Getuid() != 0 {
		return nil
	}
	command.SysProcAttr.Credential = unprivileged()
	return give(folder)
}

// give changes the owner of a folder to the user that servers run as.
func give(folder string) error {
	if os.Getuid() != 0 {
		return nil
	}
	who := unprivileged()
	return os.Chown(folder, int(who.Uid), int(who.Gid))
}

func unprivileged() *syscall.Credential {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUser := strconv.ParseUint(u.Uid, 10, 32)
		gid, errGroup := strconv.ParseUint(u.Gid, 10, 32)
		if errUser == nil && errGroup == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	return &syscall.Credential{Uid: 65534, Gid: 65534}
}
