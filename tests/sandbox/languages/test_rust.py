"""Rust programs from end to end."""

from __future__ import annotations

import signal

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

SUM = """
use std::io::{self, BufRead};
fn main() {
    let mut lines = io::stdin().lock().lines();
    let n: usize = lines.next().unwrap().unwrap().trim().parse().unwrap();
    let mut sum = 0i64;
    let mut left = n;
    for line in lines {
        for word in line.unwrap().split_whitespace() {
            if left > 0 { sum += word.parse::<i64>().unwrap(); left -= 1; }
        }
    }
    println!("{}", sum);
}
"""
FEATURES = """
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet, VecDeque};
use std::fmt;
use std::rc::Rc;

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Shape { Square(u32), Other { name: String } }

trait Area { fn area(&self) -> u32 { 0 } }
impl Area for Shape {
    fn area(&self) -> u32 { match self { Shape::Square(side) => side * side, _ => 0 } }
}
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "<{}>", self.area()) }
}
fn parse(text: &str) -> Result<i32, Box<dyn std::error::Error>> { Ok(text.parse::<i32>()?) }
struct Matrix<const N: usize>([[u64; N]; N]);

fn main() {
    let mut heap = BinaryHeap::from(vec![Reverse(3), Reverse(1)]);
    heap.push(Reverse(2));
    let counts = "b a b".split(' ').fold(BTreeMap::new(), |mut m, w| { *m.entry(w).or_insert(0) += 1; m });
    println!("{:?} {:?} {}", heap.pop().unwrap().0, counts, Shape::Square(3));
    println!("{:?} {:?}", parse("12").unwrap(), parse("x").map_err(|e| e.to_string()));
    let queue: VecDeque<_> = (1..=3).map(|x| x * x).collect();
    let set: HashSet<char> = "hello".chars().collect();
    let map: HashMap<_, _> = [(1, "one")].into_iter().collect();
    println!("{:?} {} {} {}", queue, set.len(), map[&1], Matrix([[1, 2], [3, 4]]).0[1][0]);
    let shared = Rc::new(Shape::Other { name: format!("{:05.2}", 3.14159) });
    println!("{:?} {} {}", shared, Rc::strong_count(&shared), u128::MAX);
    let caught = std::panic::catch_unwind(|| { panic!("caught") });
    println!("{}", caught.is_err());
}
"""
THREADS = """
use std::sync::{mpsc, Arc, Mutex};
use std::thread;
fn main() {
    let sum = Arc::new(Mutex::new(0));
    let (sender, receiver) = mpsc::channel();
    let threads: Vec<_> = (1..=32).map(|i| {
        let (sum, sender) = (Arc::clone(&sum), sender.clone());
        thread::spawn(move || { *sum.lock().unwrap() += i; sender.send(i).unwrap(); })
    }).collect();
    drop(sender);
    for one in threads { one.join().unwrap(); }
    let big = thread::Builder::new().stack_size(100 << 20).spawn(|| deep(500_000)).unwrap();
    println!("{} {} {}", sum.lock().unwrap(), receiver.iter().sum::<i32>(), big.join().unwrap());
}
fn deep(n: u64) -> u64 { if n == 0 { 0 } else { std::hint::black_box(deep(n - 1)) + 1 } }
"""


@pytest.fixture
def rust(sandbox: EmbeddedSandbox) -> Programs:
    return Programs(sandbox, "rust")


async def test_sum_and_large_input(rust: Programs) -> None:
    result = await rust.result(SUM, b"3\n1 2 3\n", NUMBERS)
    assert not result.compile_failed, result.diagnostics
    assert [o.stdout for o in result.outcomes] == [b"6\n", b"%d\n" % TOTAL]
    assert result.toolchain.startswith("rustc 1.")
    again = await rust.result(SUM, b"1\n5\n")
    assert (again.compile_cached, again.outcomes[0].stdout) == (True, b"5\n")


async def test_features(rust: Programs) -> None:
    assert await rust.output(FEATURES) == (
        '1 {"a": 1, "b": 2} <9>\n12 Err("invalid digit found in string")\n[1, 4, 9] 4 one 3\n'
        'Other { name: "03.14" } 1 340282366920938463463374607431768211455\ntrue\n'
    )


async def test_threads(rust: Programs) -> None:
    assert await rust.output(THREADS) == "528 528 500000\n"


