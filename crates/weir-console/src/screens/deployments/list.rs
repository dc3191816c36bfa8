//! The list of deployments.

use axum::response::Response;
use maud::{Markup, html};
use uuid::Uuid;
use weir_api::{
    List,
    access::Role,
    deployment::{Deployment, DeploymentList, DeploymentQuery, DeploymentStage, ListedDeployment},
    deployment_compliance::DeploymentStatus,
};

use super::{bar, names, when};
use crate::{
    address::Address,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::deployments as t,
    ui::{
        self,
        form::Errors,
        grid::{Action, Column, Grid, wants_csv},
        tabs::Tab,
    },
};

/// Deployments of a CSV file, or of a change of all of a list.
const MOST: usize = 5_000;
/// Rows of a page: each is counted over all computers of its collection.
const ROWS: u32 = 25;
/// Actions to narrow to.
const ACTIONS: [&str; 5] = ["install", "optional", "uninstall", "detect", "block"];
/// The order without one in the address.
const ORDER: &str = "created:desc";

/// What a deployment is doing. Each is in one of these but the first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum View {
    All,
    Active,
    Waiting,
    Past,
    Disabled,
    NotSent,
}

impl View {
    const EACH: [Self; 6] = [Self::All, Self::Active, Self::Waiting, Self::Past, Self::Disabled, Self::NotSent];

    fn key(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Active => "active",
            Self::Waiting => "waiting",
            Self::Past => "past",
            Self::Disabled => "disabled",
            Self::NotSent => "not_sent",
        }
    }

    fn asked(address: &Address) -> Self {
        let value = address.value("view").unwrap_or_default();
        Self::EACH.into_iter().find(|view| view.key() == value).unwrap_or(Self::All)
    }

    /// The same in REST.
    fn stage(self) -> Option<DeploymentStage> {
        match self {
            Self::All => None,
            Self::Active => Some(DeploymentStage::Active),
            Self::Waiting => Some(DeploymentStage::Waiting),
            Self::Past => Some(DeploymentStage::Expired),
            Self::Disabled => Some(DeploymentStage::Disabled),
            Self::NotSent => Some(DeploymentStage::NotSent),
        }
    }

    /// How many deployments are doing this.
    fn count(self, list: &DeploymentList) -> u64 {
        let stages = &list.stages;
        match self {
            Self::All => stages.active + stages.waiting + stages.expired + stages.disabled + stages.not_sent,
            Self::Active => stages.active,
            Self::Waiting => stages.waiting,
            Self::Past => stages.expired,
            Self::Disabled => stages.disabled,
            Self::NotSent => stages.not_sent,
        }
    }
}

/// The list, or its CSV.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    let query = query(&cx);
    if wants_csv(&cx.address) {
        let rows = everything(&cx, &DeploymentQuery { compliance: true, ..query }).await?;
        return Ok(Grid::new(&cx, "deployments", t::title(&cx), columns(&cx), &rows).csv());
    }
    let cursor = cx.address.value("cursor").map(str::to_owned);
    let asked = DeploymentQuery { compliance: true, cursor, limit: Some(ROWS), ..query };
    let (list, errors) = match cx.api.get::<DeploymentList>("/deployments", &asked).await {
        Ok(list) => (list, Errors::default()),
        // a collection that is not there is said beside its field, and the page stays
        Err(failure) => {
            let fields = ["collection", "group", "update", "text", "sort", "cursor"];
            (DeploymentList::default(), Errors::of(&failure.into_problem()?, &fields))
        }
    };
    let chosen = View::asked(&cx.address);
    let grid = Grid::new(&cx, "deployments", t::title(&cx), columns(&cx), &list.items)
        .next(list.next.as_deref())
        .total(list.total)
        .filters(filters(&cx, &errors))
        .empty(empty(&cx, chosen));
    let may = cx.may(Role::SoftwareUpdateManager);
    let grid = if may { grid.select(|row| row.deployment.id.to_string(), actions(&cx)) } else { grid };
    let tabs = View::EACH.into_iter().map(|view| {
        let address = cx.address.first().without("view");
        let address = if view == View::All { address } else { address.with("view", view.key()) };
        Tab::link(t::views(&cx, view.key()), address, view == chosen).number(view.count(&list))
    });
    let body = html! {
        (errors.summary(&cx))
        // not at each report of a computer: every row is counted over its whole collection
        (ui::live("deployments-live", "deployments content", grid.render()))
    };
    Page::new(&cx, t::title(&cx))
        .tabs(tabs.collect())
        .actions(html! { @if may { a.button.primary href=(cx.to("/deployments/new")) { (t::new(&cx)) } } })
        .body(body)
        .render()
        .await
}

