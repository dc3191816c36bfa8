//! Stored history of a subject: what decodes also encodes, to the same value.

use weir_model::history::{LONGEST_DAYS, Series};

pub(super) fn run(data: &[u8]) -> bool {
    let Ok(series) = Series::decode(data) else { return false };
    assert!(series.points().len() <= LONGEST_DAYS as usize);
    assert_eq!(Series::decode(&series.encode()), Ok(series));
    true
}
