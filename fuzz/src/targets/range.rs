//! Range headers: whatever is selected lies inside the file, and several parts do not overlap. The first eight bytes are the size.

use weir_server::content::range::{Selection, select};

pub(super) fn run(data: &[u8]) -> bool {
    let Some((size, header)) = data.split_first_chunk::<8>() else { return false };
    let (size, header) = (u64::from_le_bytes(*size), String::from_utf8_lossy(header));
    let parts = match select(&header, size) {
        Selection::Many(parts) => parts,
        Selection::One(part) => vec![part],
        Selection::Unsatisfiable | Selection::Whole => return false,
    };
    assert!(!parts.is_empty());
    assert!(parts.iter().all(|part| part.start < part.end && part.end <= size), "{parts:?} of {size}");
    let mut sorted = parts.clone();
    sorted.sort_by_key(|part| part.start);
    assert!(sorted.is_sorted_by(|one, next| one.end <= next.start), "{parts:?} overlap");
    true
}
