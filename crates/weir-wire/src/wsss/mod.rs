//! The messages of MS-WSUSSS (revision 19): what a downstream server asks and what its upstream answers.
//!
//! [`parse`] turns a body into a typed [`Request`]. Cookie and mandatory parameters are optional in it, since cookie
//! faults come before all others: the server calls `sealed` first, then `validate`. Answers implement [`Answer`]; that of
//! GetUpdateData is written in pieces ([`UpdateDataWriter`]).
//!
//! Roll-ups share a path with the reports of computers: a body that [`crate::wusp::parse`] refuses with
//! [`crate::soap::Reason::NotOffered`] is one for [`parse`] with [`Service::Reporting`].
//!
//! The downstream half (requests out, answers in) is in [`client`].

mod anchor;
mod attributes;
mod authorization;
pub mod blob;
pub mod client;
mod config;
mod deployments;
mod download_files;
mod drivers;
mod operation;
mod ping;
mod refusal;
mod revisions;
mod revisions_writer;
mod rollup_computers;
mod rollup_servers;
mod rollup_status;
#[cfg(test)]
mod tests;
mod update_data;
mod update_data_writer;
mod values;

pub use anchor::{Anchor, AnchorText, InvalidAnchor, InvalidVersion, ProtocolVersion};
pub use authorization::{
    AuthPlugInInfo, AuthorizationCookie, Cookie, GetAuthConfig, GetAuthConfigAnswer, GetAuthorizationCookie,
    GetAuthorizationCookieAnswer, GetCookie, GetCookieAnswer, ServerAuthConfig,
};
pub use config::{GetConfigData, GetConfigDataAnswer, ServerSyncConfigData, ServerSyncLanguageData};
pub use deployments::{
    GetDeployments, GetDeploymentsAnswer, ServerSyncDeployment, ServerSyncDeploymentResult, ServerSyncTargetGroup,
    SyncAction,
};
pub use download_files::{DownloadFiles, DownloadFilesAnswer, join_digests, split_digests};
pub use drivers::{
    DriverIdList, DriverSetData, GetDriverIdList, GetDriverIdListAnswer, GetDriverSetData, GetDriverSetDataAnswer,
    HardwareIdAndDelta, ServerSyncDriverFilter, ServerSyncDriverSetData,
};
pub use operation::{Operation, Service};
pub use ping::{MonitoredServicesResponse, Ping, PingAnswer};
pub use refusal::{Refusal, fault};
pub use revisions::{
    GetRelatedRevisionsForUpdates, GetRelatedRevisionsForUpdatesAnswer, GetRevisionIdList, GetRevisionIdListAnswer,
    IdAndDelta, LanguageAndDelta, RevisionIdList, ServerSyncFilter,
};
pub use revisions_writer::RevisionListWriter;
pub use rollup_computers::{
    ChangedComputer, ComputerChange, ComputerRollupDetails, ComputerRollupInfo, RollupComputers, RollupComputersAnswer,
};
pub use rollup_servers::{
    DownstreamServerRollupClientActivitySummary, DownstreamServerRollupClientSummary, DownstreamServerRollupInfo,
    DownstreamServerRollupServerSummary, GetRollupConfiguration, GetRollupConfigurationAnswer, RollupConfiguration,
    RollupDownstreamServers, RollupDownstreamServersAnswer,
};
pub use rollup_status::{
    ComputerLastRollupNumber, ComputerStatusRollupInfo, ComputerStatusRollupUpdateStatus, GetOutOfSyncComputers,
    GetOutOfSyncComputersAnswer, OutOfSync, RollupComputerStatus, RollupComputerStatusAnswer,
};
pub use update_data::{
    GetUpdateData, GetUpdateDataAnswer, GetUpdateDecryptionData, GetUpdateDecryptionDataAnswer, ServerDecryptionData,
    ServerSyncFileDecryption, ServerSyncUpdateData, ServerSyncUpdateFileDecryption, ServerSyncUrlData,
    ServerUpdateData,
};
pub use update_data_writer::UpdateDataWriter;
pub use values::{Present, Since, Until};

use crate::soap::{
    Content, Hints, Limits, Payload, Reason, SoapVersion, Style, Xml, close_envelope, enter, finish, open_envelope,
};

/// A refused request; see [`crate::soap::Rejection`].
pub type Rejection = crate::soap::Rejection<Operation>;

/// A request, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The SOAP version to answer in.
    pub version: SoapVersion,
    /// What is asked.
    pub request: Request,
}

