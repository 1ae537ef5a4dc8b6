// A library for the compiler, and options that only a command line may give.
// expect: CE|EXIT0
// never_prints: reached
#![crate_type = "proc-macro"]
#![feature(proc_macro_internals, link_args)]
#![recursion_limit = "1000000000"]
extern crate proc_macro;

use proc_macro::TokenStream;

#[proc_macro]
pub fn shell(_: TokenStream) -> TokenStream {
    std::process::Command::new("/bin/sh").args(["-c", "echo reached >&2"]).status().unwrap();
    TokenStream::new()
}

fn main() {}
