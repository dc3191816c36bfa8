//! Calls with a cookie.

use weir_wire::{
    soap::ErrorCode,
    wsss::{
        Cookie, DownloadFiles, GetConfigData, GetDeployments, GetOutOfSyncComputers, GetRevisionIdList,
        GetRollupConfiguration, GetUpdateData, GetUpdateDecryptionData, RollupComputerStatus, RollupComputers,
        RollupDownstreamServers, client::Call,
    },
};

use super::{
    Peer, PeerError,
    transport::{Repeat, Room},
};

/// Times that one call begins again with a new authorization.
const RESTARTS: u32 = 2;

/// A request that carries a cookie, which the session puts in.
pub trait Authorised: Call + Send + Sync + 'static
where
    Self::Answer: Send + 'static,
{
    /// It takes the constant cookie of roll-ups (MS-WSUSSS 3.2.4.5), and must not be sent twice.
    const ROLL_UP: bool;

    /// Puts the cookie in.
    fn set_cookie(&mut self, cookie: Cookie);
}

macro_rules! authorised {
    ($($request:ident: $roll_up:literal,)*) => {
        $(
            impl Authorised for $request {
                const ROLL_UP: bool = $roll_up;

                fn set_cookie(&mut self, cookie: Cookie) {
                    self.cookie = Some(cookie);
                }
            }
        )*
    };
}

authorised! {
    DownloadFiles: false,
    GetConfigData: false,
    GetDeployments: false,
    GetOutOfSyncComputers: true,
    GetRevisionIdList: false,
    GetRollupConfiguration: true,
    GetUpdateData: false,
    GetUpdateDecryptionData: false,
    RollupComputerStatus: true,
    RollupComputers: true,
    RollupDownstreamServers: true,
}

impl Peer {
    /// Calls an operation and reacts to what can be reacted to: an invalid cookie starts again from the authorization, a
    /// busy server and a broken connection are tried again after a while, each a bounded number of times.
    ///
    /// Whatever `request` has as its cookie is replaced.
    pub async fn call<C: Authorised>(&self, request: C) -> Result<C::Answer, PeerError>
    where
        C::Answer: Send + 'static,
    {
        self.call_in(request, &mut Room::free()).await
    }

    /// The same for a call with a large answer, which takes its memory from `room`.
    pub async fn call_in<C: Authorised>(&self, mut request: C, room: &mut Room) -> Result<C::Answer, PeerError>
    where
        C::Answer: Send + 'static,
    {
        let url = self.inner.upstream.service(C::OPERATION.service());
        let repeat = if C::ROLL_UP { Repeat::Unsent } else { Repeat::Any };
        let mut restarts = 0;
        loop {
            let mut generation = None;
            if C::ROLL_UP {
                request.set_cookie(Cookie::roll_up());
            } else {
                let held = self.cookie(None).await?;
                generation = Some(held.generation);
                request.set_cookie(held.cookie);
            }
            let error = match self.exchange(&url, &request, repeat, room).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match error.fault_code() {
                Some(ErrorCode::InvalidCookie | ErrorCode::InvalidAuthorizationCookie)
                    if generation.is_some() && restarts < RESTARTS =>
                {
                    restarts += 1;
                    tracing::info!(operation = %C::OPERATION, "the upstream server does not know the cookie any more");
                    self.forget(generation).await;
                }
                Some(ErrorCode::ServerChanged) => {
                    self.forget(generation).await;
                    return Err(error);
                }
                _ => return Err(error),
            }
        }
    }
}
