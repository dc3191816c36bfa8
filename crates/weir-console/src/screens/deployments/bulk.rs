//! What is done with one deployment or with many: a confirmation that says to whom, then the act.

use axum::{Form, response::Response};
use maud::{Markup, html};
use weir_api::{
    bulk::{Changed, DeploymentsAction, DeploymentsChange, ItemResult},
    deployment::Deployment,
    deployment_compliance::DeploymentCompliance,
};

use super::{list, names, when};
use crate::{
    address::{Address, local, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{common, deployments as t},
    ui::{
        self,
        confirm::{Confirm, matches},
        form::Errors,
    },
};

/// Deployments of one change at most, as REST has it.
const MOST: usize = 10_000;
/// Deployments that a confirmation names.
const NAMED: usize = 10;

/// What the selection and the confirmation send.
#[derive(Debug, Default)]
struct Sent {
    ids: Vec<i32>,
    all: bool,
    act: String,
    from: String,
    typed: String,
    sure: bool,
}

impl Sent {
    fn read(pairs: Vec<(String, String)>) -> Self {
        let mut sent = Self { from: "/deployments".to_owned(), ..Self::default() };
        for (name, value) in pairs {
            match name.as_str() {
                // several keys in one field come from the selection that the module remembers
                "id" | "ids" => sent.ids.extend(value.split([',', ' ']).filter_map(|id| id.parse::<i32>().ok())),
                "all" => sent.all = value == "1",
                "act" => sent.act = value,
                "from" => sent.from = local(Some(&value)),
                "typed" => sent.typed = value,
                "sure" => sent.sure = value == "1",
                _ => {}
            }
        }
        sent.ids.sort_unstable();
        sent.ids.dedup();
        sent
    }

    /// Where one goes when it is done: a deployment that is gone has no page.
    fn after(&self) -> String {
        match self.ids.as_slice() {
            [id] if self.act == "delete" && self.from.starts_with(&names::address(*id)) => "/deployments".to_owned(),
            _ => self.from.clone(),
        }
    }
}

/// What is to be done with deployments, by its word in the form.
fn action(word: &str) -> Option<DeploymentsAction> {
    match word {
        "delete" => Some(DeploymentsAction::Delete),
        "disable" => Some(DeploymentsAction::Disable),
        "enable" => Some(DeploymentsAction::Enable),
        _ => None,
    }
}

/// Asks for confirmation, or acts.
pub(super) async fn change(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let mut sent = Sent::read(pairs);
    if sent.all {
        let from = sent.from.parse().map_err(|error: http::uri::InvalidUri| Failure::internal("from", &error))?;
        sent.ids = list::shown(&cx.at(Address::of(&from))).await?.into_iter().map(|one| one.id).collect();
    }
    if sent.ids.is_empty() {
        return Ok(t::flash_nothing_selected().to(&sent.from));
    }
    if sent.ids.len() > MOST {
        return Ok(t::flash_too_many(ui::number(&cx, MOST as u64)).to(&sent.from));
    }
    let action = action(&sent.act).ok_or(Failure::NotFound)?;
    let known = known(&cx, &sent.ids).await?;
    if !sent.sure {
        return confirm(&cx, &sent, &known, None, &Errors::default()).await;
    }
    if sent.act == "delete" && !matches(&sent.typed, &to_type(&sent, &known)) {
        return confirm(&cx, &sent, &known, Some(t::error_typed(&cx).to_owned()), &Errors::default()).await;
    }
    let asked = DeploymentsChange { ids: sent.ids.clone(), action, preview: false };
    match cx.api.post::<Changed>("/deployments-change", &asked).await {
        Ok(done) => Ok(told(&sent, &done)),
        Err(failure) => {
            let errors = Errors::of(&failure.into_problem()?, &[]);
            confirm(&cx, &sent, &known, None, &errors).await
        }
    }
}

fn told(sent: &Sent, done: &Changed) -> Response {
    let first =
        done.items.iter().filter(|item| item.result == ItemResult::Failed).find_map(|item| item.detail.as_deref());
    if let Some(first) = first.filter(|_| done.failed > 0) {
        return t::flash_partly(done.changed, done.failed, first).to(sent.after());
    }
    match sent.act.as_str() {
        "enable" => t::flash_enabled(done.changed).to(sent.after()),
        "disable" => t::flash_disabled(done.changed).to(sent.after()),
        _ => t::flash_deleted(done.changed).to(sent.after()),
    }
}

/// Those that are meant, as REST knows them now.
async fn known(cx: &Cx, ids: &[i32]) -> Result<Vec<Deployment>, Failure> {
    if let [id] = ids {
        return Ok(vec![cx.api.get(&names::address(*id), &()).await?]);
    }
    let all = list::shown(&cx.at(Address::new("/deployments"))).await?;
    Ok(all.into_iter().filter(|one| ids.binary_search(&one.id).is_ok()).collect())
}

/// What is typed before deployments are deleted: the name of one, the number of many.
fn to_type(sent: &Sent, known: &[Deployment]) -> String {
    match known {
        [one] if sent.ids.len() == 1 => names::title(one),
        _ => sent.ids.len().to_string(),
    }
}

async fn confirm(
    cx: &Cx,
    sent: &Sent,
    known: &[Deployment],
    wrong: Option<String>,
    errors: &Errors,
) -> Result<Response, Failure> {
    let action = action(&sent.act).ok_or(Failure::NotFound)?;
    let asked = DeploymentsChange { ids: sent.ids.clone(), action, preview: true };
    let preview: Changed = cx.api.post("/deployments-change", &asked).await?;
    let mut named = Vec::new();
    for one in known.iter().take(NAMED) {
        let standing = cx.api.get(&path(&["compliance", "deployments", &one.id.to_string()]), &()).await.ok();
        named.push((one, standing));
    }
    let (sentence, undo) = match sent.act.as_str() {
        "enable" => (t::enable_sentence(cx, preview.changed), t::enable_undo(cx)),
        "disable" => (t::disable_sentence(cx, preview.changed), t::disable_undo(cx)),
        _ => (t::delete_sentence(cx, preview.changed), t::delete_undo(cx)),
    };
    let missing = |one: &Deployment| one.content.bytes.saturating_sub(one.content.bytes_present);
    let bytes: u64 = known.iter().map(missing).sum();
    let details = html! {
        (errors.summary(cx))
        (table(cx, &named))
        @if known.len() > NAMED { p.quiet { (common::more(cx, (known.len() - NAMED) as u64)) } }
        @if sent.act == "enable" && bytes > 0 { p { (t::enable_bytes(cx, ui::bytes(cx, bytes))) } }
        @if preview.unchanged > 0 { p { (t::unchanged(cx, preview.unchanged)) } }
        @if preview.failed > 0 {
            p { (t::refused(cx, preview.failed)) }
            ul.samples lang="en" {
                @for item in preview.items.iter().filter(|item| item.result == ItemResult::Failed).take(NAMED) {
                    li { (item.id) ": " (item.detail.as_deref().unwrap_or_default()) }
                }
            }
        }
    };
    let label = t::acts(cx, &sent.act);
    let ids: Vec<String> = sent.ids.iter().map(i32::to_string).collect();
    let confirm = Confirm::new(sentence, undo, &label, "/deployments/change", &sent.from)
        .details(details)
        .nothing(preview.changed == 0)
        .field("ids", ids.join(","))
        .field("act", &sent.act)
        .field("from", &sent.from)
        .field("sure", "1");
    let asks = sent.act == "delete" && preview.changed > 0;
    let confirm = if asks { confirm.typed(to_type(sent, known), wrong) } else { confirm };
    Page::new(cx, label).body(confirm.render(cx)).render().await
}

/// Whom it is about.
fn table(cx: &Cx, named: &[(&Deployment, Option<DeploymentCompliance>)]) -> Markup {
    let heads = [t::col_name(cx), t::col_collection(cx), t::col_computers(cx), t::col_deadline(cx)];
    html! {
        div.scroll {
            table {
                caption.hide { (t::title(cx)) }
                thead { tr { @for head in heads { th scope="col" { (head) } } } }
                tbody {
                    @for (one, standing) in named {
                        tr {
                            th scope="row" { (names::title(one)) }
                            td { (one.collection.name) }
                            td.number { @if let Some(standing) = standing { (ui::number(cx, standing.computers)) } }
                            td { (when::show_or(cx, one.deadline, one.settings.local_time == Some(true))) }
                        }
                    }
                }
            }
        }
    }
}
