package postgres

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// command makes a child that dies in order when we do: its parent-death signal is SIGINT, PostgreSQL's
// fast shutdown, so even our SIGKILL ends with a checkpoint. The signal belongs to the thread that forked:
// start and wait on one locked thread. A group of its own keeps Ctrl-C from it before we have drained.
func command(path string, as *account, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
	if as != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: as.uid, Gid: as.gid}
	}
	return cmd
}

// isPostgres reports whether a process is a PostgreSQL, so that a recycled number is not shot.
func isPostgres(pid int) bool {
	name, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
	return err == nil && strings.HasPrefix(string(name), "postgres")
}
