//! What history is kept of.

use uuid::Uuid;

use crate::ids::{CollectionId, UpdateId};

/// What history is kept of.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Subject {
    /// The computers of a collection and of those below it, with all updates that they are asked about.
    Collection(CollectionId),
    /// The computers that one server reports, with all updates; the zero GUID is this server.
    Site(Uuid),
    /// All computers, with the updates of a group.
    Group(Uuid),
    /// The computers of a collection with the updates of a group: a deployment, or a ring of a phased one.
    GroupIn(Uuid, CollectionId),
    /// All computers, with one update.
    Update(UpdateId),
}

/// A stored subject that cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no subject of history has kind {kind} and a key of {length} bytes")]
pub struct SubjectError {
    /// Its kind.
    pub kind: u8,
    /// Length of its key.
    pub length: usize,
}

impl Subject {
    /// Its kind as it is stored. Part of the schema.
    pub fn kind(&self) -> u8 {
        match self {
            Self::Collection(_) => 0,
            Self::Site(_) => 1,
            Self::Group(_) => 2,
            Self::GroupIn(..) => 3,
            Self::Update(_) => 4,
        }
    }

    /// The kind in a word, as it is told to people.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Collection(_) => "collection",
            Self::Site(_) => "site",
            Self::Group(_) => "group",
            Self::GroupIn(..) => "group_in_collection",
            Self::Update(_) => "update",
        }
    }

    /// Its key within its kind: 16 bytes, or 32 for a group in a collection.
    pub fn key(&self) -> Vec<u8> {
        match self {
            Self::Collection(id) => id.0.as_bytes().to_vec(),
            Self::Site(id) | Self::Group(id) => id.as_bytes().to_vec(),
            Self::GroupIn(group, collection) => [group.as_bytes().as_slice(), collection.0.as_bytes()].concat(),
            Self::Update(id) => id.0.as_bytes().to_vec(),
        }
    }

    /// From kind and key as they are stored.
    pub fn from_stored(kind: u8, key: &[u8]) -> Result<Self, SubjectError> {
        let error = SubjectError { kind, length: key.len() };
        let (first, rest) = key.split_first_chunk::<16>().ok_or(error)?;
        let id = Uuid::from_bytes(*first);
        if kind == 3 {
            let collection = rest.try_into().map(Uuid::from_bytes).map_err(|_| error)?;
            return Ok(Self::GroupIn(id, CollectionId(collection)));
        }
        if !rest.is_empty() {
            return Err(error);
        }
        Ok(match kind {
            0 => Self::Collection(CollectionId(id)),
            1 => Self::Site(id),
            2 => Self::Group(id),
            4 => Self::Update(UpdateId(id)),
            _ => return Err(error),
        })
    }
}
