//! The two cookies of downstream servers, byte for byte (MS-WSUSSS 2.2.3.2, 2.2.3.3). Numbers are little-endian. A layout
//! that changes gets another version byte.
//!
//! *Invariant:* nothing of a cookie is believed before its seal was checked; the clear-text Expiration never is.

use jiff::Timestamp;
use uuid::Uuid;
use weir_wire::{
    soap::ErrorCode,
    wsss::{self, ProtocolVersion},
};

use super::Refusal;
use crate::client::cookie::{KeyRing, Kind, SealError};

const VERSION: u8 = 1;
/// How long a cookie lives; Windows servers give 240 minutes.
pub(super) const LIFETIME: jiff::SignedDuration = jiff::SignedDuration::from_mins(240);

/// What both cookies hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Holder {
    /// The server that sealed it.
    pub(super) server: Uuid,
    /// From when on it is void.
    pub(super) expires: Timestamp,
    /// The downstream server.
    pub(super) id: Uuid,
    /// Its number here.
    pub(super) no: u32,
}

/// Inside the cookie of GetCookie.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Cookie {
    /// Whose it is.
    pub(super) holder: Holder,
    /// What it speaks.
    pub(super) protocol: ProtocolVersion,
}

impl Holder {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        out.extend_from_slice(self.server.as_bytes());
        out.extend_from_slice(&self.expires.as_millisecond().to_le_bytes());
        out.extend_from_slice(self.id.as_bytes());
        out.extend_from_slice(&self.no.to_le_bytes());
    }

    /// Reads from the front, and returns the rest.
    fn take(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (version, bytes) = bytes.split_first()?;
        let (server, bytes) = bytes.split_first_chunk::<16>()?;
        let (expires, bytes) = bytes.split_first_chunk::<8>()?;
        let (id, bytes) = bytes.split_first_chunk::<16>()?;
        let (no, rest) = bytes.split_first_chunk::<4>()?;
        let holder = Self {
            server: Uuid::from_bytes(*server),
            expires: Timestamp::from_millisecond(i64::from_le_bytes(*expires)).ok()?,
            id: Uuid::from_bytes(*id),
            no: u32::from_le_bytes(*no),
        };
        (*version == VERSION).then_some((holder, rest))
    }

    /// Seals an authorization cookie.
    pub(super) fn seal(&self, keys: &KeyRing) -> Result<wsss::AuthorizationCookie, SealError> {
        let mut plain = Vec::new();
        self.put(&mut plain);
        Ok(wsss::AuthorizationCookie::new(keys.seal(Kind::DownstreamAuthorization, &plain)?))
    }

    /// Opens an authorization cookie.
    pub(super) fn open(keys: &KeyRing, sealed: &[u8], server: Uuid, now: Timestamp) -> Result<Self, Refusal> {
        let invalid = || Refusal::new(ErrorCode::InvalidAuthorizationCookie);
        let plain = keys.open(Kind::DownstreamAuthorization, sealed).ok_or_else(invalid)?;
        let holder = Self::take(&plain).filter(|(_, rest)| rest.is_empty()).map(|(holder, _)| holder);
        holder.ok_or_else(invalid)?.judge(server, now, ErrorCode::InvalidAuthorizationCookie)
    }

    /// No code exists for an expired cookie: the downstream server has to renew it before (MS-WSUSSS 2.2.2.4).
    fn judge(self, server: Uuid, now: Timestamp, invalid: ErrorCode) -> Result<Self, Refusal> {
        if self.server != server {
            // sealed with our keys by the server that this one was before its data were restored
            return Err(Refusal::new(ErrorCode::ServerChanged));
        }
        if self.expires <= now { Err(Refusal::new(invalid)) } else { Ok(self) }
    }
}

impl Cookie {
    /// Seals a cookie.
    pub(super) fn seal(&self, keys: &KeyRing) -> Result<wsss::Cookie, SealError> {
        Ok(wsss::Cookie::new(self.holder.expires, keys.seal(Kind::Downstream, &self.plain())?))
    }

