// Each error repeats all lines of a macro, and looks for names like the one that is missing.
// expect: CE
macro_rules! four {
    ($($all:tt)*) => { $($all)* $($all)* $($all)* $($all)* };
}
macro_rules! errors {
    () => { let x: i32 = "text"; missing(x.nothing); };
}

fn main() {
    four!(four!(four!(four!(four!(errors!();)))));
}
