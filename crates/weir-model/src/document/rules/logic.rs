//! The logical vocabulary (`LogicalApplicabilityRules`), which joins the others.

use std::mem;

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

impl Expr {
    /// Moves the expressions inside to a list.
    fn take_inside(&mut self, list: &mut Vec<Self>) {
        match self {
            Self::And(inside) | Self::Or(inside) => list.append(inside),
            Self::Not(inside) => list.push(mem::replace(inside, Self::False)),
            Self::Base(rule) => {
                if let BaseRule::RegKeyLoop { body, .. } = &mut **rule {
                    list.push(mem::replace(body, Self::False));
                }
            }
            Self::Unknown(unknown) => list.append(&mut unknown.children),
            Self::Cbs(_)
            | Self::Driver(_)
            | Self::False
            | Self::Msi(_)
            | Self::ProductReleaseVersion(_)
            | Self::True => {}
        }
    }

    /// Whether it is one of those that have expressions inside.
    fn is_leaf(&self) -> bool {
        match self {
            Self::And(inside) | Self::Or(inside) => inside.is_empty(),
            Self::Not(inside) => matches!(**inside, Self::False | Self::True),
            Self::Base(rule) => !matches!(&**rule, BaseRule::RegKeyLoop { body, .. } if !matches!(body, Self::False)),
            Self::Unknown(unknown) => unknown.children.is_empty(),
            _ => true,
        }
    }
}

/// Drops the tree without recursion: its depth comes from outside.
impl Drop for Expr {
    fn drop(&mut self) {
        if self.is_leaf() {
            return;
        }
        let mut list = Vec::new();
        self.take_inside(&mut list);
        while let Some(mut expr) = list.pop() {
            expr.take_inside(&mut list);
        }
    }
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
