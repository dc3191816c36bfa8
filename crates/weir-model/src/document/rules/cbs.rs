//! The vocabulary of component based servicing (`CbsApplicabilityRules`).

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
