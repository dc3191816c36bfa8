//! Signing in with a name and a password.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use http::{HeaderMap, HeaderValue, Method};
use jiff::Timestamp;
use parking_lot::Mutex;
use weir_api::access::{PasswordChange, Session, SessionCreate};
use weir_model::{ids::Sha256Digest, name, password::pause};
use weir_store::user::UserRow;

use super::{Caller, Proof, password, session};
use crate::{
    admin::{
        AdminError, App,
        auth::{self, hash, secret},
    },
    state::Connection,
};

/// Accounts, and accounts at addresses, whose wrong passwords are counted at once.
const MOST: usize = 10_000;
/// Wrong passwords are forgotten after this.
const FORGOTTEN: Duration = Duration::from_secs(3_600);
/// Attempts on an account from all addresses within [`SPAN`]: who guesses from many is stopped, and who shuts somebody out by
/// guessing needs many addresses.
const TOTAL: u32 = 100;
/// How long attempts on an account count together.
const SPAN: Duration = Duration::from_secs(900);
/// Characters of the longest name.
const LONGEST_NAME: usize = 256;

/// Wrong passwords, by account and by account at an address, whether there is such an account or not.
#[derive(Debug, Default)]
pub(crate) struct Tries(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Wrong passwords in a row of an account at an address, and when the last came.
    at: HashMap<Sha256Digest, (u32, Instant)>,
    /// Attempts on an account, and since when they are counted.
    all: HashMap<Sha256Digest, (u32, Instant)>,
}

/// Whose password is tried, and from where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Try {
    account: Sha256Digest,
    at: Sha256Digest,
}

impl Try {
    fn new(name: &str, from: Option<&str>) -> Self {
        let key = name::key(name);
        Self { account: hash(&key), at: hash(&format!("{}\n{key}", from.unwrap_or_default())) }
    }
}

/// Makes room for one more, if need be in place of the oldest.
fn room(counts: &mut HashMap<Sha256Digest, (u32, Instant)>, key: Sha256Digest) {
    if counts.len() < MOST || counts.contains_key(&key) {
        return;
    }
    let oldest = counts.iter().min_by_key(|(_, (_, time))| *time).map(|(key, _)| *key);
    if let Some(oldest) = oldest {
        counts.remove(&oldest);
    }
}

impl Tries {
    /// Counts an attempt as if it failed, so that many at once cannot pass together. Refuses one that comes too early, which is
    /// not counted; the error is how long to wait.
    pub(crate) fn begin(&self, whose: Try, now: Instant) -> Result<(), Duration> {
        let mut counts = self.0.lock();
        let (total, since) = counts.all.get(&whose.account).copied().unwrap_or((0, now));
        let span = now.saturating_duration_since(since);
        let (total, since) = if span >= SPAN { (0, now) } else { (total, since) };
        if total >= TOTAL {
            return Err(SPAN.saturating_sub(span));
        }
        let (count, last) = counts.at.get(&whose.at).copied().unwrap_or((0, now));
        let rested = now.saturating_duration_since(last);
        let count = if rested >= FORGOTTEN { 0 } else { count };
        let wait = pause(count).saturating_sub(rested);
        if !wait.is_zero() {
            return Err(wait);
        }
        room(&mut counts.at, whose.at);
        counts.at.insert(whose.at, (count.saturating_add(1), now));
        room(&mut counts.all, whose.account);
        counts.all.insert(whose.account, (total.saturating_add(1), since));
        Ok(())
    }

    /// Forgets an account's wrong passwords from an address: the right one came. Of those from all addresses it takes one away,
    /// its own.
    pub(crate) fn clear(&self, whose: Try) {
        let mut counts = self.0.lock();
        counts.at.remove(&whose.at);
        if let Some((total, _)) = counts.all.get_mut(&whose.account) {
            *total = total.saturating_sub(1);
        }
    }
}

/// Counts an attempt on an account.
fn begin(app: &App, whose: Try) -> Result<(), AdminError> {
    app.shared().tries.begin(whose, Instant::now()).map_err(|wait| AdminError::TooEarly { seconds: wait.as_secs() + 1 })
}

/// Signs a user in. What is wrong with name or password is not said, and takes as long either way.
pub(crate) async fn sign_in(
    app: &App,
    connection: Option<Connection>,
    headers: &HeaderMap,
    new: SessionCreate,
) -> Result<(Session, HeaderValue), AdminError> {
    session::refuse_foreign(&Method::POST, headers, false)?;
    if connection.is_some_and(|connection| auth::attempts_spent(app, &connection)) {
        return Err(AdminError::TooMany);
    }
    let from = connection.map(|connection| connection.peer.ip().to_canonical().to_string());
    if new.name.chars().count() > LONGEST_NAME || new.password.len() > weir_model::password::LONGEST {
        return Err(AdminError::SignIn);
    }
    let account = Try::new(&new.name, from.as_deref());
    begin(app, account)?;
    let named = new.name.clone();
    let user = app.read(move |tx| tx.user_find(&named)).await?.filter(|user| user.user.enabled);
    let stored = user.as_ref().and_then(|user| user.user.password.clone());
    let right = app.shared().hasher.verify(stored.clone(), new.password).await?;
    let Some(user) = user.filter(|_| right) else {
        metrics::counter!("weir_admin_refused_total").increment(1);
        tracing::warn!(peer = from.as_deref().unwrap_or("unknown"), "a sign-in was refused");
        return Err(AdminError::SignIn);
    };
    app.shared().tries.clear(account);
    let (secret, now) = (secret()?, Timestamp::now());
    let caller = Caller::user(&user, Proof::Server, from);
    let (no, fresh) = (user.no, hash(&secret));
    let begun = app
        .write(&caller, move |tx| {
            // it may have been disabled, or its password changed, while the hash was computed
            let same = |user: &UserRow| user.user.enabled && user.user.password == stored;
            let user = tx.user_show(no)?.filter(same).ok_or(AdminError::SignIn)?;
            let (id, ends) = session::begin(tx, &user, fresh, None)?;
            Ok((user, id, ends))
        })
        .await?;
    let (user, id, ends) = begun;
    let caller = Caller { expires_at: Some(ends), ..Caller::user(&user, Proof::Session(id), caller.from) };
    Ok((session::show(app, caller).await?, session::cookie(&secret, ends, now)?))
}