    fn plain(&self) -> Vec<u8> {
        let mut plain = Vec::new();
        self.holder.put(&mut plain);
        plain.extend_from_slice(&self.protocol.major.to_le_bytes());
        plain.extend_from_slice(&self.protocol.minor.to_le_bytes());
        plain
    }

    /// Opens a cookie; `sealed` is none if the call brought none.
    pub(super) fn open(keys: &KeyRing, sealed: Option<&[u8]>, server: Uuid, now: Timestamp) -> Result<Self, Refusal> {
        let plain = sealed.and_then(|sealed| keys.open(Kind::Downstream, sealed));
        let cookie = plain.and_then(|plain| Self::take(&plain)).ok_or(Refusal::new(ErrorCode::InvalidCookie))?;
        cookie.holder.judge(server, now, ErrorCode::InvalidCookie)?;
        Ok(cookie)
    }

    fn take(plain: &[u8]) -> Option<Self> {
        let (holder, rest) = Holder::take(plain)?;
        let (major, rest) = rest.split_first_chunk::<4>()?;
        let (minor, rest) = rest.split_first_chunk::<4>()?;
        let protocol = ProtocolVersion { major: u32::from_le_bytes(*major), minor: u32::from_le_bytes(*minor) };
        rest.is_empty().then_some(Self { holder, protocol })
    }
}

/// Reads what is inside the two cookies, and writes it again: that of the authorization cookie, and that of the cookie.
pub fn cookies_again(plain: &[u8]) -> [Option<Vec<u8>>; 2] {
    let holder = Holder::take(plain).filter(|(_, rest)| rest.is_empty()).map(|(holder, _)| {
        let mut out = Vec::new();
        holder.put(&mut out);
        out
    });
    [holder, Cookie::take(plain).map(|cookie| cookie.plain())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> KeyRing {
        KeyRing::new([(1, vec![7; 32])]).expect("keys")
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn cookie() -> Cookie {
        let holder = Holder { server: Uuid::from_u128(1), expires: at(100), id: Uuid::from_u128(2), no: 3 };
        Cookie { holder, protocol: ProtocolVersion::V1_20 }
    }

    fn open(sealed: Option<&[u8]>, server: u128, now: i64) -> Result<Cookie, ErrorCode> {
        Cookie::open(&keys(), sealed, Uuid::from_u128(server), at(now)).map_err(|refusal| refusal.code)
    }

    #[test]
    fn cookies_come_back_until_they_expire() {
        let sealed = cookie().seal(&keys()).expect("sealed");
        assert_eq!(sealed.expiration, Some(at(100)));
        assert_eq!(open(sealed.sealed(), 1, 99), Ok(cookie()));
        assert_eq!(open(sealed.sealed(), 1, 100), Err(ErrorCode::InvalidCookie));
        assert_eq!(open(sealed.sealed(), 9, 100), Err(ErrorCode::ServerChanged));
        assert_eq!(open(None, 1, 99), Err(ErrorCode::InvalidCookie));
        let authorization = cookie().holder.seal(&keys()).expect("sealed");
        assert_eq!(open(authorization.sealed(), 1, 99), Err(ErrorCode::InvalidCookie), "the other kind");
        let sealed = authorization.sealed().expect("data");
        let open = |bytes: &[u8], now| {
            Holder::open(&keys(), bytes, Uuid::from_u128(1), at(now)).map_err(|refusal| refusal.code)
        };
        assert_eq!(open(sealed, 99), Ok(cookie().holder));
        assert_eq!(open(sealed, 100), Err(ErrorCode::InvalidAuthorizationCookie));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        let sealed = cookie().seal(&keys()).expect("sealed");
        let sealed = sealed.sealed().expect("data");
        for bit in 0..sealed.len() * 8 {
            let mut bent = sealed.to_vec();
            bent[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(Some(&bent), 1, 99), Err(ErrorCode::InvalidCookie), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert_eq!(open(Some(&sealed[..length]), 1, 99), Err(ErrorCode::InvalidCookie), "{length} bytes");
        }
    }
}
