//! Words of the interface.

use weir_api::exposure::{CveAge, ExposureState, ServiceLevel, Standing};
use weir_model::{
    exposure::{Age, Clock, Evidence, Reason, State},
    update::Severity,
};

use super::{
    super::{AdminError, index::severity_word},
    base::Base,
};

/// Characters of a text that is searched for.
const LONGEST_TEXT: usize = 256;
/// The word for vulnerabilities without a severity.
const UNRATED: &str = "unrated";

/// A text that is searched for, in lower case; none if it is empty.
pub(super) fn text(text: Option<&str>) -> Result<Option<String>, AdminError> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    if text.is_some_and(|text| text.chars().count() > LONGEST_TEXT) {
        return Err(AdminError::invalid("text", format!("the text has more than {LONGEST_TEXT} characters")));
    }
    Ok(text.map(str::to_lowercase))
}

/// A severity, or that there is none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Rating(pub(super) Option<Severity>);

impl Rating {
    /// Reads the word of one.
    pub(super) fn parse(word: &str) -> Result<Self, AdminError> {
        match word.trim().to_lowercase().as_str() {
            "critical" => Ok(Self(Some(Severity::Critical))),
            "important" => Ok(Self(Some(Severity::Important))),
            "moderate" => Ok(Self(Some(Severity::Moderate))),
            "low" => Ok(Self(Some(Severity::Low))),
            UNRATED => Ok(Self(None)),
            other => Err(AdminError::invalid(
                "severity",
                format!("{other:?} is no severity; it is critical, important, moderate, low or unrated"),
            )),
        }
    }

    /// Its word.
    pub(super) fn word(self) -> &'static str {
        self.0.map_or(UNRATED, severity_word)
    }
}

/// The age as the interface has it.
pub(super) fn age(age: Age) -> CveAge {
    match age {
        Age::Week => CveAge::Week,
        Age::Month => CveAge::Month,
        Age::Quarter => CveAge::Quarter,
        Age::Half => CveAge::Half,
        Age::Year => CveAge::Year,
        Age::Older => CveAge::Older,
        Age::Unknown => CveAge::Unknown,
    }
}

/// The state as the interface has it.
pub(super) fn state(state: State) -> ExposureState {
    match state {
        State::Exposed => ExposureState::Exposed,
        State::NoData => ExposureState::NoData,
        State::Fixed => ExposureState::Fixed,
        State::NotAffected => ExposureState::NotAffected,
    }
}

/// The state that the interface means.
pub(super) fn asked(state: ExposureState) -> State {
    match state {
        ExposureState::Exposed => State::Exposed,
        ExposureState::NoData => State::NoData,
        ExposureState::Fixed => State::Fixed,
        ExposureState::NotAffected => State::NotAffected,
    }
}

/// The stable word of a reason, and what it means.
pub(super) fn reason(reason: Reason) -> (&'static str, &'static str) {
    match reason {
        Reason::BuildOlder => ("build_older", "its build is older than the one that has the fix"),
        Reason::BuildReached => ("build_reached", "its build has the fix"),
        Reason::Failed => ("failed", "installing the update that fixes it failed"),
        Reason::Installed => ("installed", "the update that fixes it is installed"),
        Reason::LaterInstalled => ("later_installed", "an update that replaces the fixing one is installed"),
        Reason::LaterNeeded => (
            "later_needed",
            "the fixing update does not apply and one that replaces it is needed: whether the fix is there is not known",
        ),
        Reason::Needed => ("needed", "the update that fixes it is needed"),
        Reason::NoArticle => ("no_article", "the documents name a fix that is no update with an article"),
        Reason::NoFix => ("no_fix", "the documents name no fix"),
        Reason::NotApplicable => ("not_applicable", "no update that fixes it applies"),
        Reason::NotEvaluated => ("not_evaluated", "the computer did not tell about an update that fixes it"),
        Reason::NotInCatalogue => ("not_in_catalogue", "the catalogue has no update of the article that fixes it"),
        Reason::NotReported => ("not_reported", "the computer never reported"),
        Reason::OtherPlatform => ("other_platform", "the affected products do not run on Windows"),
        Reason::OtherRelease => ("other_release", "other releases of Windows are affected"),
        Reason::ReleaseAffected => (
            "release_affected",
            "its release of Windows is affected, yet no update that fixes it applies and none that replaces it is installed",
        ),
        Reason::ReleaseNotListed => ("release_not_listed", "the documents do not speak of its release of Windows"),
        Reason::RestartPending => ("restart_pending", "the update that fixes it waits for a restart"),
    }
}

/// Where a computer stands, in the form of the interface.
pub(super) fn standing(base: &Base, evidence: Evidence, level: Option<(ServiceLevel, Option<Clock>)>) -> Standing {
    let (word, text) = reason(evidence.reason);
    let clock = level.and_then(|(_, clock)| clock);
    Standing {
        state: state(evidence.reason.state()),
        reason: word.to_owned(),
        text: text.to_owned(),
        update: evidence.update.and_then(|update| base.reference(update)),
        level: level.map(|(level, _)| level),
        since: clock.map(|clock| clock.started),
        due_at: clock.map(|clock| clock.due),
    }
}
