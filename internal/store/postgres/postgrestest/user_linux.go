package postgrestest

import "syscall"

// endWithParent makes the kernel stop a server when the thread that started it ends.
func endWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGQUIT }
