//! Cookies and GetCookie (MS-WUSP 2.2.2.2.2, 2.2.3.4, 2.2.3.5).

use jiff::Timestamp;

use super::bounds::{InvalidParameter, protocol_version};
use crate::soap::{Binary, Item, record};

record! {
    /// The cookie of every call. A server believes only what it sealed in the data.
    pub struct Cookie {
        /// When it expires, in clear: for the client's information.
        expiration: Option<Timestamp> = "Expiration",
        /// What the server sealed. Absent in the cookie that a client sends before it has one.
        encrypted_data: Option<Binary> = "EncryptedData",
    }
}

impl Cookie {
    /// A cookie to hand out.
    pub fn new(expiration: Timestamp, sealed: Vec<u8>) -> Self {
        Self { expiration: Some(expiration), encrypted_data: Some(Binary(sealed)) }
    }

    /// The sealed bytes, if there are any.
    pub fn sealed(&self) -> Option<&[u8]> {
        self.encrypted_data.as_ref().map(|data| &*data.0).filter(|data| !data.is_empty())
    }
}

/// The sealed bytes of the cookie in a request; `None` means InvalidCookie.
pub(super) fn sealed(cookie: Option<&Cookie>) -> Option<&[u8]> {
    cookie.and_then(Cookie::sealed)
}

record! {
    /// What GetAuthorizationCookie returns and GetCookie takes.
    pub struct AuthorizationCookie {
        /// `SimpleTargeting`.
        plug_in_id: Option<String> = "PlugInId",
        /// What the server sealed.
        cookie_data: Option<Binary> = "CookieData",
    }
}

impl Item for AuthorizationCookie {
    const NAME: &'static str = "AuthorizationCookie";
}

record! {
    /// Asks for a cookie.
    pub struct GetCookie {
        /// Exactly one is valid.
        auth_cookies: Vec<AuthorizationCookie> = "authCookies",
        /// The cookie of before, whose anchors are carried over.
        old_cookie: Option<Cookie> = "oldCookie",
        /// LastChange of the configuration that the client has.
        last_change: Option<Timestamp> = "lastChange",
        /// The client's clock.
        current_time: Option<Timestamp> = "currentTime",
        /// The client's protocol, `x.y`.
        protocol_version: Option<String> = "protocolVersion",
    }
}

impl GetCookie {
    /// Checks what the schema does not say, and returns the client's protocol version.
    ///
    /// # Errors
    ///
    /// The version is missing or not of the form `x.y`.
    pub fn validate(&self) -> Result<(u32, u32), InvalidParameter> {
        protocol_version(self.protocol_version.as_deref())
    }
}

record! {
    /// Answer to GetCookie.
    pub struct GetCookieAnswer {
        /// The cookie.
        result: Option<Cookie> = "GetCookieResult",
    }
}
