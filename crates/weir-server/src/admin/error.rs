//! Why an operation of an administrator was refused or failed, and the one place where that becomes an HTTP status.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use weir_api::{Problem, problem::MEDIA_TYPE};
use weir_store::StoreError;

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
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
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
            Self::Store(error) => {
                let (status, code, title) = stored(error);
                (status, code, title, None)
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
                    "send \"Authorization: Bearer\" with the text of the file admin.token of the data folder"
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
        let detail =
            if status == StatusCode::INTERNAL_SERVER_ERROR { "the server failed".to_owned() } else { chain(self) };
        Problem { status: status.as_u16(), code: code.to_owned(), title: title.to_owned(), detail, next_step }
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
        StoreError::DiskFull { .. } => (StatusCode::INSUFFICIENT_STORAGE, "disk_full", "The disk is full"),
        StoreError::DifferentText(_) => (StatusCode::CONFLICT, "different_text", "Refused"),
        StoreError::Missing { .. } | StoreError::UnknownCollection(_) | StoreError::UnknownUpdate(_) => {
            (StatusCode::NOT_FOUND, "not_found", "Not found")
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
        let mut response = (status, Json(problem)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(MEDIA_TYPE));
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, http::HeaderValue::from_static("Bearer"));
        }
        response
    }
}
