//! Downloads as Delivery Optimization does them.

use anyhow::{Context as _, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use tokio::task::JoinSet;

use super::NeededFile;
use crate::{
    Random,
    http::{Connection, split},
};

/// Size of a piece.
const PIECE: u64 = 1 << 20;
/// Connections at one time.
const CONNECTIONS: usize = 7;

/// Downloads a file in shuffled, aligned 1 MiB ranges over up to seven connections and verifies size and digests.
///
/// # Errors
///
/// A range was not answered exactly as asked, the entity changed in between, or the content is not what was announced.
pub async fn download(file: &NeededFile) -> Result<Vec<u8>> {
    let mut pieces: Vec<u64> = (0..file.size.div_ceil(PIECE)).collect();
    let mut random = Random::new(u64::from_be_bytes(file.digest.0[..8].try_into().unwrap_or_default()));
    random.shuffle(&mut pieces);
    let mut lanes: Vec<Vec<u64>> = vec![Vec::new(); CONNECTIONS.min(pieces.len())];
    let count = lanes.len().max(1);
    for (index, piece) in pieces.into_iter().enumerate() {
        if let Some(lane) = lanes.get_mut(index % count) {
            lane.push(piece);
        }
    }
    let mut tasks = JoinSet::new();
    for lane in lanes {
        let (url, size) = (file.url.clone(), file.size);
        tasks.spawn(async move { fetch(&url, size, &lane).await });
    }
    let mut content = vec![0; usize::try_from(file.size)?];
    let mut tag: Option<String> = None;
    while let Some(fetched) = tasks.join_next().await {
        for (piece, entity_tag, bytes) in fetched?.with_context(|| file.name.clone())? {
            if let Some(known) = &tag {
                ensure!(*known == entity_tag, "the ETag of {} changed: {known}, {entity_tag}", file.name);
            }
            tag = Some(entity_tag);
            let start = usize::try_from(piece * PIECE)?;
            content.get_mut(start..start + bytes.len()).context("a piece outside the file")?.copy_from_slice(&bytes);
        }
    }
    ensure!(Sha1::digest(&content).as_slice() == file.digest.0, "{}: SHA-1 differs", file.name);
    if !file.sha256.is_empty() {
        ensure!(BASE64.encode(Sha256::digest(&content)) == file.sha256, "{}: SHA-256 differs", file.name);
    }
    Ok(content)
}

async fn fetch(url: &str, size: u64, pieces: &[u64]) -> Result<Vec<(u64, String, Vec<u8>)>> {
    let (_, path) = split(url)?;
    let mut connection = Connection::to(url)?;
    let mut fetched = Vec::new();
    for &piece in pieces {
        let (start, end) = (piece * PIECE, ((piece + 1) * PIECE).min(size) - 1);
        let range = format!("bytes={start}-{end}");
        let headers =
            [("User-Agent", "Microsoft-Delivery-Optimization/10.1"), ("Range", &range), ("Content-Length", "0")];
        let answer = connection.send("GET", path, &headers, b"").await?;
        if answer.status != 206 {
            bail!("{path} answered {} to {range}", answer.status);
        }
        let expected = format!("bytes {start}-{end}/{size}");
        ensure!(answer.header("content-range") == Some(&expected), "Content-Range for {range}: {:?}", answer.headers);
        ensure!(answer.body.len() as u64 == end - start + 1, "{range} answered with {} bytes", answer.body.len());
        ensure!(answer.header("content-encoding").is_none(), "content is never compressed");
        let tag = answer.header("etag").context("no ETag")?.to_owned();
        fetched.push((piece, tag, answer.body));
    }
    Ok(fetched)
}
