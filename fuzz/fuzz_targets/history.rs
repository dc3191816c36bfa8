//! Stored history of a subject: what decodes also encodes, to the same value.

#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_model::history::{LONGEST_DAYS, Series};

fuzz_target!(|data: &[u8]| {
    if let Ok(series) = Series::decode(data) {
        assert!(series.points().len() <= LONGEST_DAYS as usize);
        assert_eq!(Series::decode(&series.encode()), Ok(series));
    }
});
