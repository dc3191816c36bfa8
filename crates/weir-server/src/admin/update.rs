//! The catalogue: lists with filters and facets, one update in full, decline.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::json;
use weir_api::update::{Eula, Lack, RevisionReference, UpdateDetail, UpdateFile, UpdateRow};
use weir_model::{
    catalogue,
    document::{Limits, UpdateDocument},
    ids::{RevisionId, RevisionNumber, UpdateId, UpdateIdentity},
    rights::Scope,
    update::UpdateType,
};
use weir_store::{ReadTx, catalogue::RevisionFactsRow, deployment::DeploymentFilter, revision::RevisionRow};

use super::{
    AdminError, App, Caller,
    collection::Tree,
    deployment::{Describer, seen_page},
    index::{Counted, Index, kind_word},
    list,
    selection::known_language,
};
use crate::{live::Live, sites};

/// Alternatives that a sentence names.
const NAMED: usize = 5;

/// A name for an update: GUID, or GUID@revision.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Named {
    pub(crate) id: UpdateId,
    pub(crate) revision: Option<RevisionNumber>,
}

impl Named {
    /// Reads a name.
    pub(crate) fn parse(text: &str) -> Result<Self, AdminError> {
        let wrong = || AdminError::Invalid {
            code: "update",
            detail: format!("{text:?} names no update"),
            next_step: Some("give a GUID, or GUID@revision; `weir updates list` shows them".to_owned()),
        };
        let (id, revision) = text.trim().split_once('@').map_or((text.trim(), None), |(id, rest)| (id, Some(rest)));
        let revision = match revision {
            Some(revision) => Some(RevisionNumber(revision.parse().map_err(|_| wrong())?)),
            None => None,
        };
        Ok(Self { id: id.parse().map_err(|_| wrong())?, revision })
    }

    pub(crate) fn missing(self) -> AdminError {
        let name = self.revision.map_or_else(|| self.id.to_string(), |revision| format!("{}@{revision}", self.id));
        AdminError::missing("update", name, "weir updates list")
    }
}

/// One update in full.
pub(crate) async fn show(
    app: &App,
    scope: Scope,
    name: Named,
    language: Option<&str>,
) -> Result<UpdateDetail, AdminError> {
    let language = known_language(language)?;
    let index = Index::current(app).await?;
    let slot = index.search.slot(name.id).ok_or_else(|| name.missing())?;
    let counts = Counted::within(app, scope.clone()).await?.of(name.id);
    let row = index.row(slot, None, &counts).ok_or_else(|| name.missing())?;
    let context = Context { index: Arc::clone(&index), live: app.state.live.clone(), language, scope };
    let mut detail = app
        .try_read(move |tx| {
            let mut revisions = tx.revision_list_of(name.id)?;
            revisions.sort_by_key(|row| row.identity.revision);
            let wanted = match name.revision {
                Some(number) => revisions.iter().find(|row| row.identity.revision == number),
                None => revisions.last(),
            };
            let wanted = wanted.ok_or_else(|| name.missing())?;
            let numbers = revisions.iter().rev().map(|row| row.identity.revision.0).collect();
            read_detail(tx, &context, row, wanted, numbers)
        })
        .await?;
    let published = app.state.live.current();
    detail.lacks = published.snapshot.lacks(RevisionId(detail.row.revision_id)).iter().map(lack).collect();
    detail.row.unresolved = !detail.lacks.is_empty();
    Ok(detail)
}

/// What one look into the database needs besides it.
struct Context {
    index: Arc<Index>,
    live: Live,
    language: String,
    scope: Scope,
}

