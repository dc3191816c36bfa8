//! Keys of requests (`Idempotency-Key`): a request that is sent again is answered as before and not carried out again.
//!
//! The key is kept before the request is carried out, and its answer after. A request that was refused has done nothing, so its
//! key is free again. Where it is not known how a request ended, because the process ended in the middle of it, or the database went
//! away when a part was done, that is said: the caller has to look.
//!
//! *Invariant:* no secret that an answer tells once is kept.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    body::{Body, to_bytes},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, Request, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use weir_api::{approval::Approval, problem::MEDIA_TYPE};
use weir_model::ids::Sha256Digest;
use weir_store::idempotency::{KeyedAnswer, KeyedRequest};

use super::{
    AdminError, Caller,
    access::approval,
    conventions::{Conventions, ended, whole},
    extract::JSON_BYTES,
};

/// The header with the key.
pub(super) const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer is one from before.
const REPLAY: HeaderName = HeaderName::from_static("idempotent-replay");
/// How long a key is kept.
pub(crate) const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// Characters of a key.
const LONGEST_KEY: usize = 255;
/// Bytes of an answer that is kept.
const LONGEST_ANSWER: usize = 64 << 10;
/// Characters of an address that is kept; longer ones are told apart by their digest.
const LONGEST_ADDRESS: usize = 1_000;
/// A request that another front end took this long ago may still be under way there.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(5);
/// Keys of one principal that are kept.
const MOST: u64 = 100_000;

/// Routes whose answers have a secret that is told once.
const SECRET: &[&str] =
    &["/approvals/{id}/approve", "/sign-in-links", "/sites/{site}/enrolment", "/subscriptions", "/tokens", "/users"];
/// Refusals of the server's that say that nothing was done.
const UNDONE: [&str; 4] = ["busy", "database_unreachable", "disk_failed", "disk_full"];

tokio::task_local! {
    /// Whether the request with a key that this task carries out has written something.
    static WROTE: Arc<AtomicBool>;
}

/// Something was made durable for the request of this task.
pub(crate) fn wrote() {
    // most requests have no key
    let _ = WROTE.try_with(|wrote| wrote.store(true, Ordering::Relaxed));
}

type Key = (String, Sha256Digest);

/// Requests with a key that are under way in this process. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct UnderWay(Arc<Mutex<HashSet<Key>>>);

impl UnderWay {
    /// Notes a request; none if one with its key is under way.
    fn begin(&self, key: &Key) -> Option<Turn> {
        self.0.lock().insert(key.clone()).then(|| Turn { all: self.clone(), key: key.clone() })
    }
}

/// One of them, until it is dropped.
#[derive(Debug)]
struct Turn {
    all: UnderWay,
    key: Key,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.all.0.lock().remove(&self.key);
    }
}

