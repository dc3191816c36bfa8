//! What settings say together.

use super::{
    resultant::{Resolved, Resultant},
    value::{Value, shortest_hours},
};

/// Something that is allowed and probably not meant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Warning {
    /// The setting.
    pub key: &'static str,
    /// What becomes of it, in a sentence.
    pub message: String,
}

const MINUTES: &str = "restart.minutes";
const COUNTDOWN: &str = "restart.countdown_minutes";
const REMINDER: &str = "restart.reminder_minutes";

/// Why what a set says cannot hold, if it cannot: the final countdown is part of the time until the restart (features
/// 18.3). `set` are the set's own values; what it leaves open is left to other sets and judged by [`warnings`].
pub fn refusal(set: &std::collections::BTreeMap<String, Value>) -> Option<String> {
    let number = |key| match set.get(key) {
        Some(Value::Number(number)) => Some(*number),
        _ => None,
    };
    match (number(MINUTES), number(COUNTDOWN)) {
        (Some(minutes), Some(countdown)) if countdown > minutes => Some(format!(
            "{COUNTDOWN} is {countdown}, more than {MINUTES}, which is {minutes}: the countdown is the last part of that time"
        )),
        _ => None,
    }
}

/// What of the settings that an administrator set is probably not meant. `shortest_window`: minutes of the shortest
/// maintenance window, if there is any.
pub fn warnings(resultant: &Resultant, shortest_window: Option<u32>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |key: &'static str, message: String| warnings.push(Warning { key, message });
    let set = |key: &str| resultant.is_set(key);
    for key in ["scan.schedule", "deployments.reevaluation"] {
        if let Some(Resolved { value: Value::Schedule(schedule), .. }) = resultant.find(key).filter(|one| one.is_set())
        {
            let hours = shortest_hours(schedule);
            if hours < 24 {
                warn(key, format!("{schedule} is less than a day apart and counts as one day"));
            }
        }
    }
    if set("updates.enabled") && !resultant.flag("updates.enabled") {
        let message = "the rendered policy takes the update server away: these computers scan here no longer";
        warn("updates.enabled", message.to_owned());
    }
    if resultant.flag("scan.user_proxy") {
        let message =
            "a user's proxy can read and change scans over plain HTTP; prefer HTTPS, or a proxy of the system";
        warn("scan.user_proxy", message.to_owned());
    }
    if set("deadline.install_others_within") && !resultant.flag("deadline.install_others") {
        let message = "it has no effect while deadline.install_others is false";
        warn("deadline.install_others_within", message.to_owned());
    }
    if !resultant.flag("deadline.no_randomization") {
        let message = "deadlines are not spread: the server keeps each as it is given";
        warn("deadline.no_randomization", message.to_owned());
    }
    for key in ["transfer.from_hour", "transfer.to_hour", "transfer.kbps", "transfer.outside_kbps"] {
        if set(key) && !resultant.flag("transfer.throttle") {
            warn(key, "it has no effect while transfer.throttle is false".to_owned());
        }
    }
    if resultant.flag("transfer.throttle")
        && resultant.number("transfer.from_hour") == resultant.number("transfer.to_hour")
    {
        warn("transfer.to_hour", "the limit begins and ends at the same hour, so it holds all day".to_owned());
    }
    if [MINUTES, COUNTDOWN, REMINDER].into_iter().any(set) {
        restart(resultant, shortest_window, &mut warn);
    }
    warnings
}

fn restart(resultant: &Resultant, shortest_window: Option<u32>, warn: &mut impl FnMut(&'static str, String)) {
    let (minutes, countdown) = (resultant.number(MINUTES), resultant.number(COUNTDOWN));
    let reminder = resultant.number(REMINDER);
    if !resultant.flag("restart.force") {
        warn(MINUTES, format!("{MINUTES} and {COUNTDOWN} have no effect while restart.force is false"));
        return;
    }
    if countdown > minutes {
        warn(COUNTDOWN, format!("the countdown of {countdown} minutes is longer than the {minutes} until the restart"));
    } else if reminder >= minutes - countdown {
        warn(
            REMINDER,
            format!(
                "no reminder shows: {reminder} is not less than {MINUTES} less {COUNTDOWN}, which is {}",
                minutes - countdown
            ),
        );
    }
    if let Some(window) = shortest_window.filter(|window| minutes >= *window) {
        warn(
            MINUTES,
            format!("the shortest maintenance window has {window} minutes, which is too short for {minutes}"),
        );
    }
}
