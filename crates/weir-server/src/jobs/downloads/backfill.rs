//! Takes from stored documents what earlier releases left out: languages and protocol of revisions, and which files are
//! express.

use weir_model::{
    document::{Limits, UpdateDocument},
    ids::{ContentDigest, RevisionId},
};

use crate::admin::{AdminError, App, Caller};

/// Revisions in one transaction.
const AT_ONCE: u32 = 200;

struct Facts {
    id: RevisionId,
    languages: Vec<String>,
    express: Vec<ContentDigest>,
    protocol: Option<String>,
}

/// Works until nothing is left. A database of this release has nothing.
pub(super) async fn run(app: &App, caller: &Caller) -> Result<(), AdminError> {
    loop {
        let facts = app
            .read(|tx| {
                let mut found = Vec::new();
                for id in tx.content_facts_missing(AT_ONCE)? {
                    // a document that cannot be read was accepted by an earlier release: its files count as neutral
                    let text = tx.document_text(id)?.unwrap_or_default();
                    found.push(facts(id, &text));
                }
                Ok(found)
            })
            .await?;
        if facts.is_empty() {
            return Ok(());
        }
        app.write(caller, move |tx| {
            for facts in facts {
                tx.content_facts_put(facts.id, &facts.languages, &facts.express, facts.protocol.as_deref())?;
            }
            Ok(())
        })
        .await?;
    }
}

fn facts(id: RevisionId, text: &str) -> Facts {
    let Ok(document) = UpdateDocument::parse(text, &Limits::default()) else {
        return Facts { id, languages: Vec::new(), express: Vec::new(), protocol: None };
    };
    let express = document.files.iter().filter(|file| file.is_express()).map(|file| file.digest);
    Facts {
        id,
        languages: document.properties.languages.iter().map(|language| language.to_lowercase()).collect(),
        express: express.collect(),
        protocol: document.properties.compatible_protocol_version.clone(),
    }
}

#[cfg(test)]
mod tests {
    use weir_testkit::{Document, Payload};

    use super::*;

    #[test]
    fn languages_and_express_files_are_taken_from_the_document() {
        let (whole, difference) = (Payload::random("a.cab", 10, 1), Payload::random("a.psf", 10, 2));
        let id = weir_model::ids::UpdateId(uuid::Uuid::from_u128(1));
        let document = Document::software(id, 1).property_child("Language", "DE").file(&whole).file(&difference);
        let digest = format!("Digest=\"{}\"", difference.sha1().to_base64());
        let text = document.to_xml().replacen(&digest, &format!("PatchingType=\"Express\" {digest}"), 1);
        let found = facts(RevisionId(1), &text);
        assert_eq!((found.languages, found.express), (vec!["de".to_owned()], vec![difference.sha1()]));
        let unreadable = facts(RevisionId(1), "");
        assert_eq!((unreadable.languages.len(), unreadable.express.len()), (0, 0));
    }
}
