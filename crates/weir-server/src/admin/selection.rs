//! What to synchronize: products, classifications, languages.

use std::collections::{BTreeSet, HashMap};

use serde_json::json;
use weir_api::{
    List,
    selection::{
        Category, Language, Selection, SelectionChange, SelectionHow, SelectionOf, SelectionPreview,
        SelectionPreviewQuery,
    },
};
use weir_model::{
    criteria::{Branch, exclude, expand, least},
    document::{CategoryInformation, Limits, UpdateDocument},
    ids::UpdateId,
    update::CategoryKind,
};
use weir_store::{ReadTx, list::CategoryRow, selection::SelectionKind};
use weir_wire::package::LANGUAGES;

use super::{AdminError, App, Caller};
use crate::{sites, sync::criteria};

/// How a change goes into the selection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Change {
    Add,
    Remove,
    Replace,
}

impl Change {
    fn action(self, kind: SelectionKind) -> String {
        let change = match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Replace => "set",
        };
        format!("{}.{change}", word(kind))
    }
}

fn word(kind: SelectionKind) -> &'static str {
    match kind {
        SelectionKind::Classifications => "classifications",
        SelectionKind::FileLanguages => "file languages",
        SelectionKind::Languages => "languages",
        SelectionKind::Products => "products",
    }
}

/// The tree of products, or the classifications.
pub(crate) async fn categories(
    app: &App,
    kind: SelectionKind,
    language: Option<&str>,
) -> Result<List<Category>, AdminError> {
    let language = known_language(language)?;
    let (rows, selected) = app
        .try_read(move |tx| {
            let classification = kind == SelectionKind::Classifications;
            let rows = tx.category_list(&language)?.into_iter();
            let rows = rows.filter(|row| (row.kind == CategoryKind::UpdateClassification) == classification);
            let rows = rows.map(|row| node(tx, row)).collect::<Result<Vec<_>, _>>()?;
            Ok((rows, tx.selection_list(kind)?))
        })
        .await?;
    let chosen: BTreeSet<UpdateId> = selected.iter().filter_map(|id| id.parse().ok()).collect();
    let branches: Vec<Branch> = rows.iter().map(|node| node.branch()).collect();
    let chosen = Chosen { covered: expand(&chosen, &branches), chosen };
    Ok(List { items: tree(rows, &chosen), next: None })
}

/// A category with what its document says of it.
struct Node {
    row: CategoryRow,
    revision: u32,
    information: CategoryInformation,
}

impl Node {
    fn branch(&self) -> Branch {
        Branch { id: self.row.id, kind: self.row.kind, parent: self.row.parent }
    }
}

/// What is chosen, and what that covers.
struct Chosen {
    chosen: BTreeSet<UpdateId>,
    covered: BTreeSet<UpdateId>,
}

fn node(tx: &ReadTx<'_>, row: CategoryRow) -> Result<Node, AdminError> {
    let broken = |why: String| AdminError::Internal(format!("the document of category {}: {why}", row.id));
    let text = tx.document_text(row.revision_id)?.ok_or_else(|| broken("gone".to_owned()))?;
    let document = UpdateDocument::parse(&text, &Limits::default()).map_err(|error| broken(super::chain(&error)))?;
    let information = document.category.ok_or_else(|| broken("it is no category".to_owned()))?;
    Ok(Node { revision: document.identity.revision.0, information, row })
}

/// A language that titles may be asked for in.
pub(crate) fn known_language(language: Option<&str>) -> Result<String, AdminError> {
    let language = language.unwrap_or("en").trim().to_ascii_lowercase();
    if language != "all" && LANGUAGES.iter().any(|(_, short, _)| *short == language) {
        return Ok(language);
    }
    Err(AdminError::Invalid {
        code: "language",
        detail: format!("there is no language {language:?}"),
        next_step: Some("`weir languages list` shows all".to_owned()),
    })
}

fn tree(rows: Vec<Node>, selected: &Chosen) -> Vec<Category> {
    let known: BTreeSet<UpdateId> = rows.iter().map(|node| node.row.id).collect();
    let mut below: HashMap<Option<UpdateId>, Vec<Node>> = HashMap::new();
    for node in rows {
        // a node whose parent is not in the catalogue stands at the top rather than nowhere
        let parent = node.row.parent.filter(|parent| known.contains(parent));
        below.entry(parent).or_default().push(node);
    }
    nodes(None, &mut below, selected)
}

