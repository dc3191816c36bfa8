//! Why a computer is offered what is deployed, or is not.

use maud::{Markup, html};
use uuid::Uuid;
use weir_api::{
    List,
    deployment::Deployment,
    find::{FindQuery, Found},
    list::ListQuery,
    simulation::{Explanation, ExplanationQuery},
    update_group::UpdateGroupMember,
};

use super::{names, when};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    texts::deployments as t,
    ui::{
        self,
        badge::State,
        form::{Errors, Field},
    },
};

/// Updates of a group to choose from.
const MOST: u32 = 1_000;
/// Computers that a text may mean.
const MEANT: u32 = 20;

/// The tab: a question, and its answer.
pub(super) async fn show(cx: &Cx, one: &Deployment) -> Result<Markup, Failure> {
    let updates = updates(cx, one).await?;
    let wanted = cx.address.value("update").and_then(|id| Uuid::parse_str(id).ok());
    let update = wanted.or_else(|| updates.first().map(|(id, _)| *id));
    let computer = cx.address.value("computer").map(str::trim).unwrap_or_default();
    let mut errors = Errors::default();
    let mut answer = Markup::default();
    let mut meant = Vec::new();
    if let Some(update) = update.filter(|_| !computer.is_empty()) {
        let query = ExplanationQuery { update, computer: computer.to_owned() };
        match cx.api.get::<Explanation>("/deployments/explanation", &query).await {
            Ok(explanation) => answer = explained(cx, one, &explanation),
            Err(failure) => {
                let problem = failure.into_problem()?;
                // REST knows computers by id; people know their names
                let find = FindQuery { q: computer.to_owned(), limit: Some(MEANT) };
                meant = cx.api.get::<Found>("/search", &find).await.map(|found| found.computers).unwrap_or_default();
                if meant.is_empty() {
                    errors = Errors::of(&problem, &["computer", "update"]);
                }
            }
        }
    }
    let options: Vec<(String, String)> = updates.iter().map(|(id, title)| (id.to_string(), title.clone())).collect();
    let chosen = update.map(|id| id.to_string()).unwrap_or_default();
    Ok(html! {
        section.panel {
            (errors.summary(cx))
            @if updates.is_empty() { p { (t::members_none(cx)) } }
            @else {
                form method="get" action=(cx.address.path()) {
                    input type="hidden" name="tab" value="explain";
                    @if let Some(site) = cx.address.value("site") { input type="hidden" name="site" value=(site); }
                    @if options.len() > 1 { (Field::new("update", t::col_update(cx), &errors).choice(&options, &chosen)) }
                    @else { input type="hidden" name="update" value=(chosen); }
                    (Field::new("computer", t::col_computer(cx), &errors).help(t::explain_help(cx)).required().input("text", computer))
                    button.primary type="submit" { (t::explain(cx)) }
                }
            }
        }
        @if !meant.is_empty() {
            section.panel {
                h2 { (t::explain_meant(cx)) }
                ul { @for row in &meant {
                    li { a href=(cx.address.with("computer", &row.id)) { (if row.name.is_empty() { &row.id } else { &row.name }) } " " span.quiet { (row.id) } }
                } }
            }
        }
        (answer)
    })
}

/// What it deploys: the update, or those of the group.
async fn updates(cx: &Cx, one: &Deployment) -> Result<Vec<(Uuid, String)>, Failure> {
    if let Some(update) = &one.update {
        return Ok(vec![(update.id, update.name.clone())]);
    }
    let Some(group) = &one.group else { return Ok(Vec::new()) };
    let query = ListQuery { cursor: None, limit: Some(MOST) };
    let list: List<UpdateGroupMember> =
        cx.api.get(&path(&["groups", &group.id.to_string(), "members"]), &query).await?;
    let named = |row: UpdateGroupMember| {
        let title = if row.title.is_empty() { row.id.to_string() } else { row.title };
        (row.id, title)
    };
    Ok(list.items.into_iter().map(named).collect())
}

fn explained(cx: &Cx, one: &Deployment, answer: &Explanation) -> Markup {
    let decides = answer.group_deployment.or(answer.deployment);
    html! {
        section.panel {
            h2 { (t::explain_answer(cx)) }
            (ui::facts([
                (t::col_computer(cx).to_owned(), html! { a href=(path(&["computers", &answer.computer])) { (answer.computer) } }),
                (t::col_update(cx).to_owned(), names::update_link(&answer.update)),
                (t::explain_sent(cx).to_owned(), html! { strong { (t::sent(cx, &answer.sent)) } }),
                (t::explain_state(cx).to_owned(), State::from(answer.state).badge(cx)),
                (t::col_deadline(cx).to_owned(), when::show_or(cx, answer.deadline, false)),
                (t::explain_decides(cx).to_owned(), match decides {
                    None => html! { (t::explain_nobody(cx)) },
                    Some(id) if id == one.id => html! { (t::explain_this(cx)) },
                    Some(id) => html! { a href=(names::address(id)) { (t::explain_other(cx, id)) } },
                }),
            ]))
            div lang="en" { @for line in answer.why.lines() { p { (line) } } }
        }
    }
}
