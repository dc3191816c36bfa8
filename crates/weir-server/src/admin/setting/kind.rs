//! Which values settings take.

use std::ops::RangeInclusive;

use serde_json::{Value, json};
use weir_model::{
    alert::address::EmailAddress,
    cleanup::Wait,
    report::file::Folder,
    schedule::{Recurrence, Zone},
};

use super::OFF;

/// The values of `source`, in words.
pub(crate) const SOURCE_VALUES: &str = "microsoft, none, or the http(s) URL of an upstream server";
/// What is shown of a secret that is set.
const SET: &str = "set";

/// Which values a setting takes.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Choice(&'static [&'static str]),
    Flag,
    /// A folder below one that the process settings allow.
    Folder,
    Mailbox,
    Name,
    Number(RangeInclusive<u64>),
    Schedule,
    Secret,
    Source,
    Text(usize),
    Url,
    Wait,
    /// Some of these, separated by commas; none of them is empty.
    Words(&'static [&'static str]),
    Zone,
}

impl Kind {
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Choice(values) => values.join(", "),
            Self::Flag => "true, false".to_owned(),
            Self::Folder => "at most five names with / between, or empty".to_owned(),
            Self::Mailbox => "an e-mail address such as weir@example.org, or empty".to_owned(),
            Self::Name => "a DNS name, or empty".to_owned(),
            Self::Number(range) => format!("{} to {}", range.start(), range.end()),
            Self::Secret => "a secret of at most 1024 characters, or empty; shown as set or unset".to_owned(),
            Self::Schedule => "off, or a schedule such as every 7 days at 02:00".to_owned(),
            Self::Source => SOURCE_VALUES.to_owned(),
            Self::Text(longest) => format!("text of at most {longest} characters"),
            Self::Url => "an http(s) URL without path, or empty".to_owned(),
            Self::Wait => "off, immediately, or months:N with N from 1 to 99".to_owned(),
            Self::Words(words) => format!("some of {}, separated by commas, or empty", words.join(", ")),
            Self::Zone => "an IANA time zone such as Europe/Amsterdam, or empty".to_owned(),
        }
    }

    /// The value as it may be shown and logged.
    pub(super) fn shown(&self, value: Value) -> Value {
        match self {
            Self::Secret => json!(if value.as_str().is_none_or(str::is_empty) { "unset" } else { SET }),
            _ => value,
        }
    }

    /// The value in its own type; texts of numbers and flags are read.
    pub(super) fn read(&self, value: &Value) -> Option<Value> {
        let text = value.as_str().map(str::trim);
        match self {
            Self::Choice(values) => {
                let text = text?.to_ascii_lowercase();
                values.contains(&text.as_str()).then(|| json!(text))
            }
            Self::Flag => match (value.as_bool(), text.map(str::to_ascii_lowercase).as_deref()) {
                (Some(flag), _) => Some(json!(flag)),
                (_, Some("true" | "yes" | "on")) => Some(json!(true)),
                (_, Some("false" | "no" | "off")) => Some(json!(false)),
                _ => None,
            },
            Self::Folder => text?.parse::<Folder>().ok().map(|folder| json!(folder.to_string())),
            Self::Number(range) => {
                let number = value.as_u64().or_else(|| text?.parse().ok())?;
                range.contains(&number).then(|| json!(number))
            }
            Self::Mailbox => {
                let text = text?;
                if text.is_empty() {
                    return Some(json!(""));
                }
                text.parse::<EmailAddress>().ok().map(|address| json!(address.as_str()))
            }
            Self::Name => {
                let text = text?.trim_end_matches('.').to_ascii_lowercase();
                (text.is_empty() || dns_name(&text)).then(|| json!(text))
            }
            // a secret may begin or end with a blank
            Self::Secret => value.as_str().filter(|text| text.chars().count() <= 1_024).map(|text| json!(text)),
            Self::Schedule => {
                let text = text?;
                if text.eq_ignore_ascii_case(OFF) {
                    return Some(json!(OFF));
                }
                text.parse::<Recurrence>().ok().map(|schedule| json!(schedule.to_string()))
            }
            Self::Source => parse_source(text?).map(Value::String),
            Self::Text(longest) => {
                let text = text?;
                (text.chars().count() <= *longest && !text.chars().any(char::is_control)).then(|| json!(text))
            }
            Self::Url => {
                let text = text?.trim_end_matches('/');
                (text.is_empty() || origin(text)).then(|| json!(text))
            }
            Self::Wait => text?.parse::<Wait>().ok().map(|wait| json!(wait.to_string())),
            Self::Words(words) => {
                let given = text?.to_ascii_lowercase();
                let given: Vec<&str> = given.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
                let known = given.iter().all(|word| words.contains(word));
                // in the order in which they are described, each once
                let kept: Vec<&str> = words.iter().copied().filter(|word| given.contains(word)).collect();
                known.then(|| json!(kept.join(",")))
            }
            Self::Zone => {
                let text = text?;
                if text.is_empty() {
                    return Some(json!(""));
                }
                text.parse::<Zone>().ok().map(|zone| json!(zone.name()))
            }
        }
    }
}

/// Labels of letters, digits and hyphens.
fn dns_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// A `source` in its stored form.
pub(crate) fn parse_source(text: &str) -> Option<String> {
    let text = text.trim();
    match text.to_ascii_lowercase().as_str() {
        "microsoft" => Some("microsoft".to_owned()),
        "none" => Some("none".to_owned()),
        _ => {
            let url: http::Uri = text.parse().ok()?;
            let scheme = url.scheme_str()?;
            let fits = matches!(scheme, "http" | "https") && url.host().is_some_and(|host| !host.is_empty())
                // a password in an address would be shown wherever the source is
                && url.authority().is_some_and(|authority| !authority.as_str().contains('@'));
            (fits && text.len() <= 2_048 && url.query().is_none()).then(|| text.trim_end_matches('/').to_owned())
        }
    }
}

fn origin(text: &str) -> bool {
    text.parse::<http::Uri>().is_ok_and(|url| {
        matches!(url.scheme_str(), Some("http" | "https"))
            && url.host().is_some_and(|host| !host.is_empty())
            // a password in an address would be shown wherever the setting is
            && !text.contains('@')
            && matches!(url.path(), "" | "/")
            && url.query().is_none()
    })
}
