// More of them than processors, with a main that waits for ever.
// expect: CPU
// limits: cpu=0.3 wall=3
package main

import "runtime"

func main() {
	runtime.GOMAXPROCS(64)
	for n := 0; n < 32; n++ {
		go func() {
			for {
			}
		}()
	}
	select {}
}
