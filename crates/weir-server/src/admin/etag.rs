//! Tags of answers (RFC 9110 8.8.3) and conditions on them.
//!
//! The tag of a resource that can be changed has two parts, `"DEFINITION.WHOLE"`: a digest of what administrators define, and
//! one of the whole answer. A GET with `If-None-Match` is about the whole answer.
//!
//! *Off-spec:* `If-Match` compares the first part alone. The answers about collections, deployments and computers have counts
//! and times in them that computers move all the time; compared as a whole, a change at a busy site would never match, and
//! nobody would send conditions.

use http::{HeaderMap, HeaderValue, header};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Bytes of each digest.
const BYTES: usize = 12;

/// Resources that can be changed, with what in their answers moves by itself; wherever a field of that name stands.
const VERSIONED: &[(&str, &[&str])] = &[
    ("/classifications", &[]),
    ("/client-settings/{set}", &["warnings"]),
    ("/collections/{collection}", &["deployments", "direct", "evaluating", "members", "members_below"]),
    (
        "/computers/{id}",
        &[
            "address",
            "architecture",
            "compliant",
            "counts",
            "failed",
            "first_seen",
            "freshness",
            "installed",
            "last_contact",
            "last_report",
            "last_sync",
            "model",
            "needed",
            "next_window",
            "os",
            "plain_http",
            "requested_groups",
            "server",
        ],
    ),
    ("/criteria/{name}", &[]),
    ("/deployment-templates/{name}", &[]),
    ("/deployments/{id}", &["content", "members", "state", "state_text"]),
    ("/exposure/levels", &[]),
    ("/file-languages", &[]),
    ("/groups/{name}", &[]),
    ("/languages", &[]),
    (
        "/phased/{name}",
        &[
            "completed_at",
            "computers",
            "deployment",
            "gate",
            "late",
            "observed_at",
            "reached_at",
            "started_at",
            "status",
            "warnings",
        ],
    ),
    ("/products", &[]),
    ("/report-schedules/{id}", &["failures", "last", "next", "running"]),
    ("/rules/{name}", &["last_run", "next_run"]),
    ("/searches/{name}", &[]),
    ("/settings/{key}", &[]),
    (
        "/subscriptions/{name}",
        &["disabled_because", "failures", "last_error", "last_failure_at", "last_success_at", "waiting"],
    ),
    ("/sync/schedule", &["next"]),
    ("/updates/{id}/stop", &["at_risk", "computers", "deployments", "heard", "installed", "not_yet_heard"]),
    ("/windows/{id}", &["next"]),
];

/// What moves by itself in the answers of a route, below the prefix; none if the resource cannot be changed under a condition.
pub(super) fn versioned(template: &str) -> Option<(&'static str, &'static [&'static str])> {
    VERSIONED.iter().find(|(known, _)| *known == template).copied()
}

/// The routes that are versioned.
pub(super) fn templates() -> impl Iterator<Item = &'static str> {
    VERSIONED.iter().map(|(template, _)| *template)
}

/// A tag.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Tag(String);

impl Tag {
    /// The tag of an answer. `moving` are the fields that are no part of the definition; none where there is no definition.
    pub(super) fn of(body: &[u8], moving: Option<&[&str]>) -> Self {
        let whole = digest(body);
        let definition = moving.and_then(|moving| {
            let mut value: Value = serde_json::from_slice(body).ok()?;
            leave_out(&mut value, moving);
            Some(digest(value.to_string().as_bytes()))
        });
        Self(match definition {
            Some(definition) => format!("\"{definition}.{whole}\""),
            None => format!("\"{whole}\""),
        })
    }

    /// As a header has it.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        HeaderValue::try_from(&self.0).ok()
    }

    /// What administrators define.
    fn definition(&self) -> &str {
        let inner = self.0.trim_matches('"');
        inner.split_once('.').map_or(inner, |(definition, _)| definition)
    }
}

/// A short digest, as hexadecimal digits.
pub(super) fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().take(BYTES).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn leave_out(value: &mut Value, names: &[&str]) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !names.contains(&name.as_str()));
            fields.values_mut().for_each(|value| leave_out(value, names));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| leave_out(value, names)),
        _ => {}
    }
}

/// What a request asks about a tag.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Condition {
    /// One of these, or anything.
    Match(Vec<String>),
    /// None of these, or nothing at all.
    NoneMatch(Vec<String>),
}

