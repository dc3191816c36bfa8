//! Paths of the client plane: a file of self-update lies below its folder, and content is named by its digest.

use std::path::Component;

use weir_server::client::path::{Target, target};

pub(super) fn run(data: &[u8]) -> bool {
    let path = String::from_utf8_lossy(data);
    match target(&path) {
        Target::Nothing => return false,
        Target::Content(digest) => {
            assert!(path.to_ascii_lowercase().contains(&digest.to_string().to_ascii_lowercase()), "{path}");
        }
        Target::SelfUpdate(file) => {
            assert!(file.components().all(|part| matches!(part, Component::Normal(_))), "{}", file.display());
            assert!(file.components().next().is_some());
        }
        Target::Server(_) | Target::Soap(_) => assert!(path.starts_with('/')),
    }
    true
}
