//! How the computers of a deployment stand, in one line of a list.

use maud::{Markup, html};
use weir_api::{
    deployment::ListedDeployment,
    deployment_compliance::{DeploymentCompliance, DeploymentStatus, StatusCounts},
};

use crate::{
    cx::Cx,
    texts::deployments as t,
    ui::{self, badge::Tone, chart::Part},
};

/// Statuses, best first.
pub(super) const STATUSES: [DeploymentStatus; 4] =
    [DeploymentStatus::Compliant, DeploymentStatus::InProgress, DeploymentStatus::Error, DeploymentStatus::Unknown];

/// The tone of a status.
pub(super) fn tone(status: DeploymentStatus) -> Tone {
    match status {
        DeploymentStatus::Compliant => Tone::Good,
        DeploymentStatus::InProgress => Tone::Busy,
        DeploymentStatus::Error => Tone::Bad,
        DeploymentStatus::Unknown => Tone::Plain,
    }
}

/// How computers stand, as one deployment or a list of them says it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures {
    computers: u64,
    percent: Option<f64>,
    statuses: StatusCounts,
}

impl Figures {
    /// Of a row of a list; none if it does not say.
    pub(super) fn of(row: &ListedDeployment) -> Option<Self> {
        let figures = row.compliance?;
        let statuses = StatusCounts {
            compliant: figures.compliant,
            in_progress: figures.in_progress,
            error: figures.error,
            unknown: figures.unknown,
        };
        Some(Self { computers: figures.computers, percent: row.percent, statuses })
    }

    /// How many computers have a status.
    pub(super) fn count(&self, status: DeploymentStatus) -> u64 {
        match status {
            DeploymentStatus::Compliant => self.statuses.compliant,
            DeploymentStatus::InProgress => self.statuses.in_progress,
            DeploymentStatus::Error => self.statuses.error,
            DeploymentStatus::Unknown => self.statuses.unknown,
        }
    }
}

impl From<&DeploymentCompliance> for Figures {
    fn from(one: &DeploymentCompliance) -> Self {
        Self { computers: one.computers, percent: one.percent, statuses: one.statuses }
    }
}

/// The parts of the bar; `link` makes the address of the computers with a status.
pub(super) fn parts(cx: &Cx, one: &Figures, link: impl Fn(&str) -> Option<String>) -> Vec<Part> {
    let part = |status: DeploymentStatus| {
        let word = ui::word(&status);
        let class = format!("tone-{}", tone(status).class());
        Part { class, label: t::status(cx, &word), count: one.count(status), link: link(&word) }
    };
    STATUSES.into_iter().map(part).collect()
}

/// The share that complies and a bar of all, for a cell.
pub(super) fn small(cx: &Cx, one: Option<&Figures>) -> Markup {
    let Some(one) = one else { return ui::none(cx) };
    if one.computers == 0 {
        return html! { span.quiet { (t::no_computers(cx)) } };
    }
    let parts = parts(cx, one, |_| None);
    let said =
        parts.iter().filter(|part| part.count > 0).map(|part| format!("{} {}", part.label, ui::number(cx, part.count)));
    let said = said.collect::<Vec<_>>().join(", ");
    let mut at = 0.0;
    let pieces: Vec<(f64, f64, &Part)> = parts
        .iter()
        .filter(|part| part.count > 0)
        .map(|part| {
            // one of 100,000 is seen, too
            let width = (part.count as f64 * 120.0 / one.computers as f64).max(2.0);
            at += width;
            (at - width, width, part)
        })
        .collect();
    html! {
        div.mini {
            svg.bar viewBox={ "0 0 " (at.max(1.0)) " 8" } width="120" height="8" preserveAspectRatio="none" role="img" aria-label=(said) {
                title { (said) }
                @for (x, width, part) in &pieces { rect.{ "fill " (part.class) } x=(x) y="0" width=(width) height="8" {} }
            }
            span.number { (ui::percent(cx, one.percent)) }
        }
    }
}
