package postgrestest

import "syscall"

// endWithParent has the kernel end a server when the thread ends that has started it.
func endWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGQUIT }
