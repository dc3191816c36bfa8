//! Why an operation of an administrator was refused or failed, and the one place where that becomes an HTTP status.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use weir_api::{Problem, problem::MEDIA_TYPE};
use weir_model::message::tidy;
use weir_store::StoreError;

/// Characters of a value that a refusal repeats.
const LONGEST_VALUE: usize = 100;
/// Characters of a refusal.
const LONGEST: usize = 4_000;

/// What keeps an operation from being done.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Something that is as it is for a reason: the request is understood and refused.
    #[error("{detail}")]
    Conflict {
        /// Stable, for programs.
        code: &'static str,
        /// What is in the way.
        detail: String,
        /// What to do.
        next_step: Option<String>,
    },
    /// A convention of REST that the request does not keep: a condition, a key, how much at once.
    #[error("{detail}")]
    Convention {
        /// What is answered.
        status: StatusCode,
        /// Stable, for programs.
        code: &'static str,
        /// What is in the way.
        detail: String,
        /// What to do.
        next_step: Option<String>,
    },
    /// The principal may not do it.
    #[error("{detail}")]
    Forbidden {
        /// Stable, for programs.
        code: &'static str,
        /// What it may not do, and which role could.
        detail: String,
        /// What to do.
        next_step: Option<String>,
    },
    /// Our own fault. The text goes to the log, not to the caller.
    #[error("{0}")]
    Internal(String),
    /// The request itself is wrong.
    #[error("{detail}")]
    Invalid {
        /// Stable, for programs.
        code: &'static str,
        /// What is wrong, naming the field.
        detail: String,
        /// What to do.
        next_step: Option<String>,
    },
    /// There is no such thing.
    #[error("there is no {kind} {id}")]
    NotFound {
        /// What kind of thing.
        kind: &'static str,
        /// How it was named.
        id: String,
        /// What to do.
        next_step: Option<String>,
    },
    /// No such user, or another password: which is not said.
    #[error("the name or the password is wrong")]
    SignIn,
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An account had too many wrong passwords.
    #[error("too many wrong passwords; the next attempt is taken in {seconds} s")]
    TooEarly {
        /// How long to wait.
        seconds: u64,
    },
    /// More than is taken.
    #[error("{0}")]
    TooLarge(String),
    /// Too many attempts.
    #[error("too many failed attempts from this address")]
    TooMany,
    /// Neither a valid token nor a valid session.
    #[error("{0}")]
    Unauthorized(&'static str),
    /// Not now.
    #[error("{0}")]
    Unavailable(String),
    /// The server above did not do it.
    #[error("{detail}")]
    Upstream {
        /// What happened.
        detail: String,
        /// What to do.
        next_step: Option<String>,
    },
}

impl AdminError {
    /// [`AdminError::Invalid`] without advice.
    pub(crate) fn invalid(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid { code, detail: detail.into(), next_step: None }
    }

    /// [`AdminError::NotFound`] with the command that lists such things.
    pub(crate) fn missing(kind: &'static str, id: impl ToString, list: &str) -> Self {
        Self::NotFound { kind, id: id.to_string(), next_step: Some(format!("see what there is: {list}")) }
    }

    /// What the caller is told.
    pub fn problem(&self) -> Problem {
        let (status, code, title, next_step) = match self {
            Self::Conflict { code, next_step, .. } => (StatusCode::CONFLICT, *code, "Refused", next_step.clone()),
            Self::Convention { status, code, next_step, .. } => {
                let title = match *status {
                    StatusCode::PRECONDITION_FAILED => "It has changed",
                    StatusCode::REQUEST_TIMEOUT => "It took too long",
                    StatusCode::TOO_MANY_REQUESTS => "Too much at once",
                    StatusCode::UNPROCESSABLE_ENTITY => "The request is not valid",
                    _ => "Refused",
                };
                (*status, *code, title, next_step.clone())
            }
            Self::Forbidden { code, next_step, .. } => {
                (StatusCode::FORBIDDEN, *code, "Not allowed", next_step.clone())
            }
            Self::Internal(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Internal error",
                Some("see the server's log; if it happens again, report it".to_owned()),
            ),
            Self::Invalid { code, next_step, .. } => {
                (StatusCode::BAD_REQUEST, *code, "The request is not valid", next_step.clone())
            }
            Self::NotFound { next_step, .. } => (StatusCode::NOT_FOUND, "not_found", "Not found", next_step.clone()),
            Self::SignIn => (
                StatusCode::UNAUTHORIZED,
                "sign_in",
                "Not signed in",
                Some("a full administrator gives you another password: weir users password NAME".to_owned()),
            ),
            Self::Store(error) => {
                let (status, code, title) = stored(error);
                (status, code, title, None)
            }
            Self::TooEarly { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", "Too many attempts", Some("wait".to_owned()))
            }
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "Too large", None),
            Self::TooMany => (
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_attempts",
                "Too many attempts",
                Some("wait a minute, then use the token in the file admin.token of the data folder".to_owned()),
            ),
            Self::Unauthorized(_) => (
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "Not signed in",
                Some(
                    "sign in, or send \"Authorization: Bearer\" with the secret of an API token or the text of the file \
                     admin.token of the data folder"
                        .to_owned(),
                ),
            ),
            Self::Unavailable(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available now", Some("try again".to_owned()))
            }
            Self::Upstream { next_step, .. } => {
                (StatusCode::BAD_GATEWAY, "upstream", "The server above failed", next_step.clone())
            }
        };
        let detail = match self {
            _ if status == StatusCode::INTERNAL_SERVER_ERROR => "the server failed".to_owned(),
            Self::NotFound { kind, id, .. } if !id.starts_with('"') => {
                format!("there is no {kind} {}", tidy(id, LONGEST_VALUE))
            }
            _ => chain(self),
        };
        Problem {
            status: status.as_u16(),
            code: code.to_owned(),
            title: title.to_owned(),
            detail: cut_values(&detail),
            next_step: next_step.map(|text| cut_values(&text)),
        }
    }
}

