//! Who is in a collection, and why.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;
use weir_api::{
    List,
    collection::{
        CollectionWhy, HeldBy, Member, MemberChange, MemberSource as ApiSource, MembersChanged, RuleOutcome, Verdict,
    },
    computer::ComputerQuery,
    list::ListQuery,
};
use weir_model::{
    ids::{CollectionId, ComputerId},
    membership,
    rights::Scope,
    targeting::CollectionKind,
};
use weir_store::{
    ReadTx, StoreError,
    collection::{CollectionRow, MemberSource},
    computer::THIS_SERVER,
};

use super::{Tree, definition::RuleNames, settle};
use crate::{
    admin::{AdminError, App, Caller, computer},
    live::membership::Compiled,
};

/// Computers of one change of members.
const MOST_MEMBERS: usize = 10_000;

pub(super) fn api_source(source: MemberSource) -> ApiSource {
    match source {
        MemberSource::Include => ApiSource::Include,
        MemberSource::Manual => ApiSource::Manual,
        MemberSource::Requested => ApiSource::Requested,
        MemberSource::Rule => ApiSource::Rule,
    }
}

fn words(source: ApiSource) -> &'static str {
    match source {
        ApiSource::BuiltIn => "it follows from the other collections",
        ApiSource::Include => "an included collection holds it",
        ApiSource::Manual => "an administrator put it there",
        ApiSource::Nested => "it is in a collection below this one",
        ApiSource::Requested => "it asked to be there",
        ApiSource::Rule => "the rule holds",
    }
}

/// All that puts a computer into a collection; nothing if it is not in it.
fn sources(tx: &ReadTx<'_>, tree: &Tree, id: CollectionId, computer: u32) -> Result<Vec<ApiSource>, StoreError> {
    let mut sources: Vec<ApiSource> = tx.member_sources(id, computer)?.into_iter().map(api_source).collect();
    let groups = tx.computer_collections(computer)?;
    let built_in = match id {
        CollectionId::ALL_COMPUTERS => true,
        id @ CollectionId::UNASSIGNED_COMPUTERS => groups.is_empty() || groups.contains(&id),
        _ => false,
    };
    if built_in {
        sources.push(ApiSource::BuiltIn);
    } else if groups.iter().any(|group| *group != id && tree.is_within(*group, id)) {
        sources.push(ApiSource::Nested);
    }
    Ok(sources)
}

/// Computers of a collection and of those below it.
pub(crate) async fn list(app: &App, scope: Scope, name: String, query: ListQuery) -> Result<List<Member>, AdminError> {
    let of_collection = ComputerQuery {
        collection: Some(name.clone()),
        cursor: query.cursor,
        limit: query.limit,
        ..ComputerQuery::default()
    };
    let page = computer::list(app, scope.clone(), of_collection).await?;
    app.try_read(move |tx| {
        let tree = Tree::within(tx, &scope)?;
        let id = tree.find(&name)?.id;
        let mut items = Vec::with_capacity(page.items.len());
        for computer in page.items {
            let known = computer.id.parse::<ComputerId>().ok();
            let known = known.map_or(Ok(None), |id| tx.computer_find(&id))?;
            let sources = known.map_or(Ok(Vec::new()), |row| sources(tx, &tree, id, row.no))?;
            let why = sources.iter().map(|source| words(*source)).collect::<Vec<_>>().join("; ");
            items.push(Member { computer, sources, why });
        }
        Ok(List { items, next: page.next })
    })
    .await
}

/// Adds computers to a collection, or removes them.
pub(crate) async fn change(
    app: &App,
    caller: &Caller,
    name: String,
    change: MemberChange,
    add: bool,
) -> Result<MembersChanged, AdminError> {
    if change.computers.is_empty() || change.computers.len() > MOST_MEMBERS {
        return Err(AdminError::invalid("computers", format!("give 1 to {MOST_MEMBERS} computers")));
    }
    let scope = caller.scope().clone();
    let changed = app
        .write(caller, move |tx| {
            let tree = Tree::within(tx, &scope)?;
            let row = tree.find(&name)?;
            tree.check_target(row.id)?;
            if row.built_in {
                return Err(AdminError::Conflict {
                    code: "built_in",
                    detail: format!("the members of {} follow from the other collections", row.name),
                    next_step: Some("add computers to a collection of your own, or remove them from it".to_owned()),
                });
            }
            let mut result = MembersChanged::default();
            let mut names = BTreeSet::new();
            for text in &change.computers {
                let id: ComputerId = text
                    .trim()
                    .parse()
                    .map_err(|error| AdminError::invalid("computer", format!("{text:?}: {error}")))?;
                let found = tx.computer_find(&id)?;
                let computer = found.ok_or_else(|| AdminError::missing("computer", &id, "weir computers list"))?;
                // nobody draws computers of others into the own scope
                tree.check_computer(&id, &tx.computer_collections(computer.no)?)?;
                if add && row.kind == CollectionKind::Rule && computer.site != THIS_SERVER {
                    return Err(AdminError::Conflict {
                        code: "other_server",
                        detail: format!("computer {id} scans at another server, which decides where it is"),
                        next_step: Some("put it into the collection there".to_owned()),
                    });
                }
                let is_new = if add {
                    tx.collection_add(row.id, computer.no, MemberSource::Manual)?
                } else {
                    tx.collection_remove(row.id, computer.no, MemberSource::Manual)?
                };
                if is_new {
                    result.changed += 1;
                    names.insert(id.to_string());
                } else {
                    result.unchanged += 1;
                }
            }
            if result.changed > 0 {
                let action = if add { "collection.add" } else { "collection.remove" };
                tx.audit(action, &row.id.to_string(), None, Some(&json!({ "computers": names })))?;
            }
            Ok(result)
        })
        .await?;
    settle(app).await?;
    Ok(changed)
}

