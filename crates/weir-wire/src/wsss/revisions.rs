//! GetRevisionIdList and its unused relative (MS-WSUSSS 3.1.4.5).

use uuid::Uuid;
use weir_model::ids::{UpdateId, UpdateIdentity};

use super::{AnchorText, Cookie, Present, Refusal, authorization::sealed};
use crate::soap::{Item, nested, record};

record! {
    /// Asks which revisions are new.
    pub struct GetRevisionIdList {
        /// The cookie.
        cookie: Option<Cookie> = "cookie",
        /// Of which updates.
        filter: Option<ServerSyncFilter> = "filter",
    }
}

impl GetRevisionIdList {
    /// The sealed bytes of the cookie; `None` means InvalidCookie.
    pub fn sealed(&self) -> Option<&[u8]> {
        sealed(self.cookie.as_ref())
    }

    /// Checks what the schema does not say, and returns the filter and its anchor.
    ///
    /// # Errors
    ///
    /// There is no filter, or its anchor has another form (for which recorded servers name the filter).
    pub fn validate(&self) -> Result<(&ServerSyncFilter, Option<super::Anchor>), Refusal> {
        let filter = self.filter.as_ref().ok_or(Refusal::missing("filter"))?;
        let anchor = filter.anchor.anchor();
        Ok((filter, anchor.map_err(|_| Refusal::parameter("filter", "not an anchor of this server"))?))
    }
}

record! {
    /// Which revisions are asked for. An absent list and an empty one are told apart. DssProtocolVersion, reserved, is
    /// neither read nor written.
    #[derive(Default)]
    pub struct ServerSyncFilter {
        /// The Anchor of before.
        anchor: AnchorText = "Anchor",
        /// True: categories, classifications and detectoids, whatever the lists say. False: software and drivers.
        get_config: bool = "GetConfig",
        /// Only what the 63 languages of the first servers need. Absent is false.
        get_63_language_only: bool = "Get63LanguageOnly",
        /// Products and the like.
        categories: Option<Vec<IdAndDelta>> = "Categories",
        /// Classifications.
        classifications: Option<Vec<IdAndDelta>> = "Classifications",
        /// Languages that an update supports. From protocol 1.3 on.
        languages: Option<Vec<LanguageAndDelta>> = "Languages",
    }
}

record! {
    /// A category, and whether only changes since the anchor are wanted of it.
    #[derive(Eq)]
    pub struct IdAndDelta {
        /// Its update id.
        id: UpdateId = "Id",
        /// False: everything, although an anchor is given.
        delta: bool = "Delta",
    }
}

impl Item for IdAndDelta {
    const NAME: &'static str = "IdAndDelta";
}

record! {
    /// A language, and whether only changes since the anchor are wanted of it.
    #[derive(Eq)]
    pub struct LanguageAndDelta {
        /// An LCID.
        id: i32 = "Id",
        /// False: everything, although an anchor is given.
        delta: bool = "Delta",
    }
}

impl Item for LanguageAndDelta {
    const NAME: &'static str = "LanguageAndDelta";
}

record! {
    /// Revisions that are new, in no order and perhaps several of one update.
    pub struct RevisionIdList {
        /// To be given back next time.
        anchor: AnchorText = "Anchor",
        /// The revisions.
        new_revisions: Present<UpdateIdentity> = "NewRevisions",
    }
}

record! {
    /// Answer to GetRevisionIdList.
    pub struct GetRevisionIdListAnswer {
        /// The list.
        result: RevisionIdList = "GetRevisionIdListResult",
    }
}

nested! { RevisionIdList, }

record! {
    /// In the service description, in no use.
    pub struct GetRelatedRevisionsForUpdates {
        /// The cookie.
        cookie: Option<Cookie> = "cookie",
        /// Update ids.
        update_ids: Option<Vec<Uuid>> = "updateIDs",
    }
}

impl GetRelatedRevisionsForUpdates {
    /// The sealed bytes of the cookie; `None` means InvalidCookie.
    pub fn sealed(&self) -> Option<&[u8]> {
        sealed(self.cookie.as_ref())
    }
}

record! {
    /// Answer to GetRelatedRevisionsForUpdates: empty.
    pub struct GetRelatedRevisionsForUpdatesAnswer {
        /// Revisions.
        result: Present<UpdateIdentity> = "GetRelatedRevisionsForUpdatesResult",
    }
}
