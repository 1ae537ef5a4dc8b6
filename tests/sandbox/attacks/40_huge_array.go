// A program of a gigabyte.
// expect: CE
package main

var table = [1 << 30]byte{1, 1 << 29: 1}

func main() {
	println(table[0])
}
