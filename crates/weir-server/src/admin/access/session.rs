//! Sessions: begun by a sign-in, found by the hash of a secret that changes as they are used.

use http::{HeaderMap, HeaderValue, Method, header};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;
use weir_api::{
    List,
    access::{OpenSession, Session, SessionQuery},
};
use weir_model::{
    ids::Sha256Digest,
    rights::{Permission, Reach},
};
use weir_store::{
    Actor, StoreError, WriteTx,
    access::SessionRow,
    user::{BUILT_IN, UserRow},
};

use super::{Caller, Proof, rights, scope};
use crate::admin::{
    AdminError, App,
    auth::{COOKIE, hash, secret},
    chain,
    collection::Tree,
    list,
    setting::{Current, SESSION_HOURS, SESSION_IDLE},
};

/// How long a secret is used before the session gets another.
const ROTATE: SignedDuration = SignedDuration::from_mins(15);
/// How long the secret before is still accepted: requests were under way with it.
const LINGER: SignedDuration = SignedDuration::from_secs(60);
/// The use of a session is noted this often at most: noting it is a write.
const NOTED: SignedDuration = SignedDuration::from_mins(1);

/// Begins a session of a user, in the transaction that found out that the user may; `link_by`: who made the sign-in link, if it
/// begins by one. Returns when it ends.
pub(crate) fn begin(
    tx: &WriteTx<'_>,
    user: &UserRow,
    secret: Sha256Digest,
    link_by: Option<u32>,
) -> Result<(Uuid, Timestamp), StoreError> {
    let hours = i64::try_from(Current::read(tx)?.number(SESSION_HOURS)).unwrap_or(8);
    let (id, ends) = (Uuid::new_v4(), tx.actor().at + SignedDuration::from_hours(hours));
    tx.session_create(id, secret, user.no, ends, user.signed_in_at, link_by)?;
    tx.user_signed_in(user.no)?;
    tx.audit("session.create", &user.user.name, None, None)?;
    Ok((id, ends))
}

/// The header that gives a browser the secret of a session.
pub(crate) fn cookie(secret: &str, ends: Timestamp, now: Timestamp) -> Result<HeaderValue, AdminError> {
    let seconds = ends.duration_since(now).as_secs().max(0);
    let cookie = format!("{COOKIE}={secret}; Path=/; Max-Age={seconds}; HttpOnly; Secure; SameSite=Strict");
    HeaderValue::from_str(&cookie).map_err(|error| AdminError::Internal(error.to_string()))
}

/// The header that takes it away.
pub(crate) fn no_cookie() -> HeaderValue {
    HeaderValue::from_static("__Host-weir=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict")
}

/// What a request with the secret of a session is.
pub(crate) struct Found {
    /// Who made it.
    pub(crate) caller: Caller,
    /// The secret from now on, if it changed.
    pub(crate) renewed: Option<HeaderValue>,
}

/// The caller of a secret; none if its session has ended, or rested for too long, or if its user may not sign in.
pub(crate) async fn find(app: &App, presented: &str, from: Option<String>) -> Result<Option<Found>, AdminError> {
    let (now, old) = (Timestamp::now(), hash(presented));
    let found = app
        .read(move |tx| {
            let Some((session, current)) = tx.session_find(old, now)? else { return Ok(None) };
            let idle = i64::try_from(Current::read(tx)?.number(SESSION_IDLE)).unwrap_or(60);
            let rested = session.used_at + SignedDuration::from_mins(idle) <= now;
            let user = tx.user_show(session.user)?.filter(|user| user.user.enabled && !rested);
            Ok(user.map(|user| (session, current, user)))
        })
        .await?;
    let Some((session, current, user)) = found else { return Ok(None) };
    let caller = Caller {
        expires_at: Some(session.expires_at),
        last_visit: session.last_visit,
        link_by: session.link_by,
        ..Caller::user(&user, Proof::Session(session.id), from)
    };
    let renewed = if current {
        kept(app, &session, old, now).await.unwrap_or_else(|error| {
            // the session goes on with the secret that it has
            tracing::warn!(error = chain(&error), "the use of a session could not be noted");
            None
        })
    } else {
        None
    };
    Ok(Some(Found { caller, renewed }))
}

