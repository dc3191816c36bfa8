//! Why a computer is offered an update, or is not.

use maud::{Markup, html};
use uuid::Uuid;
use weir_api::{
    computer::{ComputerDetail, ComputerUpdate},
    simulation::{Explanation, ExplanationQuery},
};

use super::super::at;
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    texts::computers as t,
    ui::{
        self,
        badge::State,
        form::{Errors, Field},
    },
};

/// The explanation of the update of the address, and the choice of one.
pub(super) async fn show(cx: &Cx, computer: &ComputerDetail) -> Result<Markup, Failure> {
    let asked = cx.address.value("update").unwrap_or_default().trim();
    let mut errors = Errors::default();
    let mut answer = None;
    if !asked.is_empty() {
        match Uuid::try_parse(asked) {
            Err(_) => errors = errors.field("update", t::why_no_id(cx)),
            Ok(update) => {
                let query = ExplanationQuery { update, computer: computer.row.id.clone() };
                match cx.api.get::<Explanation>("/deployments/explanation", &query).await {
                    Ok(explanation) => answer = Some(explanation),
                    Err(failure) => errors = errors.field("update", failure.into_problem()?.detail),
                }
            }
        }
    }
    let known: Vec<&ComputerUpdate> =
        [&computer.failed, &computer.needed, &computer.installed].into_iter().flatten().collect();
    Ok(html! {
        section.panel {
            h2 { (t::why_title(cx)) }
            (errors.summary(cx))
            form method="get" action=(at(&computer.row.id)) {
                input type="hidden" name="tab" value="why";
                (Field::new("update", t::why_label(cx), &errors).help(t::why_help(cx)).required().input("text", asked))
                div.buttons {
                    button.primary type="submit" { (t::why_ask(cx)) }
                }
            }
        }
        @if let Some(answer) = &answer { (explained(cx, answer)) }
        @if !known.is_empty() {
            section.panel {
                h2 { (t::why_known(cx)) }
                ul.samples {
                    @for row in known {
                        li {
                            a href=(crate::address::Address::new(at(&computer.row.id)).with("tab", "why").with("update", row.id)) {
                                (if row.title.is_empty() { row.id.to_string() } else { row.title.clone() })
                            }
                            " " (State::from(row.state).badge(cx))
                        }
                    }
                }
            }
        }
    })
}

fn explained(cx: &Cx, answer: &Explanation) -> Markup {
    let number = |number: Option<i32>| match number {
        None => ui::none(cx),
        Some(number) => html! { a href=(path(&["deployments", &number.to_string()])) { "#" (number) } },
    };
    html! {
        section.panel {
            h2 { a href=(path(&["updates", &answer.update.id.to_string()])) { (answer.update.name) } }
            (ui::facts([
                (t::why_sent(cx).to_owned(), html! { (t::sent(cx, &answer.sent)) }),
                (t::col_state(cx).to_owned(), State::from(answer.state).badge(cx)),
                (t::col_deployment(cx).to_owned(), number(answer.deployment)),
                (t::why_group(cx).to_owned(), number(answer.group_deployment)),
                (t::col_deadline(cx).to_owned(), ui::time_or(cx, answer.deadline)),
            ]))
            h3 { (t::col_why(cx)) }
            div lang="en" { @for line in answer.why.lines() { p { (line) } } }
        }
    }
}
