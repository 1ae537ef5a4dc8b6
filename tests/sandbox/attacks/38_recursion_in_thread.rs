// expect: SIG6|SIG11
use std::hint::black_box;

fn deep(n: u64) -> u64 {
    black_box(deep(black_box(n) + 1)) + 1
}

fn main() {
    let one = std::thread::spawn(|| deep(0));
    println!("{:?}", one.join());
}
