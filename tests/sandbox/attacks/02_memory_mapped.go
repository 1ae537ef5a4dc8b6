// Past the heap: the collector does not know of it.
// expect: MLE
// limits: memory=64M
package main

import "syscall"

func main() {
	for {
		block, err := syscall.Mmap(-1, 0, 1<<20, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		if err != nil {
			panic(err)
		}
		for n := 0; n < len(block); n += 4096 {
			block[n] = 1
		}
	}
}