fn read_detail(
    tx: &ReadTx<'_>,
    context: &Context,
    row: UpdateRow,
    revision: &RevisionRow,
    revisions: Vec<u32>,
) -> Result<UpdateDetail, AdminError> {
    let Context { index, live, language, scope } = context;
    let update = revision.identity.update_id;
    let text = tx.document_text(revision.id)?;
    let text = text.ok_or_else(|| AdminError::Internal(format!("the document of {} is gone", revision.identity)))?;
    // it was accepted once: the limits of imports do not apply again
    let document = UpdateDocument::parse(&text, &Limits::default())
        .map_err(|error| AdminError::Internal(format!("{}: {}", revision.identity, super::chain(&error))))?;
    let member = |identity: &UpdateIdentity| RevisionReference {
        id: identity.update_id.0,
        revision: identity.revision.0,
        name: index.title(identity.update_id),
    };
    let mut files = Vec::new();
    for file in tx.deployment_files(update, Some(revision.identity.revision), &crate::content::policy(tx)?)? {
        let sources = tx.file_sources(file.digest)?.len() as u64;
        files.push(UpdateFile {
            digest: file.digest,
            sha256: file.sha256,
            present: file.is_here(),
            name: file.name,
            size: file.size,
            sources,
        });
    }
    let eula = match revision.eula_id.as_deref().map(|id| (id, id.parse())) {
        Some((text, Ok(id))) => Some(Eula { id, accepted: tx.eula_is_accepted(text)? }),
        _ => None,
    };
    let filter = DeploymentFilter { update: Some(update), ..DeploymentFilter::default() };
    let tree = Tree::within(tx, scope)?;
    let deployed = seen_page(tx, &tree, &filter, None, list::LARGEST)?.items;
    let describer = Describer::new(tx, live)?;
    let deployed = deployed.iter().map(|row| describer.describe(tx, row)).collect::<Result<_, _>>()?;
    let mut superseding = BTreeSet::new();
    for id in tx.revision_superseding(update)? {
        superseding.extend(tx.revision_show(id)?.map(|row| row.identity.update_id));
    }
    let texts = document.localized_for(language);
    let relationships = &document.relationships;
    Ok(UpdateDetail {
        row: UpdateRow {
            title: texts.map_or_else(|| revision.title.clone(), |texts| texts.title.trim().to_owned()),
            revision: revision.identity.revision.0,
            revision_id: revision.id.0,
            ..row
        },
        description: texts.and_then(|texts| texts.description.as_deref()).map(|text| text.trim().to_owned()),
        more_info_urls: texts.map(|texts| texts.more_info_urls.clone()).unwrap_or_default(),
        support_url: texts.and_then(|texts| texts.support_url.clone()).or(document.properties.support_url.clone()),
        bulletins: revision.bulletins.clone(),
        languages: document.localized.iter().map(|texts| texts.language.to_lowercase()).collect(),
        revisions,
        run_time_set: tx.update_setting(update)?.run_time_set,
        metadata_only: super::deployment::is_metadata_only(tx, revision)?,
        eula,
        files,
        prerequisites: relationships
            .prerequisites
            .iter()
            .map(|clause| clause.alternatives.iter().map(|id| index.reference(*id)).collect())
            .collect(),
        bundles: relationships.bundled.iter().map(|clause| clause.alternatives.iter().map(member).collect()).collect(),
        bundled_in: tx.update_bundled_in(update)?.iter().map(member).collect(),
        supersedes: relationships.superseded.iter().map(|id| index.reference(*id)).collect(),
        superseded_by: superseding.into_iter().map(|id| index.reference(id)).collect(),
        lacks: Vec::new(),
        deployed,
    })
}

fn lack(lack: &catalogue::Lack) -> Lack {
    let (kind, any_of): (&str, Vec<String>) = match lack {
        catalogue::Lack::Prerequisite(id) => ("prerequisite", vec![id.to_string()]),
        catalogue::Lack::PrerequisiteClause(ids) => ("prerequisite", ids.iter().map(ToString::to_string).collect()),
        catalogue::Lack::Circle(ids) => ("circle", ids.iter().map(ToString::to_string).collect()),
        catalogue::Lack::BundleClause(ids) => ("member", ids.iter().map(ToString::to_string).collect()),
    };
    let message = match (kind, any_of.as_slice()) {
        ("circle", ids) => {
            let ids: Vec<&str> = ids.iter().take(NAMED).map(String::as_str).collect();
            format!(
                "it needs itself in the end, by way of {}, so that no computer can ever install it",
                ids.join(" or ")
            )
        }
        // a member may also be here, but unresolved itself
        ("member", [only]) => format!("member {only} is not in the catalogue, or is unresolved itself"),
        ("member", several) => format!("none of {} alternatives of a member is here and resolved", several.len()),
        (kind, [only]) => format!("{kind} {only} is not in the catalogue"),
        (kind, several) => format!("none of {} alternatives of a {kind} is in the catalogue", several.len()),
    };
    Lack { kind: kind.to_owned(), any_of, message }
}

