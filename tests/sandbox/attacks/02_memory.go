// expect: MLE
// limits: memory=64M
package main

import "runtime/debug"

func main() {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(1 << 62)
	var kept [][]byte
	for {
		block := make([]byte, 1<<20)
		for n := range block {
			block[n] = 1
		}
		kept = append(kept, block)
	}
}
