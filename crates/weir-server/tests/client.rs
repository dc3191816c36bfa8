//! The client plane through its public door.

mod common;

mod client {
    mod content;
    mod cookies;
    mod faults;
    mod native;
    mod reports;
    mod scans;
}
