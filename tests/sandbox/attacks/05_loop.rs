// expect: CPU
// limits: cpu=0.3 wall=3
fn main() {
    let mut n = 0u64;
    loop {
        n = std::hint::black_box(n.wrapping_add(1));
    }
}
