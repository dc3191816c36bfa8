//! Files on their way to the server: found, then sent as one streamed form with its progress shown.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use futures_util::stream;
use reqwest::{Body, RequestBuilder, header};
use tokio::{
    fs::File,
    io::AsyncReadExt as _,
    sync::mpsc::{Sender, channel},
};

use crate::progress::Progress;

/// Large enough that the pieces cost nothing, small enough to keep a few of them in memory.
const PIECE: usize = 256 * 1024;

/// One file to send.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Part {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// What it is called in messages: relative to what the administrator named.
    pub(crate) name: String,
    /// Its size when it was found.
    pub(crate) size: u64,
}

/// What is below a path.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Files to send.
    pub(crate) parts: Vec<Part>,
    /// What cannot be read: its name, and why.
    pub(crate) unreadable: Vec<(String, String)>,
}

/// All files below `path`, in the order of their names; the file itself if it is one. Links to folders are not followed.
/// What cannot be read in a folder, such as a link that leads nowhere, is named beside them.
pub(crate) fn find(path: &Path) -> Result<Found> {
    let metadata = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    let name = path.file_name().map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy()).into_owned();
    if metadata.is_file() {
        readable(path)?;
        let parts = vec![Part { path: path.to_owned(), name, size: metadata.len() }];
        return Ok(Found { parts, unreadable: Vec::new() });
    }
    if !metadata.is_dir() {
        bail!("{} is neither a file nor a folder", path.display());
    }
    let mut found = Found::default();
    walk(path, "", &mut found)?;
    Ok(found)
}

fn walk(folder: &Path, prefix: &str, found: &mut Found) -> Result<()> {
    let reading = || format!("cannot read the folder {}", folder.display());
    let mut entries =
        fs::read_dir(folder).with_context(reading)?.collect::<Result<Vec<_>, _>>().with_context(reading)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let path = entry.path();
        let kind = entry.file_type().with_context(|| path.display().to_string())?;
        if kind.is_dir() {
            walk(&path, &format!("{name}/"), found)?;
            continue;
        }
        match fs::metadata(&path).map(|metadata| metadata.is_file().then_some(metadata.len())) {
            Ok(Some(size)) => match fs::File::open(&path) {
                Ok(_) => found.parts.push(Part { path, name, size }),
                Err(error) => found.unreadable.push((name, format!("cannot be read: {error}"))),
            },
            Ok(None) => {}
            Err(error) => found.unreadable.push((name, format!("cannot be read: {error}"))),
        }
    }
    Ok(())
}

/// Finds out before the upload, not in the middle of it.
fn readable(path: &Path) -> Result<()> {
    fs::File::open(path).map(drop).with_context(|| format!("cannot read {}", path.display()))
}

/// The first bytes of a file.
pub(crate) fn beginning(path: &Path, length: u64) -> Result<Vec<u8>> {
    let mut start = Vec::new();
    weir_server::file::open(path)
        .and_then(|file| file.take(length).read_to_end(&mut start))
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(start)
}

/// Puts the files into the request as `multipart/form-data`, one part `file` each, read while they are sent.
pub(crate) fn attach(request: RequestBuilder, parts: Vec<Part>, progress: Progress) -> RequestBuilder {
    let boundary = format!("weir-{}", uuid::Uuid::new_v4().simple());
    let heads: Vec<String> = parts.iter().map(|part| head(&boundary, &part.name)).collect();
    let tail = format!("--{boundary}--\r\n");
    let length: u64 = parts.iter().zip(&heads).map(|(part, head)| head.len() as u64 + part.size + 2).sum();
    let (sender, mut receiver) = channel(4);
    tokio::spawn(async move {
        // an error is the receiver's: the request ended before the files did
        let _ = feed(parts, heads, tail, &sender, progress).await;
    });
    let pieces = stream::poll_fn(move |context| receiver.poll_recv(context));
    request
        .header(header::CONTENT_TYPE, format!("multipart/form-data; boundary={boundary}"))
        .header(header::CONTENT_LENGTH, length + boundary.len() as u64 + 6)
        .body(Body::wrap_stream(pieces))
}

/// What precedes a part's content (RFC 7578; quotes and line ends as the HTML standard escapes them).
fn head(boundary: &str, name: &str) -> String {
    let name = name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
    format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    )
}

type Piece = Result<Vec<u8>, std::io::Error>;

async fn feed(
    parts: Vec<Part>,
    heads: Vec<String>,
    tail: String,
    sender: &Sender<Piece>,
    mut progress: Progress,
) -> Result<()> {
    for (part, head) in parts.iter().zip(heads) {
        sender.send(Ok(head.into_bytes())).await?;
        if let Err(error) = send_file(part, sender, &mut progress).await {
            let error = std::io::Error::other(format!("{error:#}"));
            sender.send(Err(error)).await?;
            bail!("stopped");
        }
        sender.send(Ok(b"\r\n".to_vec())).await?;
    }
    sender.send(Ok(tail.into_bytes())).await?;
    Ok(())
}

async fn send_file(part: &Part, sender: &Sender<Piece>, progress: &mut Progress) -> Result<()> {
    let reading = || format!("cannot read {}", part.path.display());
    let mut file = File::open(&part.path).await.with_context(reading)?.take(part.size);
    let mut sent = 0;
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        while piece.len() < PIECE && file.read_buf(&mut piece).await.with_context(reading)? > 0 {}
        if piece.is_empty() {
            break;
        }
        sent += piece.len() as u64;
        progress.advance(piece.len() as u64);
        sender.send(Ok(piece)).await.map_err(|_| anyhow::anyhow!("the server ended the upload"))?;
    }
    if sent != part.size {
        bail!("{} became shorter while it was read", part.path.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_walked_in_order_and_named_relative_to_what_was_named() {
        let folder = tempfile::tempdir().expect("folder");
        for name in ["b.xml", "a/z.xml", "a/b/c.xml"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("parent")).expect("folder");
            fs::write(path, name).expect("file");
        }
        let names =
            |path: &Path| find(path).expect("found").parts.into_iter().map(|part| part.name).collect::<Vec<_>>();
        assert_eq!(names(folder.path()), ["a/b/c.xml", "a/z.xml", "b.xml"]);
        assert_eq!(names(&folder.path().join("b.xml")), ["b.xml"]);
        assert!(find(&folder.path().join("absent")).is_err());
        std::os::unix::fs::symlink("nowhere", folder.path().join("a/link")).expect("a link");
        let found = find(folder.path()).expect("found");
        assert_eq!((found.parts.len(), found.unreadable[0].0.as_str()), (3, "a/link"));
    }

    #[test]
    fn names_cannot_end_their_header() {
        assert!(head("b", "a\"\r\nX: y").contains("filename=\"a%22%0D%0AX: y\"\r\n"));
    }
}
