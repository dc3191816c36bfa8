//! Range headers: whatever is selected lies inside the file, and several parts do not overlap.

#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_server::content::range::{Selection, select};

fuzz_target!(|input: (&str, u64)| {
    let (header, size) = input;
    let parts = match select(header, size) {
        Selection::Many(parts) => parts,
        Selection::One(part) => vec![part],
        Selection::Unsatisfiable | Selection::Whole => return,
    };
    let mut sorted = parts.clone();
    sorted.sort_by_key(|part| part.start);
    assert!(!parts.is_empty());
    assert!(parts.iter().all(|part| part.start < part.end && part.end <= size), "{parts:?} of {size}");
    assert!(sorted.windows(2).all(|pair| pair[0].end <= pair[1].start), "{parts:?} overlap");
});
