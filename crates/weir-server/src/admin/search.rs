//! Saved searches.

use serde_json::json;
use uuid::Uuid;
use weir_api::{
    List,
    list::ListQuery,
    search::{SavedSearch, SavedSearchChange, SavedSearchCreate, SearchField, SearchFieldQuery},
};
use weir_model::{
    expression::{Expression, Field, computers, updates},
    targeting::DeploymentOrigin,
};
use weir_store::{
    ReadTx,
    saved_search::{SavedSearch as Stored, SavedSearchRow},
};

use super::{
    AdminError, App, Caller,
    index::Index,
    list,
    update_list::{check_text, expression, sort},
};
use crate::sites;

/// Saved searches that a site may have.
const MOST: usize = 1_000;
/// Characters of a name, and of a description.
const LONGEST_NAME: usize = 256;

/// Saved searches, by name.
pub(crate) async fn list(app: &App, query: ListQuery) -> Result<List<SavedSearch>, AdminError> {
    let limit = list::limit(query.limit)?;
    let index = Index::current(app).await?;
    let rows = app.read(|tx| tx.saved_search_list()).await?;
    let shown = rows.into_iter().map(|row| shown(&index, row));
    list::page(shown, |row| row.name.to_lowercase(), query.cursor.as_deref(), limit)
}

/// One of them.
pub(crate) async fn show(app: &App, name: String) -> Result<SavedSearch, AdminError> {
    let index = Index::current(app).await?;
    let row = app.try_read(move |tx| find(tx, &name)).await?;
    Ok(shown(&index, row))
}

/// The saved search of that name or id.
pub(crate) fn find(tx: &ReadTx<'_>, name: &str) -> Result<SavedSearchRow, AdminError> {
    let found = match tx.saved_search_find(name)? {
        None => match name.trim().parse::<Uuid>() {
            Ok(id) => tx.saved_search_show(id)?,
            Err(_) => None,
        },
        found => found,
    };
    found.ok_or_else(|| AdminError::missing("saved search", name, "weir searches list"))
}

/// Saves a search.
pub(crate) async fn create(app: &App, caller: &Caller, new: SavedSearchCreate) -> Result<SavedSearch, AdminError> {
    let index = Index::current(app).await?;
    let names = index.clone();
    let row = app
        .write(caller, move |tx| {
            sites::refuse_below(tx, "Saved searches")?;
            let SavedSearchCreate { name, description, filter, text, sort } = new;
            let mut search = Stored { name, description, filter, text, sort };
            resolve(&names, &mut search)?;
            check(&mut search)?;
            free(tx, &search.name)?;
            if tx.saved_search_list()?.len() >= MOST {
                return Err(AdminError::Conflict {
                    code: "too_many",
                    detail: format!("there are {MOST} saved searches already"),
                    next_step: Some("delete some: weir searches delete NAME".to_owned()),
                });
            }
            tx.saved_search_put(Uuid::new_v4(), &search, DeploymentOrigin::Local)?;
            tx.audit("search.create", &search.name, None, Some(&audited(&search)))?;
            find(tx, &search.name)
        })
        .await?;
    Ok(shown(&index, row))
}

/// Changes a saved search.
pub(crate) async fn change(
    app: &App,
    caller: &Caller,
    name: String,
    change: SavedSearchChange,
) -> Result<SavedSearch, AdminError> {
    let index = Index::current(app).await?;
    let names = index.clone();
    let row = app
        .write(caller, move |tx| {
            sites::refuse_below(tx, "Saved searches")?;
            let row = find(tx, &name)?;
            let mut search = row.search.clone();
            let SavedSearchChange { name, description, filter, text, sort } = change;
            if let Some(name) = name {
                if weir_model::name::key(&name) != weir_model::name::key(&search.name) {
                    free(tx, name.trim())?;
                }
                search.name = name;
            }
            search.description = description.unwrap_or(search.description);
            search.text = text.or(search.text);
            search.sort = sort.or(search.sort);
            if filter.is_some() {
                search.filter = filter;
                resolve(&names, &mut search)?;
            }
            check(&mut search)?;
            if search != row.search {
                tx.saved_search_put(row.id, &search, row.origin)?;
                tx.audit("search.change", &search.name, Some(&audited(&row.search)), Some(&audited(&search)))?;
            }
            find(tx, &search.name)
        })
        .await?;
    Ok(shown(&index, row))
}

/// Deletes a saved search.
pub(crate) async fn delete(app: &App, caller: &Caller, name: String) -> Result<(), AdminError> {
    app.write(caller, move |tx| {
        sites::refuse_below(tx, "Saved searches")?;
        let row = find(tx, &name)?;
        tx.saved_search_delete(row.id)?;
        tx.audit("search.delete", &row.search.name, Some(&audited(&row.search)), None)?;
        Ok(())
    })
    .await
}

