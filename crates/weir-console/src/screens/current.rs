//! How current the figures of compliance are: who stopped calling or reporting, who is asked about nothing, how old what servers
//! below told is.

use jiff::Timestamp;
use maud::{Markup, html};
use weir_api::{
    compliance::{Summary, UnknownReason},
    deployment_compliance::{DeploymentCompliance, Enforcement},
};

use super::infrastructure::span;
use crate::{address::Address, cx::Cx, texts::current as t, ui};

/// What to know of figures before they are believed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::struct_field_names, reason = "what REST calls them")]
pub(crate) struct Current {
    compliant: u64,
    compliant_current: u64,
    silent: u64,
    not_reporting: u64,
    not_asked: u64,
    rolled_up: Option<Timestamp>,
    as_of: Timestamp,
}

impl From<&Summary> for Current {
    fn from(summary: &Summary) -> Self {
        Self {
            compliant: summary.compliant,
            compliant_current: summary.compliant_current,
            silent: summary.silent,
            not_reporting: summary.not_reporting,
            not_asked: summary.not_asked,
            rolled_up: summary.rolled_up,
            as_of: summary.as_of,
        }
    }
}

impl From<&DeploymentCompliance> for Current {
    fn from(one: &DeploymentCompliance) -> Self {
        let not_asked = one.enforcement.iter().filter(|row| row.enforcement == Enforcement::NotAsked);
        Self {
            compliant: one.statuses.compliant,
            compliant_current: one.compliant_current,
            silent: one.silent,
            not_reporting: one.not_reporting,
            not_asked: not_asked.map(|row| row.computers).sum(),
            rolled_up: one.rolled_up,
            as_of: one.as_of,
        }
    }
}

impl Current {
    /// All of it. `computers` is the list of those that are counted, which links are narrowed from.
    pub(crate) fn show(&self, cx: &Cx, computers: &Address) -> Markup {
        html! { (self.worth(cx)) (self.silence(cx, Some(computers))) }
    }

    /// What the share that complies is worth. Nothing where everything is current and known here.
    pub(crate) fn worth(&self, cx: &Cx) -> Markup {
        let age = self.rolled_up.map(|at| self.as_of.as_second().saturating_sub(at.as_second()).max(0).unsigned_abs());
        html! {
            @if self.compliant_current < self.compliant {
                p.quiet { (t::compliant_now(cx, ui::number(cx, self.compliant_current), ui::number(cx, self.compliant))) }
            }
            @if self.not_asked > 0 { p.quiet { (t::not_asked(cx, self.not_asked)) } }
            @if let Some(age) = age { p.quiet { (t::rolled_up(cx, span(cx, age))) } }
        }
    }

    /// Who stopped calling or reporting; as links into a list of computers, if there is one.
    pub(crate) fn silence(&self, cx: &Cx, computers: Option<&Address>) -> Markup {
        let line = |class: &str, sentence: String| {
            let address = computers.map(|list| list.and("f", format!("freshness:{class}")));
            html! { p.quiet { @if let Some(address) = address { a href=(address) { (sentence) } } @else { (sentence) } } }
        };
        html! {
            @if self.silent > 0 { (line("silent", t::silent(cx, self.silent))) }
            @if self.not_reporting > 0 { (line("not_reporting", t::not_reporting(cx, self.not_reporting))) }
        }
    }
}

/// Why nothing is known of a computer.
pub(crate) fn reason(cx: &Cx, reason: UnknownReason) -> String {
    t::reason(cx, &ui::word(&reason))
}
