//! The client plane through its public door: the recorded scan, what scans add to the catalogue engine, and storms. Each item of
//! the protocol's checklist is in `conformance/`.

mod common;

mod client {
    mod native;
    mod scans;
    mod storm;
    mod windows;
}
