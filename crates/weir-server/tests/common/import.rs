//! From the text of a document to what the store takes, as the import does it.

use weir_model::document::{self, Limits, PublicationState};
use weir_store::revision::{CoreBlocks, LocalizedText, NewRevision, PackedRevision, RevisionFile};
use weir_wire::xpress;

/// Fragments from this length on get ready blocks.
const BLOCKS: usize = 16 * 1024;
/// Text of one row of ready blocks.
const ROW: usize = 4 * xpress::MAX_BLOCK;

/// Reads a document, derives its fragments and packs them.
pub fn pack(text: &str) -> PackedRevision {
    let (update, fragments) = document::read(text, &Limits::default()).expect("document");
    let mut core_escaped = String::new();
    document::escape_into(&mut core_escaped, &fragments.core);
    let rows = core_escaped.as_bytes().chunks(ROW).filter(|_| core_escaped.len() >= BLOCKS);
    let core_blocks =
        rows.map(|row| CoreBlocks { plain_len: row.len() as u32, data: xpress::compress_greedy(row) }).collect();
    let file = |file: &document::File, eula_language: Option<String>| RevisionFile {
        digest: file.digest,
        sha256: file.sha256,
        size: file.size,
        name: file.name.clone(),
        modified_at: file.modified,
        eula_language,
    };
    let licences = update.eulas.iter().map(|eula| file(&eula.file, Some(eula.language.clone())));
    let properties = &update.properties;
    PackedRevision::pack(NewRevision {
        identity: update.identity,
        text: text.to_owned(),
        update_type: update.update_type,
        category: update.category.as_ref().and_then(|category| category.kind),
        expired: properties.publication_state == PublicationState::Expired,
        explicitly_deployable: properties.explicitly_deployable,
        default_language: properties.default_language.to_lowercase(),
        created_at: properties.creation_date,
        severity: properties.severity,
        kb_articles: properties.kb_articles.clone(),
        bulletins: properties.security_bulletins.clone(),
        eula_id: properties.eula_id.map(|id| id.to_string()),
        relationships: update.relationships.clone(),
        drivers: update.drivers.clone(),
        localized: update
            .localized
            .iter()
            .map(|texts| LocalizedText {
                language: texts.language.to_lowercase(),
                title: texts.title.clone(),
                description: texts.description.clone(),
            })
            .collect(),
        files: update.files.iter().map(|entry| file(entry, None)).chain(licences).collect(),
        core_plain_len: fragments.core.len() as u64,
        core_escaped,
        core_blocks,
        extended: fragments.extended,
        localized_fragments: fragments.localized.into_iter().map(|part| (part.language, part.xml)).collect(),
        eula_fragments: fragments.eulas.into_iter().map(|part| (part.language, part.geo_id, part.xml)).collect(),
    })
    .expect("packed")
}
