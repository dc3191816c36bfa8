//! Recorded inputs: exchanges and documents of real software, which are kept outside the repository. Without them runs begin with
//! the corpora alone.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use super::files;
use crate::root;

/// Folders of what was recorded, ends of the names of files there, and the target that they are inputs of.
const RECORDED: [(&str, &str, &str); 9] = [
    ("captures/native-scan", ".request.xml", "soap_request"),
    ("captures/native-scan", ".response.xml", "soap_answer"),
    ("captures/server-sync", ".request.xml", "sync_request"),
    ("captures/server-sync", ".response.xml", "sync_answer"),
    ("captures/updates", ".core.xml", "core"),
    ("captures/updates", ".xml", "document"),
    ("captures/updates", ".xml", "import"),
    ("captures/updates", ".xml", "xpress"),
    ("captures/updates", ".core.xml", "blob"),
];

/// The folder of what was recorded: `WEIR_SHARED`, else `shared` beside the workspace.
fn shared() -> PathBuf {
    std::env::var_os("WEIR_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from)
}

/// Brings what was recorded into a folder per target, below `into`. Gives their number.
pub(super) fn gather(into: &Path) -> Result<usize> {
    let mut count = 0;
    for (folder, end, target) in RECORDED {
        let folder = shared().join(folder);
        if !folder.is_dir() {
            continue;
        }
        let to = into.join(target);
        fs::create_dir_all(&to).with_context(|| to.display().to_string())?;
        for file in files(&folder)? {
            let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.ends_with(end) {
                fs::copy(&file, to.join(name)).with_context(|| file.display().to_string())?;
                count += 1;
            }
        }
    }
    Ok(count)
}
