//! One part of a bundle, as it lies on this server's disk.

use std::{fs::File, io::BufReader};

use jiff::Timestamp;
use uuid::Uuid;
use weir_store::Actor;
use weir_wire::bundle::{BundleError, Manifest, PartReader, Section, section};

use crate::{
    admin::{AdminError, App, chain},
    bundle::{parts::Hashed, receive::part_path},
};

/// Whether a section is a stream of files.
pub(super) fn is_files(section: &Section) -> bool {
    matches!(section.kind.as_str(), section::FILES | section::LICENCES)
}

/// A fault of a bundle whose digests are right: its maker's.
pub(super) fn faulty(error: &BundleError) -> AdminError {
    match error {
        BundleError::Io(error) => AdminError::Internal(format!("reading a part of a bundle: {error}")),
        error => bad(chain(error)),
    }
}

pub(super) fn bad(detail: String) -> AdminError {
    AdminError::Invalid {
        code: "bundle_damaged",
        detail,
        next_step: Some("nothing was changed; have the bundle made again".to_owned()),
    }
}

/// Opens a part; its digest is compared once more while it is read.
pub(super) struct OpenPart {
    pub(super) reader: PartReader<HashedRead>,
}

/// Reads bytes and remembers their digest.
pub(super) struct HashedRead {
    source: BufReader<File>,
    hash: Hashed<std::io::Sink>,
}

impl std::io::Read for HashedRead {
    fn read(&mut self, space: &mut [u8]) -> std::io::Result<usize> {
        use std::io::Write as _;
        let read = self.source.read(space)?;
        self.hash.write_all(space.get(..read).unwrap_or_default())?;
        Ok(read)
    }
}

impl OpenPart {
    pub(super) fn open(app: &App, id: Uuid, number: u32) -> Result<Self, AdminError> {
        let path = part_path(app, id, number);
        let file = File::open(&path).map_err(|error| {
            if error.kind() == std::io::ErrorKind::NotFound {
                lost(app, id, number)
            } else {
                AdminError::Internal(format!("opening part {number} of bundle {id}: {error}"))
            }
        })?;
        let source = BufReader::with_capacity(1 << 18, file);
        let source = HashedRead { source, hash: Hashed::new(std::io::sink()) };
        Ok(Self { reader: PartReader::new(source, number).map_err(|error| faulty(&error))? })
    }

    /// Compares the digest of everything that was read.
    pub(super) fn finish(self, app: &App, id: Uuid, number: u32, manifest: &Manifest) -> Result<(), AdminError> {
        let (_, sha256) = self.reader.into_inner().hash.finish();
        let wanted = manifest.parts.get((number as usize).saturating_sub(1));
        if wanted.is_some_and(|part| part.sha256 == sha256) { Ok(()) } else { Err(lost(app, id, number)) }
    }

    /// Reads to the end.
    pub(super) fn rest(&mut self) -> Result<(), AdminError> {
        while self.reader.frame().map_err(|error| faulty(&error))?.is_some() {}
        Ok(())
    }
}

/// A part that was here is not what it was: it must come again.
fn lost(app: &App, id: Uuid, number: u32) -> AdminError {
    let actor = Actor::system("bundles", Timestamp::now());
    let (store, path) = (app.state.store.clone(), part_path(app, id, number));
    // not from inside the transaction that may be under way
    std::thread::spawn(move || {
        if let Err(error) = store.write(&actor, |tx| tx.bundle_part_delete(id, number)) {
            tracing::error!(bundle = %id, number, error = chain(&error), "a lost part could not be noted");
        }
        let _ = std::fs::remove_file(path);
    });
    AdminError::Conflict {
        code: "part_lost",
        detail: format!("part {number} of the bundle changed or vanished on this server's disk"),
        next_step: Some("weir import the bundle again: that part is sent once more".to_owned()),
    }
}
