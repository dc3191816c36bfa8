//! The style sheet, the module and the icon: embedded, named by their content, compressed once.

use std::io::Write as _;

use axum::{
    body::Body,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, StatusCode, header};
use sha2::{Digest as _, Sha256};

use crate::{Console, failure::Failure};

/// The style sheet, in the order of its parts.
pub(crate) const STYLE: &str = concat!(
    include_str!("../assets/tokens.css"),
    include_str!("../assets/layout.css"),
    include_str!("../assets/components.css"),
    include_str!("../assets/charts.css"),
    include_str!("../assets/settings.css")
);
/// The module.
pub(crate) const MODULE: &str = include_str!("../assets/console.js");
/// The icon.
const ICON: &str = include_str!("../assets/icon.svg");

/// One file.
#[derive(Debug)]
struct Asset {
    path: String,
    media: &'static str,
    plain: Bytes,
    gzip: Bytes,
}

/// All files.
#[derive(Debug)]
pub(crate) struct Assets {
    style: Asset,
    module: Asset,
    icon: Asset,
}

impl Assets {
    /// Compresses them.
    pub(crate) fn new() -> Self {
        Self {
            style: Asset::new("console", "css", "text/css; charset=utf-8", STYLE),
            module: Asset::new("console", "js", "text/javascript; charset=utf-8", MODULE),
            icon: Asset::new("icon", "svg", "image/svg+xml", ICON),
        }
    }

    /// Address of the style sheet.
    pub(crate) fn style(&self) -> &str {
        &self.style.path
    }

    /// Address of the module.
    pub(crate) fn module(&self) -> &str {
        &self.module.path
    }

    /// Address of the icon.
    pub(crate) fn icon(&self) -> &str {
        &self.icon.path
    }

    /// Bytes of style and script as they are sent.
    #[cfg(test)]
    pub(crate) fn sent(&self) -> usize {
        self.style.gzip.len() + self.module.gzip.len()
    }
}

impl Asset {
    fn new(stem: &str, extension: &str, media: &'static str, text: &'static str) -> Self {
        let hash = Sha256::digest(text.as_bytes());
        let hash = u64::from_be_bytes(std::array::from_fn(|at| hash.get(at).copied().unwrap_or_default())) >> 16;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let gzip = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).unwrap_or_default();
        Self {
            path: format!("/assets/{stem}.{hash:012x}.{extension}"),
            media,
            plain: Bytes::from_static(text.as_bytes()),
            gzip: gzip.into(),
        }
    }
}

/// Serves a file by its name. A name holds its content's hash, so it never changes.
pub(crate) async fn serve(State(console): State<Console>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let assets = console.assets();
    let path = format!("/assets/{name}");
    let Some(asset) = [&assets.style, &assets.module, &assets.icon].into_iter().find(|asset| asset.path == path) else {
        return Failure::NotFound.into_response();
    };
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let gzip =
        accepted.split(',').any(|coding| coding.trim().split(';').next() == Some("gzip")) && !asset.gzip.is_empty();
    let builder = Response::builder()
        .status(StatusCode::OK)
        .header(header::CONTENT_TYPE, asset.media)
        .header(header::CACHE_CONTROL, "public, max-age=31536000, immutable")
        .header(header::VARY, "accept-encoding");
    let response = if gzip {
        builder.header(header::CONTENT_ENCODING, "gzip").body(Body::from(asset.gzip.clone()))
    } else {
        builder.body(Body::from(asset.plain.clone()))
    };
    response.unwrap_or_else(|error| Failure::internal(&path, &error).into_response())
}
