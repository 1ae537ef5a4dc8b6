// expect: EXIT0
// prints: contained
package main

import (
	"fmt"
	"net"
	"syscall"
	"time"
)

func main() {
	for _, to := range [][2]string{{"tcp", "127.0.0.1:22"}, {"tcp", "1.1.1.1:80"}, {"udp", "127.0.0.1:53"}, {"unix", "/tmp/socket"}} {
		if _, err := net.DialTimeout(to[0], to[1], 200*time.Millisecond); err == nil {
			fmt.Println("reached:", to)
		}
	}
	for _, at := range [][2]string{{"tcp", "127.0.0.1:0"}, {"unix", "/tmp/socket"}, {"unix", "@name"}} {
		if _, err := net.Listen(at[0], at[1]); err == nil {
			fmt.Println("reached: listens at", at)
		}
	}
	for family := 0; family < 46; family++ {
		for kind := 1; kind < 6; kind++ {
			if _, err := syscall.Socket(family, kind, 0); err == nil {
				fmt.Println("reached: family", family, "kind", kind)
			}
		}
	}
	if found, err := net.InterfaceAddrs(); err == nil && len(found) > 0 {
		fmt.Println("reached:", found)
	}
	fmt.Println("contained")
}
