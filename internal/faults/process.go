package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A process is a child that is signalled by its id alone.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it is reaped
	err   error         // then: how it ended
}

// spawn starts a program whose words go to a file.
func spawn(words, path string, args ...string) (*process, error) {
	out, err := os.OpenFile(words, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p := &process{cmd: exec.Command(path, args...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.SysProcAttr = out, out, dieWithUs()
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the parent-death signal goes by thread; it ends with the goroutine, after the child
		if err := p.cmd.Start(); err != nil {
			started <- err
			return
		}
		started <- nil
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return p, nil
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) } // gone already is as good

// kill ends it at once, frozen or not.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// stop ends it in order, and kills it when that takes too long.
func (p *process) stop(within time.Duration) error {
	p.signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		return p.err
	case <-time.After(within):
		p.kill()
		return fmt.Errorf("did not end within %s of SIGTERM", within)
	}
}

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// family is a process and its children, the parent first.
func family(parent int) []int {
	all := []int{parent}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return all
	}
	for _, path := range stats {
		raw, err := os.ReadFile(path)
		if err != nil {
			continue // gone meanwhile
		}
		_, rest, _ := strings.Cut(string(raw), ") ") // the name before may hold anything
		fields := strings.Fields(rest)
		if len(fields) < 2 || fields[1] != strconv.Itoa(parent) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			all = append(all, pid)
		}
	}
	return all
}

// tell signals a whole family: the parent first, so that it makes no more children.
func tell(parent int, s syscall.Signal) {
	_ = syscall.Kill(parent, s) // gone already is as good
	for _, pid := range family(parent)[1:] {
		_ = syscall.Kill(pid, s)
	}
}
