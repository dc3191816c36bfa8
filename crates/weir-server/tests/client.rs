//! The client plane through its public door: the recorded scan, and what scans add to the catalogue engine. Each item of
//! the protocol's checklist is in `conformance/`.

mod common;

mod client {
    mod native;
    mod scans;
    mod windows;
}
