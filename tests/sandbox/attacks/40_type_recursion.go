// Each type names the one before it twice, and generic functions without end need another.
// expect: CE
package main

type pair[T any] struct{ left, right T }

func deeper[T any](n int, value T) int {
	if n == 0 {
		return 0
	}
	return deeper(n-1, pair[T]{value, value})
}

func main() {
	println(deeper(100, 1))
}
