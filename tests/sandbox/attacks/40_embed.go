// expect: CE
// never_prints: root:
package main

import _ "embed"

//go:embed /etc/passwd
var whole string

//go:embed ../etc/shadow
var other string

func main() {
	println(whole, other)
}
