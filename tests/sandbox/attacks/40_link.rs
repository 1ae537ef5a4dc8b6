// expect: CE
// never_prints: root:
#[link(name = "/etc/passwd", kind = "static", modifiers = "+verbatim")]
extern "C" {
    fn one();
}
#[link(name = ":../../../../etc/shadow")]
extern "C" {
    fn two();
}

fn main() {
    unsafe {
        one();
        two();
    }
}
