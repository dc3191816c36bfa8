//! Where facts about a computer come from: a file ([`mod@file`]), or the disk of a computer that is not running ([`image`]).
//!
//! Every source implements [`weir_model::applicability::Facts`]: it answers what it knows and gives a gap for the rest.
//!
//! *Invariant:* what could not be read or was not collected is a gap, never "there is no such thing".

pub mod file;
pub mod image;
mod names;
mod wow64;

pub use self::{file::FactsFile, image::OfflineImage, names::Root};
