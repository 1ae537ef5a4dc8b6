// The end of main is the end, whatever still runs.
// expect: EXIT0
// prints: done
package main

import (
	"fmt"
	"time"
)

func main() {
	for n := 0; n < 10000; n++ {
		go func() {
			for {
				time.Sleep(time.Millisecond)
			}
		}()
	}
	fmt.Println("done")
}