macro_rules! requests {
    ($($operation:ident,)*) => {
        /// A request of any operation.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Request {
            $(
                #[doc = concat!("[`", stringify!($operation), "`]")]
                $operation($operation),
            )*
        }

        impl Request {
            /// Which operation it is.
            pub fn operation(&self) -> Operation {
                match self {
                    $(Self::$operation(_) => Operation::$operation,)*
                }
            }

            fn read(operation: Operation, cursor: &mut crate::soap::Cursor<'_>) -> Result<Self, Reason> {
                match operation {
                    $(Operation::$operation => $operation::read(cursor).map(Self::$operation),)*
                }
            }
        }

        $(
            impl From<$operation> for Request {
                fn from(request: $operation) -> Self {
                    Self::$operation(request)
                }
            }
        )*
    };
}

requests! {
    DownloadFiles,
    GetAuthConfig,
    GetAuthorizationCookie,
    GetConfigData,
    GetCookie,
    GetDeployments,
    GetDriverIdList,
    GetDriverSetData,
    GetOutOfSyncComputers,
    GetRelatedRevisionsForUpdates,
    GetRevisionIdList,
    GetRollupConfiguration,
    GetUpdateData,
    GetUpdateDecryptionData,
    Ping,
    RollupComputerStatus,
    RollupComputers,
    RollupDownstreamServers,
}

/// Reads a request to `service`: the operation is the name of the first child of the body (a SOAPAction header is not
/// needed), the SOAP version that of the envelope.
///
/// # Errors
///
/// [`Rejection`] says why and turns into the fault to answer. Nothing is returned of a request that is refused.
pub fn parse(service: Service, hints: Hints<'_>, body: &[u8], limits: &Limits) -> Result<Parsed, Rejection> {
    let mut entered = enter::<Operation>(body, hints, limits, false)?;
    let operation = Operation::find(service, entered.name).filter(|operation| operation.is_in(entered.namespace));
    let Some(operation) = operation else {
        return Err(entered.reject(entered.unknown(), None, Operation::quoted_action, hints));
    };
    let request = Request::read(operation, &mut entered.cursor)
        .and_then(|request| finish(&mut entered.cursor).map(|()| request))
        .map_err(|reason| entered.reject(reason, Some(operation), Operation::quoted_action, hints))?;
    Ok(Parsed { version: entered.version, request })
}

/// Bounds for reading a request of at most `body` bytes. Roll-ups of status are the large ones: some hundred computers
/// with thousands of states each.
pub fn request_limits(body: usize) -> Limits {
    Limits { body, elements: body / 16, ids: 200_000, list: 20_000, ..Limits::default() }
}

/// The answer of an operation.
pub trait Answer: Payload {
    /// Which operation it answers.
    const OPERATION: Operation;

    /// Appends the whole envelope, in the form that the recorded server gives it.
    fn write(&self, out: &mut String, version: SoapVersion) {
        open_envelope(out, Style::Asmx, version, false);
        let mut xml = Xml::new(out, Style::Asmx);
        let attributes = format!(" xmlns=\"{}\"", Self::OPERATION.namespace());
        xml.element_with(&format!("{}Response", Self::OPERATION.name()), &attributes, |xml| self.write_payload(xml));
        close_envelope(out, Style::Asmx);
    }
}

macro_rules! answers {
    ($($operation:ident: $answer:ident,)*) => {
        $(
            impl Answer for $answer {
                const OPERATION: Operation = Operation::$operation;
            }
        )*
    };
}

answers! {
    DownloadFiles: DownloadFilesAnswer,
    GetAuthConfig: GetAuthConfigAnswer,
    GetAuthorizationCookie: GetAuthorizationCookieAnswer,
    GetConfigData: GetConfigDataAnswer,
    GetCookie: GetCookieAnswer,
    GetDeployments: GetDeploymentsAnswer,
    GetDriverIdList: GetDriverIdListAnswer,
    GetDriverSetData: GetDriverSetDataAnswer,
    GetOutOfSyncComputers: GetOutOfSyncComputersAnswer,
    GetRelatedRevisionsForUpdates: GetRelatedRevisionsForUpdatesAnswer,
    GetRevisionIdList: GetRevisionIdListAnswer,
    GetRollupConfiguration: GetRollupConfigurationAnswer,
    GetUpdateData: GetUpdateDataAnswer,
    GetUpdateDecryptionData: GetUpdateDecryptionDataAnswer,
    Ping: PingAnswer,
    RollupComputerStatus: RollupComputerStatusAnswer,
    RollupComputers: RollupComputersAnswer,
    RollupDownstreamServers: RollupDownstreamServersAnswer,
}
