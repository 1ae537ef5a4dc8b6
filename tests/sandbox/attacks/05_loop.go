// expect: CPU
// limits: cpu=0.3 wall=3
package main

func main() {
	for n := 0; ; n++ {
	}
}
