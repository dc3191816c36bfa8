//! Whether two servers have the same decisions: a digest for each kind, and the objects compared one by one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use weir_model::ids::Sha256Digest;
use weir_store::{ReadTx, StoreError, intent::IntentOrigin};

use super::{Kind, Object, export, key, key::Key};

/// What all objects of one kind say.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct KindDigest {
    /// Version of their bodies: digests of different versions cannot be compared.
    pub version: u32,
    /// SHA-256 over ids and bodies by id, in hexadecimal.
    pub digest: String,
}

/// Digests by the name of their kind.
pub type Digests = BTreeMap<String, KindDigest>;

/// The digests of these kinds. `origin`: only of objects that were last written from there.
pub fn digests(tx: &ReadTx<'_>, kinds: &[Kind], origin: Option<IntentOrigin>) -> Result<Digests, StoreError> {
    let mut digests = Digests::new();
    for kind in kinds {
        let mut hash = Sha256::new();
        for object in present(tx, *kind, origin)? {
            let body = object.body.to_string();
            for part in [&object.id, &body] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part.as_bytes());
            }
        }
        let digest = Sha256Digest(hash.finalize().into()).to_string();
        digests.insert(kind.name().to_owned(), KindDigest { version: kind.version(), digest });
    }
    Ok(digests)
}

/// The objects of a kind that are there, by id. An empty selection is the same as none.
pub fn present(tx: &ReadTx<'_>, kind: Kind, origin: Option<IntentOrigin>) -> Result<Vec<Object>, StoreError> {
    let mut objects = Vec::new();
    for row in tx.intent_of_kind(key::stored(kind))? {
        if origin.is_some_and(|origin| origin != row.origin) {
            continue;
        }
        let object = export::object(tx, kind, &row)?.filter(|object| !object.deleted);
        let is_empty = |object: &Object| {
            kind == Kind::Selection && object.body.get("values").is_some_and(|values| *values == serde_json::json!([]))
        };
        objects.extend(object.filter(|object| !is_empty(object)));
    }
    objects.sort_by(|one, two| one.id.cmp(&two.id));
    Ok(objects)
}

/// Whether what is here says something else than an object. What is not understood here cannot be compared, and does not.
pub fn differs(tx: &ReadTx<'_>, object: &Object) -> Result<bool, StoreError> {
    let known = object.kind.parse::<Kind>().ok().filter(|kind| object.version <= kind.version());
    let Some(kind) = known else { return Ok(false) };
    let Some(key) = Key::read(kind, &object.id) else { return Ok(true) };
    let here = export::body(tx, &key, key::stored(kind))?;
    Ok(if object.deleted { here.is_some() } else { here.as_ref() != Some(&object.body) })
}

/// The kinds of which two servers say something else, as far as both know them in the same version.
pub fn differing(one: &Digests, two: &Digests) -> Vec<Kind> {
    let differs = |kind: &Kind| match (one.get(kind.name()), two.get(kind.name())) {
        (Some(one), Some(two)) => one.version == two.version && one.digest != two.digest,
        _ => false,
    };
    Kind::ALL.into_iter().filter(differs).collect()
}
