// Starts itself and the shell, until nothing more can be started.
// expect: RE|CPU|WALL|MLE
// limits: cpu=0.5 wall=3
package main

import (
	"os/exec"
	"syscall"
)

func main() {
	for {
		syscall.ForkExec("/box/main", []string{"main"}, nil)
		exec.Command("/bin/sh", "-c", "while :; do :; done").Start()
	}
}
