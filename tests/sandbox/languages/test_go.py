"""Go programs from end to end."""

from __future__ import annotations

import pytest

from sandbox.client import EmbeddedSandbox
from sandbox.v1 import sandbox_pb2 as pb
from tests.sandbox.languages.conftest import (
    NUMBERS,
    TOTAL,
    UNICODE,
    Outcome,
    Programs,
    exited,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

SUM = """package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
)

func main() {
	words := bufio.NewScanner(os.Stdin)
	words.Buffer(make([]byte, 1<<20), 1<<20)
	words.Split(bufio.ScanWords)
	words.Scan()
	n, _ := strconv.Atoi(words.Text())
	sum := 0
	for ; n > 0 && words.Scan(); n-- {
		x, _ := strconv.Atoi(words.Text())
		sum += x
	}
	fmt.Println(sum)
}
"""
FEATURES = """package main

import (
	"container/heap"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"regexp"
	"sort"
	"strings"
	"text/tabwriter"
	"time"
)

type Number interface{ ~int | ~float64 }

func Max[T Number](values ...T) (best T) {
	for place, value := range values {
		if place == 0 || value > best {
			best = value
		}
	}
	return
}

type Heap []int

func (h Heap) Len() int           { return len(h) }
func (h Heap) Less(i, j int) bool { return h[i] < h[j] }
func (h Heap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *Heap) Push(x any)        { *h = append(*h, x.(int)) }
func (h *Heap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

func safe(f func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("caught: %v", r)
		}
	}()
	f()
	return errors.New("none")
}

func main() {
	h := &Heap{5, 1, 3}
	heap.Init(h)
	heap.Push(h, 0)
	fmt.Println(heap.Pop(h), heap.Pop(h), Max(1, 7, 3), Max(1.5, 0.5))
	text, _ := json.Marshal(map[string][]int{"b": {1}, "a": nil})
	fmt.Println(string(text), safe(func() { var m map[int]int; m[1] = 1 }))
	fmt.Println(new(big.Int).Exp(big.NewInt(2), big.NewInt(100), nil))
	words := strings.Fields("b a c")
	sort.Slice(words, func(i, j int) bool { return words[i] > words[j] })
	fmt.Println(words, regexp.MustCompile(`[ab]+`).FindString("xxabba"), 3*time.Second)
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 1, ' ', 0)
	fmt.Fprintf(w, "a\\tb\\n")
	w.Flush()
}
"""
GOROUTINES = """package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	var wait sync.WaitGroup
	var sum int64
	numbers := make(chan int64)
	for i := 0; i < 10000; i++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			atomic.AddInt64(&sum, <-numbers)
		}()
	}
	for i := int64(0); i < 10000; i++ {
		numbers <- i
	}
	wait.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	select {
	case <-ctx.Done():
		fmt.Println(sum, ctx.Err())
	case <-time.After(5 * time.Second):
	}
}
"""


def main(body: str, *packages: str) -> str:
    imports = "".join(f'import "{package}"\n' for package in packages)
    return f"package main\n{imports}func main() {{\n{body}\n}}\n"


@pytest.fixture
def go(sandbox: EmbeddedSandbox) -> Programs:
    return Programs(sandbox, "go")


async def test_sum_and_large_input(go: Programs) -> None:
    result = await go.result(SUM, b"3\n1 2 3\n", NUMBERS)
    assert not result.compile_failed, result.diagnostics
    assert [o.stdout for o in result.outcomes] == [b"6\n", b"%d\n" % TOTAL]
    assert result.toolchain.startswith("go 1.")
    again = await go.result(SUM, b"1\n5\n")
    assert (again.compile_cached, again.outcomes[0].stdout) == (True, b"5\n")


async def test_features(go: Programs) -> None:
    assert await go.output(FEATURES) == (
        '0 1 7 1.5\n{"a":null,"b":[1]} caught: assignment to entry in nil map\n'
        "1267650600228229401496703205376\n[c b a] abba 3s\na b\n"
    )


async def test_goroutines(go: Programs) -> None:
    assert await go.output(GOROUTINES) == "49995000 context deadline exceeded\n"


async def test_unicode(go: Programs) -> None:
    body = 'größe, _ := io.ReadAll(os.Stdin)\nfmt.Print(string(größe), "é", utf8.RuneCount(größe))'
    source = main(body, "fmt", "io", "os", "unicode/utf8")
    assert await go.output(source, UNICODE.encode()) == f"{UNICODE}é{len(UNICODE)}"


async def test_deep_recursion(go: Programs) -> None:
    source = main("println(deep(1000000))") + (
        "func deep(n int) int {\n\tif n == 0 {\n\t\treturn 0\n\t}\n\treturn deep(n-1) + 1\n}\n"
    )
    assert (await go.one(source)).stderr == b"1000000\n"


async def test_large_output(go: Programs) -> None:
    body = "w := bufio.NewWriter(os.Stdout)\ndefer w.Flush()\nfor i := 0; i < 1000000; i++ {\nfmt.Fprintln(w, 1000000+i)\n}"
    assert len(await go.output(main(body, "bufio", "fmt", "os"))) == 8_000_000


async def test_garbage_stays_below_the_limit(go: Programs) -> None:
    """90 MiB live, 256 MiB allowed: the collector does not let it grow to twice of that."""
    body = (
        "var kept [180][]byte\nfor i := 0; i < 3000; i++ {\nblock := make([]byte, 1<<20)\n"
        "for j := 0; j < len(block); j += 4096 {\nblock[j] = 1\n}\nkept[i%180] = block\n}\n"
        "println(len(kept))"
    )
    outcome = await go.one(main(body), limits=pb.Limits(memory_bytes=256 << 20))
    assert exited(outcome, 0), outcome


async def test_memory_limit(go: Programs) -> None:
    body = "var kept [][]byte\nfor {\nblock := make([]byte, 1<<20)\nfor i := range block {\nblock[i] = 1\n}\nkept = append(kept, block)\n}"
    outcome = await go.one(main(body), limits=pb.Limits(memory_bytes=64 << 20))
    assert outcome.ending == Outcome.MEMORY_LIMIT, outcome


@pytest.mark.parametrize(
    ("source", "code", "message"),
    [
        (main("os.Exit(7)", "os"), 7, b""),
        (main("var a []int\n_ = a[len(a)]"), 2, b"index out of range [0] with length 0"),
        (main("var p *int\n*p = 1"), 2, b"nil pointer dereference"),
        (main("a, b := 1, 0\nprintln(a / b)"), 2, b"integer divide by zero"),
        (main("<-make(chan int)"), 2, b"all goroutines are asleep"),
        (main('log.Fatal("no")', "log"), 1, b"no"),
        (main("_ = make([]byte, 1<<60+len(os.Args))", "os"), 2, b"len out of range"),
    ],
)
async def test_endings(go: Programs, source: str, code: int, message: bytes) -> None:
    outcome = await go.one(source)
    assert exited(outcome, code), outcome
    assert message in outcome.stderr


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (main("return missing"), "./main.go:3:"),
        (main("", "os"), './main.go:2:8: "os" imported and not used|imported and not used: "os"'),
        (main("x := 1"), "declared but not used|declared and not used: x"),
        (main("", "github.com/nobody/nothing"), "could not import github.com/nobody/nothing"),
        ("package other\nfunc main() {}", "not package main"),
        ("package main\nfunc other() {}", "function main is undeclared in the main package"),
        ("package main\nfunc main() {", "syntax error: unexpected EOF"),
        ("package main\nfunc missing() int\nfunc main() { missing() }", "missing function body"),
    ],
)
async def test_compile_errors(go: Programs, source: str, message: str) -> None:
    diagnostics = await go.refused(source)
    assert any(one in diagnostics for one in message.split("|")), diagnostics
    assert len(diagnostics) < 1000


async def test_files_of_a_request_are_of_the_package(go: Programs) -> None:
    files = {"other.go": b"package main\nfunc twice(n int) int { return 2 * n }\n"}
    assert (await go.one(main("println(twice(21))"), files=files)).stderr == b"42\n"