/// A text in which what stands in quotes is cut: values come from the caller, who knows them, and may be large.
fn cut_values(text: &str) -> String {
    let mut cut = String::new();
    // the open quote, where it stands in `text` and in `cut`, and the characters since
    let mut open: Option<(char, usize, usize, usize)> = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match &mut open {
            None => {
                if matches!(c, '"' | '`') {
                    open = Some((c, at, cut.len(), 0));
                }
                cut.push(c);
            }
            Some((quote, .., count)) if c == *quote && !escaped => {
                if *count > LONGEST_VALUE {
                    cut.push('\u{2026}');
                }
                cut.push(c);
                open = None;
            }
            Some((.., count)) => {
                if *count < LONGEST_VALUE {
                    cut.push(c);
                }
                *count += 1;
            }
        }
        escaped = c == '\\' && !escaped && open.is_some();
    }
    // a quote that stands alone quotes nothing
    if let Some((_, from, kept, _)) = open {
        cut.truncate(kept);
        cut.push_str(text.get(from..).unwrap_or_default());
    }
    match cut.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}\u{2026}", cut.get(..end).unwrap_or_default()),
        None => cut,
    }
}

fn stored(error: &StoreError) -> (StatusCode, &'static str, &'static str) {
    match error {
        StoreError::BuiltInCollection(_) => (StatusCode::CONFLICT, "built_in", "Refused"),
        StoreError::Busy { .. } => (StatusCode::SERVICE_UNAVAILABLE, "busy", "Not available now"),
        StoreError::CollectionExists(_) => (StatusCode::CONFLICT, "exists", "Refused"),
        StoreError::CollectionName(_) => (StatusCode::BAD_REQUEST, "name", "The request is not valid"),
        StoreError::CollectionInUse { .. } => (StatusCode::CONFLICT, "in_use", "Refused"),
        StoreError::Cursor(_) => (StatusCode::BAD_REQUEST, "cursor", "The request is not valid"),
        StoreError::DeploymentExists { .. } => (StatusCode::CONFLICT, "exists", "Refused"),
        StoreError::DiskFailed { .. } => (StatusCode::SERVICE_UNAVAILABLE, "disk_failed", "The disk failed"),
        StoreError::DiskFull { .. } => (StatusCode::INSUFFICIENT_STORAGE, "disk_full", "The disk is full"),
        StoreError::DifferentText(_) => (StatusCode::CONFLICT, "different_text", "Refused"),
        StoreError::DutyLost(_) => (StatusCode::SERVICE_UNAVAILABLE, "moved", "Not available now"),
        StoreError::NotEmbedded { .. } => (StatusCode::CONFLICT, "not_embedded", "Refused"),
        StoreError::Unconfirmed { .. } => (StatusCode::SERVICE_UNAVAILABLE, "outcome_unknown", "Not known"),
        StoreError::Unreachable { .. } => {
            (StatusCode::SERVICE_UNAVAILABLE, "database_unreachable", "Not available now")
        }
        StoreError::Missing { .. } | StoreError::UnknownCollection(_) | StoreError::UnknownUpdate(_) => {
            (StatusCode::NOT_FOUND, "not_found", "Not found")
        }
        StoreError::Objects { .. } | StoreError::ObjectsRefused { .. } => {
            (StatusCode::SERVICE_UNAVAILABLE, "object_store", "Not available now")
        }
        StoreError::ContentMismatch { .. } => (StatusCode::BAD_REQUEST, "digest_mismatch", "The request is not valid"),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error"),
    }
}

/// An error with its sources, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // transparent wrappers repeat what they wrap
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        let problem = self.problem();
        if problem.status >= 500 {
            tracing::error!(error = chain(&self), "a request of an administrator failed");
        }
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let wait = match &self {
            Self::TooEarly { seconds } => Some(*seconds),
            Self::TooMany => Some(1),
            _ => None,
        };
        let mut response = (status, Json(problem)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(MEDIA_TYPE));
        if let Some(seconds) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, http::HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, http::HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_refusal_are_cut() {
        let short = r#"name is "a \" b"; take `x`"#;
        assert_eq!(cut_values(short), short);
        let long = "x".repeat(200_000);
        for quoted in [format!("{long:?}"), format!("`{long}`")] {
            let refusal = AdminError::invalid("body", format!("name: a boolean was expected, not string {quoted}!"));
            let detail = refusal.problem().detail;
            let kept = "x".repeat(LONGEST_VALUE);
            assert!(detail.contains(&kept) && detail.ends_with('!'), "{detail}");
            assert!(detail.chars().count() < 200, "{detail}");
        }
        let missing = AdminError::missing("setting", &long, "weir settings list").problem();
        assert!(missing.detail.chars().count() < 200, "{}", missing.detail);
        assert_eq!(AdminError::missing("alert", 7, "weir alerts list").problem().detail, "there is no alert 7");
    }

    #[test]
    fn a_lone_quote_cuts_nothing_but_the_whole_has_an_end() {
        let words = format!("the text that begins with \" has no end{}", " and more".repeat(20));
        assert_eq!(cut_values(&words), words);
        assert_eq!(cut_values(&"x".repeat(10_000)).chars().count(), LONGEST + 1);
    }
}
