//! How a downstream server becomes known (MS-WSUSSS 3.1.4.1 to 3.1.4.3).

use jiff::Timestamp;
use weir_store::{Actor, downstream::DownstreamContact};
use weir_wire::{
    soap::ErrorCode,
    wsss::{
        GetAuthConfigAnswer, GetAuthorizationCookie, GetAuthorizationCookieAnswer, GetCookie, GetCookieAnswer,
        ServerAuthConfig,
    },
};

use super::{
    Call, Refusal, Reply,
    admission::{self, Decision},
    cookie::{Cookie, Holder, LIFETIME},
};

/// How Weir servers begin their User-Agent.
const WEIR: &str = "Weir/";

impl Call<'_> {
    pub(super) fn get_auth_config(&self) -> Reply {
        let changed = Timestamp::from_millisecond(self.state.configuration.load().last_change_ms);
        self.text(&GetAuthConfigAnswer { result: ServerAuthConfig::new(changed.unwrap_or(Timestamp::UNIX_EPOCH)) })
    }

    pub(super) async fn get_authorization_cookie(&self, request: &GetAuthorizationCookie) -> Result<Reply, Refusal> {
        let (name, id) = request.validate()?;
        let address = admission::address(self.connection.peer.ip());
        let software = self.agent.and_then(|agent| agent.strip_prefix(WEIR));
        let software =
            software.map(|rest| rest.split([' ', ';']).next().unwrap_or_default().chars().take(32).collect());
        let contact = DownstreamContact { id, name, address: &address, is_weir: software.is_some() };
        let no = match admission::authorize(self.state, self.connection, contact, software, self.now).await? {
            Decision::Served(no) => no,
            Decision::Busy => return Err(Refusal::new(ErrorCode::ServerBusy)),
            // Off-spec: no code says "not allowed". This one makes a server stop, and its text tells why.
            Decision::Denied(why) => {
                tracing::info!(server = %id, name, address, "a downstream server was refused");
                return Err(Refusal { code: ErrorCode::InvalidParameters, message: why.to_owned() });
            }
        };
        let holder = Holder { server: self.state.epoch(), expires: self.expiry(), id, no };
        let cookie = holder.seal(&self.state.keys)?;
        Ok(self.text(&GetAuthorizationCookieAnswer { result: cookie }))
    }

    pub(super) async fn get_cookie(&self, request: &GetCookie) -> Result<Reply, Refusal> {
        let (sealed, protocol) = request.validate()?;
        self.know_key(Some(sealed)).await?;
        let holder = Holder::open(&self.state.keys, sealed, self.state.epoch(), self.now)?;
        if !admission::served(self.state, self.connection, holder.no, holder.id).await? {
            return Err(Refusal::new(ErrorCode::InvalidAuthorizationCookie));
        }
        let (no, text) = (holder.no, protocol.to_string());
        let actor = Actor::system("downstream servers", self.now);
        self.state.write(actor, move |tx| tx.downstream_protocol(no, &text)).await?;
        let cookie = Cookie { holder: Holder { expires: holder.expires.min(self.expiry()), ..holder }, protocol };
        Ok(self.text(&GetCookieAnswer { result: cookie.seal(&self.state.keys)? }))
    }

    /// When a cookie of now expires.
    fn expiry(&self) -> Timestamp {
        let expires = self.now.checked_add(LIFETIME).unwrap_or(Timestamp::MAX);
        // what is sealed are milliseconds
        Timestamp::from_millisecond(expires.as_millisecond()).unwrap_or(expires)
    }
}
