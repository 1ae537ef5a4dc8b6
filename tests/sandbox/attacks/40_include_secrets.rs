// Diagnostics quote the lines that they are about.
// expect: CE
// never_prints: root:
// never_prints: nologin
const ONE: &str = include_str!("/etc/shadow");
const TWO: &[u8] = include_bytes!("../../../etc/passwd");
const THREE: &str = include_str!("/proc/1/root/etc/passwd");
include!("/etc/passwd");
#[path = "/etc/passwd"]
mod four;
#[path = "/etc/shadow"]
mod five;

fn main() {
    println!("{} {:?} {}", ONE, TWO, THREE);
}
