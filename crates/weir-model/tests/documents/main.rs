//! Update documents against genuine ones: the recorded pairs of document and fragments, and a whole catalogue.

mod captures;
mod catalogue;

use std::path::PathBuf;

/// Where recorded and genuine data lie: `WEIR_SHARED`, else `shared` beside the workspace.
fn shared() -> PathBuf {
    let folder = std::env::var_os("WEIR_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    assert!(
        folder.join("captures").is_dir(),
        "{} has no folder `captures`: set WEIR_SHARED to the folder of recorded data",
        folder.display()
    );
    folder
}
