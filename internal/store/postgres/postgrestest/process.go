package postgrestest

import (
	"os"
	"os/exec"
	"runtime"
)

// process is a running server.
type process struct {
	command *exec.Cmd
	ended   chan struct{}
}

// run starts a program that ends with the test binary, however that ends: the kernel sends a signal
// when the thread that started it ends, so the thread is kept.
func run(command *exec.Cmd) (*process, error) {
	p := &process{command, make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			_ = command.Wait() // it was told to stop
			close(p.ended)
		}
	}()
	return p, <-started
}

// end sends a signal that stops the server, and waits until it has stopped.
func (p *process) end(signal os.Signal) {
	_ = p.command.Process.Signal(signal) // it may have ended
	<-p.ended
}

func (p *process) kill() {
	_ = p.command.Process.Kill() // it may have ended
	<-p.ended
}
