//! The vocabulary of component based servicing (`CbsApplicabilityRules`).

use super::tree::{Attributes, Misfit};

/// A `cbsar:*` rule. Those without an identity speak of the package whose manifest stands in
/// `Metadata/CbsPackageApplicabilityMetadata`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CbsRule {
    /// `CbsPackageInstallable`.
    Installable,
    /// `CbsPackageInstalled`.
    Installed,
    /// `CbsPackageInstalledByIdentity`.
    InstalledByIdentity {
        /// `@PackageIdentity`: name, public key token, architecture, culture and version, joined by `~`.
        package_identity: String,
    },
    /// `CbsPackageSuperseded`.
    Superseded,
}

impl CbsRule {
    pub(super) fn read(name: &str, attributes: &Attributes<'_>) -> Option<Result<Self, Misfit>> {
        Some(Ok(match name {
            "CbsPackageInstallable" => Self::Installable,
            "CbsPackageInstalled" => Self::Installed,
            "CbsPackageInstalledByIdentity" => match attributes.text("PackageIdentity") {
                Ok(package_identity) => Self::InstalledByIdentity { package_identity },
                Err(misfit) => return Some(Err(misfit)),
            },
            "CbsPackageSuperseded" => Self::Superseded,
            _ => return None,
        }))
    }
}
