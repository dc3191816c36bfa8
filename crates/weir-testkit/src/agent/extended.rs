//! Extended information and file locations.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use weir_model::ids::{ContentDigest, RevisionId};
use weir_wire::{
    soap::ClientOnly,
    wusp::{FragmentType, GetExtendedUpdateInfo},
};

use super::{ScriptedAgent, core};

/// `MaxExtendedUpdatesPerRequest`.
const CHUNK: usize = 50;

/// One file that an update needs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NeededFile {
    /// `File/@Digest`.
    pub digest: ContentDigest,
    /// `File/@FileName`.
    pub name: String,
    /// `File/@Size`.
    pub size: u64,
    /// SHA-256 in base64; empty if the document has none.
    pub sha256: String,
    /// `FileLocation/Url`.
    pub url: String,
}

/// What the server told of some revisions.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ExtendedInfo {
    /// Fragments by RevisionID, in the order of arrival.
    pub fragments: BTreeMap<i32, Vec<String>>,
    /// Files by RevisionID.
    pub files: BTreeMap<i32, Vec<NeededFile>>,
    /// RevisionIDs that the server would not tell of.
    pub out_of_scope: Vec<i32>,
}

impl ScriptedAgent {
    /// Asks for Extended and LocalizedProperties fragments (in `en-US` and `en`) and file locations of these revisions, 50
    /// at a time.
    ///
    /// # Errors
    ///
    /// A call failed beyond recovery; a file has no location, or one has two.
    pub async fn extended_info(&mut self, revisions: &[i32]) -> Result<ExtendedInfo> {
        let mut info = ExtendedInfo::default();
        for chunk in revisions.chunks(CHUNK) {
            let answer = self
                .call_with_cookie(|_, cookie| GetExtendedUpdateInfo {
                    cookie,
                    revision_ids: chunk.iter().map(|id| RevisionId(*id)).collect(),
                    info_types: vec![FragmentType::Extended, FragmentType::LocalizedProperties],
                    locales: vec!["en-US".into(), "en".into()],
                    device_attributes: ClientOnly(None),
                    geo_id: Some("USA".into()),
                    caller_attributes: ClientOnly(None),
                })
                .await?;
            let result = answer.result.context("no GetExtendedUpdateInfoResult")?;
            let mut locations = BTreeMap::new();
            for location in result.file_locations {
                let digest = location.file_digest.context("a FileLocation without FileDigest")?;
                let digest: [u8; 20] = digest.0.try_into().ok().context("a FileDigest that is not 20 bytes")?;
                let url = location.url.context("a FileLocation without Url")?;
                if locations.insert(ContentDigest(digest), url).is_some() {
                    bail!("two locations for {}", ContentDigest(digest));
                }
            }
            for update in result.updates {
                let fragment = update.xml.with_context(|| format!("no Xml for {}", update.id))?;
                if !chunk.contains(&update.id.0) {
                    bail!("{} was not asked for", update.id);
                }
                for file in core::files(&fragment)? {
                    let url = locations.get(&file.digest).with_context(|| format!("no location for {}", file.name))?;
                    info.files.entry(update.id.0).or_default().push(NeededFile {
                        digest: file.digest,
                        name: file.name,
                        size: file.size,
                        sha256: file.sha256,
                        url: url.clone(),
                    });
                }
                info.fragments.entry(update.id.0).or_default().push(fragment);
            }
            info.out_of_scope.extend(result.out_of_scope_revision_ids.iter().map(|id| id.0));
        }
        Ok(info)
    }
}
