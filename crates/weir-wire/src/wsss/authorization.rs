//! How a downstream server becomes known: GetAuthConfig, GetAuthorizationCookie and GetCookie (MS-WSUSSS 3.1.4.1 to
//! 3.1.4.3).

use jiff::Timestamp;
use uuid::Uuid;

use super::{ProtocolVersion, Refusal};
use crate::soap::{Binary, Content, Cursor, FieldValue, Item, Malformed, Xml, nested, parse_date_time, record, trim};
pub use crate::wusp::AuthPlugInInfo;

record! {
    /// Asks how to get an authorization cookie.
    pub struct GetAuthConfig {}
}

record! {
    /// How to get an authorization cookie.
    pub struct ServerAuthConfig {
        /// When this last changed.
        last_change: Timestamp = "LastChange",
        /// Exactly one: `DssTargeting`, with an address that is relative to the root of the server.
        auth_info: Vec<AuthPlugInInfo> = "AuthInfo",
        /// Events to report; never seen.
        allowed_event_ids: Option<Vec<i32>> = "AllowedEventIds",
    }
}

record! {
    /// Answer to GetAuthConfig.
    pub struct GetAuthConfigAnswer {
        /// The way.
        result: ServerAuthConfig = "GetAuthConfigResult",
    }
}

impl ServerAuthConfig {
    /// The plug-in of every server.
    pub const PLUG_IN: &str = "DssTargeting";
    /// Where every server has it.
    pub const SERVICE_URL: &str = "DssAuthWebService/DssAuthWebService.asmx";

    /// The form that every recorded server gives.
    pub fn new(last_change: Timestamp) -> Self {
        let plug_in = AuthPlugInInfo {
            plug_in_id: Some(Self::PLUG_IN.to_owned()),
            service_url: Some(Self::SERVICE_URL.to_owned()),
            parameter: Some(String::new()),
        };
        Self { last_change, auth_info: vec![plug_in], allowed_event_ids: None }
    }
}

record! {
    /// Asks for an authorization cookie.
    pub struct GetAuthorizationCookie {
        /// Full domain name of the downstream server.
        account_name: Option<String> = "accountName",
        /// The id that it gave itself.
        account_guid: Option<String> = "accountGuid",
        /// Never sent.
        program_keys: Option<Vec<Uuid>> = "programKeys",
    }
}

impl GetAuthorizationCookie {
    /// Checks what the schema does not say, and returns name and id.
    ///
    /// # Errors
    ///
    /// The name is absent, longer than 255 characters or holds what a DNS name cannot; the id is no GUID.
    pub fn validate(&self) -> Result<(&str, Uuid), Refusal> {
        // Windows calls it so in its fault.
        const NAME: &str = "machineName";
        let name = self.account_name.as_deref().map(trim).filter(|name| !name.is_empty());
        let name = name.ok_or(Refusal::missing(NAME))?;
        let dns = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if name.len() > 255 || !name.bytes().all(dns) {
            return Err(Refusal::parameter(NAME, "not a DNS name"));
        }
        let id = self.account_guid.as_deref().ok_or(Refusal::missing("accountGuid"))?;
        let id = crate::soap::parse_guid(id).map_err(|problem| Refusal::parameter("accountGuid", problem))?;
        Ok((name, id))
    }
}

record! {
    /// Answer to GetAuthorizationCookie.
    pub struct GetAuthorizationCookieAnswer {
        /// The authorization cookie.
        result: AuthorizationCookie = "GetAuthorizationCookieResult",
    }
}

/// What GetAuthorizationCookie returns, in its own namespace, and GetCookie takes, in that of all else: each writes the
/// values anew.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AuthorizationCookie {
    /// `DssTargeting`; a downstream server gives back whatever it got.
    pub plug_in_id: Option<String>,
    /// What the server sealed. Unreadable base64 is read as none.
    pub cookie_data: Option<Binary>,
}

impl AuthorizationCookie {
    /// A cookie to hand out.
    pub fn new(sealed: Vec<u8>) -> Self {
        Self { plug_in_id: Some(ServerAuthConfig::PLUG_IN.to_owned()), cookie_data: Some(Binary(sealed)) }
    }

    /// The sealed bytes; `None` means InvalidAuthorizationCookie.
    pub fn sealed(&self) -> Option<&[u8]> {
        self.cookie_data.as_ref().map(|data| &*data.0).filter(|data| !data.is_empty())
    }
}

