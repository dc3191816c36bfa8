//! Since the last visit: what came, what was decided, what went wrong.

use jiff::Timestamp;
use maud::{Markup, html};
use weir_api::{
    List,
    alert::{Alert, AlertQuery},
    audit::AuditRow,
    list::ListQuery,
    sync::{SyncRun, SyncState},
    update::{UpdateList, UpdateQuery},
};

use crate::{cx::Cx, texts::overview as t, ui};

/// Entries that are looked at of each list.
const LOOKED_AT: u32 = 200;
/// Entries that are shown of each.
const SHOWN: usize = 5;
/// How the names of what the server does by itself begin: nobody decided that.
const BY_ITSELF: &str = "system: ";

/// The panel. Without a visit before, the last day.
pub(super) async fn since(cx: &Cx) -> Markup {
    let visit = cx.session.as_ref().and_then(|session| session.last_visit);
    let day = Timestamp::from_second(cx.now.as_second() - 86_400).unwrap_or(cx.now);
    let from = visit.unwrap_or(day);
    // filters take days: the day of the visit is told in full
    let first_day = from.to_zoned(jiff::tz::TimeZone::UTC).date();
    let filter = format!("type in (software, driver) and arrived >= {first_day}");
    let updates = UpdateQuery { filter: Some(filter.clone()), limit: Some(1), ..UpdateQuery::default() };
    let alerts = AlertQuery { since: Some(from.to_string()), limit: Some(LOOKED_AT), ..AlertQuery::default() };
    let page = ListQuery { cursor: None, limit: Some(LOOKED_AT) };
    let (updates, alerts, runs, audit) = tokio::join!(
        cx.api.get::<UpdateList>("/updates", &updates),
        cx.api.get::<List<Alert>>("/alerts", &alerts),
        cx.api.get::<List<SyncRun>>("/sync/runs", &page),
        cx.api.get::<List<AuditRow>>("/audit", &page),
    );
    let me = cx.session.as_ref().map(|session| session.principal.as_str());
    let failed: Vec<SyncRun> = runs
        .map(|list| {
            list.items.into_iter().filter(|run| run.asked_at >= from && run.state == SyncState::Failed).collect()
        })
        .unwrap_or_default();
    let decisions: Vec<AuditRow> = audit
        .map(|list| {
            let others = |row: &AuditRow| Some(row.actor.as_str()) != me && !row.actor.starts_with(BY_ITSELF);
            list.items.into_iter().filter(|row| row.at >= from && others(row)).collect()
        })
        .unwrap_or_default();
    let arrived = updates.map(|list| list.updates).unwrap_or_default();
    let alerts = alerts.map(|list| list.items).unwrap_or_default();
    html! {
        section.panel.since {
            h2 { @if visit.is_some() { (t::since_visit(cx)) } @else { (t::since_day(cx)) } " " span.quiet { (ui::ago(cx, from)) } }
            ul {
                li {
                    a href=(cx.to("/updates").with("view", "all").with("filter", &filter)) { (t::since_updates(cx, arrived)) }
                }
                li { a href="/alerts?tab=all" { (t::since_alerts(cx, alerts.len() as u64)) } }
                @if !failed.is_empty() { li { a href="/jobs" { (t::since_failed(cx, failed.len() as u64)) } } }
                li { a href="/settings/audit" { (t::since_decisions(cx, decisions.len() as u64)) } }
            }
            @if !alerts.is_empty() {
                ul.list { @for alert in alerts.iter().take(SHOWN) {
                    li { a href=(crate::address::path(&["alerts", &alert.id.to_string()])) lang="en" { (alert.message) } " " span.quiet { (ui::ago(cx, alert.opened_at)) } }
                } }
            }
            @if !decisions.is_empty() {
                ul.list { @for row in decisions.iter().take(SHOWN) {
                    li { strong { (row.actor) } " " (row.action) " " (row.subject) " " span.quiet { (ui::ago(cx, row.at)) } }
                } }
            }
        }
    }
}
