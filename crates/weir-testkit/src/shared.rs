//! The folder of recorded exchanges, genuine data and service descriptions, which is kept outside the repository.

use std::path::{Path, PathBuf};

/// The folder itself: `WEIR_SHARED`, else `shared` beside the workspace.
///
/// # Panics
///
/// If it is absent, with a message that says what is missing: a test that needs it must not pass without it.
pub fn shared_dir() -> PathBuf {
    let folder = std::env::var_os("WEIR_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let folder = folder.canonicalize().unwrap_or(folder);
    assert!(
        folder.join("captures").is_dir(),
        "this test needs the folder of captures, genuine data and service descriptions, and {} has no `captures` in \
         it: put the folder `shared` beside the workspace, or name it in the environment variable WEIR_SHARED",
        folder.display()
    );
    folder
}

/// One file or folder in [`shared_dir`], such as `data/wsusutil-export-2020-04.cab`.
///
/// # Panics
///
/// If it is absent.
pub fn shared(relative: &str) -> PathBuf {
    let path = shared_dir().join(relative);
    assert!(path.exists(), "this test needs {}, which is absent", path.display());
    path
}

/// The text of one file in [`shared_dir`], a byte order mark removed.
///
/// # Panics
///
/// If it is absent or not UTF-8.
pub fn shared_text(relative: &str) -> String {
    let path = shared(relative);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    let text = String::from_utf8(bytes).unwrap_or_else(|_| panic!("{} is not UTF-8", path.display()));
    text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)
}
