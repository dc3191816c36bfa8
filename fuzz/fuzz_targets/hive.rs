//! Any bytes are a hive or refused; a hive answers everything that it is asked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_agent::facts::image::walk_hive;

fuzz_target!(|bytes: &[u8]| {
    let _ = walk_hive(bytes);
});
