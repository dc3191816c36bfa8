//! Acts that are done only when a second person approves them, where the setting `approval.required` says so.

use std::sync::Arc;

use axum::{
    Json,
    body::{Body, Bytes},
    response::{IntoResponse as _, Response},
};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use uuid::Uuid;
use weir_api::{
    List, PREFIX, Problem,
    approval::{Approval, ApprovalDecision, ApprovalQuery, ApprovalState},
};
use weir_model::name;
use weir_store::approval::{ApprovalRow, ApprovalState as Stored, Held, Shown};

use super::{
    Caller, Proof,
    asked::{Asked, Chosen, ITSELF, of_setting},
    expected::expected,
    rights, scope,
    seen::OUTDATED,
    table,
    words::last,
};
use crate::admin::{
    AdminError, App,
    collection::Tree,
    extract::JSON_BYTES,
    list, rest,
    setting::{APPROVAL_REQUIRED, Current},
};

/// Kinds of acts, in the order in which the setting lists them.
pub(crate) const KINDS: [&str; 5] = ["delete-collection", "deploy", "emergency-stop", "remove-site", "source"];

/// The route of a setting.
const SETTING: &str = "/settings/{key}";
/// Requests of one principal that wait at once.
const MOST_WAITING: u64 = 100;
/// How long a request waits.
const WAITS: SignedDuration = SignedDuration::from_hours(24);
/// Characters of a note.
const LONGEST_NOTE: usize = 1_000;
/// Bytes of an answer that are kept.
const LONGEST_ANSWER: usize = 64 << 10;
/// Says that a request waits, and as which approval.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("weir-approval");

/// The kinds of acts that a route may be, the first of which decides. What it is in truth is found out by what it asks for.
fn kinds(method: &Method, template: &str) -> &'static [&'static str] {
    match (method.as_str(), template) {
        ("DELETE", "/collections/{collection}") => &["delete-collection", "deploy"],
        (
            "POST",
            "/collections"
            | "/collections/{collection}/members"
            | "/computers-change"
            | "/deployments"
            | "/deployments-change"
            | "/groups/{name}/members"
            | "/phased"
            | "/phased/{name}/advance"
            | "/phased/{name}/approve"
            | "/phased/{name}/resume"
            | "/rules"
            | "/rules/{name}/deployments"
            | "/rules/{name}/run"
            | "/updates/{id}/undecline",
        )
        | (
            "PATCH",
            "/collections/{collection}" | "/computers/{id}" | "/deployments/{id}" | "/phased/{name}" | "/rules/{name}",
        )
        | (
            "DELETE",
            "/collections/{collection}/members"
            | "/deployments/{id}"
            | "/groups/{name}"
            | "/groups/{name}/members"
            | "/updates/{id}/stop",
        ) => &["deploy"],
        ("POST", "/updates-change") => &["emergency-stop", "deploy"],
        ("PUT", "/updates/{id}/stop")
        | ("POST", "/criteria" | "/criteria/{name}/apply" | "/updates/{id}/decline")
        | ("PATCH", "/criteria/{name}") => &["emergency-stop"],
        ("DELETE", "/sites/{site}") => &["remove-site"],
        ("PUT", SETTING) | ("DELETE", "/parent") => &["source"],
        _ => &[],
    }
}

/// What becomes of a request for now.
pub(super) enum Verdict {
    /// It goes on.
    Passed(Request<Body>),
    /// It waits; this is the answer.
    Waits(Response),
}