/// Changes the own password. The session of the request gets another secret at once, and its header is returned.
pub(crate) async fn change_password(
    app: &App,
    caller: &Caller,
    change: PasswordChange,
) -> Result<Option<HeaderValue>, AdminError> {
    let Some(no) = caller.user else {
        return Err(AdminError::Internal("the server itself has no password".to_owned()));
    };
    let current = match caller.proof {
        Proof::Session(id) => Some(id),
        Proof::Certificate => None,
        Proof::Server | Proof::BuiltIn | Proof::Token(_) => {
            return Err(AdminError::Forbidden {
                code: "forbidden",
                detail: "a token does not change the password of who it is of".to_owned(),
                next_step: Some("sign in to the console".to_owned()),
            });
        }
    };
    let user = app.read(move |tx| tx.user_show(no)).await?;
    let user = user.ok_or(AdminError::Unauthorized("the user is not there any more"))?;
    let Some(stored) = user.user.password.clone() else {
        return Err(AdminError::Conflict {
            code: "no_password",
            detail: format!("{} has no password: it signs in otherwise", user.user.name),
            next_step: None,
        });
    };
    password::checked(&change.password, &[&user.user.name, &user.user.display_name])?;
    if change.password == change.current {
        return Err(AdminError::invalid("password", "the new password is the one of now"));
    }
    let account = Try::new(&user.user.name, caller.from.as_deref());
    begin(app, account)?;
    if !app.shared().hasher.verify(Some(stored.clone()), change.current).await? {
        return Err(AdminError::Forbidden {
            code: "password",
            detail: "the password of now is another".to_owned(),
            next_step: None,
        });
    }
    app.shared().tries.clear(account);
    let stored_now = app.shared().hasher.hash(change.password).await?;
    let (secret, now) = (secret()?, Timestamp::now());
    let fresh = hash(&secret);
    app.write(caller, move |tx| {
        let same = |user: &UserRow| user.user.password.as_ref() == Some(&stored);
        let row = tx.user_show(no)?.filter(same).ok_or_else(|| AdminError::Conflict {
            code: "changed",
            detail: "the password was changed meanwhile".to_owned(),
            next_step: Some("sign in again".to_owned()),
        })?;
        let mut user = row.user;
        user.password = Some(stored_now);
        user.must_change = false;
        tx.user_change(no, &user)?;
        tx.session_end(no, current)?;
        if let Some(current) = current {
            // whoever else had its secret is out now
            tx.session_renew(current, fresh)?;
        }
        tx.audit("user.password.change", &user.name, None, None)?;
        Ok(())
    })
    .await?;
    match (current, caller.expires_at) {
        (Some(_), Some(ends)) => session::cookie(&secret, ends, now).map(Some),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: u32) -> Try {
        Try::new(&number.to_string(), Some("10.0.0.1"))
    }

    #[test]
    fn an_account_waits_longer_with_each_wrong_password() {
        let (tries, now) = (Tries::default(), Instant::now());
        for _ in 0..5 {
            tries.begin(account(1), now).expect("free");
        }
        assert_eq!(tries.begin(account(1), now), Err(Duration::from_secs(1)));
        let later = now + Duration::from_secs(1);
        tries.begin(account(1), later).expect("waited");
        assert_eq!(tries.begin(account(1), later), Err(Duration::from_secs(2)), "refusals do not count, attempts do");
        tries.begin(account(2), later).expect("another account");
        tries.clear(account(1));
        tries.begin(account(1), later).expect("signed in");
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_the_newest() {
        let (tries, now) = (Tries::default(), Instant::now());
        for number in 0..MOST as u32 + 10 {
            tries.begin(account(number), now + Duration::from_millis(u64::from(number))).expect("free");
        }
        let counts = tries.0.lock();
        assert_eq!((counts.at.len(), counts.all.len()), (MOST, MOST));
        let (newest, oldest) = (account(MOST as u32 + 9), account(0));
        assert!(counts.at.contains_key(&newest.at) && !counts.at.contains_key(&oldest.at));
        assert!(counts.all.contains_key(&newest.account) && !counts.all.contains_key(&oldest.account));
    }

    #[test]
    fn guessing_from_one_address_does_not_shut_out_another_until_there_are_many() {
        let (tries, now) = (Tries::default(), Instant::now());
        let from = |number: u32| Try::new("alice", Some(&number.to_string()));
        for _ in 0..5 {
            tries.begin(from(0), now).expect("free");
        }
        assert!(tries.begin(from(0), now).is_err());
        for number in 1..=TOTAL - 5 {
            tries.begin(from(number), now).expect("another address");
        }
        assert_eq!(tries.begin(from(1_000), now), Err(SPAN), "too many from all of them");
        tries.begin(Try::new("bob", None), now).expect("another account");
        tries.begin(from(1_000), now + SPAN).expect("later");
    }
}