/// Whether a computer is in a collection, and why.
pub(crate) async fn why(app: &App, scope: Scope, name: String, computer: String) -> Result<CollectionWhy, AdminError> {
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let tree = Tree::within(tx, &scope)?;
        let row = tree.find(&name)?;
        let id: ComputerId = computer
            .trim()
            .parse()
            .map_err(|error| AdminError::invalid("computer", format!("{computer:?}: {error}")))?;
        let found = tx.computer_find(&id)?;
        let computer = found.ok_or_else(|| AdminError::missing("computer", &id, "weir computers list"))?;
        tree.check_computer(&id, &tx.computer_collections(computer.no)?)?;
        let sources = sources(tx, &tree, row.id, computer.no)?;
        let mut answer = CollectionWhy {
            collection: tree.reference(row.id),
            computer: id.to_string(),
            member: !sources.is_empty(),
            why: told(&tree, row, &sources),
            sources,
            verdict: None,
            rule: None,
            includes: Vec::new(),
            excludes: Vec::new(),
            limiting: None,
        };
        if row.kind == CollectionKind::Rule && computer.site == THIS_SERVER {
            let compiled = Compiled::read(tx)?;
            if let Some(seen) = tx.membership_of(computer.no, compiled.depends.status)? {
                let names = |id: CollectionId| tree.shown_name(id);
                let view = live.membership.view();
                let found = compiled.explain(row.id, &seen, &view, &names, Timestamp::now());
                if let Some((explanation, terms)) = found {
                    let rule = compiled.definitions.get(&row.id).and_then(|known| known.rule.as_ref());
                    let rule_names = RuleNames::read(tx, &tree)?;
                    let rule = rule.map(|rule| rule_names.shown(&rule.to_string()));
                    fill(&mut answer, &tree, &explanation, terms.as_ref(), rule);
                }
            }
        }
        Ok(answer)
    })
    .await
}

/// Of a collection that no rule decides about here, in words.
fn told(tree: &Tree, row: &CollectionRow, sources: &[ApiSource]) -> String {
    if sources.is_empty() {
        return format!("It is not in {:?}: nobody put it there, and it is in no collection below.", tree.name(row.id));
    }
    let words: Vec<&str> = sources.iter().map(|source| words(*source)).collect();
    format!("It is in {:?}: {}.", tree.name(row.id), words.join("; "))
}

fn fill(
    answer: &mut CollectionWhy,
    tree: &Tree,
    explanation: &membership::Explanation,
    terms: Option<&weir_model::expression::Explanation>,
    rule: Option<String>,
) {
    let held = |(id, holds): &(CollectionId, bool)| HeldBy { collection: tree.reference(*id), holds: *holds };
    let reasons: Vec<String> =
        terms.map(|terms| terms.reasons.iter().map(ToString::to_string).collect()).unwrap_or_default();
    let text = rule.unwrap_or_default();
    let with_reasons = if reasons.is_empty() { text.clone() } else { format!("{text} ({})", reasons.join("; ")) };
    answer.verdict = Some(match explanation.verdict {
        membership::Verdict::Circle => Verdict::Circle,
        membership::Verdict::Excluded => Verdict::Excluded,
        membership::Verdict::Member => Verdict::Member,
        membership::Verdict::NotNamed => Verdict::NotNamed,
        membership::Verdict::OutsideLimit => Verdict::OutsideLimit,
    });
    answer.rule = explanation.rule.map(|holds| RuleOutcome { text, holds, reasons });
    let named = |(id, _): &&(CollectionId, bool)| tree.may_name(*id);
    answer.includes = explanation.includes.iter().filter(named).map(held).collect();
    answer.excludes = explanation.excludes.iter().filter(named).map(held).collect();
    answer.limiting = explanation.limiting.as_ref().filter(named).map(held);
    answer.why = explanation.describe(|id| tree.shown_name(id), &with_reasons);
}