impl Content for AuthorizationCookie {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        let (mut plug_in, mut data) = (None, None);
        while let Some(name) = cursor.child()? {
            match name {
                "PlugInId" => cursor.field(&mut plug_in)?,
                "CookieData" => cursor.field(&mut data)?,
                name => cursor.unknown(name)?,
            }
        }
        Ok(Self { plug_in_id: plug_in.flatten(), cookie_data: bytes(data.flatten()) })
    }

    fn put(&self, xml: &mut Xml<'_>) {
        self.plug_in_id.write_field("PlugInId", xml);
        self.cookie_data.write_field("CookieData", xml);
    }
}

impl Item for AuthorizationCookie {
    const NAME: &'static str = "AuthorizationCookie";
}

/// The cookie of every call. A server believes only what it sealed in the data: what it cannot read is none, so that
/// the fault is InvalidCookie.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Cookie {
    /// When it expires, in clear: for the downstream server, which must renew before.
    pub expiration: Option<Timestamp>,
    /// What the server sealed. Unreadable base64 is read as none.
    pub encrypted_data: Option<Binary>,
}

impl Cookie {
    /// A cookie to hand out.
    pub fn new(expiration: Timestamp, sealed: Vec<u8>) -> Self {
        Self { expiration: Some(expiration), encrypted_data: Some(Binary(sealed)) }
    }

    /// The constant cookie of roll-ups (MS-WSUSSS 3.2.4.5).
    pub fn roll_up() -> Self {
        Self::new(Timestamp::MAX, Vec::new())
    }

    /// The sealed bytes; `None` means InvalidCookie.
    pub fn sealed(&self) -> Option<&[u8]> {
        self.encrypted_data.as_ref().map(|data| &*data.0).filter(|data| !data.is_empty())
    }
}

impl Content for Cookie {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        let (mut expiration, mut data) = (None::<Option<String>>, None);
        while let Some(name) = cursor.child()? {
            match name {
                "Expiration" => cursor.field(&mut expiration)?,
                "EncryptedData" => cursor.field(&mut data)?,
                name => cursor.unknown(name)?,
            }
        }
        let expiration = expiration.flatten().and_then(|text| parse_date_time(&text).ok());
        Ok(Self { expiration, encrypted_data: bytes(data.flatten()) })
    }

    fn put(&self, xml: &mut Xml<'_>) {
        self.expiration.write_field("Expiration", xml);
        self.encrypted_data.write_field("EncryptedData", xml);
    }
}

fn bytes(text: Option<String>) -> Option<Binary> {
    text.and_then(|text| crate::soap::parse_base64(&text).ok()).map(Binary)
}

record! {
    /// Asks for a cookie.
    pub struct GetCookie {
        /// Exactly one is valid.
        auth_cookies: Vec<AuthorizationCookie> = "authCookies",
        /// The cookie of before.
        old_cookie: Option<Cookie> = "oldCookie",
        /// The downstream server's protocol, `x.y`.
        protocol_version: Option<String> = "protocolVersion",
    }
}

impl GetCookie {
    /// Checks what the schema does not say, and returns the authorization cookie and the protocol version.
    ///
    /// # Errors
    ///
    /// There is not exactly one authorization cookie (InvalidParameters), or its data is absent
    /// (InvalidAuthorizationCookie), or the version is not `x.y` (InvalidParameters) or not `1.y`
    /// (IncompatibleProtocolVersion).
    pub fn validate(&self) -> Result<(&[u8], ProtocolVersion), Refusal> {
        let [cookie] = self.auth_cookies.as_slice() else {
            return Err(Refusal::parameter("authCookies", "not exactly one"));
        };
        let code = crate::soap::ErrorCode::InvalidAuthorizationCookie;
        let sealed =
            cookie.sealed().ok_or(Refusal { code, path: "", problem: "no data in the authorization cookie" })?;
        let version = self.protocol_version.as_deref().ok_or(Refusal::missing("protocolVersion"))?;
        let wrong = |_| Refusal::parameter("protocolVersion", "not a version x.y");
        let version: ProtocolVersion = version.parse().map_err(wrong)?;
        if version.major != 1 {
            let code = crate::soap::ErrorCode::IncompatibleProtocolVersion;
            return Err(Refusal { code, path: "", problem: "another major version of the protocol" });
        }
        Ok((sealed, version))
    }
}

record! {
    /// Answer to GetCookie.
    pub struct GetCookieAnswer {
        /// The cookie.
        result: Cookie = "GetCookieResult",
    }
}

nested! { AuthorizationCookie, Cookie, ServerAuthConfig, }

/// The sealed bytes of the cookie in a request; `None` means InvalidCookie.
pub(super) fn sealed(cookie: Option<&Cookie>) -> Option<&[u8]> {
    cookie.and_then(Cookie::sealed)
}