/// Carries a request with a key out, or answers as before.
pub(super) async fn answer(
    conventions: &Conventions,
    template: &str,
    request: Request<Body>,
    next: Next,
) -> Result<Response, AdminError> {
    let app = conventions.app.clone();
    let caller = request.extensions().get::<Caller>().cloned();
    // a key is somebody's
    let caller = caller.ok_or_else(|| AdminError::invalid("idempotency_key", "this request takes no key"))?;
    let key = key(&request)?;
    let media = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !matches!(media.split(';').next().unwrap_or_default().trim(), "" | "application/json") {
        return Err(AdminError::Invalid {
            code: "idempotency_key",
            detail: "only requests with a JSON body or none take a key; this is an upload".to_owned(),
            next_step: Some(
                "leave Idempotency-Key out: what was uploaded before is recognised by its content".to_owned(),
            ),
        });
    }
    let address = format!("{} {}", request.method(), request.uri());
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, JSON_BYTES)
        .await
        .map_err(|_| AdminError::TooLarge(format!("the body exceeds {JSON_BYTES} bytes, or did not arrive whole")))?;
    let asked = KeyedRequest {
        principal: caller.name.clone(),
        key: digest(key.as_bytes()),
        request: shortened(&address),
        body: digest(&bytes),
    };
    let id = (asked.principal.clone(), asked.key);
    let Some(turn) = app.shared().keys.begin(&id) else { return Err(in_progress()) };
    let taken = {
        let asked = asked.clone();
        app.write(&caller, move |tx| {
            if tx.idempotency_count(&asked.principal)? >= MOST {
                return Err(AdminError::Convention {
                    status: StatusCode::TOO_MANY_REQUESTS,
                    code: "too_many_keys",
                    detail: format!("{MOST} keys were used within a day"),
                    next_step: Some("leave Idempotency-Key out, or wait".to_owned()),
                });
            }
            Ok(tx.idempotency_take(&asked, Timestamp::now() - KEPT)?)
        })
        .await?
    };
    if let Some(known) = taken {
        // of another front end it is not known whether it still works on it
        let is_young = Timestamp::now().duration_since(known.created_at).abs() < UNDER_WAY;
        if app.state.is_shared() && known.status.is_none() && is_young {
            return Err(in_progress());
        }
        return replay(&asked, known);
    }
    let secret = SECRET.contains(&template);
    // it goes on to its end when the caller goes away, who may come back for the answer
    let work = tokio::spawn(async move {
        let wrote = Arc::new(AtomicBool::new(false));
        let carried = next.run(Request::from_parts(parts, Body::from(bytes)));
        let response = WROTE.scope(Arc::clone(&wrote), carried).await;
        let (response, outcome) = outcome(response, secret, wrote.load(Ordering::Relaxed)).await;
        let kept = app.write(&caller, move |tx| match outcome {
            // as it is when the process ends in the middle of it
            Outcome::Unknown => Ok(()),
            Outcome::Refused => Ok(tx.idempotency_release(&asked.principal, asked.key).map(drop)?),
            Outcome::Answered(status, text) => {
                Ok(tx.idempotency_answer(&asked.principal, asked.key, status, text.as_deref())?)
            }
        });
        if let Err(error) = kept.await {
            tracing::warn!(error = super::chain(&error), "the answer to a request with a key could not be kept");
        }
        drop(turn);
        response
    });
    Ok(ended(work).await)
}

/// What one is told who sends again what is being carried out.
fn in_progress() -> AdminError {
    AdminError::Convention {
        status: StatusCode::CONFLICT,
        code: "idempotency_in_progress",
        detail: "a request with this key is under way".to_owned(),
        next_step: Some("ask again in a moment".to_owned()),
    }
}

/// What is kept of an answer.
enum Outcome {
    /// Its status, and its body if that may be kept.
    Answered(u16, Option<String>),
    /// Nothing: nothing was done.
    Refused,
    /// Nothing: a part was done, and the rest was kept from being done.
    Unknown,
}

