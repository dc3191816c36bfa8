//! What to synchronize: products, classifications, languages.

use std::collections::{BTreeSet, HashMap};

use serde_json::json;
use weir_api::{
    List,
    selection::{Category, Language, Selection, SelectionChange},
};
use weir_model::{
    document::{CategoryInformation, Limits, UpdateDocument},
    ids::UpdateId,
    update::CategoryKind,
};
use weir_store::{ReadTx, list::CategoryRow, selection::SelectionKind};
use weir_wire::package::LANGUAGES;

use super::{AdminError, App, Caller};
use crate::sites;

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
    let selected: BTreeSet<String> = selected.into_iter().collect();
    Ok(List { items: tree(rows, &selected), next: None })
}

/// A category with what its document says of it.
struct Node {
    row: CategoryRow,
    revision: u32,
    information: CategoryInformation,
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

fn tree(rows: Vec<Node>, selected: &BTreeSet<String>) -> Vec<Category> {
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
    selected: &BTreeSet<String>,
) -> Vec<Category> {
    let rows = below.remove(&parent).unwrap_or_default();
    rows.into_iter()
        .map(|Node { row, revision, information }| {
            let children = nodes(Some(row.id), below, selected);
            let leaf = matches!(row.kind, CategoryKind::Product | CategoryKind::UpdateClassification);
            Category {
                id: row.id.0,
                kind: row.kind,
                title: row.title,
                revision,
                selected: if leaf {
                    selected.contains(&row.id.to_string())
                } else {
                    !children.is_empty() && children.iter().all(|child| child.selected)
                },
                holds_updates: !information.prohibits_updates.unwrap_or(false),
                excluded_by_default: information.excluded_by_default.unwrap_or(false),
                children,
            }
        })
        .collect()
}

/// The 39 languages.
pub(crate) async fn languages(app: &App) -> Result<List<Language>, AdminError> {
    let selected = app.read(|tx| tx.selection_list(SelectionKind::Languages)).await?;
    let items = LANGUAGES
        .iter()
        .map(|(lcid, short, name)| Language {
            id: (*short).to_owned(),
            lcid: *lcid,
            name: (*name).to_owned(),
            selected: selected.iter().any(|id| id == short),
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
    if wanted.all && !wanted.ids.is_empty() {
        return Err(AdminError::invalid("selection", "give either all or ids, not both"));
    }
    let selected = app
        .write(caller, move |tx| {
            // which files are kept is each site's own affair
            if kind != SelectionKind::FileLanguages {
                sites::refuse_below(tx, "Products, classifications and languages")?;
            }
            let values: Vec<String> = match kind {
                SelectionKind::FileLanguages | SelectionKind::Languages => language_ids(&wanted)?,
                kind => category_ids(tx, kind, &wanted)?,
            }
            .into_iter()
            .collect();
            let before = tx.selection_list(kind)?;
            match how {
                Change::Add => tx.selection_add(kind, &values)?,
                Change::Remove => tx.selection_remove(kind, &values)?,
                Change::Replace => tx.selection_set(kind, &values)?,
            }
            let after = tx.selection_list(kind)?;
            if before != after {
                tx.audit(&how.action(kind), word(kind), Some(&json!(before)), Some(&json!(after)))?;
            }
            Ok(after)
        })
        .await?;
    Ok(Selection { selected })
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

fn category_ids(
    tx: &ReadTx<'_>,
    kind: SelectionKind,
    wanted: &SelectionChange,
) -> Result<BTreeSet<String>, AdminError> {
    let rows = tx.category_list("en")?;
    let leaf = match kind {
        SelectionKind::Classifications => CategoryKind::UpdateClassification,
        _ => CategoryKind::Product,
    };
    let leaves = rows.iter().filter(|row| row.kind == leaf);
    if wanted.all {
        return Ok(leaves.map(|row| row.id.to_string()).collect());
    }
    let parents: HashMap<UpdateId, Option<UpdateId>> = rows.iter().map(|row| (row.id, row.parent)).collect();
    let mut ids = BTreeSet::new();
    for text in &wanted.ids {
        let asked: UpdateId = text.trim().parse().map_err(|_| AdminError::Invalid {
            code: "id",
            detail: format!("{text:?} is not a GUID"),
            next_step: Some(format!("`weir {} list` shows the ids", word(kind))),
        })?;
        let under = |row: &CategoryRow| {
            let mut next = Some(row.id);
            for _ in 0..8 {
                match next {
                    Some(id) if id == asked => return true,
                    Some(id) => next = parents.get(&id).copied().flatten(),
                    None => return false,
                }
            }
            false
        };
        let before = ids.len();
        let found: Vec<String> = leaves.clone().filter(|row| under(row)).map(|row| row.id.to_string()).collect();
        let is_known = !found.is_empty();
        ids.extend(found);
        if !is_known && before == ids.len() {
            let singular = word(kind).trim_end_matches('s');
            return Err(AdminError::missing(
                if singular == "product" { "product" } else { "classification" },
                asked,
                &format!("weir {} list", word(kind)),
            ));
        }
    }
    Ok(ids)
}