/// Whether a session goes on: it has not ended and did not rest for too long, and its user may sign in. Asking is no use of it.
pub(crate) async fn is_open(app: &App, id: Uuid, now: Timestamp) -> Result<bool, AdminError> {
    app.read(move |tx| {
        let idle = i64::try_from(Current::read(tx)?.number(SESSION_IDLE)).unwrap_or(60);
        let open = tx.session_list(now)?.into_iter().find(|session| session.id == id);
        let Some(session) = open.filter(|it| it.used_at + SignedDuration::from_mins(idle) > now) else {
            return Ok(false);
        };
        Ok(tx.user_show(session.user)?.is_some_and(|user| user.user.enabled))
    })
    .await
}

/// Notes that a session is used, and gives it another secret when it is time.
async fn kept(
    app: &App,
    session: &SessionRow,
    old: Sha256Digest,
    now: Timestamp,
) -> Result<Option<HeaderValue>, AdminError> {
    let (id, actor) = (session.id, Actor::system("sessions", now));
    if now.duration_since(session.rotated_at) < ROTATE {
        if now.duration_since(session.used_at) >= NOTED {
            app.state.write(actor, move |tx| tx.session_used(id)).await?;
        }
        return Ok(None);
    }
    let fresh = secret()?;
    let new = hash(&fresh);
    let rotated = app.state.write(actor, move |tx| tx.session_rotate(id, old, now + LINGER, new)).await?;
    if rotated { cookie(&fresh, session.expires_at, now).map(Some) } else { Ok(None) }
}

/// Refuses a request that changes something and that a page of another site may have made the browser send. Browsers say where
/// a request is from in one of two headers, which pages cannot set. `needed`: one of them must be there.
pub(crate) fn refuse_foreign(method: &Method, headers: &HeaderMap, needed: bool) -> Result<(), AdminError> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let own = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => {
            let host = text(header::HOST.as_str()).unwrap_or_default();
            !host.is_empty() && origin.strip_prefix("https://").is_some_and(|from| from.eq_ignore_ascii_case(host))
        }
        (None, None) => !needed,
    };
    if own {
        return Ok(());
    }
    metrics::counter!("weir_admin_foreign_total").increment(1);
    Err(AdminError::Forbidden {
        code: "cross_site",
        detail: "a session changes something only from pages of this server".to_owned(),
        next_step: Some("programs use an API token: weir tokens create NAME".to_owned()),
    })
}

/// Who a request is from.
pub(crate) async fn show(app: &App, caller: Caller) -> Result<Session, AdminError> {
    let Caller { name, display_name, grant, proof, expires_at, last_visit, .. } = caller;
    let role = grant.role.into();
    let (collections, _) = app.read(move |tx| Ok(scope::shown(&Tree::read(tx)?, &grant.scope))).await?;
    Ok(Session { principal: name, display_name, role, collections, proof: proof.shown(), expires_at, last_visit })
}

/// Ends the session of a request.
pub(crate) async fn end(app: &App, caller: &Caller) -> Result<(), AdminError> {
    let Proof::Session(id) = caller.proof else {
        return Err(AdminError::Conflict {
            code: "no_session",
            detail: "the request did not come with a session".to_owned(),
            next_step: Some("a token ends with: weir tokens revoke NAME".to_owned()),
        });
    };
    let name = caller.name.clone();
    app.write(caller, move |tx| {
        if tx.session_delete(id)? {
            tx.audit("session.end", &name, None, None)?;
        }
        Ok(())
    })
    .await
}

