//! Any bytes are a hive or refused; a hive answers everything that it is asked.

use weir_agent::facts::image::walk_hive;

pub(super) fn run(bytes: &[u8]) -> bool {
    walk_hive(bytes).is_ok()
}
