//! The host against a guest that the test plays: it takes the kernel's part in the
//! host operations, and that of the programs.

mod commands;
mod consoles;
mod guest;
mod machine;
mod rig;
