//! Rules of what to skip or to decline, as the site link and exports bring them: what is read is written and read the same.

use weir_model::criteria::Rule;

pub(super) fn run(data: &[u8]) -> bool {
    let Ok(rule) = serde_json::from_slice::<Rule>(data) else { return false };
    let written = serde_json::to_vec(&rule).expect("what is read can be written");
    assert_eq!(serde_json::from_slice::<Rule>(&written).expect("what is written is read"), rule);
    assert!(!rule.describe(&|id| id.to_string()).is_empty());
    rule.check().is_ok()
}
