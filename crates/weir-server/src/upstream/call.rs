//! One call of a downstream server: which operation, whose, and what to answer when it fails. Fault codes are chosen here,
//! in the cookie and in what the messages check of themselves.

use std::sync::Arc;

use jiff::Timestamp;
use weir_store::StoreError;
use weir_wire::{
    soap::{ErrorCode, SoapVersion},
    wsss::{self, Answer, Request, Service},
};

use super::{
    admission,
    cookie::{Cookie, Holder},
};
use crate::{
    client::{body::Source, cookie::SealError},
    front::follow::PATIENCE,
    ingest::Chain,
    state::{AppState, Connection},
    telemetry,
};

/// Why a call is answered with a fault.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: ErrorCode,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(code: ErrorCode) -> Self {
        Self { code, message: String::new() }
    }
}

impl From<wsss::Refusal> for Refusal {
    fn from(refusal: wsss::Refusal) -> Self {
        Self { code: refusal.code, message: refusal.path.to_owned() }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        if error.is_passing() {
            return Self::new(ErrorCode::ServerBusy);
        }
        tracing::error!(error = %Chain(&error), "a downstream server's call failed");
        Self::new(ErrorCode::InternalServerError)
    }
}

impl From<SealError> for Refusal {
    fn from(error: SealError) -> Self {
        tracing::error!(%error, "a cookie of a downstream server could not be sealed");
        Self::new(ErrorCode::InternalServerError)
    }
}

/// What a call is answered with.
pub(super) enum Reply {
    /// A whole envelope.
    Text(String),
    /// One that is written while it is sent.
    Stream(Box<dyn Source>),
}

/// What is known of a call before its operation.
pub(super) struct Call<'a> {
    pub(super) state: &'a Arc<AppState>,
    pub(super) connection: Connection,
    pub(super) now: Timestamp,
    pub(super) version: SoapVersion,
    pub(super) service: Service,
    /// `User-Agent`.
    pub(super) agent: Option<&'a str>,
    /// The caller takes Xpress.
    pub(super) xpress: bool,
}

impl Call<'_> {
    /// Carries out a request.
    pub(super) async fn run(&self, request: Request) -> Result<Reply, Refusal> {
        match request {
            Request::GetAuthConfig(_) => self.anonymous().map(|()| self.get_auth_config()),
            Request::GetAuthorizationCookie(request) => {
                self.anonymous()?;
                self.get_authorization_cookie(&request).await
            }
            Request::GetCookie(request) => {
                self.anonymous()?;
                self.get_cookie(&request).await
            }
            Request::Ping(_) => self.anonymous().map(|()| self.ping()),
            Request::DownloadFiles(request) => self.download_files(&request).await,
            Request::GetConfigData(request) => self.get_config_data(&request).await,
            Request::GetDeployments(request) => self.get_deployments(&request).await,
            Request::GetDriverIdList(request) => self.get_driver_id_list(&request).await,
            Request::GetDriverSetData(request) => self.get_driver_set_data(&request).await,
            Request::GetRelatedRevisionsForUpdates(request) => self.get_related_revisions(&request).await,
            Request::GetRevisionIdList(request) => self.get_revision_id_list(&request).await,
            Request::GetUpdateData(request) => self.get_update_data(&request).await,
            Request::GetUpdateDecryptionData(request) => self.get_update_decryption_data(&request).await,
            Request::GetOutOfSyncComputers(_)
            | Request::GetRollupConfiguration(_)
            | Request::RollupComputerStatus(_)
            | Request::RollupComputers(_)
            | Request::RollupDownstreamServers(_) => self.roll_up(request).await,
        }
    }

    /// A call that needs no cookie: limited by address.
    fn anonymous(&self) -> Result<(), Refusal> {
        if self.state.upstream.take(self.connection) {
            Ok(())
        } else {
            telemetry::refused(telemetry::Reason::Address);
            Err(Refusal::new(ErrorCode::ServerBusy))
        }
    }

    /// Opens and checks a cookie, and that its server is still served.
    pub(super) async fn caller(&self, sealed: Option<&[u8]>) -> Result<Cookie, Refusal> {
        self.know_key(sealed).await?;
        let cookie = Cookie::open(&self.state.keys, sealed, self.state.epoch(), self.now)?;
        let Holder { no, id, .. } = cookie.holder;
        if admission::served(self.state, self.connection, no, id).await? {
            Ok(cookie)
        } else {
            Err(Refusal::new(ErrorCode::InvalidCookie))
        }
    }

    /// What another front end sealed a moment ago may be under a key that is not known here yet.
    pub(super) async fn know_key(&self, sealed: Option<&[u8]>) -> Result<(), Refusal> {
        let is_newer = self.state.is_shared() && sealed.is_some_and(|sealed| self.state.keys.may_be_newer(sealed));
        if is_newer && !self.state.following.catch_up(PATIENCE).await {
            return Err(Refusal::new(ErrorCode::ServerBusy));
        }
        Ok(())
    }

    /// An answer as one text.
    pub(super) fn text<A: Answer>(&self, answer: &A) -> Reply {
        let mut out = String::with_capacity(1_024);
        answer.write(&mut out, self.version);
        Reply::Text(out)
    }
}
