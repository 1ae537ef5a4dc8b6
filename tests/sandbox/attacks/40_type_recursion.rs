// A function for each type, and a type for each function.
// expect: CE
#![recursion_limit = "1000000"]
#![type_length_limit = "1000000000"]
fn deeper<T: Clone>(n: u32, value: T) -> u32 {
    if n == 0 {
        return 0;
    }
    deeper(n - 1, (value.clone(), value))
}

fn main() {
    println!("{}", deeper(100, 1u8));
}
