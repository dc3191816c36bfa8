//! Stored status of a computer: what decodes also encodes, to the same value, and the short way to its states finds the same.

use weir_model::status::{ComputerStatus, ListedStates};

pub(super) fn run(data: &[u8]) -> bool {
    let Ok(status) = ComputerStatus::decode(data) else { return false };
    let errors = ListedStates::decode(data).map(|states| states.errors);
    assert_eq!(errors, Ok(status.entries().iter().any(|entry| entry.error.is_some())));
    assert_eq!(ComputerStatus::decode(&status.encode()), Ok(status));
    true
}
