//! Files below `/SelfUpdate` (MS-WUSP 3.1.5.1): whatever the administrator put into the folder, else 404. Only Windows
//! 8.1 and older ask, and only files signed by Microsoft serve them.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use http::{HeaderMap, Method, Response, StatusCode};
use jiff::Timestamp;

use super::{Body, transport};
use crate::{content, state::AppState};

/// Answers a request for a file of self-update.
pub(super) async fn answer(
    state: &Arc<AppState>,
    path: PathBuf,
    method: &Method,
    headers: &HeaderMap,
) -> Response<Body> {
    let Some(folder) = state.configuration.load().settings.self_update.clone() else {
        return transport::status(StatusCode::NOT_FOUND);
    };
    let opened = tokio::task::spawn_blocking(move || open(&folder, &path)).await;
    match opened {
        Ok(Some((file, size, modified))) => {
            let tag = format!("\"{size:x}-{:x}\"", modified.as_millisecond());
            content::respond(method, headers, file, &content::Facts { tag, modified, size })
        }
        _ => transport::status(StatusCode::NOT_FOUND),
    }
}

/// Opens a file below the folder; links that lead out of it are not followed.
fn open(folder: &Path, path: &Path) -> Option<(File, u64, Timestamp)> {
    let folder = folder.canonicalize().ok()?;
    let path = find(&folder, path)?.canonicalize().ok()?;
    if !path.starts_with(&folder) {
        return None;
    }
    let file = File::open(path).ok()?;
    let facts = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let modified = facts.modified().ok().and_then(|time| Timestamp::try_from(time).ok())?;
    Some((file, facts.len(), modified))
}

/// The file in any case, since paths of the protocol have none.
fn find(folder: &Path, path: &Path) -> Option<PathBuf> {
    let exact = folder.join(path);
    if exact.exists() {
        return Some(exact);
    }
    let mut found = folder.to_owned();
    for part in path.components() {
        let wanted = part.as_os_str();
        let mut entries = std::fs::read_dir(&found).ok()?.filter_map(Result::ok);
        found = entries.find(|entry| entry.file_name().eq_ignore_ascii_case(wanted))?.path();
    }
    Some(found)
}
