//! The logical vocabulary (`LogicalApplicabilityRules`), which joins the others.

use super::{base::BaseRule, cbs::CbsRule, driver::DriverRule, msi::MsiRule, value::Scalar};

/// A rule expression. Everything but the connectives is boxed, so that the long lists of genuine rules stay small.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Expr {
    /// `lar:And`: all hold. Without children it is not valid by the schema; it is kept as read.
    And(Vec<Expr>),
    /// `bar:*`.
    Base(Box<BaseRule>),
    /// `cbsar:*`.
    Cbs(Box<CbsRule>),
    /// `drv:*`.
    Driver(DriverRule),
    /// `lar:False`.
    False,
    /// `msiar:*`.
    Msi(Box<MsiRule>),
    /// `lar:Not`.
    Not(Box<Expr>),
    /// `lar:Or`: at least one holds.
    Or(Vec<Expr>),
    /// `upd:ProductReleaseVersion` (of the update namespace itself): the release of an installed product.
    ProductReleaseVersion(Box<ProductReleaseVersion>),
    /// `lar:True`.
    True,
    /// An element of no known vocabulary, or one that does not fit its schema.
    Unknown(Box<Unknown>),
}

/// `upd:ProductReleaseVersion`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProductReleaseVersion {
    /// `@Name`.
    pub name: String,
    /// `@Version`, as written.
    pub version: String,
    /// `@Comparison`.
    pub comparison: Scalar,
}

/// A rule that is not understood.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Unknown {
    /// Namespace, empty if none.
    pub namespace: String,
    /// Local name.
    pub name: String,
    /// Attributes by local name, in document order.
    pub attributes: Vec<(String, String)>,
    /// Expressions inside.
    pub children: Vec<Expr>,
    /// Why a rule of a known vocabulary does not fit its schema; none for an unknown element.
    pub misfit: Option<String>,
}
