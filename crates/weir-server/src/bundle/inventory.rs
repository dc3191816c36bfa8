//! What a site has, so that a bundle can be made that holds only what it lacks. One part by itself, not signed: it decides
//! only what is left out.

use std::{
    collections::HashSet,
    io::{Read, Write},
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use weir_model::ids::{ContentDigest, UpdateId, UpdateIdentity};
use weir_store::{ReadTx, content_file::ContentState};
use weir_wire::bundle::{Base, BundleError, FRAME, PartReader, PartWriter, Records, write_record};

use super::base::Has;
use crate::admin::{AdminError, chain};

const FORMAT: &str = "weir-inventory";
/// Entries of an inventory.
const MOST: usize = 10_000_000;
const PAGE: u32 = 1_000;
const HEAD: u16 = 0;
const REVISIONS: u16 = 1;
const FILES: u16 = 2;

/// Its first record.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    format: String,
    version: u32,
    server: Uuid,
    change: u64,
}

/// Writes the inventory of this site: head, revisions, verified content files.
pub(crate) fn write(tx: &ReadTx<'_>, server: Uuid, sink: impl Write) -> Result<(), AdminError> {
    let mut part = PartWriter::new(sink, 0).map_err(refused)?;
    let graph = tx.export_graph()?;
    let head = Head { format: FORMAT.to_owned(), version: 1, server, change: graph.change.0 };
    let head = serde_json::to_vec(&head).map_err(|error| AdminError::Internal(error.to_string()))?;
    let mut waiting = Vec::new();
    write_record(&mut waiting, &head);
    part.frame(HEAD, &waiting, true).map_err(refused)?;
    waiting.clear();
    for row in &graph.revisions {
        let Some(id) = graph.updates.get(row.update_no as usize).copied().flatten() else { continue };
        write_record(&mut waiting, &[&id.0.as_bytes()[..], &row.revision.0.to_le_bytes()].concat());
        if waiting.len() + 64 > FRAME {
            part.frame(REVISIONS, &waiting, true).map_err(refused)?;
            waiting.clear();
        }
    }
    if !waiting.is_empty() {
        part.frame(REVISIONS, &waiting, true).map_err(refused)?;
    }
    let mut cursor: Option<String> = None;
    loop {
        let page = tx.content_file_list(cursor.as_deref(), PAGE)?;
        waiting.clear();
        for row in page.items.iter().filter(|row| row.state == ContentState::Verified) {
            write_record(&mut waiting, &row.digest.0);
        }
        if !waiting.is_empty() {
            part.frame(FILES, &waiting, true).map_err(refused)?;
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    part.finish().map_err(refused)?.flush().map_err(|error| AdminError::Internal(error.to_string()))
}

fn refused(error: BundleError) -> AdminError {
    AdminError::Invalid {
        code: "inventory",
        detail: format!("the inventory cannot be used: {}", chain(&error)),
        next_step: Some("write it again at the receiver: weir bundle inventory FILE".to_owned()),
    }
}

/// Reads an inventory.
pub(crate) fn read(source: impl Read) -> Result<Has, AdminError> {
    let wrong = |what: &str| refused(BundleError::Manifest(what.to_owned()));
    let mut part = PartReader::new(source, 0).map_err(refused)?;
    let mut records: [Records; 3] = std::array::from_fn(|_| Records::new(4_096));
    let (mut head, mut revisions, mut files) = (None::<Head>, HashSet::new(), HashSet::new());
    while let Some(frame) = part.frame().map_err(refused)? {
        // a later version may have more to say
        let Some(section) = records.get_mut(usize::from(frame.section)) else { continue };
        section.push(frame.plain);
        while let Some(record) = section.next_record().map_err(refused)? {
            match frame.section {
                HEAD => head = Some(serde_json::from_slice(record).map_err(|error| wrong(&error.to_string()))?),
                REVISIONS => {
                    let (id, revision) = record.split_first_chunk::<16>().ok_or_else(|| wrong("a short record"))?;
                    let revision = revision.try_into().map_err(|_| wrong("a record of wrong length"))?;
                    let id = UpdateId(Uuid::from_bytes(*id));
                    revisions.insert(UpdateIdentity::new(id, u32::from_le_bytes(revision)));
                }
                _ => {
                    let digest = record.try_into().map_err(|_| wrong("a record of wrong length"))?;
                    files.insert(ContentDigest(digest));
                }
            }
            if revisions.len() + files.len() > MOST {
                return Err(refused(BundleError::Limit { what: "entries", limit: MOST as u64 }));
            }
        }
    }
    for section in &records {
        section.end().map_err(refused)?;
    }
    let head = head.filter(|head| head.format == FORMAT).ok_or_else(|| wrong("it is no inventory"))?;
    if head.version != 1 {
        return Err(refused(BundleError::Version { found: head.version.to_string(), wanted: 1 }));
    }
    Ok(Has::Listed { base: Base::Inventory { server: head.server, change: head.change }, revisions, files })
}
