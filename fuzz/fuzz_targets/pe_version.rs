//! Any file has a version, none, or is refused.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use weir_agent::facts::image::file_version;

fuzz_target!(|file: &[u8]| {
    let _ = file_version(&mut Cursor::new(file));
});