/// Lets a request pass, or stores it until a second person approves it.
pub(super) async fn hold(
    app: &App,
    caller: &Caller,
    template: &str,
    request: Request<Body>,
) -> Result<Verdict, AdminError> {
    let kinds = kinds(request.method(), template);
    if kinds.is_empty() || caller.approved_by.is_some() {
        return Ok(Verdict::Passed(request));
    }
    let path = request.uri().path();
    let path = path.strip_prefix(PREFIX).unwrap_or(path).to_owned();
    let kinds: Vec<&'static str> =
        if template == SETTING { of_setting(&last(&path)).into_iter().collect() } else { kinds.to_vec() };
    // the value of now decides, also about a change of itself
    let required = app.read(|tx| Ok(Current::read(tx)?.text(APPROVAL_REQUIRED))).await?;
    let required: Vec<&str> = required.split(',').filter(|word| !word.is_empty()).collect();
    let waits = |kind: &&str| if *kind == ITSELF { !required.is_empty() } else { required.contains(kind) };
    let kinds: Vec<&'static str> = kinds.into_iter().filter(waits).collect();
    if kinds.is_empty() {
        return Ok(Verdict::Passed(request));
    }
    let Some(user) = caller.user else { return Ok(Verdict::Passed(request)) };
    let (parts, body) = request.into_parts();
    let too_large = |_| AdminError::TooLarge(format!("the body exceeds {JSON_BYTES} bytes"));
    let bytes = axum::body::to_bytes(body, JSON_BYTES).await.map_err(too_large)?;
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let mut asked = Asked {
        method: parts.method.clone(),
        path: path.clone(),
        query: query.clone(),
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        scope: caller.scope().clone(),
        chosen: Chosen::Nothing,
    };
    asked.choose(app).await?;
    let live = app.state.live.clone();
    let found = app.try_read(move |tx| {
        for kind in kinds {
            let Some(act) = asked.act(kind, tx)? else { continue };
            let look = Asked::look(act, tx, &live)?;
            if look.waits {
                let subject = look.subject(&Tree::read(tx)?);
                // who asks is told of what lies within the own limit
                let told = look.subject(&Tree::within(tx, &asked.scope)?);
                return Ok(Some((kind, subject, told, look)));
            }
        }
        Ok(None)
    });
    let Some((kind, subject, told, look)) = found.await? else {
        return Ok(Verdict::Passed(Request::from_parts(parts, Body::from(bytes))));
    };
    let seen = serde_json::to_string(&look.seen)
        .map_err(|error| AdminError::Internal(format!("what a request is about cannot be kept: {error}")))?;
    let seen = Shown { seen, reached: look.computers.into_iter().collect() };
    let query = if query.is_empty() { query } else { format!("?{query}") };
    let token = match &caller.proof {
        Proof::Token(name) => Some(name::key(name)),
        _ => None,
    };
    let held = Held {
        kind: kind.to_owned(),
        subject,
        method: parts.method.to_string(),
        target: format!("{path}{query}"),
        body: text(&bytes)?,
        user,
        token,
        proof: caller.proof.words().unwrap_or_default(),
        link_by: caller.link_by,
    };
    let waits = app
        .write(caller, move |tx| {
            if tx.approval_count(user, tx.actor().at)? >= MOST_WAITING {
                return Err(AdminError::Conflict {
                    code: "too_many",
                    detail: format!("{MOST_WAITING} requests of {} wait for a second person already", tx.actor().name),
                    next_step: Some("have some of them decided: weir approvals list --waiting".to_owned()),
                });
            }
            let no = tx.approval_create(&held, &seen, tx.actor().at + WAITS)?;
            let after = json!({ "kind": held.kind, "subject": held.subject });
            tx.audit("approval.request", &no.to_string(), None, Some(&after))?;
            tx.approval_show(no)?.ok_or_else(|| AdminError::Internal("a request that waits is not there".to_owned()))
        })
        .await?;
    let number = HeaderValue::from(waits.no);
    let shown = Json(Approval { subject: told, ..shown(waits, Timestamp::now()) });
    Ok(Verdict::Waits((StatusCode::ACCEPTED, [(HEADER, number)], shown).into_response()))
}

fn text(bytes: &Bytes) -> Result<Option<String>, AdminError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| AdminError::invalid("body", "the body is not UTF-8"))?;
    Ok(Some(text.to_owned()))
}

fn shown(row: ApprovalRow, now: Timestamp) -> Approval {
    let (status, answer) = row.answer.unzip();
    Approval {
        id: row.no,
        state: match row.state {
            Stored::Waiting if row.expires_at <= now => ApprovalState::Expired,
            Stored::Waiting => ApprovalState::Waiting,
            Stored::Done => ApprovalState::Done,
            Stored::Rejected => ApprovalState::Rejected,
            Stored::Failed => ApprovalState::Failed,
        },
        kind: row.held.kind,
        subject: row.held.subject,
        method: row.held.method,
        path: row.held.target,
        body: row.held.body,
        requested_by: row.requested_by,
        requested_from: row.requested_from,
        created_at: row.created_at,
        expires_at: row.expires_at,
        decided_by: row.decided_by,
        decided_at: row.decided_at,
        note: row.note,
        status,
        answer,
    }
}

