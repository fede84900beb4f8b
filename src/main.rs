//! The `nginspect` program.
fn main() {}