fn nodes(
    parent: Option<UpdateId>,
    below: &mut HashMap<Option<UpdateId>, Vec<Node>>,
    selected: &Chosen,
) -> Vec<Category> {
    let rows = below.remove(&parent).unwrap_or_default();
    rows.into_iter()
        .map(|Node { row, revision, information }| {
            let children = nodes(Some(row.id), below, selected);
            let leaf = matches!(row.kind, CategoryKind::Product | CategoryKind::UpdateClassification);
            Category {
                id: row.id.0,
                kind: row.kind,
                title: super::list::short(&row.title),
                revision,
                selected: if leaf {
                    selected.covered.contains(&row.id)
                } else {
                    !children.is_empty() && children.iter().all(|child| child.selected)
                },
                chosen: selected.chosen.contains(&row.id),
                holds_updates: !information.prohibits_updates.unwrap_or(false),
                excluded_by_default: information.excluded_by_default.unwrap_or(false),
                children,
            }
        })
        .collect()
}

/// The 39 languages.
pub(crate) async fn languages(app: &App) -> Result<List<Language>, AdminError> {
    let (selected, files) = app
        .read(|tx| Ok((tx.selection_list(SelectionKind::Languages)?, tx.selection_list(SelectionKind::FileLanguages)?)))
        .await?;
    let files = if files.is_empty() { &selected } else { &files };
    let items = LANGUAGES
        .iter()
        .map(|(lcid, short, name)| Language {
            id: (*short).to_owned(),
            lcid: *lcid,
            name: (*name).to_owned(),
            selected: selected.iter().any(|id| id == short),
            files: files.iter().any(|id| id == short),
        })
        .collect();
    Ok(List { items, next: None })
}

/// Changes a selection and returns what is selected then.
pub(crate) async fn change(
    app: &App,
    caller: &Caller,
    kind: SelectionKind,
    how: Change,
    wanted: SelectionChange,
) -> Result<Selection, AdminError> {
    let selection = app.write(caller, move |tx| {
        match kind {
            SelectionKind::Classifications => sites::refuse_below(tx, "Classifications")?,
            SelectionKind::Languages => sites::refuse_below(tx, "Languages of metadata")?,
            SelectionKind::Products => sites::refuse_below(tx, "Products")?,
            // each site keeps the files that it wants
            SelectionKind::FileLanguages => {}
        }
        let before = tx.selection_list(kind)?;
        let Changed { selected, covers, notes } = changed(tx, kind, how, &wanted, &before)?;
        if before != selected {
            tx.selection_set(kind, &selected)?;
            tx.audit(&how.action(kind), word(kind), Some(&json!(before)), Some(&json!(selected)))?;
        }
        Ok(Selection { selected, covers, notes })
    });
    let selection = selection.await?;
    if matches!(kind, SelectionKind::FileLanguages | SelectionKind::Languages) {
        // other files are kept now, and deployments wait for others
        crate::content::settings_changed(app, caller).await?;
    }
    Ok(selection)
}

/// A selection after a change.
struct Changed {
    selected: Vec<String>,
    /// Products or classifications; none of languages.
    covers: u64,
    notes: Vec<String>,
}

fn changed(
    tx: &ReadTx<'_>,
    kind: SelectionKind,
    how: Change,
    wanted: &SelectionChange,
    before: &[String],
) -> Result<Changed, AdminError> {
    if wanted.all && !wanted.ids.is_empty() {
        return Err(AdminError::invalid("selection", "give either all or ids, not both"));
    }
    if matches!(kind, SelectionKind::FileLanguages | SelectionKind::Languages) {
        let values = language_ids(wanted)?;
        let mut selected: BTreeSet<String> = before.iter().cloned().collect();
        match how {
            Change::Add => selected.extend(values),
            Change::Remove => selected.retain(|value| !values.contains(value)),
            Change::Replace => selected = values,
        }
        return Ok(Changed { selected: selected.into_iter().collect(), covers: 0, notes: Vec::new() });
    }
    let rows = tx.category_list("en")?;
    let tree: Vec<Branch> = rows.iter().map(|row| Branch { id: row.id, kind: row.kind, parent: row.parent }).collect();
    let values = category_ids(&rows, kind, wanted)?;
    let before: BTreeSet<UpdateId> = before.iter().filter_map(|id| id.parse().ok()).collect();
    let mut notes = Vec::new();
    let after = match how {
        Change::Add => before.union(&values).copied().collect(),
        Change::Remove => {
            let (left, dissolved) = exclude(&before, &values, &tree);
            let title = |id: UpdateId| rows.iter().find(|row| row.id == id).map_or("", |row| row.title.as_str());
            notes.extend(dissolved.into_iter().map(|id| {
                format!("{} is no longer chosen as a whole: products that come below it later are not", title(id))
            }));
            left
        }
        Change::Replace => values,
    };
    let covers = expand(&after, &tree).len() as u64;
    let mut selected: Vec<String> = least(&after, &tree).iter().map(ToString::to_string).collect();
    selected.sort();
    Ok(Changed { selected, covers, notes })
}

