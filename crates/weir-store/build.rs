//! The migrations are embedded by a macro, which cargo does not see reading them.

#[expect(clippy::print_stdout, reason = "cargo reads it")]
fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
