//! Lists of updates: filter, text, order, page and counts, answered from the index.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use jiff::Timestamp;
use weir_api::update::{FacetCounts, FacetValue, UpdateList, UpdateQuery};
use weir_model::{
    expression::{Expression, Field as _, ParseError, UpdateExpression},
    ids::{RevisionId, UpdateId},
    rights::Scope,
    search::{Cursor, Entry, Facet, FacetValues, Query, Results, RevisionCounts, Sort, State, fold, words},
};

use super::{
    AdminError, App, blocking,
    index::{Counted, Index},
    list, search,
    selection::known_language,
};

/// Characters of a text.
pub(crate) const LONGEST_TEXT: usize = 256;
/// Values of a facet unless asked otherwise.
const FACET_VALUES: u32 = 10;

/// What a list is asked for.
#[derive(Clone, Debug, Default)]
struct Wanted {
    expression: Option<UpdateExpression>,
    text: Option<String>,
    sort: Option<(Sort, Option<bool>)>,
    after: Option<Cursor>,
    facets: Option<usize>,
    limit: usize,
}

/// A page of updates.
pub(crate) async fn list(app: &App, scope: Scope, query: UpdateQuery) -> Result<UpdateList, AdminError> {
    let language = known_language(query.language.as_deref())?;
    let wanted = wanted(app, query).await?;
    let index = Index::current(app).await?;
    let counted = Counted::within(app, scope).await?;
    let (known, counts) = (Arc::clone(&index), Arc::clone(&counted));
    let (results, facets) = blocking(move || {
        let results = find(&known, &counts, &wanted)?;
        let facets = wanted.facets.map(|_| by_revision(&known, &known.search.count_revisions(&results.found)));
        Ok((results, facets))
    })
    .await?;
    let entries = results.rows.iter().filter_map(|slot| index.search.entry(*slot));
    let ids: Vec<RevisionId> = entries.map(|entry| entry.revision_id).collect();
    let titles = if language == "en" { HashMap::new() } else { localized_titles(app, ids, language).await? };
    let items = results.rows.iter().filter_map(|slot| {
        let entry = index.search.entry(*slot)?;
        index.row(*slot, titles.get(&entry.revision_id).cloned(), &counted.of(entry.identity.update_id))
    });
    Ok(UpdateList {
        items: items.collect(),
        updates: results.updates,
        total: results.revisions,
        counts: facets.is_some().then(|| results.facets.into_iter().map(shown).collect()),
        facets,
        next: results.next.map(|next| next.to_string()),
    })
}

async fn wanted(app: &App, query: UpdateQuery) -> Result<Wanted, AdminError> {
    let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let mut wanted = Wanted {
        expression: given(query.filter).map(|filter| expression(&filter)).transpose()?,
        text: given(query.text),
        sort: query.sort.as_deref().map(sort).transpose()?,
        after: query.cursor.as_deref().map(|cursor| cursor.parse().map_err(|_| no_cursor(cursor))).transpose()?,
        facets: None,
        limit: list::limit(query.limit)? as usize,
    };
    match query.facet_values {
        Some(values) if !(1..=list::LARGEST).contains(&values) => {
            let detail = format!("facet_values is {values}; it must be 1 to {}", list::LARGEST);
            return Err(AdminError::invalid("facet_values", detail));
        }
        values => wanted.facets = query.facets.then_some(values.unwrap_or(FACET_VALUES) as usize),
    }
    if let Some(text) = wanted.text.as_deref() {
        check_text(text)?;
    }
    let Some(name) = query.saved else { return Ok(wanted) };
    let saved = app.try_read(move |tx| search::find(tx, &name)).await?.search;
    if let Some(filter) = saved.filter {
        let parts = [Some(expression(&filter)?), wanted.expression.take()];
        wanted.expression = Expression::all_of(parts.into_iter().flatten()).map_err(|error| no_filter(&error))?;
    }
    wanted.text = wanted.text.or(saved.text);
    if wanted.sort.is_none() {
        wanted.sort = saved.sort.as_deref().map(sort).transpose()?;
    }
    Ok(wanted)
}

fn find(index: &Index, counted: &Counted, wanted: &Wanted) -> Result<Results, AdminError> {
    let query = Query {
        expression: wanted.expression.as_ref(),
        text: wanted.text.as_deref(),
        sort: wanted.sort.map(|(sort, _)| sort),
        descending: wanted.sort.and_then(|(_, descending)| descending),
        after: wanted.after.as_ref(),
        limit: wanted.limit,
        facets: wanted.facets.map(|values| (&Facet::ALL[..], values)),
    };
    let counts = |update: UpdateId| counted.compared(update);
    let found = index.search.search(&query, Timestamp::now(), &counts);
    found.map_err(|_| no_cursor(&wanted.after.as_ref().map(ToString::to_string).unwrap_or_default()))
}

