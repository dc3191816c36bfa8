//! What the receiver of a bundle has already.

use std::{
    collections::HashSet,
    io::{Read, Seek, SeekFrom},
};

use uuid::Uuid;
use weir_model::ids::{ChangeNumber, ContentDigest, UpdateIdentity};
use weir_store::Store;
use weir_wire::bundle::{Base, Manifest};

use super::inventory;
use crate::admin::{AdminError, chain};

/// What the receiver has.
pub(crate) enum Has {
    /// What was issued up to this change, and these files.
    Issued { base: Base, bundle: Uuid, change: ChangeNumber, files: HashSet<ContentDigest> },
    /// Exactly this.
    Listed { base: Base, revisions: HashSet<UpdateIdentity>, files: HashSet<ContentDigest> },
    /// Nothing.
    Nothing,
}

impl Has {
    /// For the manifest.
    pub(crate) fn base(&self) -> Option<Base> {
        match self {
            Self::Issued { base, .. } | Self::Listed { base, .. } => Some(*base),
            Self::Nothing => None,
        }
    }

    /// The bundle that this one builds on.
    pub(crate) fn bundle(&self) -> Option<Uuid> {
        match self {
            Self::Issued { bundle, .. } => Some(*bundle),
            Self::Listed { .. } | Self::Nothing => None,
        }
    }

    /// Whether a revision is there.
    pub(crate) fn revision(&self, identity: UpdateIdentity, arrived: ChangeNumber) -> bool {
        match self {
            Self::Issued { change, .. } => arrived <= *change,
            Self::Listed { revisions, .. } => revisions.contains(&identity),
            Self::Nothing => false,
        }
    }

    /// Whether a content file is there.
    pub(crate) fn file(&self, digest: ContentDigest) -> bool {
        match self {
            Self::Issued { files, .. } | Self::Listed { files, .. } => files.contains(&digest),
            Self::Nothing => false,
        }
    }

    /// Decisions that changed after this number are news.
    pub(crate) fn decided(&self) -> ChangeNumber {
        match self {
            Self::Issued { change, .. } => *change,
            Self::Listed { .. } | Self::Nothing => ChangeNumber(0),
        }
    }
}

/// Reads a manifest of this server, or an inventory.
pub(crate) fn read(store: &Store, server: Uuid, source: &mut (impl Read + Seek)) -> Result<Has, AdminError> {
    let failed = |error: std::io::Error| AdminError::Internal(format!("reading an upload: {error}"));
    let mut head = Vec::new();
    source.by_ref().take(16 << 20).read_to_end(&mut head).map_err(failed)?;
    if head.is_empty() {
        return Ok(Has::Nothing);
    }
    if head.starts_with(b"WEIRPART") {
        source.seek(SeekFrom::Start(0)).map_err(failed)?;
        return inventory::read(source);
    }
    let manifest = Manifest::parse(&head).map_err(|error| AdminError::Invalid {
        code: "base",
        detail: format!("what the bundle is to build on is neither a manifest nor an inventory: {}", chain(&error)),
        next_step: Some("name the manifest of an earlier bundle, or what `weir bundle inventory` wrote".to_owned()),
    })?;
    let unknown = |why: &str| AdminError::Conflict {
        code: "base_unknown",
        detail: format!("a bundle cannot build on bundle {}: {why}", manifest.bundle),
        next_step: Some(
            "let the receiver write its inventory (weir bundle inventory) and build on that, or make a full bundle"
                .to_owned(),
        ),
    };
    if manifest.issuer.server != server {
        return Err(unknown("another server made it"));
    }
    let id = manifest.bundle;
    let known = store.read(|tx| Ok(tx.bundle_issued_show(id)?.zip(tx.bundle_issued_files(id)?)))?;
    let Some((issued, files)) = known.filter(|(issued, _)| issued.sequence == manifest.sequence) else {
        return Err(unknown("this server does not remember it"));
    };
    Ok(Has::Issued { base: Base::Bundle { id, sequence: issued.sequence }, bundle: id, change: issued.change, files })
}
