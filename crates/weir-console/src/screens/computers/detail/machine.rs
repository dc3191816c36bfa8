//! What a computer is: address, system, model, zone.

use axum::{Form, extract::Path, response::Response};
use maud::{Markup, html};
use serde::Deserialize;
use weir_api::{
    access::Role,
    computer::{ComputerChange, ComputerChanged, ComputerDetail},
};

use super::super::{at, freshness, list};
use crate::{
    address::Address,
    cx::Cx,
    failure::Failure,
    texts::computers as t,
    ui::{
        self,
        form::{Errors, Field},
    },
};

/// Facts, and the zone.
pub(super) fn show(cx: &Cx, computer: &ComputerDetail, errors: &Errors) -> Markup {
    let row = &computer.row;
    let text = |text: &str| {
        if text.is_empty() {
            ui::none(cx)
        } else {
            html! { (text) }
        }
    };
    html! {
        div.columns {
            section.panel {
                h2 { (t::machine_about(cx)) }
                (ui::facts([
                    (t::col_id(cx).to_owned(), html! { code { (row.id) } }),
                    (t::col_address(cx).to_owned(), text(row.address.as_deref().unwrap_or_default())),
                    (t::col_os(cx).to_owned(), text(&row.os)),
                    (t::col_architecture(cx).to_owned(), text(&row.architecture)),
                    (t::col_model(cx).to_owned(), text(&row.model)),
                    (t::col_site(cx).to_owned(), text(list::site(cx, row))),
                    (t::col_transport(cx).to_owned(), list::transport(cx, row)),
                    (t::col_first(cx).to_owned(), ui::time(cx, row.first_seen)),
                    (t::col_contact(cx).to_owned(), ui::time(cx, row.last_contact)),
                    (t::col_scan(cx).to_owned(), html! {
                        (ui::time_or(cx, row.last_sync))
                        @if let Some(known) = &row.freshness { " " span.quiet { (t::scan_state(cx, &ui::word(&known.scan))) } }
                    }),
                    (t::col_report(cx).to_owned(), ui::time_or(cx, row.last_report)),
                    (t::col_freshness(cx).to_owned(), html! {
                        (freshness(cx, row.freshness.as_ref()))
                        @if let Some(known) = &row.freshness { " " span.quiet { (ui::ago(cx, known.since)) } }
                    }),
                ]))
            }
            section.panel {
                h2 { (t::zone_label(cx)) }
                @if cx.may(Role::Operator) {
                    (errors.summary(cx))
                    form method="post" action={ (at(&row.id)) "/zone" } {
                        (Field::new("time_zone", t::zone_own(cx), errors).help(t::zone_help(cx)).input("text", computer.time_zone.as_deref().unwrap_or_default()))
                        button.primary type="submit" { (t::save(cx)) }
                    }
                } @else {
                    p { (computer.time_zone.as_deref().unwrap_or(t::zone_inherited(cx))) }
                }
            }
        }
    }
}

/// The form of the zone.
#[derive(Deserialize)]
pub(in super::super) struct Zone {
    time_zone: String,
}

/// Gives a computer a zone, or takes it away.
pub(in super::super) async fn zone(
    cx: Cx,
    Path(id): Path<String>,
    Form(sent): Form<Zone>,
) -> Result<Response, Failure> {
    let change = ComputerChange { time_zone: Some(sent.time_zone.clone()) };
    let page = Address::new(at(&id)).with("tab", "machine");
    match cx.api.patch::<ComputerChanged>(&at(&id), &change).await {
        Ok(_) => Ok(t::flash_zone().to(page)),
        Err(failure) => {
            let problem = failure.into_problem()?;
            let mut computer = super::load(&cx, &id).await?;
            computer.time_zone = Some(sent.time_zone);
            super::page(&cx.at(page), &computer, &Errors::default().field("time_zone", problem.detail)).await
        }
    }
}
