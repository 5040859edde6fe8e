//! Prints the browser engine's `abi.ts`, which is checked in.

fn main() {
    print!("{}", hostabi::typescript());
}
