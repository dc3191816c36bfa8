//! Files on their way from the server, resumed where a connection broke, and whole at their place or not at all.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use futures_util::{StreamExt as _, stream};
use reqwest::{Body, Method, StatusCode, header};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt as _;
use weir_api::export::ExportFile;

use crate::{commands::export::with, connection::Connection};

/// Attempts for one file before the command gives up; each goes on where the one before ended.
const ATTEMPTS: u32 = 10;
/// Pause before another attempt.
const PAUSE: Duration = Duration::from_secs(2);
const PIECE: usize = 256 << 10;

/// What was fetched.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// Bytes of all files.
    pub(crate) bytes: u64,
    /// Files that were there already.
    pub(crate) kept: u64,
}

impl Taken {
    pub(crate) fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.kept += other.kept;
    }
}

/// Fetches a file of an export to its place, unless it is there already.
pub(crate) async fn file(connection: &Connection, export: &str, file: &ExportFile, path: &Path) -> Result<Taken> {
    if fs::metadata(path).is_ok_and(|there| there.len() == file.size) && digest(path)? == file.sha256 {
        return Ok(Taken { bytes: file.size, kept: 1 });
    }
    let partial = with(path, ".partial");
    let mut attempt = 0;
    loop {
        match pieces(connection, export, file, &partial).await {
            Ok(()) => break,
            Err(error) => {
                attempt += 1;
                // a refusal stays one
                if attempt >= ATTEMPTS || error.is::<crate::connection::Refused>() {
                    return Err(error);
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    if digest(&partial)? != file.sha256 {
        let _ = fs::remove_file(&partial);
        bail!("{} was altered on its way; try again", path.display());
    }
    File::open(&partial).and_then(|file| file.sync_all()).with_context(|| partial.display().to_string())?;
    fs::rename(&partial, path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Taken { bytes: file.size, kept: 0 })
}

/// Appends what is missing of a file.
async fn pieces(connection: &Connection, export: &str, file: &ExportFile, partial: &Path) -> Result<()> {
    let writing = || format!("cannot write {}", partial.display());
    let mut sink = File::options().create(true).append(true).open(partial).with_context(writing)?;
    let mut here = sink.metadata().with_context(writing)?.len();
    if here > file.size {
        sink.set_len(0).with_context(writing)?;
        here = 0;
    }
    if here == file.size {
        return Ok(());
    }
    let mut request = connection.request(Method::GET, &["exports", export, "files", &file.name])?;
    if here > 0 {
        // of another file with this name nothing is wanted
        let tag = format!("\"{}\"", file.sha256);
        request = request.header(header::RANGE, format!("bytes={here}-")).header(header::IF_RANGE, tag);
    }
    let response = connection.send(request).await?;
    if here > 0 && response.status() != StatusCode::PARTIAL_CONTENT {
        sink.set_len(0).with_context(writing)?;
    }
    let mut body = response.bytes_stream();
    while let Some(bytes) = body.next().await {
        sink.write_all(&bytes.context("the connection to the server broke off")?).with_context(writing)?;
    }
    let size = sink.metadata().with_context(writing)?.len();
    if size != file.size {
        bail!("the connection to the server broke off after {size} of {} bytes", file.size);
    }
    Ok(())
}

/// Writes what the server sends to its place, whole or not at all. How many bytes it has.
pub(crate) async fn whole(response: reqwest::Response, path: &Path) -> Result<u64> {
    let writing = || format!("cannot write {}", path.display());
    let (partial, expected) = (with(path, ".partial"), response.content_length());
    let mut sink = File::create(&partial).with_context(writing)?;
    let (mut body, mut size) = (response.bytes_stream(), 0);
    while let Some(bytes) = body.next().await {
        let bytes = bytes.context("the connection to the server broke off")?;
        size += bytes.len() as u64;
        sink.write_all(&bytes).with_context(writing)?;
    }
    if expected.is_some_and(|expected| expected != size) {
        bail!("the connection to the server broke off after {size} bytes");
    }
    sink.sync_all().with_context(writing)?;
    fs::rename(&partial, path).with_context(writing)?;
    Ok(size)
}

/// SHA-256 of a file, as the server writes it.
pub(crate) fn digest(path: &Path) -> Result<String> {
    let reading = || format!("cannot read {}", path.display());
    let (mut file, mut hash, mut buffer) = (File::open(path).with_context(reading)?, Sha256::new(), vec![0; PIECE]);
    loop {
        let read = file.read(&mut buffer).with_context(reading)?;
        if read == 0 {
            let hex = |text: String, byte: &u8| format!("{text}{byte:02x}");
            return Ok(hash.finalize().iter().fold(String::new(), hex));
        }
        hash.update(&buffer[..read]);
    }
}

/// A file as the body of a request, read while it is sent.
pub(crate) fn body(path: &Path) -> Result<Body> {
    let file = weir_server::file::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let file = tokio::fs::File::from_std(file);
    let pieces = stream::unfold(file, |mut file| async move {
        let mut piece = Vec::with_capacity(PIECE);
        match file.read_buf(&mut piece).await {
            Ok(0) => None,
            Ok(_) => Some((Ok(piece), file)),
            Err(error) => Some((Err::<Vec<u8>, _>(error), file)),
        }
    });
    Ok(Body::wrap_stream(pieces))
}