/// `wrote`: something was made durable before it was answered.
async fn outcome(response: Response, secret: bool, wrote: bool) -> (Response, Outcome) {
    let status = response.status();
    let (parts, bytes) = match whole(response).await {
        Ok(whole) => whole,
        // not JSON: there is nothing to keep but that it was done
        Err(response) => {
            let refused = response.status().is_client_error();
            let kept = if refused { Outcome::Refused } else { Outcome::Answered(status.as_u16(), None) };
            return (*response, kept);
        }
    };
    let undone = status.is_server_error() && is_undone(&bytes);
    let outcome = if undone && wrote {
        Outcome::Unknown
    } else if status.is_client_error() || undone {
        Outcome::Refused
    } else {
        let text = std::str::from_utf8(&bytes).ok().filter(|text| text.len() <= LONGEST_ANSWER && !secret);
        Outcome::Answered(status.as_u16(), text.map(str::to_owned))
    };
    (Response::from_parts(parts, Body::from(bytes)), outcome)
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

/// Whether a failure says that nothing was written.
fn is_undone(problem: &[u8]) -> bool {
    serde_json::from_slice::<Code>(problem).is_ok_and(|problem| UNDONE.contains(&problem.code.as_str()))
}

/// The answer to a request whose key is known.
fn replay(asked: &KeyedRequest, known: KeyedAnswer) -> Result<Response, AdminError> {
    if known.request != asked.request || known.body != asked.body {
        return Err(AdminError::Convention {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            code: "idempotency_key",
            detail: "this key was used for another request".to_owned(),
            next_step: Some("take a new key for each request".to_owned()),
        });
    }
    let Some(status) = known.status.and_then(|status| StatusCode::from_u16(status).ok()) else {
        return Err(AdminError::Conflict {
            code: "outcome_unknown",
            detail: format!(
                "a request with this key came at {}, and the server or its database ended before it was answered: it may have been \
                 carried out, or a part of it, or not",
                known.created_at
            ),
            next_step: Some(
                "look whether it was done (the audit log says so), else repeat it with a new key".to_owned(),
            ),
        });
    };
    if status == StatusCode::NO_CONTENT {
        let mut response = status.into_response();
        response.headers_mut().insert(REPLAY, HeaderValue::from_static("true"));
        return Ok(response);
    }
    let Some(text) = known.answer else {
        return Err(AdminError::Conflict {
            code: "answer_not_kept",
            detail: format!(
                "the request with this key was carried out at {} and answered with {}; that answer is not kept, since it is \
                 large or has a secret",
                known.created_at,
                status.as_u16()
            ),
            next_step: Some("get what it made".to_owned()),
        });
    };
    let waits = serde_json::from_str::<Approval>(&text).ok().filter(|_| status == StatusCode::ACCEPTED);
    let media = if status.is_success() { "application/json" } else { MEDIA_TYPE };
    let mut response = (status, text).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    if let Some(approval) = waits {
        response.headers_mut().insert(approval::HEADER, HeaderValue::from(approval.id));
    }
    response.headers_mut().insert(REPLAY, HeaderValue::from_static("true"));
    Ok(response)
}

/// A refusal, with how long to wait where waiting helps.
pub(super) fn refused(error: AdminError) -> Response {
    let waits = matches!(&error, AdminError::Convention { code: "idempotency_in_progress", .. });
    let mut response = error.into_response();
    if waits {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// The key of a request.
pub(super) fn key(request: &Request<Body>) -> Result<String, AdminError> {
    let mut keys = request.headers().get_all(&HEADER).iter();
    let text = keys.next().and_then(|value| value.to_str().ok()).map(str::trim).unwrap_or_default();
    let is_plain =
        !text.is_empty() && text.len() <= LONGEST_KEY && text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    if !is_plain || keys.next().is_some() {
        return Err(AdminError::Invalid {
            code: "idempotency_key",
            detail: format!("Idempotency-Key must be one text of 1 to {LONGEST_KEY} printable ASCII characters"),
            next_step: Some("take a new GUID for each request".to_owned()),
        });
    }
    Ok(text.to_owned())
}

fn digest(bytes: &[u8]) -> Sha256Digest {
    Sha256Digest(Sha256::digest(bytes).into())
}

/// An address that is kept: whole, or its beginning with a digest of all.
fn shortened(address: &str) -> String {
    match address.char_indices().nth(LONGEST_ADDRESS) {
        None => address.to_owned(),
        Some((end, _)) => format!("{}\u{2026} {}", address.get(..end).unwrap_or_default(), digest(address.as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(body: u8) -> KeyedRequest {
        KeyedRequest {
            principal: "one".to_owned(),
            key: Sha256Digest([1; 32]),
            request: "POST /api/v1/collections".to_owned(),
            body: Sha256Digest([body; 32]),
        }
    }

    fn known(status: Option<u16>, answer: Option<&str>) -> KeyedAnswer {
        KeyedAnswer {
            request: asked(1).request,
            body: asked(1).body,
            status,
            answer: answer.map(str::to_owned),
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn code(answer: Result<Response, AdminError>) -> (u16, String) {
        let problem = answer.expect_err("refused").problem();
        (problem.status, problem.code)
    }

    #[test]
    fn the_same_request_has_the_same_answer() {
        let response = replay(&asked(1), known(Some(201), Some("{}"))).expect("known");
        assert_eq!(response.status(), 201);
        assert_eq!(response.headers().get(REPLAY).expect("said"), "true");
        assert_eq!(response.headers().get(header::CONTENT_TYPE).expect("json"), "application/json");
    }

    #[test]
    fn what_waits_for_a_second_person_says_so_again() {
        let waits = r#"{"id":7,"state":"waiting","kind":"deploy","subject":"s","method":"POST","path":"/deployments",
            "requested_by":"alice","created_at":"2026-11-30T00:00:00Z","expires_at":"2026-12-01T00:00:00Z"}"#;
        let response = replay(&asked(1), known(Some(202), Some(waits))).expect("known");
        assert_eq!(response.headers().get(approval::HEADER).expect("its number"), "7");
        let other = replay(&asked(1), known(Some(202), Some(r#"{"id":7}"#))).expect("known");
        assert!(other.headers().get(approval::HEADER).is_none(), "a job that is under way");
    }

    #[test]
    fn another_request_and_unknown_outcomes_are_told_apart() {
        assert_eq!(code(replay(&asked(2), known(Some(201), Some("{}")))), (422, "idempotency_key".to_owned()));
        assert_eq!(code(replay(&asked(1), known(None, None))), (409, "outcome_unknown".to_owned()));
        assert_eq!(code(replay(&asked(1), known(Some(201), None))), (409, "answer_not_kept".to_owned()));
    }

    #[test]
    fn keys_are_plain_texts() {
        let of = |values: &[&str]| {
            let mut request = Request::new(Body::empty());
            for value in values {
                request.headers_mut().append(HEADER, HeaderValue::from_str(value).expect("a value"));
            }
            key(&request).ok()
        };
        assert_eq!(of(&["7c0a"]), Some("7c0a".to_owned()));
        assert_eq!(of(&[""]), None);
        assert_eq!(of(&["a", "b"]), None);
        assert_eq!(of(&[&"x".repeat(256)]), None);
        assert!(of(&[&"x".repeat(255)]).is_some());
    }

    #[test]
    fn one_request_with_a_key_is_under_way_at_a_time() {
        let all = UnderWay::default();
        let id = ("one".to_owned(), Sha256Digest([1; 32]));
        let turn = all.begin(&id).expect("free");
        assert!(all.begin(&id).is_none());
        drop(turn);
        assert!(all.begin(&id).is_some());
    }

    #[tokio::test]
    async fn what_was_written_in_part_is_not_repeated() {
        let answer = |status: u16, body: &'static str| {
            let status = StatusCode::from_u16(status).expect("a status");
            (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
        };
        let gone = r#"{"code":"database_unreachable","status":503}"#;
        for (status, body, wrote, wanted) in [
            (503, gone, false, "Refused"),
            (503, gone, true, "Unknown"),
            (400, r#"{"code":"invalid"}"#, true, "Refused"),
            (201, "{}", true, "Answered(201)"),
            (503, r#"{"code":"outcome_unknown"}"#, false, "Answered(503)"),
        ] {
            let (_, outcome) = outcome(answer(status, body), false, wrote).await;
            let found = match outcome {
                Outcome::Answered(status, _) => format!("Answered({status})"),
                Outcome::Refused => "Refused".to_owned(),
                Outcome::Unknown => "Unknown".to_owned(),
            };
            assert_eq!(found, wanted, "{status} {body} {wrote}");
        }
        let noted = Arc::new(AtomicBool::new(false));
        wrote();
        WROTE.scope(Arc::clone(&noted), async { wrote() }).await;
        assert!(noted.load(Ordering::Relaxed));
    }

    #[test]
    fn what_was_not_written_may_be_repeated() {
        assert!(is_undone(br#"{"code":"busy","status":503}"#));
        assert!(!is_undone(br#"{"code":"unavailable","status":503}"#));
        assert!(!is_undone(br#"{"code":"outcome_unknown","status":503}"#));
        assert!(!is_undone(b"x"));
    }
}
