//! What is done with computers, with one as with many: into a collection, out of one, from one to another, or away.

use axum::{Form, response::Response};
use maud::{Markup, html};
use weir_api::{
    bulk::{Changed, ItemResult},
    collection::Collection,
    computer::{ComputerCounts, ComputerRow},
    retirement::RetirementRun,
};

use super::{
    called, facets, link,
    rest::{self, ComputersChange, ComputersQuery},
    stale::retirement::{Asked, retire},
};
use crate::{
    address::{Address, local},
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{common, computers as t},
    ui::{
        self,
        confirm::{Confirm, matches},
        form::{Errors, Field},
    },
};

/// Computers of one change at most, as REST has it.
const MOST: usize = 10_000;
/// Computers that a confirmation names.
const NAMED: usize = 5;
/// Refusals that are shown.
const REFUSALS: usize = 50;
/// Where acts go.
const TO: &str = "/computers/change";

/// What is sent.
#[derive(Debug, Default)]
struct Sent {
    ids: Vec<String>,
    all: bool,
    act: String,
    from: String,
    collection: String,
    source: String,
    /// How many were confirmed.
    count: u64,
    sure: bool,
    typed: String,
    /// How many a retirement was confirmed for.
    due: String,
}

/// Those that are meant, as REST is told.
#[derive(Debug)]
struct Meant {
    ids: Vec<String>,
    filter: Option<ComputersQuery>,
    count: u64,
}

impl Sent {
    fn read(pairs: Vec<(String, String)>) -> Self {
        let mut sent = Self { from: "/computers".to_owned(), ..Self::default() };
        for (name, value) in pairs {
            match name.as_str() {
                // several keys in one field come from the selection that the module remembers
                "id" | "ids" => {
                    sent.ids.extend(value.split([',', ' ']).filter(|id| !id.is_empty()).map(str::to_owned));
                }
                "all" => sent.all = value == "1",
                "act" => sent.act = value,
                "from" => sent.from = local(Some(&value)),
                "collection" => sent.collection = value,
                "source" => sent.source = value,
                "count" => sent.count = value.parse().unwrap_or_default(),
                "sure" => sent.sure = value == "1",
                "typed" => sent.typed = value,
                "due" => sent.due = value,
                _ => {}
            }
        }
        sent.ids.sort_unstable();
        sent.ids.dedup();
        sent
    }

    /// The page that it came from, with its facets.
    fn listed(&self, cx: &Cx) -> Result<Cx, Failure> {
        let from = self.from.parse().map_err(|error: http::uri::InvalidUri| Failure::internal("from", &error))?;
        Ok(facets::settled(&cx.at(Address::of(&from))))
    }

    /// What a list on the page that it came from was asked; members of a collection are those of its page.
    fn query(&self, cx: &Cx) -> Result<ComputersQuery, Failure> {
        let listed = self.listed(cx)?;
        let query = facets::query(&listed);
        Ok(ComputersQuery { collection: collection_of(listed.address.path()).or(query.collection.clone()), ..query })
    }

    /// Whether the page lists what its address says, and nothing else: of other pages "all" is not known here.
    fn has_all(&self, cx: &Cx) -> Result<bool, Failure> {
        let address = self.listed(cx)?.address;
        Ok(address.path() == "/computers" || collection_of(address.path()).is_some())
    }

    async fn meant(&self, cx: &Cx) -> Result<Meant, Failure> {
        if !self.all || !self.has_all(cx)? {
            return Ok(Meant { ids: self.ids.clone(), filter: None, count: self.ids.len() as u64 });
        }
        let query = self.query(cx)?;
        // who is retired is named
        if let Some(filter) = query.selection().filter(|_| self.act != "retire") {
            let counts: ComputerCounts = cx.api.get("/computers-counts", &filter).await?;
            return Ok(Meant { ids: Vec::new(), filter: Some(filter), count: counts.computers });
        }
        let rows = rest::computers(cx, &ComputersQuery { cursor: None, ..query }, MOST + 1).await?;
        let ids: Vec<String> = rows.into_iter().map(|row| row.id).collect();
        Ok(Meant { count: ids.len() as u64, ids, filter: None })
    }

