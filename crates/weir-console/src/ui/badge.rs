//! Badges: a picture, a word, and a colour that is the same everywhere.

use maud::{Markup, html};
use weir_api::{
    compliance::ComputerState,
    computer::{StateCounts, UpdateState},
};

use super::icon::Icon;
use crate::{cx::Cx, texts::common as t};

/// What a colour says. Each belongs to one class of the style sheet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Tone {
    /// As it should be.
    Good,
    /// To be seen to.
    Warn,
    /// Wrong.
    Bad,
    /// On its way.
    Busy,
    /// Worth knowing.
    Plain,
}

impl Tone {
    /// Its class.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Busy => "busy",
            Self::Plain => "plain",
        }
    }

    fn icon(self) -> Icon {
        match self {
            Self::Good => Icon::Check,
            Self::Warn => Icon::Warning,
            Self::Bad => Icon::Cross,
            Self::Busy => Icon::Jobs,
            Self::Plain => Icon::Dash,
        }
    }
}

/// A badge of something other than a compliance state.
pub(crate) fn badge(tone: Tone, word: &str) -> Markup {
    html! { span.badge.{ "tone-" (tone.class()) } { (tone.icon().show()) (word) } }
}

/// A state of an update on a computer, or the worst of a computer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    /// There.
    Installed,
    /// Does not apply.
    NotApplicable,
    /// Needed.
    Required,
    /// Needed, and its files are there.
    Downloaded,
    /// There after a restart.
    PendingRestart,
    /// The last attempt failed.
    Failed,
    /// Not known.
    Unknown,
}

impl State {
    /// All, in the order of bars: what is well first, what is not known last.
    pub(crate) const ALL: [Self; 7] = [
        Self::Installed,
        Self::NotApplicable,
        Self::PendingRestart,
        Self::Downloaded,
        Self::Required,
        Self::Failed,
        Self::Unknown,
    ];

    /// Its word in REST, and its class.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::NotApplicable => "not_applicable",
            Self::Required => "required",
            Self::Downloaded => "downloaded",
            Self::PendingRestart => "pending_restart",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// Its word.
    pub(crate) fn label(self, cx: &Cx) -> String {
        t::state(cx, self.key())
    }

    /// How many there are of it.
    pub(crate) fn of(self, counts: &StateCounts) -> u64 {
        match self {
            Self::Installed => counts.installed,
            Self::NotApplicable => counts.not_applicable,
            Self::Required => counts.required,
            Self::Downloaded => counts.downloaded,
            Self::PendingRestart => counts.pending_restart,
            Self::Failed => counts.failed,
            Self::Unknown => counts.unknown,
        }
    }

    /// Its badge.
    pub(crate) fn badge(self, cx: &Cx) -> Markup {
        let icon = match self {
            Self::Installed => Icon::Check,
            Self::NotApplicable => Icon::Dash,
            Self::Required => Icon::Warning,
            Self::Downloaded => Icon::Download,
            Self::PendingRestart => Icon::Restart,
            Self::Failed => Icon::Cross,
            Self::Unknown => Icon::Question,
        };
        html! { span.badge.{ "state-" (self.key()) } { (icon.show()) (self.label(cx)) } }
    }
}

impl From<ComputerState> for State {
    fn from(state: ComputerState) -> Self {
        match state {
            ComputerState::Unknown => Self::Unknown,
            ComputerState::NotApplicable => Self::NotApplicable,
            ComputerState::Required => Self::Required,
            ComputerState::Downloaded => Self::Downloaded,
            ComputerState::Installed => Self::Installed,
            ComputerState::Failed => Self::Failed,
            ComputerState::PendingRestart => Self::PendingRestart,
        }
    }
}

impl From<UpdateState> for State {
    fn from(state: UpdateState) -> Self {
        match state {
            UpdateState::Unknown => Self::Unknown,
            UpdateState::NotApplicable => Self::NotApplicable,
            UpdateState::Required => Self::Required,
            UpdateState::Downloaded => Self::Downloaded,
            UpdateState::Installed => Self::Installed,
            UpdateState::Failed => Self::Failed,
            UpdateState::PendingRestart => Self::PendingRestart,
        }
    }
}

/// The rating of an update or a vulnerability: `critical`, `important`, `moderate`, `low`.
pub(crate) fn severity(cx: &Cx, severity: Option<&str>) -> Markup {
    let Some(severity) = severity else { return super::none(cx) };
    let tone = match severity {
        "critical" => Tone::Bad,
        "important" => Tone::Warn,
        _ => Tone::Plain,
    };
    badge(tone, &t::severity(cx, severity))
}