impl Condition {
    /// The condition of a request, `If-Match` before `If-None-Match`.
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let list = |name: header::HeaderName| {
            let values: Vec<&HeaderValue> = headers.get_all(name).iter().collect();
            (!values.is_empty()).then(|| {
                let texts = values.into_iter().filter_map(|value| value.to_str().ok());
                texts.flat_map(|text| text.split(',')).map(|tag| tag.trim().to_owned()).collect::<Vec<_>>()
            })
        };
        list(header::IF_MATCH).map(Self::Match).or_else(|| list(header::IF_NONE_MATCH).map(Self::NoneMatch))
    }

    /// Whether an answer is the one that the caller has: the whole of it, by weak comparison.
    pub(super) fn is_held(&self, tag: &Tag) -> bool {
        match self {
            Self::Match(_) => false,
            Self::NoneMatch(tags) => {
                tags.iter().any(|held| held == "*" || held.strip_prefix("W/").unwrap_or(held) == tag.0)
            }
        }
    }

    /// Whether a change may be made: `tag` is that of the resource, none if there is none.
    pub(super) fn allows(&self, tag: Option<&Tag>) -> bool {
        match (self, tag) {
            (Self::Match(_), None) => false,
            (Self::Match(tags), Some(tag)) => tags.iter().any(|held| {
                // strong comparison: a weak tag matches nothing
                held == "*" || (held.starts_with('"') && Tag(held.clone()).definition() == tag.definition())
            }),
            (Self::NoneMatch(_), None) => true,
            (Self::NoneMatch(tags), Some(tag)) => !tags.iter().any(|held| {
                let held = held.strip_prefix("W/").unwrap_or(held);
                held == "*" || Tag(held.to_owned()).definition() == tag.definition()
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(name: header::HeaderName, value: &str) -> Condition {
        let headers = HeaderMap::from_iter([(name, HeaderValue::from_str(value).expect("a value"))]);
        Condition::read(&headers).expect("a condition")
    }

    #[test]
    fn a_tag_follows_definition_and_whole_apart() {
        let (_, moving) = versioned("/collections/{collection}").expect("versioned");
        let tag = |text: &str| Tag::of(text.as_bytes(), Some(moving));
        let one = tag(r#"{"id":"a","name":"Ring","members":1}"#);
        let counted = tag(r#"{"id":"a","name":"Ring","members":2}"#);
        let renamed = tag(r#"{"id":"a","name":"Rings","members":1}"#);
        assert_ne!(one, counted);
        assert_eq!(one.definition(), counted.definition());
        assert_ne!(one.definition(), renamed.definition());
        assert_eq!(one.header().expect("text").len(), 2 + 4 * BYTES + 1);
        let plain = Tag::of(b"{}", None);
        assert_eq!(plain.header().expect("text").len(), 2 + 2 * BYTES);
        assert!(versioned("/status").is_none());
    }

    #[test]
    fn if_match_is_about_the_definition() {
        let (_, moving) = versioned("/collections/{collection}").expect("versioned");
        let now = Tag::of(br#"{"name":"Ring","members":2}"#, Some(moving));
        let before = Tag::of(br#"{"name":"Ring","members":1}"#, Some(moving));
        let other = Tag::of(br#"{"name":"Other"}"#, Some(moving));
        let if_match = |value: &str| condition(header::IF_MATCH, value);
        assert!(if_match(&before.0).allows(Some(&now)));
        assert!(if_match(&format!("{}, {}", other.0, now.0)).allows(Some(&now)));
        assert!(if_match("*").allows(Some(&now)));
        assert!(!if_match("*").allows(None));
        assert!(!if_match(&other.0).allows(Some(&now)));
        assert!(!if_match(&format!("W/{}", now.0)).allows(Some(&now)), "a weak tag matches nothing");
        assert!(!if_match("nonsense").allows(Some(&now)));
    }

    #[test]
    fn if_none_match_is_about_the_whole_and_makes_only_what_is_not_there() {
        let tag = Tag::of(b"{}", None);
        let if_none_match = |value: &str| condition(header::IF_NONE_MATCH, value);
        assert!(if_none_match(&tag.0).is_held(&tag));
        assert!(if_none_match(&format!("\"x\", W/{}", tag.0)).is_held(&tag));
        assert!(!if_none_match("\"x\"").is_held(&tag));
        assert!(if_none_match("*").allows(None));
        assert!(!if_none_match("*").allows(Some(&tag)));
    }
}