/// What REST is asked for at an address, without a page.
fn query(cx: &Cx) -> DeploymentQuery {
    let value = |name: &str| cx.address.value(name).map(str::to_owned);
    DeploymentQuery {
        update: cx.address.value("update").and_then(|id| Uuid::parse_str(id).ok()),
        group: value("group"),
        collection: value("collection"),
        action: serde_json::from_value(serde_json::Value::from(cx.address.value("action"))).ok(),
        stage: View::asked(&cx.address).stage(),
        text: value("text").map(|text| text.chars().take(256).collect()),
        sort: value("sort").or_else(|| Some(ORDER.to_owned())),
        ..DeploymentQuery::default()
    }
}

/// All deployments that a query leaves, in its order.
async fn everything(cx: &Cx, query: &DeploymentQuery) -> Result<Vec<ListedDeployment>, Failure> {
    cx.api
        .all(MOST, |cursor| {
            let query = DeploymentQuery { cursor, limit: Some(1000), ..query.clone() };
            async move { cx.api.get::<List<ListedDeployment>>("/deployments", &query).await }
        })
        .await
}

/// Those of the list that the address shows.
pub(super) async fn shown(cx: &Cx) -> Result<Vec<Deployment>, Failure> {
    Ok(everything(cx, &query(cx)).await?.into_iter().map(|row| row.deployment).collect())
}

fn actions(cx: &Cx) -> Vec<Action> {
    ["enable", "disable", "delete"]
        .into_iter()
        .map(|act| Action { label: t::acts(cx, act), to: "/deployments/change", act })
        .collect()
}

