// C in a Go program would bring the C compiler's options with it.
// expect: CE
// never_prints: root:
package main

// #cgo LDFLAGS: -Wl,/etc/passwd
// #include "/etc/shadow"
import "C"

func main() {
	C.puts(C.CString("reached"))
}
