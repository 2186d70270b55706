package faults

import "syscall"

// dieWithUs makes a child end when the thread that started it does, even by SIGKILL.
func dieWithUs() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
