// stdin: 0
// stdin: 1
// stdin: 2
// stdin: 3
// stdin: 4
// expect: SIG11 SIG6 EXIT101 SIG6 EXIT101
use std::io::Read;

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("while another panic goes by");
    }
}

fn main() {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    match text.trim() {
        "0" => unsafe { *(std::hint::black_box(8usize) as *mut u32) = 1 },
        "1" => std::process::abort(),
        "2" => panic!("an end"),
        "3" => {
            let _bomb = Bomb;
            panic!("the first");
        }
        other => println!("{}", 1 / (other.len() as i32 - 1)),
    }
}