fn columns(cx: &Cx) -> Vec<Column<'_, ListedDeployment>> {
    let local = |row: &ListedDeployment| row.deployment.settings.local_time == Some(true);
    let counted = |status: DeploymentStatus| {
        move |row: &ListedDeployment| bar::Figures::of(row).map_or(0, |figures| figures.count(status))
    };
    vec![
        Column::new("name", t::col_name(cx), |row: &ListedDeployment| {
            html! { a href=(names::address(row.deployment.id)) { (names::title(&row.deployment)) } }
        })
        .text(|row| names::title(&row.deployment))
        .sort("name")
        .wide()
        .narrow(),
        Column::new("what", t::col_what(cx), |row: &ListedDeployment| names::what(&row.deployment)).text(|row| {
            [&row.deployment.update, &row.deployment.group]
                .into_iter()
                .flatten()
                .map(|what| what.name.clone())
                .collect()
        }),
        Column::new("collection", t::col_collection(cx), |row: &ListedDeployment| {
            names::collection_link(&row.deployment.collection)
        })
        .text(|row| row.deployment.collection.name.clone())
        .sort("collection")
        .narrow(),
        Column::new(
            "action",
            t::col_action(cx),
            |row: &ListedDeployment| html! { (names::action(cx, row.deployment.action)) },
        )
        .text(|row| ui::word(&row.deployment.action)),
        Column::new("state", t::col_state(cx), |row: &ListedDeployment| names::state(cx, row.deployment.state))
            .text(|row| ui::word(&row.deployment.state))
            .sort("stage")
            .narrow(),
        Column::new("standing", t::col_standing(cx), |row: &ListedDeployment| {
            bar::small(cx, bar::Figures::of(row).as_ref())
        })
        .text(|row| row.percent.map(|it| it.to_string()).unwrap_or_default())
        .narrow(),
        Column::number(cx, "computers", t::col_computers(cx), |row: &ListedDeployment| {
            row.compliance.map_or(0, |figures| figures.computers)
        }),
        Column::number(cx, "error", t::col_errors(cx), counted(DeploymentStatus::Error)),
        Column::number(cx, "unknown", t::col_unknown(cx), counted(DeploymentStatus::Unknown)).hidden(),
        Column::new("available", t::col_available(cx), move |row: &ListedDeployment| {
            when::show(cx, row.deployment.available, local(row))
        })
        .text(|row| row.deployment.available.to_string())
        .sort("available")
        .hidden(),
        Column::new("deadline", t::col_deadline(cx), move |row: &ListedDeployment| {
            when::show_or(cx, row.deployment.deadline, local(row))
        })
        .text(|row| row.deployment.deadline.map(|at| at.to_string()).unwrap_or_default())
        .sort("deadline"),
        Column::new("content", t::col_content(cx), |row: &ListedDeployment| {
            let content = &row.deployment.content;
            html! { (ui::bytes(cx, content.bytes.saturating_sub(content.bytes_present))) }
        })
        .numeric()
        .text(|row| row.deployment.content.bytes.saturating_sub(row.deployment.content.bytes_present).to_string())
        .hidden(),
        Column::new("created", t::col_created(cx), |row: &ListedDeployment| ui::time(cx, row.deployment.created_at))
            .text(|row| row.deployment.created_at.to_string())
            .sort("created"),
        Column::new("by", t::col_by(cx), |row: &ListedDeployment| html! { (row.deployment.created_by) })
            .text(|row| row.deployment.created_by.clone())
            .hidden(),
        Column::new(
            "origin",
            t::col_origin(cx),
            |row: &ListedDeployment| html! { (t::origin(cx, &row.deployment.origin)) },
        )
        .text(|row| row.deployment.origin.clone())
        .hidden(),
        Column::new("id", t::col_id(cx), |row: &ListedDeployment| html! { (row.deployment.id) })
            .text(|row| row.deployment.id.to_string())
            .hidden(),
    ]
}

fn filters(cx: &Cx, errors: &Errors) -> Markup {
    let chosen = cx.address.value("action");
    html! {
        label.hide for="text" { (t::filter_text(cx)) }
        input #text type="search" name="text" value=[cx.address.value("text")] placeholder=(t::filter_text(cx)) maxlength="256";
        label.hide for="f-collection" { (t::col_collection(cx)) }
        input #f-collection type="text" name="collection" value=[cx.address.value("collection")] placeholder=(t::col_collection(cx))
            maxlength="256" aria-invalid=[(!errors.is_empty()).then_some("true")];
        label.hide for="f-action" { (t::col_action(cx)) }
        select #f-action name="action" data-submit {
            option value="" { (t::any_action(cx)) }
            @for action in ACTIONS { option value=(action) selected[chosen == Some(action)] { (t::action(cx, action)) } }
        }
    }
}

fn empty(cx: &Cx, view: View) -> Markup {
    let narrowed =
        ["text", "collection", "action", "group", "update"].into_iter().any(|name| cx.address.value(name).is_some());
    if narrowed {
        return ui::empty(t::empty_narrowed(cx), Some((t::empty_widen(cx), "/deployments")));
    }
    let new = cx.may(Role::SoftwareUpdateManager).then(|| (t::new(cx), "/deployments/new"));
    match view {
        View::All => ui::empty(t::empty_all(cx), new),
        View::Active | View::Past => ui::empty(t::empty_active(cx), new),
        View::Waiting => ui::empty(t::empty_waiting(cx), None),
        View::Disabled => ui::empty(t::empty_disabled(cx), None),
        View::NotSent => ui::empty(t::empty_not_sent(cx), None),
    }
}
