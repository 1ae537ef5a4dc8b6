// The runtime finds some of them; not where a timer runs.
// stdin: 0
// stdin: 1
// expect: EXIT2 WALL
// limits: wall=1
package main

import (
	"os"
	"time"
)

func main() {
	var one [1]byte
	os.Stdin.Read(one[:])
	if one[0] == '1' {
		go func() { time.Sleep(time.Hour) }()
	}
	<-make(chan int)
}
