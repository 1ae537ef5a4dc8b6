// expect: WALL
// limits: wall=1
use std::sync::Mutex;

fn main() {
    let one = Mutex::new(1);
    let first = one.lock().unwrap();
    let second = one.lock().unwrap();
    println!("{} {}", first, second);
}