/// What filters may ask.
pub(crate) fn fields(query: &SearchFieldQuery) -> Result<List<SearchField>, AdminError> {
    let items = match query.of.as_deref() {
        None | Some("updates") => table::<updates::Field>(),
        Some("computers") => table::<computers::Field>(),
        Some(other) => {
            let detail = format!("of is {other:?}; it must be updates or computers");
            return Err(AdminError::invalid("of", detail));
        }
    };
    Ok(List { items, next: None })
}

fn table<F: Field>() -> Vec<SearchField> {
    let specs = F::all().iter().map(|field| field.spec());
    specs
        .map(|spec| SearchField {
            name: spec.name.to_owned(),
            aliases: spec.aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            kind: spec.kind.words(),
            operators: spec.kind.operators().split(' ').map(str::to_owned).collect(),
            example: spec.kind.example().to_owned(),
            meaning: spec.meaning.to_owned(),
        })
        .collect()
}

/// Puts a search in its one form and checks it. What is empty is not there.
pub(crate) fn check(search: &mut Stored) -> Result<(), AdminError> {
    let given = |text: &mut Option<String>| *text = text.take().filter(|text| !text.trim().is_empty());
    search.name = search.name.trim().to_owned();
    search.description = search.description.trim().to_owned();
    given(&mut search.filter);
    given(&mut search.text);
    given(&mut search.sort);
    let long = |text: &str| text.chars().count() > LONGEST_NAME;
    if long(&search.name) || !weir_model::name::is_printable(&search.name) {
        let detail = format!("a name has 1 to {LONGEST_NAME} characters, without control characters");
        return Err(AdminError::invalid("name", detail));
    }
    if long(&search.description) || search.description.contains(|c: char| c.is_control() && c != '\n') {
        let detail = format!("a description has at most {LONGEST_NAME} characters, and none that cannot be printed");
        return Err(AdminError::invalid("description", detail));
    }
    if search.filter.is_none() && search.text.is_none() {
        return Err(AdminError::Invalid {
            code: "filter",
            detail: "a search needs a filter or a text".to_owned(),
            next_step: Some("for example: weir searches create Needed --filter 'needed > 0'".to_owned()),
        });
    }
    if let Some(filter) = &mut search.filter {
        *filter = expression(filter)?.to_string();
    }
    if let Some(text) = &search.text {
        check_text(text)?;
    }
    search.sort.as_deref().map(sort).transpose()?;
    Ok(())
}

/// Replaces names by ids.
fn resolve(index: &Index, search: &mut Stored) -> Result<(), AdminError> {
    let Some(filter) = search.filter.as_mut().filter(|filter| !filter.trim().is_empty()) else { return Ok(()) };
    let resolved = expression(filter)?.resolve(&index.search).map_err(|errors| {
        let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
        AdminError::Invalid {
            code: "filter",
            detail: format!("the filter cannot be saved: {}", texts.join("; ")),
            next_step: Some("see what there is: weir products list, weir classifications list".to_owned()),
        }
    })?;
    *filter = resolved.expression.to_string();
    Ok(())
}

fn free(tx: &ReadTx<'_>, name: &str) -> Result<(), AdminError> {
    if tx.saved_search_find(name)?.is_none() {
        return Ok(());
    }
    Err(AdminError::Conflict {
        code: "exists",
        detail: format!("a saved search named {name:?} exists already"),
        next_step: Some("change that one: weir searches change NAME".to_owned()),
    })
}

fn audited(search: &Stored) -> serde_json::Value {
    let Stored { name, description, filter, text, sort } = search;
    json!({ "name": name, "description": description, "filter": filter, "text": text, "sort": sort })
}

fn shown(index: &Index, row: SavedSearchRow) -> SavedSearch {
    let Stored { name, description, filter, text, sort } = row.search;
    let parsed = filter.as_deref().and_then(|filter| Expression::<updates::Field>::parse(filter).ok());
    let by_text = parsed.as_ref().and_then(|parsed| parsed.resolve(&index.search).ok());
    SavedSearch {
        id: row.id,
        name,
        description,
        // a filter of a newer version is shown as it is kept
        filter: parsed.map(|parsed| parsed.with_names(&index.search).to_string()).or_else(|| filter.clone()),
        filter_by_id: filter,
        by_text: by_text.map(|resolved| resolved.by_text).unwrap_or_default(),
        text,
        sort,
        from_parent: row.origin == DeploymentOrigin::Parent,
        changed_at: row.changed_at,
        changed_by: row.changed_by,
    }
}
