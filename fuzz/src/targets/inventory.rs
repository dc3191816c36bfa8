//! Inventories of bundles: what one lists fits into its bytes, or it is refused.

use weir_server::decoders::inventory;

pub(super) fn run(data: &[u8]) -> bool {
    let first = inventory(data);
    assert_eq!(inventory(data), first);
    first.is_some()
}