    /// Whether it is from one collection, or to one, and that is not chosen.
    fn lacks(&self) -> bool {
        match self.act.as_str() {
            "delete" => false,
            "move" => self.collection.is_empty() || self.source.is_empty(),
            _ => self.collection.is_empty(),
        }
    }
}

impl Meant {
    fn change(&self, action: &'static str, collection: Option<&str>, preview: bool) -> ComputersChange {
        let (ids, filter) = (self.ids.clone(), self.filter.clone());
        ComputersChange { ids, filter, action, collection: collection.map(str::to_owned), preview }
    }
}

/// The collection whose page a path is: `/computers/collections/NAME`.
fn collection_of(path: &str) -> Option<String> {
    let encoded = path.strip_prefix("/computers/collections/")?.split('/').next()?;
    // one name of a query is decoded as one segment of a path is, but for `+`
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(&format!("n={}", encoded.replace('+', "%2B"))).ok()?;
    pairs.into_iter().next().map(|(_, name)| name).filter(|name| !name.is_empty())
}

/// Asks which collection, asks for confirmation, or acts.
pub(super) async fn change(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let sent = Sent::read(pairs);
    if !["add", "move", "remove", "delete", "retire"].contains(&sent.act.as_str()) {
        return Err(Failure::NotFound);
    }
    let meant = sent.meant(&cx).await?;
    if meant.count == 0 {
        return Ok(t::flash_nothing_selected().to(&sent.from));
    }
    if meant.count > MOST as u64 {
        return Ok(t::flash_too_many(ui::number(&cx, MOST as u64)).to(&sent.from));
    }
    if sent.act == "retire" {
        let run = RetirementRun { ids: meant.ids, ..RetirementRun::default() };
        let (back, sure, due, typed) = (sent.from, sent.sure, sent.due.as_str(), sent.typed.as_str());
        return retire(&cx, Asked { run, to: TO, back, sure, due, typed }).await;
    }
    if sent.lacks() {
        return choose(&cx, &sent, &meant, &Errors::default()).await;
    }
    // those of a filter may have become others meanwhile: what was not seen is not done
    if !sent.sure || meant.count != sent.count {
        return confirm(&cx, &sent, &meant, None).await;
    }
    if sent.act == "delete" && !matches(&sent.typed, &expected(&cx, &sent, &meant).await) {
        return confirm(&cx, &sent, &meant, Some(t::typed_wrong(&cx).to_owned())).await;
    }
    apply(&cx, &sent, &meant).await
}

/// What must be typed before computers are deleted: the name of one, the number of several.
async fn expected(cx: &Cx, sent: &Sent, meant: &Meant) -> String {
    match (meant.count, sent.ids.first()) {
        (1, Some(id)) => {
            let known = first(cx, std::slice::from_ref(id)).await;
            known.first().map_or_else(|| id.clone(), |row| called(&row.name, &row.id).to_owned())
        }
        (count, _) => count.to_string(),
    }
}

/// The first of them, as far as they are here.
async fn first(cx: &Cx, ids: &[String]) -> Vec<ComputerRow> {
    let questions = ids.iter().take(NAMED).map(|id| (super::at(id), ())).collect();
    rest::each::<(), ComputerRow>(cx, questions).await.into_iter().flatten().collect()
}

/// What goes from the selection through the confirmation.
fn carried(confirm: Confirm, sent: &Sent) -> Confirm {
    let all = if sent.all { "1" } else { "" };
    confirm.field("ids", sent.ids.join(",")).field("all", all).field("act", &sent.act).field("from", &sent.from)
}