/// Updates that an expression holds for, newest arrival first, as far as `also` lets them through.
pub(crate) async fn matching(
    app: &App,
    expression: &UpdateExpression,
    also: impl Fn(&Entry, &State) -> bool + Send + 'static,
) -> Result<Vec<UpdateId>, AdminError> {
    let index = Index::current(app).await?;
    let counted = Counted::current(app).await?;
    let expression = expression.clone();
    blocking(move || {
        let slots = index.search.matching(&expression, Timestamp::now(), &|update| counted.compared(update));
        let found = slots.into_iter().filter_map(|slot| {
            let (entry, state) = (index.search.entry(slot)?, index.search.state(slot)?);
            also(entry, state).then_some(entry.identity.update_id)
        });
        Ok(found.collect())
    })
    .await
}

/// Reads a filter.
pub(crate) fn expression(text: &str) -> Result<UpdateExpression, AdminError> {
    Expression::parse(text).map_err(|error| no_filter(&error))
}

/// A filter that cannot be read.
pub(crate) fn no_filter(error: &ParseError) -> AdminError {
    AdminError::Invalid {
        code: "filter",
        detail: format!("the filter is {error}"),
        next_step: Some("write terms such as: type = software and needed > 0 and title ~ \"server 2019\"".to_owned()),
    }
}

/// Reads an order: `FIELD`, `FIELD:asc` or `FIELD:desc`.
pub(crate) fn sort(text: &str) -> Result<(Sort, Option<bool>), AdminError> {
    let wrong = || {
        let names: Vec<&str> = Sort::ALL.iter().map(|sort| sort.name()).collect();
        AdminError::Invalid {
            code: "sort",
            detail: format!("updates cannot be sorted by {text:?}"),
            next_step: Some(format!("use one of {}, with :asc or :desc", names.join(", "))),
        }
    };
    let (name, direction) = text.split_once(':').map_or((text, None), |(name, direction)| (name, Some(direction)));
    let descending = match direction {
        None => None,
        Some("asc") => Some(false),
        Some("desc") => Some(true),
        Some(_) => return Err(wrong()),
    };
    Ok((Sort::named(name).ok_or_else(wrong)?, descending))
}

/// Checks a text to look for.
pub(crate) fn check_text(text: &str) -> Result<(), AdminError> {
    if text.chars().count() > LONGEST_TEXT {
        return Err(AdminError::invalid("text", format!("the text is longer than {LONGEST_TEXT} characters")));
    }
    if text.contains(char::is_control) {
        return Err(AdminError::invalid("text", "the text has characters that cannot be printed"));
    }
    if words(&fold(text)).next().is_none() {
        return Err(AdminError::Invalid {
            code: "text",
            detail: format!("the text {text:?} has no word to look for"),
            next_step: Some("give letters or digits; punctuation is not looked at".to_owned()),
        });
    }
    Ok(())
}

fn no_cursor(cursor: &str) -> AdminError {
    let shown: String = cursor.chars().take(200).collect();
    AdminError::Invalid {
        code: "cursor",
        detail: format!("{shown:?} is not a cursor of this list"),
        next_step: Some("begin without a cursor, and keep sort and text while you go on".to_owned()),
    }
}

fn shown(counted: FacetValues) -> FacetCounts {
    let value = |value: weir_model::search::FacetValue| FacetValue {
        value: value.value,
        name: list::short(&value.name),
        updates: value.updates,
    };
    FacetCounts {
        field: counted.facet.field().spec().name.to_owned(),
        values: counted.values.into_iter().map(value).collect(),
        more: counted.more,
    }
}

/// Counts of stored revisions; kinds and states that none has are 0.
fn by_revision(index: &Index, counts: &RevisionCounts) -> BTreeMap<String, BTreeMap<String, u64>> {
    let kinds = ["category", "detectoid", "driver", "software"].into_iter().zip(counts.types);
    let states = [
        ("declined", counts.declined),
        ("deployed", counts.deployed),
        ("expired", counts.expired),
        ("unresolved", counts.unresolved),
    ];
    let words = |values: &mut dyn Iterator<Item = (&str, u64)>| {
        values.map(|(name, count)| (name.to_owned(), count)).collect::<BTreeMap<_, _>>()
    };
    // two categories of one name are counted together
    let titles = |counts: &HashMap<UpdateId, u64>| {
        let mut by_title = BTreeMap::new();
        for (id, count) in counts {
            let title = index.search.category(*id).map(|category| list::short(&category.title)).unwrap_or_default();
            *by_title.entry(title).or_default() += count;
        }
        by_title
    };
    BTreeMap::from([
        ("kind".to_owned(), words(&mut kinds.into_iter())),
        ("state".to_owned(), words(&mut states.into_iter())),
        ("classification".to_owned(), titles(&counts.classifications)),
        ("product".to_owned(), titles(&counts.products)),
    ])
}

/// Titles in a language, where there are some.
pub(crate) async fn localized_titles(
    app: &App,
    ids: Vec<RevisionId>,
    language: String,
) -> Result<HashMap<RevisionId, String>, AdminError> {
    app.read(move |tx| {
        let mut titles = HashMap::new();
        for id in ids {
            let texts = tx.revision_localized(id)?;
            if let Some(text) = texts.iter().find(|text| text.language.eq_ignore_ascii_case(&language)) {
                titles.insert(id, list::short(text.title.trim()));
            }
        }
        Ok(titles)
    })
    .await
}