/// Sessions that have not ended.
pub(crate) async fn list(app: &App, caller: Caller, query: SessionQuery) -> Result<List<OpenSession>, AdminError> {
    let limit = list::limit(query.limit)?;
    let all = query.all.unwrap_or_default();
    if all {
        rights::check(&caller, Permission::Administer, Reach::Site)?;
    }
    app.try_read(move |tx| {
        let now = Timestamp::now();
        let idle = i64::try_from(Current::read(tx)?.number(SESSION_IDLE)).unwrap_or(60);
        let names: std::collections::HashMap<u32, String> =
            tx.user_list()?.into_iter().map(|user| (user.no, user.user.name)).collect();
        let open = tx.session_list(now)?.into_iter().filter(|session| {
            let rested = session.used_at + SignedDuration::from_mins(idle) <= now;
            !rested && (all || Some(session.user) == caller.user)
        });
        let page = list::page(open, |session| session.id.to_string(), query.cursor.as_deref(), limit)?;
        let shown = page.items.into_iter().map(|session| OpenSession {
            id: session.id,
            principal: names.get(&session.user).cloned().unwrap_or_default(),
            created_at: session.created_at,
            used_at: session.used_at,
            expires_at: session.expires_at,
            from: session.from,
            current: caller.proof == Proof::Session(session.id),
        });
        Ok(List { items: shown.collect(), next: page.next })
    })
    .await
}

/// Ends a session: an own one, or anybody's for a full administrator.
pub(crate) async fn delete(app: &App, caller: &Caller, id: Uuid) -> Result<(), AdminError> {
    let by = caller.clone();
    app.write(caller, move |tx| {
        let missing = || AdminError::missing("session", id, "weir sessions list");
        let session = tx.session_list(tx.actor().at)?.into_iter().find(|session| session.id == id);
        let session = session.ok_or_else(missing)?;
        if Some(session.user) != by.user {
            // others' sessions are not there for who may not see them
            rights::check(&by, Permission::Administer, Reach::Site).map_err(|_| missing())?;
        }
        let of = tx.user_show(session.user)?.map(|user| user.user.name).unwrap_or_default();
        tx.session_delete(id)?;
        tx.audit("session.end", &of, None, None)?;
        Ok(())
    })
    .await
}

/// The user that the name in a sign-in code means. Codes are the built-in administrator's.
pub(crate) fn of_code(tx: &WriteTx<'_>, principal: &str) -> Result<Option<UserRow>, StoreError> {
    let user = tx.user_show(BUILT_IN)?;
    Ok(user.filter(|user| weir_model::name::key(&user.user.name) == weir_model::name::key(principal)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| ((*name).parse().expect("name"), value.parse().expect("value"))).collect()
    }

    #[test]
    fn what_changes_something_comes_from_this_server() {
        let post =
            |pairs: &[(&'static str, &str)], needed| refuse_foreign(&Method::POST, &headers(pairs), needed).is_ok();
        assert!(post(&[("sec-fetch-site", "same-origin")], true));
        for site in ["cross-site", "same-site", "none", ""] {
            assert!(!post(&[("sec-fetch-site", site)], true), "{site}");
            assert!(!post(&[("sec-fetch-site", site), ("origin", "https://a"), ("host", "a")], true), "{site}");
        }
        assert!(post(&[("origin", "https://weir.example:8540"), ("host", "WEIR.example:8540")], true));
        for origin in ["https://evil.example", "http://weir.example:8540", "null", "https://weir.example"] {
            assert!(!post(&[("origin", origin), ("host", "weir.example:8540")], true), "{origin}");
            assert!(!post(&[("origin", origin), ("host", "weir.example:8540")], false), "{origin}");
        }
        assert!(!post(&[("origin", "https://")], true), "no host");
        assert!(!post(&[], true));
        assert!(post(&[], false), "a program that is no browser");
        assert!(refuse_foreign(&Method::GET, &headers(&[("sec-fetch-site", "cross-site")]), true).is_ok());
    }

    #[test]
    fn the_cookie_is_for_this_host_and_tls_only() {
        let now = Timestamp::UNIX_EPOCH;
        let cookie = cookie("s", now + SignedDuration::from_hours(8), now).expect("a header");
        assert_eq!(cookie, "__Host-weir=s; Path=/; Max-Age=28800; HttpOnly; Secure; SameSite=Strict");
        assert!(no_cookie().to_str().expect("text").starts_with(COOKIE));
    }
}
