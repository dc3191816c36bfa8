//! Core fragments as computers read them.

use uuid::Uuid;

use super::{ApplicabilityRules, DocumentError, Limits, parse};
use crate::{
    ids::UpdateIdentity,
    update::{DriverMetadata, Relationships, UpdateType},
};

/// A Core fragment, read: what a computer is sent in `UpdateInfo/Xml` (MS-WUSP 2.2.2.2.4 and 3.1.1.1).
///
/// It says the same as the document that it was derived from, with two exceptions. Rules of no known vocabulary lose
/// their namespace and seem to be of `Update`; places ([`Verbatim`](super::Verbatim)) are those in the fragment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CoreFragment {
    /// `UpdateIdentity`.
    pub identity: UpdateIdentity,
    /// `Properties/@UpdateType`.
    pub update_type: UpdateType,
    /// `Properties/@ExplicitlyDeployable`, default false.
    pub explicitly_deployable: bool,
    /// `Properties/@AutoSelectOnWebSites`, default false.
    pub auto_select: bool,
    /// `Properties/@OSUpgrade`, as written.
    pub os_upgrade: Option<String>,
    /// `Properties/@EulaID`.
    pub eula_id: Option<Uuid>,
    /// `Relationships`, empty if absent.
    pub relationships: Relationships,
    /// `ApplicabilityRules`, empty if absent.
    pub rules: ApplicabilityRules,
    /// `ApplicabilityRules/Metadata/d.WindowsDriverMetaData` in the order of the fragment, of drivers.
    pub drivers: Vec<DriverMetadata>,
}

impl CoreFragment {
    /// Reads a fragment, the text of `UpdateInfo/Xml` with its references resolved. It is refused for the same reasons
    /// as a document ([`UpdateDocument::parse`](super::UpdateDocument::parse)).
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, DocumentError> {
        parse::core(text, limits)
    }
}