/// Requests, newest first.
pub(crate) async fn list(app: &App, query: ApprovalQuery) -> Result<List<Approval>, AdminError> {
    let (limit, now) = (list::limit(query.limit)?, Timestamp::now());
    let waiting = query.waiting.unwrap_or_default();
    let page = app.read(move |tx| tx.approval_list(waiting, now, query.cursor.as_deref(), limit)).await?;
    Ok(List { items: page.items.into_iter().map(|row| shown(row, now)).collect(), next: page.next })
}

fn missing(no: i64) -> AdminError {
    AdminError::missing("approval", no, "weir approvals list")
}

/// One request.
pub(crate) async fn show(app: &App, no: i64) -> Result<Approval, AdminError> {
    let row = app.read(move |tx| tx.approval_show(no)).await?.ok_or_else(|| missing(no))?;
    Ok(shown(row, Timestamp::now()))
}

/// Refuses who may not decide about a request: its requester, a program, and who could not do it either.
fn check(caller: &Caller, row: &ApprovalRow) -> Result<(), AdminError> {
    if matches!(caller.proof, Proof::Token(_) | Proof::Server) {
        return Err(AdminError::Forbidden {
            code: "forbidden",
            detail: "a person decides about this, not a program with a token".to_owned(),
            next_step: Some("sign in to the console".to_owned()),
        });
    }
    // who makes a sign-in link can use it, so its session counts as the maker's, too
    let own = |user: Option<u32>| user.is_some() && (user == Some(row.held.user) || user == row.held.link_by);
    if own(caller.user) || own(caller.link_by) {
        return Err(AdminError::Forbidden {
            code: "own_request",
            detail: format!("{} asked for this; a second person decides about it", row.requested_by),
            next_step: Some("ask another administrator".to_owned()),
        });
    }
    let method = Method::from_bytes(row.held.method.as_bytes());
    let path = row.held.target.split('?').next().unwrap_or_default();
    let rule = method.ok().and_then(|method| table::of_path(&method, path));
    let rule = rule.ok_or_else(|| AdminError::Internal(format!("{path} is no route of this release")))?;
    match rule.permission {
        Some(permission) => rights::check(caller, permission, rule.reach),
        None => Ok(()),
    }
}

/// Decides about a request. An approved one is done at once, as its requester.
pub(crate) async fn decide(
    app: &App,
    caller: &Caller,
    no: i64,
    approve: bool,
    decision: ApprovalDecision,
) -> Result<Approval, AdminError> {
    let note = decision.note.map(|note| note.trim().to_owned()).filter(|note| !note.is_empty());
    if note.as_ref().is_some_and(|note| note.chars().count() > LONGEST_NOTE) {
        return Err(AdminError::invalid("note", format!("note has at most {LONGEST_NOTE} characters")));
    }
    let by = caller.clone();
    let row = app
        .write(caller, move |tx| {
            let row = tx.approval_show(no)?.ok_or_else(|| missing(no))?;
            check(&by, &row)?;
            let (state, action) =
                if approve { (Stored::Done, "approval.approve") } else { (Stored::Rejected, "approval.reject") };
            if !tx.approval_decide(no, state, note.as_deref())? {
                return Err(AdminError::Conflict {
                    code: "decided",
                    detail: format!("the request {no} does not wait any more"),
                    next_step: Some(format!("see what became of it: weir approvals show {no}")),
                });
            }
            let after = json!({ "subject": row.held.subject, "requested_by": row.requested_by, "note": note });
            tx.audit(action, &no.to_string(), None, Some(&after))?;
            Ok(row)
        })
        .await?;
    if approve {
        let (status, answer) = match perform(app, &caller.name, &row).await {
            Ok(done) => done,
            Err(error) => {
                let problem = error.problem();
                (problem.status, serde_json::to_string(&problem).unwrap_or_default())
            }
        };
        let refusal = outdated_by(status, &answer);
        let state = if status < 400 { Stored::Done } else { Stored::Failed };
        app.write(caller, move |tx| Ok(tx.approval_answer(no, state, status, &answer)?)).await?;
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
    }
    show(app, no).await
}

