//! Settings of deployments, between REST and the model.

use weir_api::{
    List,
    deployment::{DeploymentSettingInfo, DeploymentSettings},
};
use weir_model::deployment::{ComplianceAlert, SETTINGS, Terms, TermsError};

use crate::admin::AdminError;

impl From<TermsError> for AdminError {
    fn from(error: TermsError) -> Self {
        Self::Invalid { code: error.field, detail: error.detail, next_step: Some(error.next_step.to_owned()) }
    }
}

/// Every setting, and who follows it.
pub(crate) fn list() -> List<DeploymentSettingInfo> {
    let row = |facts: &weir_model::deployment::SettingFacts| DeploymentSettingInfo {
        name: facts.name.to_owned(),
        default: facts.default.to_owned(),
        meaning: facts.meaning.to_owned(),
        honoured: facts.honoured,
        note: facts.note.to_owned(),
    };
    List { items: SETTINGS.iter().map(row).collect(), next: None }
}

/// All settings, as answers give them.
pub(crate) fn shown(terms: &Terms) -> DeploymentSettings {
    let it = &terms.settings;
    DeploymentSettings {
        local_time: Some(terms.local_time),
        outside_windows: Some(terms.outside_windows),
        hold_until_window: Some(terms.hold_until_window),
        restart_outside_windows: Some(it.restart_outside_windows),
        suppress_restart_servers: Some(it.suppress_restart_servers),
        suppress_restart_workstations: Some(it.suppress_restart_workstations),
        grace: Some(it.grace),
        notifications: Some(it.notifications),
        detail: Some(it.detail),
        metered: Some(it.metered),
        fallback: Some(it.fallback),
        pre_download: Some(it.pre_download),
        wake_on_lan: Some(it.wake_on_lan),
        commit_write_filter: Some(it.commit_write_filter),
        evaluate_after_restart: Some(it.evaluate_after_restart),
        alert_below_percent: it.alert.map(|alert| alert.below_percent),
        alert_minutes_after_deadline: it.alert.map(|alert| alert.minutes_after_deadline),
    }
}

/// Terms with what a request changes of them.
pub(crate) fn changed(terms: &Terms, wanted: &DeploymentSettings) -> Result<Terms, AdminError> {
    let mut terms = terms.clone();
    terms.local_time = wanted.local_time.unwrap_or(terms.local_time);
    terms.outside_windows = wanted.outside_windows.unwrap_or(terms.outside_windows);
    terms.hold_until_window = wanted.hold_until_window.unwrap_or(terms.hold_until_window);
    if wanted.outside_windows.is_some() || wanted.hold_until_window.is_some() {
        terms.check_windows()?;
    }
    let it = &mut terms.settings;
    for (field, value) in [
        (&mut it.restart_outside_windows, wanted.restart_outside_windows),
        (&mut it.suppress_restart_servers, wanted.suppress_restart_servers),
        (&mut it.suppress_restart_workstations, wanted.suppress_restart_workstations),
        (&mut it.grace, wanted.grace),
        (&mut it.metered, wanted.metered),
        (&mut it.fallback, wanted.fallback),
        (&mut it.pre_download, wanted.pre_download),
        (&mut it.wake_on_lan, wanted.wake_on_lan),
        (&mut it.commit_write_filter, wanted.commit_write_filter),
        (&mut it.evaluate_after_restart, wanted.evaluate_after_restart),
    ] {
        *field = value.unwrap_or(*field);
    }
    it.notifications = wanted.notifications.unwrap_or(it.notifications);
    it.detail = wanted.detail.unwrap_or(it.detail);
    let minutes = wanted.alert_minutes_after_deadline;
    let percent = wanted.alert_below_percent.or(it.alert.map(|alert| alert.below_percent)).filter(|it| *it > 0);
    it.alert = match percent {
        Some(below_percent) => {
            let before = it.alert.map(|alert| alert.minutes_after_deadline).unwrap_or_default();
            Some(ComplianceAlert { below_percent, minutes_after_deadline: minutes.unwrap_or(before) })
        }
        None if minutes.is_some() => {
            return Err(AdminError::Invalid {
                code: "alert",
                detail: "alert_minutes_after_deadline says when, and nothing says below how many percent".to_owned(),
                next_step: Some("give alert_below_percent (--alert-below), too".to_owned()),
            });
        }
        None => None,
    };
    Ok(terms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_sent_back() {
        let mut terms = Terms { outside_windows: true, ..Terms::default() };
        terms.settings.grace = true;
        terms.settings.alert = Some(ComplianceAlert { below_percent: 90, minutes_after_deadline: 30 });
        assert_eq!(changed(&Terms::default(), &shown(&terms)).expect("fits"), terms);
        assert_eq!(changed(&terms, &DeploymentSettings::default()).expect("fits"), terms);
        let none = DeploymentSettings { alert_below_percent: Some(0), ..DeploymentSettings::default() };
        assert_eq!(changed(&terms, &none).expect("fits").settings.alert, None);
        let hold = DeploymentSettings { hold_until_window: Some(true), ..DeploymentSettings::default() };
        assert_eq!(changed(&terms, &hold).expect_err("outside of windows").problem().code, "hold_until_window");
        let when = DeploymentSettings { alert_minutes_after_deadline: Some(5), ..DeploymentSettings::default() };
        assert_eq!(changed(&Terms::default(), &when).expect_err("no percent").problem().code, "alert");
    }
}
