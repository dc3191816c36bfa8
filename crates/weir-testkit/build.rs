//! The schema for PostgreSQL is embedded by a macro, which cargo does not see reading it.

fn main() {
    println!("cargo::rerun-if-changed=../weir-store/migrations-postgres");
}
