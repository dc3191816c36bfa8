//! RefreshCache (MS-WUSP 2.2.2.2.5, 3.1.5.8).

use weir_model::ids::{RevisionId, RevisionNumber, UpdateId, UpdateIdentity};

use super::{Cookie, Deployment, bounds::InvalidParameter, cookie::sealed};
use crate::soap::{Cursor, Item, record};

record! {
    /// Asks for this server's numbers of revisions that the computer got from another.
    pub struct RefreshCache {
        /// The cookie.
        cookie: Option<Cookie> = "cookie",
        /// The revisions; thousands occur.
        global_ids: Vec<WireIdentity> = "globalIDs",
    }
}

impl RefreshCache {
    /// The sealed bytes of the cookie; `None` means InvalidCookie.
    pub fn sealed(&self) -> Option<&[u8]> {
        sealed(self.cookie.as_ref())
    }

    /// Checks what the schema does not say.
    ///
    /// # Errors
    ///
    /// The list is missing or empty.
    pub fn validate(&self) -> Result<(), InvalidParameter> {
        if self.global_ids.is_empty() { Err(InvalidParameter::missing("globalIDs")) } else { Ok(()) }
    }
}

record! {
    /// A revision of an update, as elements.
    pub struct WireIdentity {
        /// The update.
        update_id: UpdateId = "UpdateID",
        /// Its revision.
        revision_number: RevisionNumber = "RevisionNumber",
    }
}

impl Item for WireIdentity {
    const NAME: &'static str = "UpdateIdentity";

    fn limit(cursor: &Cursor<'_>) -> usize {
        cursor.limits().ids
    }
}

impl From<WireIdentity> for UpdateIdentity {
    fn from(wire: WireIdentity) -> Self {
        Self { update_id: wire.update_id, revision: wire.revision_number }
    }
}

impl From<UpdateIdentity> for WireIdentity {
    fn from(identity: UpdateIdentity) -> Self {
        Self { update_id: identity.update_id, revision_number: identity.revision }
    }
}

record! {
    /// A revision that the computer may keep.
    pub struct RefreshCacheResult {
        /// This server's number.
        revision_id: RevisionId = "RevisionID",
        /// The revision.
        global_id: Option<WireIdentity> = "GlobalID",
        /// Whether nothing depends on it.
        is_leaf: bool = "IsLeaf",
        /// Its deployment.
        deployment: Option<Deployment> = "Deployment",
    }
}

impl Item for RefreshCacheResult {
    const NAME: &'static str = "RefreshCacheResult";

    fn limit(cursor: &Cursor<'_>) -> usize {
        cursor.limits().ids
    }
}

record! {
    /// Answer to RefreshCache. Revisions that are not for this computer are left out.
    pub struct RefreshCacheAnswer {
        /// The others.
        result: Vec<RefreshCacheResult> = "RefreshCacheResult",
    }
}
