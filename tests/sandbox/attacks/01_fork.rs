// expect: RE|CPU|WALL|MLE
// limits: cpu=0.5 wall=3
use std::process::Command;

fn main() {
    loop {
        let _ = Command::new("/box/main").spawn();
        let _ = Command::new("/bin/sh").args(["-c", "while :; do :; done"]).spawn();
    }
}
