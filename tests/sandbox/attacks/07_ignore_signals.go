// expect: CPU
// limits: cpu=0.3 wall=3
package main

import (
	"os"
	"os/signal"
)

func main() {
	signal.Ignore()
	signal.Notify(make(chan os.Signal, 1))
	for {
	}
}
