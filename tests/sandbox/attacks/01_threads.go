// A thread for each goroutine: the runtime gives up where it gets no more, and lists them all.
// expect: EXIT2|OLE
package main

import (
	"fmt"
	"runtime"
	"time"
)

func main() {
	for n := 0; n < 10000; n++ {
		go func() {
			runtime.LockOSThread()
			time.Sleep(time.Hour)
		}()
	}
	time.Sleep(2 * time.Second)
	fmt.Println("all of them")
}