async fn choose(cx: &Cx, sent: &Sent, meant: &Meant, errors: &Errors) -> Result<Response, Failure> {
    let collections = rest::collections(cx).await?;
    let own: Vec<&Collection> = collections.iter().filter(|one| !one.built_in).collect();
    let options: Vec<(String, String)> = std::iter::once((String::new(), t::choose(cx).to_owned()))
        .chain(own.iter().map(|one| (one.name.clone(), one.name.clone())))
        .collect();
    let page = collection_of(sent.listed(cx)?.address.path());
    let here = sent.query(cx)?.collection.unwrap_or_default();
    let pick = |name: &'static str, label: &str, help: &str, value: &str| {
        let known = options.iter().find(|(_, known)| known.to_lowercase() == value.to_lowercase());
        let value = known.map_or("", |(value, _)| value.as_str());
        Field::new(name, label, errors).help(help).required().choice(&options, value)
    };
    let fields = html! {
        @match sent.act.as_str() {
            "move" => {
                (pick("source", t::source_label(cx), t::source_help(cx), if sent.source.is_empty() { &here } else { &sent.source }))
                (pick("collection", t::target_label(cx), t::target_help(cx), &sent.collection))
            }
            "remove" => (pick("collection", t::source_label(cx), t::source_help(cx), if sent.collection.is_empty() { &here } else { &sent.collection })),
            _ => (pick("collection", t::target_label(cx), t::target_help(cx), &sent.collection)),
        }
    };
    let details = html! {
        (errors.summary(cx))
        @if own.is_empty() { p { (t::no_collections(cx)) } p { a.button href="/computers/collections/new" { (t::collection_new(cx)) } } }
        @else { (fields) }
        (samples(cx, meant).await)
        @if page.is_some() && sent.act == "remove" { p.quiet { (t::remove_note(cx)) } }
    };
    let confirm = Confirm::new(sentence(cx, sent, meant), "", t::go_on(cx), TO, &sent.from)
        .details(details)
        .nothing(own.is_empty());
    Page::new(cx, t::acts(cx, &sent.act)).body(carried(confirm, sent).render(cx)).render().await
}

fn sentence(cx: &Cx, sent: &Sent, meant: &Meant) -> String {
    let (n, to, from) = (meant.count, sent.collection.as_str(), sent.source.as_str());
    match (sent.act.as_str(), sent.lacks()) {
        ("delete", _) => t::delete_sentence(cx, n),
        ("remove", false) => t::remove_sentence(cx, n, to),
        ("move", false) => t::move_sentence(cx, n, from, to),
        ("add", false) => t::add_sentence(cx, n, to),
        _ => t::chosen_sentence(cx, n),
    }
}

async fn samples(cx: &Cx, meant: &Meant) -> Markup {
    let rows = match &meant.filter {
        None => first(cx, &meant.ids).await,
        Some(filter) => rest::computers(cx, filter, NAMED).await.unwrap_or_default(),
    };
    let more = meant.count.saturating_sub(rows.len() as u64);
    html! {
        @if !rows.is_empty() {
            ul.samples { @for row in &rows { li { (link(&row.name, &row.id)) " " span.quiet { (row.os) } } } }
            @if more > 0 { p.quiet { (common::more(cx, more)) } }
        }
    }
}

/// The steps that REST is asked for, in their order: a computer is in its new collection before it leaves the old one.
fn steps(sent: &Sent) -> Vec<(&'static str, Option<&str>)> {
    let to = Some(sent.collection.as_str());
    match sent.act.as_str() {
        "delete" => vec![("delete", None)],
        "remove" => vec![("remove_from", to)],
        "move" => vec![("add_to", to), ("remove_from", Some(sent.source.as_str()))],
        _ => vec![("add_to", to)],
    }
}

/// What goes beside which field of the first page.
fn refused(problem: &weir_api::Problem) -> Errors {
    let about = matches!(problem.code.as_str(), "built_in" | "other_server") || problem.detail.contains("collection");
    if about { Errors::default().field("collection", &problem.detail) } else { Errors::of(problem, &[]) }
}

