// Stacks of goroutines grow up to 1 GB; memory ends first.
// expect: MLE|EXIT2
// limits: memory=64M cpu=4
package main

func deep(n int) int {
	return deep(n+1) + 1
}

func main() {
	println(deep(0))
}
