// expect: EXIT0
// prints: contained
package main

import (
	"fmt"
	"os/exec"
	"syscall"
)

func main() {
	flags := []uintptr{
		syscall.CLONE_NEWUSER, syscall.CLONE_NEWNS, syscall.CLONE_NEWPID, syscall.CLONE_NEWNET,
		syscall.CLONE_NEWUTS, syscall.CLONE_NEWIPC, syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
	}
	for _, flag := range flags {
		command := exec.Command("/bin/true")
		command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flag}
		if command.Run() == nil {
			fmt.Printf("reached: clone %x\n", flag)
		}
		command = exec.Command("/bin/true")
		command.SysProcAttr = &syscall.SysProcAttr{Unshareflags: flag}
		if command.Run() == nil {
			fmt.Printf("reached: unshare %x\n", flag)
		}
	}
	for _, attributes := range []syscall.SysProcAttr{{Chroot: "/tmp"}, {Ptrace: true}, {Credential: &syscall.Credential{Uid: 1}}} {
		attributes := attributes
		command := exec.Command("/bin/true")
		command.SysProcAttr = &attributes
		if command.Run() == nil {
			fmt.Printf("reached: %+v\n", attributes)
		}
	}
	fmt.Println("contained")
}
