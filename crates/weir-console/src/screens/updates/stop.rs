//! What an update's page says of its emergency stop. Stopping and resuming are screens of deployments.

use maud::{Markup, html};
use uuid::Uuid;
use weir_api::update_stop::UpdateStop;

use crate::{
    address::{Address, path},
    cx::Cx,
    texts::updates as t,
    ui,
};

/// The stop of an update, if it is stopped.
pub(super) async fn find(cx: &Cx, id: &str) -> Option<UpdateStop> {
    // a stop is of an update, not of a revision
    let id = id.split('@').next().unwrap_or_default();
    cx.api.get(&path(&["updates", id, "stop"]), &()).await.ok()
}

/// What the page says of a stopped update.
pub(super) fn panel(cx: &Cx, stopped: &UpdateStop) -> Markup {
    let stop = &stopped.stop;
    let heard = t::stop_heard(cx, stopped.computers, ui::number(cx, stopped.heard), ui::number(cx, stopped.at_risk));
    html! {
        div.panel.warn {
            p { strong { (t::stop_holds(cx)) } " " (stop.reason) }
            p.quiet { (ui::time(cx, stop.stopped_at)) " · " (stop.stopped_by) }
            @if stopped.computers > 0 { p { (heard) } }
        }
    }
}

/// Where it is stopped, or where its stop is.
pub(super) fn link(cx: &Cx, id: Uuid, stopped: bool) -> Markup {
    let (address, act) = if stopped {
        (Address::new(path(&["deployments", "stops", &id.to_string()])), "stopped")
    } else {
        (Address::new("/deployments/stops/new").with("update", id), "stop")
    };
    html! { a.button href=(address) { (t::acts(cx, act)) } }
}
