//! `bundles`: what came from a site with a network, and who is trusted to send it.
//!
//! * `POST bundles?force=` takes [`BundleOffer`] and answers [`Bundle`]: its signature, its signer and its place in the order
//!   are checked. `GET bundles` answers a [`crate::List`] of them, `GET bundles/{id}` one, `DELETE bundles/{id}` (204)
//!   forgets one of which nothing is applied.
//! * `PUT bundles/{id}/parts/{number}` takes the bytes of a part, in any order, and answers [`Bundle`].
//! * `POST bundles/{id}/apply?force=` begins to apply a bundle whose parts are all here and answers [`Bundle`] (202).
//! * `GET bundles/key` answers [`BundleKey`]. `GET bundles/trust` answers a [`crate::List`] of [`TrustedSigner`], `POST
//!   bundles/trust` takes [`TrustAdd`], `DELETE bundles/trust/{fingerprint}` answers 204.
//! * `GET bundles/inventory` answers what this site has, for a bundle that builds on it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Query parameters that allow what is refused otherwise.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct BundleQuery {
    /// Take a bundle that is older than one already applied, or whose base is not here, or beside an upstream. An
    /// untrusted signer is never taken.
    #[serde(default)]
    pub force: bool,
}

/// A manifest with its signature.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BundleOffer {
    /// The bytes of the manifest, base64.
    pub manifest: String,
    /// The bytes of the signature file, base64.
    pub signature: String,
}

/// How far a bundle is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BundleState {
    /// All of it is in the catalogue and the content store.
    Applied,
    /// At work.
    Applying,
    /// Its metadata is in the catalogue, its content not yet: apply it again to go on.
    Committed,
    /// The last attempt to apply it failed and changed nothing; `error` says why.
    Failed,
    /// Parts are arriving.
    Receiving,
}

/// What a bundle is doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BundlePhase {
    /// Content files go into the content store; counted in bytes.
    Content,
    /// Update documents are read and stored; counted in documents.
    Documents,
    /// The catalogue is published to scans.
    Publish,
    /// Parts are read again and their digests compared; counted in bytes.
    Verify,
}

/// A part of a bundle.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BundlePart {
    /// Its number, from 1.
    pub number: u32,
    /// Its length in bytes.
    pub size: u64,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
    /// It is here, or was and is used up.
    pub here: bool,
}

/// Decisions that were not taken over.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RefusedObject {
    /// Their kind.
    pub kind: String,
    /// Which one.
    pub id: String,
    /// Why.
    pub reason: String,
}

/// What became of a bundle.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BundleResult {
    /// New revisions.
    pub added: u64,
    /// Revisions that were here.
    pub unchanged: u64,
    /// Revisions of the whole catalogue that need something unknown and are not offered.
    pub unresolved: u64,
    /// Decisions that changed something.
    pub objects_applied: u64,
    /// Decisions that were so already.
    pub objects_unchanged: u64,
    /// Decisions that were not taken over, at most the first 1000.
    pub objects_refused: Vec<RefusedObject>,
    /// Sections and kinds of decisions that this version does not know.
    pub unknown: Vec<String>,
    /// Content files that are new.
    pub files_added: u64,
    /// Content files that were here.
    pub files_unchanged: u64,
}

/// A bundle that came here.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Bundle {
    /// Its id.
    pub id: Uuid,
    /// GUID of the server that made it.
    pub issuer: Uuid,
    /// What the administrator calls its signer.
    pub signer_name: String,
    /// Fingerprint of its signer.
    pub signer: String,
    /// Its place in the signer's order.
    pub sequence: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its manifest came here.
    pub received_at: Timestamp,
    /// How far it is.
    pub state: BundleState,
    /// What it is doing, while it is applied.
    pub phase: Option<BundlePhase>,
    /// Through this phase.
    pub done: u64,
    /// In this phase.
    pub total: u64,
    /// Revisions in it.
    pub revisions: u64,
    /// Bytes of its parts.
    pub bytes: u64,
    /// Its parts.
    pub parts: Vec<BundlePart>,
    /// Numbers of the parts that are awaited.
    pub missing: Vec<u32>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// What became of it.
    pub result: Option<BundleResult>,
}

/// The key that this site signs bundles with.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BundleKey {
    /// The public key, base64.
    pub public: String,
    /// SHA-256 of the public key, lower-case hexadecimal: what receivers trust.
    pub fingerprint: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A signer to be trusted.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrustAdd {
    /// Its fingerprint (64 hexadecimal digits) or its public key (base64).
    pub key: String,
    /// What to call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A signer whose bundles are taken.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TrustedSigner {
    /// SHA-256 of its public key, lower-case hexadecimal.
    pub fingerprint: String,
    /// What the administrator calls it.
    pub name: String,
    /// Since when.
    pub added_at: Timestamp,
    /// By whom.
    pub added_by: String,
}