async fn confirm(cx: &Cx, sent: &Sent, meant: &Meant, wrong: Option<String>) -> Result<Response, Failure> {
    let mut found = html! {};
    let mut changes = sent.act == "delete";
    for (action, collection) in steps(sent).into_iter().filter(|(action, _)| *action != "delete") {
        let asked = meant.change(action, collection, true);
        match cx.api.post::<Changed>("/computers-change", &asked).await {
            Ok(preview) => {
                changes |= preview.changed > 0;
                found = html! { (found) (outlook(cx, action, collection.unwrap_or_default(), &preview)) };
            }
            Err(failure) => {
                let problem = failure.into_problem()?;
                let (ids, act, from) = (sent.ids.clone(), sent.act.clone(), sent.from.clone());
                let again = Sent { ids, act, from, all: sent.all, ..Sent::default() };
                return choose(cx, &again, meant, &refused(&problem)).await;
            }
        }
    }
    let details = html! { (found) (samples(cx, meant).await) };
    let confirm =
        Confirm::new(sentence(cx, sent, meant), t::act_undo(cx, &sent.act), t::acts(cx, &sent.act), TO, &sent.from)
            .details(details)
            .nothing(!changes);
    let confirm = if sent.act == "delete" { confirm.typed(expected(cx, sent, meant).await, wrong) } else { confirm };
    let confirm = carried(confirm, sent)
        .field("collection", &sent.collection)
        .field("source", &sent.source)
        .field("count", meant.count.to_string())
        .field("sure", "1");
    Page::new(cx, t::acts(cx, &sent.act)).body(confirm.render(cx)).render().await
}

/// What REST says that a step would do.
fn outlook(cx: &Cx, action: &str, collection: &str, preview: &Changed) -> Markup {
    html! {
        p {
            @if action == "add_to" { (t::would_come(cx, preview.changed, collection)) } @else { (t::would_go(cx, preview.changed, collection)) }
            @if preview.unchanged > 0 {
                " " @if action == "add_to" { (t::are_there(cx, preview.unchanged)) } @else { (t::are_not_there(cx, preview.unchanged)) }
            }
        }
        (refusals(cx, preview))
    }
}

fn refusals(cx: &Cx, changed: &Changed) -> Markup {
    let failed = changed.items.iter().filter(|item| item.result == ItemResult::Failed);
    html! {
        @if changed.failed > 0 {
            p { (t::would_fail(cx, changed.failed)) }
            ul.samples {
                @for item in failed.take(REFUSALS) { li { (link("", &item.id)) " " span lang="en" { (item.detail.as_deref().unwrap_or_default()) } } }
            }
        }
    }
}

async fn apply(cx: &Cx, sent: &Sent, meant: &Meant) -> Result<Response, Failure> {
    let mut last = Changed::default();
    let mut refused = html! {};
    let mut failed = 0;
    for (action, collection) in steps(sent) {
        let changed = cx.api.post::<Changed>("/computers-change", &meant.change(action, collection, false)).await?;
        failed += changed.failed;
        refused = html! { (refused) (refusals(cx, &changed)) };
        if action != "remove_from" || sent.act != "move" {
            last = changed;
        }
    }
    let n = last.changed;
    if failed > 0 {
        let body = html! {
            div.panel.failure role="alert" { p { (t::partly(cx, n, ui::number(cx, last.matched))) } (refused) }
            p { a.button href=(sent.from) { (t::back(cx)) } }
        };
        return Page::new(cx, t::acts(cx, &sent.act)).body(body).render().await;
    }
    let flash = match sent.act.as_str() {
        "delete" => t::flash_deleted(n),
        "remove" => t::flash_removed(n, &sent.collection),
        "move" => t::flash_moved(n, &sent.collection),
        _ => t::flash_added(n, &sent.collection),
    };
    // the page of a computer that is gone is no place to go back to
    let gone = sent.act == "delete" && sent.ids.iter().any(|id| sent.from.starts_with(&super::at(id)));
    Ok(flash.to(if gone { "/computers" } else { &sent.from }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_collection_of_a_page_is_known_by_its_path() {
        assert_eq!(collection_of("/computers/collections/Ring%201%2B").as_deref(), Some("Ring 1+"));
        assert_eq!(collection_of("/computers/collections/a+b").as_deref(), Some("a+b"));
        assert_eq!(collection_of("/computers/collections/"), None);
        assert_eq!(collection_of("/computers"), None);
    }

    #[test]
    fn a_computer_is_in_its_new_collection_before_it_leaves_the_old_one() {
        let sent =
            Sent { act: "move".to_owned(), collection: "B".to_owned(), source: "A".to_owned(), ..Sent::default() };
        assert_eq!(steps(&sent), [("add_to", Some("B")), ("remove_from", Some("A"))]);
    }
}
