// expect: CE
#![recursion_limit = "1000000"]
macro_rules! more {
    ($($all:tt)*) => { more!($($all)* $($all)*) };
}

fn main() {
    more!(a b);
}
