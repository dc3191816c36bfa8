//! What the schema does not say about parameters.

use weir_model::ids::RevisionId;

use crate::soap::{ErrorCode, Fault};

/// Limits of the protocol, from the settings of the site. What exceeds them is answered with InvalidParameters and the
/// parameter's path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Bounds {
    /// Entries of InstalledNonLeafUpdateIDs, repeats counted. WSUS has 400, which breaks scans of computers with many
    /// products.
    pub installed_non_leaf: usize,
    /// Entries of OtherCachedUpdateIDs and of CachedDriverIDs.
    pub other_cached: usize,
    /// Revisions in one GetExtendedUpdateInfo: the MaxExtendedUpdatesPerRequest of GetConfig.
    pub extended_updates: usize,
    /// Entries of StartCategoryScan's list are fewer than this.
    pub requested_categories: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { installed_non_leaf: 4_000, other_cached: 22_000, extended_updates: 50, requested_categories: 200 }
    }
}

/// A parameter is missing or has a value that the operation does not take.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct InvalidParameter {
    /// The path, which the fault carries as its message.
    pub path: &'static str,
    /// What is wrong.
    pub problem: &'static str,
}

impl InvalidParameter {
    pub(super) fn new(path: &'static str, problem: &'static str) -> Self {
        Self { path, problem }
    }

    pub(super) fn missing(path: &'static str) -> Self {
        Self::new(path, "missing or empty")
    }

    /// The fault to send.
    pub fn into_fault(self, operation: super::Operation, id: uuid::Uuid) -> Fault {
        let method = operation.quoted_action();
        Fault { code: ErrorCode::InvalidParameters, message: self.path.to_owned(), method, id }
    }
}

/// Refuses a list that is too long.
pub(super) fn at_most(list: &[RevisionId], limit: usize, path: &'static str) -> Result<(), InvalidParameter> {
    if list.len() > limit { Err(InvalidParameter::new(path, "too many entries")) } else { Ok(()) }
}

/// The version in `x.y` form, for GetConfig and GetCookie.
pub(super) fn protocol_version(text: Option<&str>) -> Result<(u32, u32), InvalidParameter> {
    let wrong = || InvalidParameter::new("protocolVersion", "not a version x.y");
    let (major, minor) = text.map(crate::soap::trim).and_then(|text| text.split_once('.')).ok_or_else(wrong)?;
    let number = |text: &str| {
        let plain = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if plain { text.parse().map_err(|_| wrong()) } else { Err(wrong()) }
    };
    Ok((number(major)?, number(minor)?))
}
