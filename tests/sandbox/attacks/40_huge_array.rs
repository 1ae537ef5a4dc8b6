// A program of a gigabyte.
// expect: CE
static TABLE: [u8; 1 << 30] = [1; 1 << 30];

fn main() {
    println!("{}", TABLE[std::env::args().count()]);
}
