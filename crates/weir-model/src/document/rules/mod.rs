//! Applicability rules as a typed tree. Nothing is evaluated here.
//!
//! One file per vocabulary: [`base`] (operating system, registry, files), [`msi`] (Windows Installer), [`cbs`]
//! (component based servicing), [`driver`], and [`logic`], which joins them. The vocabularies are those of MS-WUSP
//! 3.1.1.1 (product behavior note 42), extended by what occurs in genuine catalogues.
//!
//! *Invariant:* reading rules never refuses a document. What does not fit its schema becomes [`Expr::Unknown`], of which
//! an evaluator can say only that it does not know.

pub mod base;
pub mod cbs;
pub mod driver;
pub mod logic;
mod metadata;
pub mod msi;
mod patch;
mod tree;
pub mod value;

pub use self::{
    logic::{Expr, Unknown},
    metadata::{Metadata, MetadataKind},
    patch::{MsiPatch, PatchTarget, TargetVersion},
    value::{Scalar, StringMatch, Version},
};
pub(in crate::document) use self::{metadata::metadata, tree::rule};

use super::Verbatim;

/// `ApplicabilityRules`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ApplicabilityRules {
    /// `IsInstalled`.
    pub is_installed: Option<Rule>,
    /// `IsInstallable`.
    pub is_installable: Option<Rule>,
    /// `IsSuperseded`.
    pub is_superseded: Option<Rule>,
    /// The children of `Metadata`, in document order.
    pub metadata: Vec<Metadata>,
    /// The whole element; none if absent.
    pub source: Option<Verbatim>,
}

/// One of the three rules of an update.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Rule {
    /// Its root expressions. The schema wants exactly one.
    pub roots: Vec<Expr>,
    /// The whole element.
    pub source: Verbatim,
}

impl Rule {
    /// The expression; none unless there is exactly one.
    pub fn expr(&self) -> Option<&Expr> {
        match self.roots.as_slice() {
            [expr] => Some(expr),
            _ => None,
        }
    }
}