/// Refuses to decline what others need: categories and detectoids are prerequisites, even expired ones (design, section 6).
pub(super) fn refuse_decline(tx: &ReadTx<'_>, id: UpdateId) -> Result<(), AdminError> {
    let newest = tx.revision_list_of(id)?.into_iter().max_by_key(|row| row.identity.revision);
    let Some(row) = newest.filter(|row| !can_be_declined(row.update_type)) else { return Ok(()) };
    let names =
        |row: &RevisionFactsRow| row.relationships.prerequisites.iter().any(|clause| clause.alternatives.contains(&id));
    let rows = tx.catalogue_revisions(RevisionId::default())?;
    let needed: BTreeSet<UpdateId> = rows.iter().filter(|row| names(row)).map(|row| row.identity.update_id).collect();
    Err(AdminError::Conflict {
        code: "needed",
        detail: format!(
            "{id} ({}) is a {}, by which computers find out what they need: declined, it would cut off {} updates that have \
             it as a prerequisite",
            list::short(row.title.trim()),
            kind_word(row.update_type),
            needed.len()
        ),
        next_step: Some("decline software or drivers: weir updates list --filter \"type = software\"".to_owned()),
    })
}

/// Whether updates of this type can be declined; the others are prerequisites.
pub(super) fn can_be_declined(update_type: UpdateType) -> bool {
    matches!(update_type, UpdateType::Driver | UpdateType::Software)
}

/// Declines an update: it is sent to no computer from now on.
pub(crate) async fn decline(
    app: &App,
    caller: &Caller,
    name: Named,
    declined: bool,
) -> Result<UpdateDetail, AdminError> {
    if name.revision.is_some() {
        return Err(AdminError::Invalid {
            code: "revision",
            detail: "an update is declined as a whole, not one revision of it".to_owned(),
            next_step: Some(format!("name it as {}", name.id)),
        });
    }
    app.write(caller, move |tx| {
        sites::refuse_below(tx, "Declines")?;
        if tx.update_show(name.id)?.is_none() {
            return Err(name.missing());
        }
        if declined {
            refuse_decline(tx, name.id)?;
        }
        let changed = if declined { tx.update_decline(name.id)? } else { tx.update_undecline(name.id)? };
        if changed {
            let action = if declined { "update.decline" } else { "update.undecline" };
            tx.audit(
                action,
                &name.id.to_string(),
                Some(&json!({ "declined": !declined })),
                Some(&json!({ "declined": declined })),
            )?;
        }
        Ok(())
    })
    .await?;
    app.publish().await?;
    show(app, caller.scope().clone(), name, None).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_guids_with_or_without_a_revision() {
        let id = "5cc25303-143f-40f3-a2ff-803a1db69955";
        let parse = |text: &str| Named::parse(text).map(|name| (name.id.to_string(), name.revision.map(|r| r.0)));
        assert_eq!(parse(id).expect("valid"), (id.to_owned(), None));
        assert_eq!(parse(&format!("{}@200", id.to_uppercase())).expect("valid"), (id.to_owned(), Some(200)));
        for wrong in ["", "x", "5cc25303", &format!("{id}@"), &format!("{id}@-1"), &format!("{id}@99999999999")] {
            assert_eq!(parse(wrong).expect_err(wrong).problem().code, "update");
        }
    }
}