/// What a change of products or classifications would mean for the catalogue as it is.
pub(crate) async fn preview(app: &App, query: SelectionPreviewQuery) -> Result<SelectionPreview, AdminError> {
    let kind = match query.of {
        SelectionOf::Classifications => SelectionKind::Classifications,
        SelectionOf::Products => SelectionKind::Products,
    };
    let how = match query.how {
        SelectionHow::Add => Change::Add,
        SelectionHow::Remove => Change::Remove,
        SelectionHow::Set => Change::Replace,
    };
    app.try_read(move |tx| previewed(tx, kind, how, &query.change)).await
}

fn previewed(
    tx: &ReadTx<'_>,
    kind: SelectionKind,
    how: Change,
    change: &SelectionChange,
) -> Result<SelectionPreview, AdminError> {
    let rows = tx.category_list("en")?;
    let tree: Vec<Branch> = rows.iter().map(|row| Branch { id: row.id, kind: row.kind, parent: row.parent }).collect();
    let covered = |values: &[String]| expand(&values.iter().filter_map(|id| id.parse().ok()).collect(), &tree);
    let before = tx.selection_list(kind)?;
    let Changed { selected, notes: mut told, .. } = changed(tx, kind, how, change, &before)?;
    let (before, after) = (covered(&before), covered(&selected));
    let other = match kind {
        SelectionKind::Classifications => SelectionKind::Products,
        _ => SelectionKind::Classifications,
    };
    let others = covered(&tx.selection_list(other)?);
    if others.is_empty() {
        told.push(format!("No {} are chosen, so all of them are counted here.", word(other)));
    }
    let facts = criteria::catalogue(tx)?;
    let within = |categories: &[UpdateId], these: &BTreeSet<UpdateId>| {
        let in_other = others.is_empty() || categories.iter().any(|category| others.contains(category));
        in_other && categories.iter().any(|category| these.contains(category))
    };
    let updates: Vec<UpdateId> =
        facts.iter().filter(|row| within(&row.categories, &after)).map(|row| row.update).collect();
    let seen: BTreeSet<UpdateId> = facts.iter().flat_map(|row| row.categories.iter().copied()).collect();
    let (files, bytes, bytes_here) = criteria::content(tx, &updates)?;
    let unknown = rows.iter().filter(|row| after.contains(&row.id) && !seen.contains(&row.id));
    let unknown: Vec<String> = unknown.map(|row| row.title.clone()).collect();
    if !unknown.is_empty() {
        told.push(format!(
            "Of {} of them nothing is here yet: how much they bring is known after the next synchronization.",
            unknown.len()
        ));
    }
    Ok(SelectionPreview {
        covers_before: before.len() as u64,
        covers: after.len() as u64,
        updates_before: facts.iter().filter(|row| within(&row.categories, &before)).count() as u64,
        updates: updates.len() as u64,
        files,
        bytes,
        bytes_here,
        unknown,
        notes: told,
    })
}

fn language_ids(wanted: &SelectionChange) -> Result<BTreeSet<String>, AdminError> {
    // "all" is a row of packages, not a language of texts
    let languages = LANGUAGES.iter().filter(|(lcid, ..)| *lcid != 0);
    if wanted.all {
        return Ok(languages.map(|(_, short, _)| (*short).to_owned()).collect());
    }
    wanted
        .ids
        .iter()
        .map(|id| {
            let id = id.trim();
            let number: Option<u32> = id.parse().ok();
            languages
                .clone()
                .find(|(lcid, short, _)| Some(*lcid) == number || short.eq_ignore_ascii_case(id))
                .map(|(_, short, _)| (*short).to_owned())
                .ok_or_else(|| AdminError::missing("language", id, "weir languages list"))
        })
        .collect()
}

/// The categories that a change names: leaves, families and companies, each as itself.
fn category_ids(
    rows: &[CategoryRow],
    kind: SelectionKind,
    wanted: &SelectionChange,
) -> Result<BTreeSet<UpdateId>, AdminError> {
    let of_classifications = kind == SelectionKind::Classifications;
    let leaf = if of_classifications { CategoryKind::UpdateClassification } else { CategoryKind::Product };
    if wanted.all {
        return Ok(rows.iter().filter(|row| row.kind == leaf).map(|row| row.id).collect());
    }
    let is_known = |id: UpdateId| {
        rows.iter().any(|row| row.id == id && (row.kind == CategoryKind::UpdateClassification) == of_classifications)
    };
    wanted
        .ids
        .iter()
        .map(|text| {
            let asked: UpdateId = text.trim().parse().map_err(|_| AdminError::Invalid {
                code: "id",
                detail: format!("{text:?} is not a GUID"),
                next_step: Some(format!("`weir {} list` shows the ids", word(kind))),
            })?;
            if is_known(asked) {
                return Ok(asked);
            }
            let singular = if of_classifications { "classification" } else { "product" };
            Err(AdminError::missing(singular, asked, &format!("weir {} list", word(kind))))
        })
        .collect()
}
