// Instructions to the linker and to the loader of libraries. What stays is the program's own.
// expect: CE|RE|EXIT0
// never_prints: root:
package main

import _ "unsafe"

//go:cgo_import_dynamic passwd passwd "/etc/passwd"
//go:cgo_import_dynamic _ _ "/etc/shadow"
//go:cgo_ldflag "-Wl,--script=/etc/passwd"

//go:linkname argv syscall.runtime_envs
func argv() []string

func main() {
	for _, one := range argv() {
		println(one)
	}
}
