// expect: SIG6|SIG11|MLE
use std::hint::black_box;

fn deep(n: u64) -> u64 {
    black_box(deep(black_box(n) + 1)) + 1
}

fn main() {
    println!("{}", deep(0));
}
