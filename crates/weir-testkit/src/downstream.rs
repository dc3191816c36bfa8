//! A scripted downstream server: typed calls over plain HTTP, authorization, faults as they come. For tests of the
//! upstream role.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use uuid::Uuid;
use weir_model::ids::UpdateIdentity;
use weir_wire::{
    soap::{ErrorCode, SoapVersion},
    wsss::{
        AuthorizationCookie, Cookie, GetAuthConfig, GetAuthorizationCookie, GetCookie, GetRevisionIdList,
        GetUpdateData, ProtocolVersion, RevisionIdList, ServerSyncFilter, ServerUpdateData, Service,
        client::{Call, CallError, answer_limits, read, write},
    },
};

use crate::http::{Answer, Connection};

/// Largest answer that is read.
const BODY: usize = 512 << 20;

/// A downstream server that does what it is told, and nothing more.
#[derive(Debug)]
pub struct ScriptedDownstream {
    /// The upstream server.
    pub connection: Connection,
    /// In which SOAP it speaks.
    pub soap: SoapVersion,
    /// Whether it asks for compressed answers.
    pub xpress: bool,
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: Uuid,
    /// What it says it speaks.
    pub protocol: String,
    /// The cookie that it got, or what a test puts in its place.
    pub cookie: Option<Cookie>,
    /// Every answer is also written into this folder as `NNNNNN.Service.Operation.xml`, for [`crate::wsdl::validate`].
    pub record_to: Option<PathBuf>,
    /// How many answers were written.
    pub answers: usize,
}

impl ScriptedDownstream {
    /// Of the server at this address, such as `http://127.0.0.1:8530`, without authorization yet.
    ///
    /// # Errors
    ///
    /// It is not an `http` address.
    pub fn of(url: &str) -> Result<Self> {
        Ok(Self {
            connection: Connection::to(url)?,
            soap: SoapVersion::V11,
            xpress: false,
            name: "downstream.example.com".to_owned(),
            id: Uuid::from_u128(0x0d55),
            protocol: ProtocolVersion::V1_20.to_string(),
            cookie: None,
            record_to: None,
            answers: 0,
        })
    }

    /// Sends one request as it is, and gives the answer as it is.
    ///
    /// # Errors
    ///
    /// The connection failed.
    pub async fn exchange<C: Call>(&mut self, request: &C) -> Result<Answer> {
        let body = write(request, self.soap);
        let operation = C::OPERATION;
        let action = operation.quoted_action();
        let kind = match self.soap {
            SoapVersion::V11 => self.soap.content_type().to_owned(),
            SoapVersion::V12 => format!("{}; action={action}", self.soap.content_type()),
        };
        let mut headers = vec![("Content-Type", kind.as_str())];
        if self.soap == SoapVersion::V11 {
            headers.push(("SOAPAction", &action));
        }
        if self.xpress {
            headers.push(("Accept-Encoding", "xpress"));
        }
        let answer = self.connection.send("POST", operation.service().path(), &headers, body.as_bytes()).await?;
        if let Some(folder) = &self.record_to {
            self.answers += 1;
            let service = match operation.service() {
                Service::DssAuth => "DssAuthWebService",
                Service::Reporting => "ServerReportingWebService",
                Service::ServerSync => "ServerSyncWebService",
            };
            std::fs::create_dir_all(folder)?;
            let path = folder.join(format!("{:06}.{service}.{operation}.xml", self.answers));
            std::fs::write(&path, &answer.body).with_context(|| path.display().to_string())?;
        }
        Ok(answer)
    }

    /// Sends one request and reads the answer. No authorization, no recovery.
    ///
    /// # Errors
    ///
    /// The connection failed; the answer is a fault (see [`fault_code`]) or none of this protocol.
    pub async fn call<C: Call>(&mut self, request: &C) -> Result<C::Answer> {
        let answer = self.exchange(request).await?;
        if !matches!(answer.status, 200 | 500) {
            bail!("{} was answered with HTTP status {}: {}", C::OPERATION, answer.status, answer.text());
        }
        let result = read::<C>(&answer.body, &answer_limits(BODY));
        // A fault has status 500, and nothing else has.
        let is_fault = matches!(result, Err(CallError::Fault { .. }));
        if is_fault != (answer.status == 500) {
            bail!("{} was answered with HTTP status {}: {}", C::OPERATION, answer.status, answer.text());
        }
        Ok(result?)
    }

    /// Gets an authorization cookie.
    ///
    /// # Errors
    ///
    /// As [`Self::call`].
    pub async fn authorization(&mut self) -> Result<AuthorizationCookie> {
        self.call(&GetAuthConfig {}).await?;
        let account = GetAuthorizationCookie {
            account_name: Some(self.name.clone()),
            account_guid: Some(self.id.to_string()),
            program_keys: None,
        };
        Ok(self.call(&account).await?.result)
    }

    /// Gets the cookie of all other calls.
    ///
    /// # Errors
    ///
    /// As [`Self::call`].
    pub async fn authorize(&mut self) -> Result<()> {
        let auth_cookies = vec![self.authorization().await?];
        let protocol_version = Some(self.protocol.clone());
        let answer = self.call(&GetCookie { auth_cookies, old_cookie: None, protocol_version }).await?;
        self.cookie = Some(answer.result);
        Ok(())
    }

    /// GetRevisionIdList.
    ///
    /// # Errors
    ///
    /// As [`Self::call`].
    pub async fn list(&mut self, filter: ServerSyncFilter) -> Result<RevisionIdList> {
        Ok(self.call(&GetRevisionIdList { cookie: self.cookie.clone(), filter: Some(filter) }).await?.result)
    }

    /// GetUpdateData.
    ///
    /// # Errors
    ///
    /// As [`Self::call`].
    pub async fn data(&mut self, ids: &[UpdateIdentity]) -> Result<ServerUpdateData> {
        Ok(self.call(&GetUpdateData { cookie: self.cookie.clone(), update_ids: Some(ids.to_vec()) }).await?.result)
    }
}

/// The ErrorCode, if an error of [`ScriptedDownstream`] is a fault with a known one.
pub fn fault_code(error: &anyhow::Error) -> Option<ErrorCode> {
    match error.downcast_ref::<CallError>() {
        Some(CallError::Fault { fault, .. }) => fault.code,
        _ => None,
    }
}
