// expect: EXIT0
// prints: contained
// runs: 2
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	for _, path := range []string{"/etc/shadow", "/etc/passwd", "/proc/1/environ", "/root/.bashrc", "/proc/kcore"} {
		if data, err := os.ReadFile(path); err == nil && len(data) > 0 {
			fmt.Println("reached:", path)
		}
	}
	for _, directory := range []string{"/", "/usr", "/etc", "/bin", "/dev", filepath.Dir(os.Args[0])} {
		if err := os.WriteFile(filepath.Join(directory, "new"), []byte("x"), 0o666); err == nil {
			fmt.Println("reached: wrote", directory)
		}
	}
	if own, err := os.Executable(); err == nil {
		if file, err := os.OpenFile(own, os.O_WRONLY, 0); err == nil {
			fmt.Println("reached: writes", file.Name())
		}
	}
	if _, err := os.Stat("mark"); err == nil {
		fmt.Println("reached: the run before")
	}
	os.WriteFile("mark", []byte("x"), 0o666)
	fmt.Println("contained")
}
