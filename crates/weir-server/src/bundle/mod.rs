//! Weir bundles: made here, and taken in here. The format is in `docs/bundle-format.md`, its codec in `weir_wire::bundle`.
//!
//! * [`make`] writes parts as an export ([`crate::export`]): documents in the order of their dependencies, sources,
//!   licence files, content, decisions; then manifest and signature.
//! * [`receive`] checks manifest, signature, signer and order before anything else comes, and keeps parts as they arrive.
//! * [`apply`] compares every digest again, then puts documents and decisions into the catalogue in one transaction, then
//!   content into the content store, part by part.
//!
//! *Invariant:* nothing of a part is read before its digest was compared with a manifest whose signature is that of a
//! trusted signer.

pub(crate) mod apply;
pub(crate) mod base;
pub(crate) mod inventory;
pub(crate) mod key;
pub(crate) mod make;
mod parts;
pub(crate) mod receive;