async def test_unicode(rust: Programs) -> None:
    source = (
        "use std::io::Read; fn main() { let mut größe = String::new(); "
        "std::io::stdin().read_to_string(&mut größe).unwrap(); "
        'print!("{}é{}", größe, größe.chars().count()); }'
    )
    assert await rust.output(source, UNICODE.encode()) == f"{UNICODE}é{len(UNICODE)}"


async def test_deep_recursion(rust: Programs) -> None:
    source = (
        "fn deep(n: u64) -> u64 { if n == 0 { 0 } else { std::hint::black_box(deep(n - 1)) + 1 } }\n"
        'fn main() { println!("{}", deep(1_000_000)); }'
    )
    assert await rust.output(source) == "1000000\n"


async def test_large_output(rust: Programs) -> None:
    source = 'fn main() { for i in 0..1_000_000 { println!("{}", 1_000_000 + i); } }'
    assert len(await rust.output(source)) == 8_000_000


async def test_memory_limit(rust: Programs) -> None:
    source = "fn main() { let mut kept = vec![]; loop { kept.push(vec![1u8; 1 << 20]); } }"
    outcome = await rust.one(source, limits=pb.Limits(memory_bytes=64 << 20))
    assert outcome.ending == Outcome.MEMORY_LIMIT, outcome


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ("std::process::exit(7)", 7, b""),
        ('panic!("an end")', 101, b"an end"),
        ("let v = vec![1]; println!(\"{}\", v[std::env::args().count()])", 101, b"index out of bounds"),
        ("let n: Option<u8> = \"x\".parse().ok(); n.unwrap();", 101, b"`None` value"),
        ("let _r: Result<(), String> = Err(\"bad\".into()); _r.expect(\"why\")", 101, b"why: \"bad\""),
    ],
)  # fmt: skip
async def test_endings(rust: Programs, body: str, code: int, message: bytes) -> None:
    outcome = await rust.one(f"fn main() {{ {body} }}")
    assert exited(outcome, code), outcome
    assert message in outcome.stderr


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ("std::process::abort()", signal.SIGABRT),
        ("unsafe { *(std::hint::black_box(8usize) as *mut u8) = 1 }", signal.SIGSEGV),
        ("println!(\"{}\", vec![1u8; std::env::args().count() << 45][5])", signal.SIGABRT),
    ],
)  # fmt: skip
async def test_signals(rust: Programs, body: str, number: signal.Signals) -> None:
    outcome = await rust.one(f"fn main() {{ {body} }}")
    assert (outcome.ending, outcome.signal) == (Outcome.SIGNALLED, number), outcome


async def test_overflow_wraps_as_in_a_release(rust: Programs) -> None:
    source = 'fn main() { let n = std::env::args().count() as i32; println!("{}", i32::MAX - 1 + n + n); }'
    assert await rust.output(source) == "-2147483648\n"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('fn main() {\n    let x: i32 = "a";\n}', "error[E0308]: mismatched types\n --> main.rs:2:18"),
        ("fn main() { let v = vec![1]; let w = v; v.len(); }", "error[E0382]: borrow of moved value"),
        ("use rand::Rng;\nfn main() {}", "unresolved import `rand`"),
        ("fn other() {}", "`main` function not found in crate `main`"),
        ("#![feature(test)]\nfn main() {}", "may not be used on the stable release channel"),
        ("fn main() { [1, 2][5]; }", "this operation will panic at runtime"),
        ('extern "C" { fn missing(); }\nfn main() { unsafe { missing() } }', "undefined reference"),
    ],
)  # fmt: skip
async def test_compile_errors(rust: Programs, source: str, message: str) -> None:
    diagnostics = await rust.refused(source)
    assert message in diagnostics
    assert "\x1b" not in diagnostics
    assert "warning" not in diagnostics


async def test_warnings_do_not_fail(rust: Programs) -> None:
    source = 'use std::fs;\nfn unused() {}\nfn main() { let x = 1; println!("x"); }'
    result = await rust.result(source)
    assert (result.outcomes[0].stdout, result.diagnostics) == (b"x\n", "")


async def test_its_own_tests(rust: Programs) -> None:
    """Attributes of tests are no part of a program."""
    source = "#[cfg(test)]\nmod tests {\n    #[test]\n    fn one() { missing() }\n}\nfn main() {}"
    assert await rust.output(source) == ""


async def test_files_of_a_request_are_modules(rust: Programs) -> None:
    files = {"other.rs": b"pub fn twice(n: i32) -> i32 { 2 * n }\n"}
    source = 'mod other;\nfn main() { println!("{}", other::twice(21)); }'
    assert await rust.output(source, files=files) == "42\n"
