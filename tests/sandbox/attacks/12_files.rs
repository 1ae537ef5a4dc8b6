// expect: EXIT0
// prints: contained
// runs: 2
use std::fs;

fn main() {
    for path in ["/etc/shadow", "/etc/passwd", "/proc/1/environ", "/root/.bashrc", "/proc/kcore"] {
        if fs::read(path).map_or(false, |data| !data.is_empty()) {
            println!("reached: {}", path);
        }
    }
    for directory in ["/", "/usr/", "/etc/", "/box/", "/bin/", "/dev/"] {
        if fs::write(format!("{}new", directory), "x").is_ok() {
            println!("reached: wrote {}", directory);
        }
    }
    if let Ok(own) = std::env::current_exe() {
        if fs::OpenOptions::new().write(true).open(&own).is_ok() {
            println!("reached: writes {:?}", own);
        }
    }
    if fs::metadata("mark").is_ok() {
        println!("reached: the run before");
    }
    let _ = fs::write("mark", "x");
    println!("contained");
}
