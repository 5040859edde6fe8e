//! Prints the kernel's `asm/lkl_host.h`. The build writes it into the tree.

fn main() {
    print!("{}", hostabi::c_header());
}
