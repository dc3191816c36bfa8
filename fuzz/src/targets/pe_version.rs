//! Any file has a version, none, or is refused.

use std::io::Cursor;

use weir_agent::facts::image::file_version;

pub(super) fn run(file: &[u8]) -> bool {
    matches!(file_version(&mut Cursor::new(file)), Ok(Some(_)))
}