/// The refusal of a request that is not any more what was asked for, if that is its answer.
fn outdated_by(status: u16, answer: &str) -> Option<AdminError> {
    let problem = serde_json::from_str::<Problem>(answer).ok().filter(|_| status == 409)?;
    (problem.code == OUTDATED).then_some(AdminError::Conflict {
        code: OUTDATED,
        detail: problem.detail,
        next_step: problem.next_step,
    })
}

/// Does what was asked for, if its requester still may and it is still what was asked for: the status and the text of the answer.
async fn perform(app: &App, approver: &str, row: &ApprovalRow) -> Result<(u16, String), AdminError> {
    let mut requester = requester(app, approver, row).await?;
    requester.expected = Some(Arc::new(expected(app, row, requester.scope()).await?));
    let body = row.held.body.clone().unwrap_or_default();
    let mut request = Request::builder()
        .method(row.held.method.as_str())
        .uri(format!("{PREFIX}{}", row.held.target))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body))
        .map_err(|error| AdminError::Internal(format!("a request that waited cannot be made again: {error}")))?;
    request.extensions_mut().insert(requester);
    let response = rest(app).oneshot(request).await.unwrap_or_else(|never| match never {});
    let status = response.status().as_u16();
    let bytes = axum::body::to_bytes(response.into_body(), JSON_BYTES).await.unwrap_or_default();
    let answer: String = String::from_utf8_lossy(&bytes).chars().take(LONGEST_ANSWER).collect();
    Ok((status, answer))
}

/// The requester, with what it may do now.
async fn requester(app: &App, approver: &str, row: &ApprovalRow) -> Result<Caller, AdminError> {
    let (user, token) = (row.held.user, row.held.token.clone());
    let now = Timestamp::now();
    let found = app
        .read(move |tx| {
            let user = tx.user_show(user)?.filter(|user| user.user.enabled && !user.user.must_change);
            let Some(mut user) = user else { return Ok(None) };
            if let Some(token) = token {
                let token = tx.token_named(&token)?.filter(|token| token.expires_at.is_none_or(|ends| ends > now));
                let owned = token.and_then(|token| token.owner).filter(|(owner, _)| *owner == user.no);
                let Some((_, grant)) = owned else { return Ok(None) };
                if !scope::covers(tx, &user.user.grant.scope, &grant.scope)? {
                    return Ok(None);
                }
                user.user.grant.role = user.user.grant.role.min(grant.role);
                user.user.grant.scope = grant.scope;
            }
            Ok(Some(user))
        })
        .await?;
    let user = found.ok_or_else(|| AdminError::Forbidden {
        code: "forbidden",
        detail: format!("{} may not do this any more", row.requested_by),
        next_step: None,
    })?;
    let proof = match row.held.proof.as_str() {
        "built-in" => Proof::BuiltIn,
        "certificate" => Proof::Certificate,
        words => match words.strip_prefix("token ") {
            Some(name) => Proof::Token(name.to_owned()),
            None => Proof::Session(Uuid::nil()),
        },
    };
    Ok(Caller { approved_by: Some(approver.to_owned()), ..Caller::user(&user, proof, row.requested_from.clone()) })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_route_that_may_wait_is_in_the_table() {
        for rule in table::RULES {
            let method: Method = rule.method.parse().expect("a method");
            for kind in kinds(&method, rule.path) {
                assert!(KINDS.contains(kind), "{kind}");
                assert_ne!(method, Method::GET);
            }
        }
        let of = |rule: &table::Rule| kinds(&rule.method.parse().expect("a method"), rule.path);
        let kinds: BTreeSet<&str> = table::RULES.iter().flat_map(of).copied().collect();
        assert_eq!(kinds.into_iter().collect::<Vec<_>>(), KINDS, "each kind is of some route");
    }

    #[test]
    fn the_route_of_a_path_is_found() {
        let path = |method: Method, path: &str| table::of_path(&method, path).map(|rule| rule.path);
        assert_eq!(path(Method::DELETE, "/collections/Ring%201"), Some("/collections/{collection}"));
        assert_eq!(path(Method::POST, "/deployments"), Some("/deployments"));
        assert_eq!(path(Method::GET, "/computers/clones"), Some("/computers/clones"), "the literal one first");
        assert_eq!(path(Method::GET, "/nothing"), None);
    }
}
