// expect: OLE
package main

import (
	"bufio"
	"fmt"
	"os"
)

func main() {
	out := bufio.NewWriter(os.Stdout)
	for n := 0; ; n++ {
		fmt.Fprintln(out, n)
	}
}
