//! The cookies of a session: GetAuthConfig, GetAuthorizationCookie, GetCookie (MS-WSUSSS 3.2.4.1).

use std::time::{Duration, Instant};

use jiff::Timestamp;
use weir_wire::wsss::{
    AuthorizationCookie, Cookie, GetAuthConfig, GetAuthorizationCookie, GetCookie, ServerAuthConfig, Service,
};

use super::{
    PROTOCOL, Peer, PeerError,
    transport::{Repeat, Room},
};

/// A cookie that says nothing useful about its end is renewed after this.
const UNKNOWN_LIFE: Duration = Duration::from_mins(30);
/// A cookie that has expired by our clock when it is handed out: the clocks differ.
const SKEWED_LIFE: Duration = Duration::from_mins(5);

/// What a session holds.
#[derive(Default)]
pub(super) struct Session {
    held: Option<Held>,
    generation: u64,
}

/// A cookie, and which authorization it is from.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) cookie: Cookie,
    pub(super) generation: u64,
    renew_at: Instant,
}

/// When to renew a cookie: after four fifths of its life. No fault tells an expired cookie (dossier, section 2), so it
/// must not come to that.
fn renew_after(expiration: Option<Timestamp>, now: Timestamp) -> Duration {
    let Some(expiration) = expiration else { return UNKNOWN_LIFE };
    match Duration::try_from(expiration.duration_since(now)) {
        Ok(left) if !left.is_zero() => left.mul_f64(0.8).min(Duration::from_hours(24)),
        _ => SKEWED_LIFE,
    }
}

impl Peer {
    /// The cookie that holds now; got or renewed if need be. `renew` asks for one that is newer than that generation.
    pub(super) async fn cookie(&self, renew: Option<u64>) -> Result<Held, PeerError> {
        let mut session = self.inner.session.lock().await;
        let old = match &session.held {
            Some(held) if renew != Some(held.generation) && Instant::now() < held.renew_at => return Ok(held.clone()),
            Some(held) => Some(held.cookie.clone()),
            None => None,
        };
        let cookie = self.authorise(old).await?;
        session.generation += 1;
        let life = renew_after(cookie.expiration, Timestamp::now());
        let held = Held { cookie, generation: session.generation, renew_at: Instant::now() + life };
        session.held = Some(held.clone());
        Ok(held)
    }

    /// The cookie of that generation is not valid: the next call starts from the authorization.
    pub(super) async fn forget(&self, generation: Option<u64>) {
        let mut session = self.inner.session.lock().await;
        if session.held.as_ref().is_some_and(|held| Some(held.generation) == generation) {
            session.held = None;
        }
    }

    async fn authorise(&self, old: Option<Cookie>) -> Result<Cookie, PeerError> {
        let upstream = &self.inner.upstream;
        let sync = upstream.service(Service::ServerSync);
        let room = &mut Room::free();
        let config = self.exchange(&sync, &GetAuthConfig {}, Repeat::Any, room).await?.result;
        // Off-spec: exactly one plug-in is allowed; of several the one that is ours is taken
        let plug_in = config
            .auth_info
            .into_iter()
            .find(|plug_in| {
                plug_in.plug_in_id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(ServerAuthConfig::PLUG_IN))
            })
            .ok_or_else(|| PeerError::Authorization("it offers no plug-in DssTargeting".to_owned()))?;
        let path = plug_in.service_url.unwrap_or_else(|| ServerAuthConfig::SERVICE_URL.to_owned());
        let url = upstream.relative(path.trim())?;
        let request = GetAuthorizationCookie {
            account_name: Some(self.inner.account.name.clone()),
            account_guid: Some(self.inner.account.guid.clone()),
            program_keys: None,
        };
        let AuthorizationCookie { plug_in_id, cookie_data } =
            self.exchange(&url, &request, Repeat::Any, room).await?.result;
        // the values are copied: the answer's elements are of another namespace than the request's
        let request = GetCookie {
            auth_cookies: vec![AuthorizationCookie { plug_in_id, cookie_data }],
            old_cookie: old,
            protocol_version: Some(PROTOCOL.to_owned()),
        };
        Ok(self.exchange(&sync, &request, Repeat::Any, room).await?.result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_renewed_before_it_expires() {
        let now = Timestamp::UNIX_EPOCH;
        let after = |seconds: i64| renew_after(Some(now + jiff::SignedDuration::from_secs(seconds)), now);
        assert_eq!(after(100), Duration::from_secs(80));
        assert_eq!(after(240 * 60), Duration::from_secs(192 * 60));
        assert_eq!(after(0), SKEWED_LIFE);
        assert_eq!(after(-5), SKEWED_LIFE);
        assert_eq!(renew_after(None, now), UNKNOWN_LIFE);
        assert_eq!(renew_after(Some(Timestamp::MAX), now), Duration::from_hours(24));
    }
}
