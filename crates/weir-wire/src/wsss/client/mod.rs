//! The downstream half: requests in the order of the schema, answers read leniently, since many kinds of servers give
//! them: in any order, with numbers missing, with elements that nobody knows.

mod fault;

pub use fault::ServerFault;

use super::{
    Answer, DownloadFiles, DownloadFilesAnswer, GetAuthConfig, GetAuthConfigAnswer, GetAuthorizationCookie,
    GetAuthorizationCookieAnswer, GetConfigData, GetConfigDataAnswer, GetCookie, GetCookieAnswer, GetDeployments,
    GetDeploymentsAnswer, GetDriverIdList, GetDriverIdListAnswer, GetDriverSetData, GetDriverSetDataAnswer,
    GetOutOfSyncComputers, GetOutOfSyncComputersAnswer, GetRelatedRevisionsForUpdates,
    GetRelatedRevisionsForUpdatesAnswer, GetRevisionIdList, GetRevisionIdListAnswer, GetRollupConfiguration,
    GetRollupConfigurationAnswer, GetUpdateData, GetUpdateDataAnswer, GetUpdateDecryptionData,
    GetUpdateDecryptionDataAnswer, Operation, Ping, PingAnswer, RollupComputerStatus, RollupComputerStatusAnswer,
    RollupComputers, RollupComputersAnswer, RollupDownstreamServers, RollupDownstreamServersAnswer,
};
use crate::soap::{
    Hints, Limits, Payload, Reason, SoapVersion, Style, Xml, close_envelope, enter, finish, is_soap, open_envelope,
};

/// Why an answer is no success.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CallError {
    /// The server answered with a fault.
    #[error("the upstream server answered {operation} with a fault")]
    Fault {
        /// What was called.
        operation: Operation,
        /// What it said.
        #[source]
        fault: Box<ServerFault>,
    },
    /// The answer cannot be read.
    #[error("the answer to {operation} is not one of this protocol")]
    Malformed {
        /// What was called.
        operation: Operation,
        /// What is wrong with it.
        #[source]
        reason: Reason,
    },
}

/// A request, and what answers it.
pub trait Call: Payload {
    /// Which operation it is.
    const OPERATION: Operation;
    /// The type of the answer.
    type Answer: Answer;
}

/// Writes a request as a whole envelope.
pub fn write<C: Call>(call: &C, version: SoapVersion) -> String {
    let mut out = String::with_capacity(1 << 10);
    open_envelope(&mut out, Style::Asmx, version, false);
    let attributes = format!(" xmlns=\"{}\"", C::OPERATION.namespace());
    let mut xml = Xml::new(&mut out, Style::Asmx);
    xml.element_with(C::OPERATION.name(), &attributes, |xml| call.write_payload(xml));
    close_envelope(&mut out, Style::Asmx);
    out
}

/// Reads the answer to a request of type `C`, in either version of SOAP.
///
/// # Errors
///
/// The answer is a fault, or cannot be read.
pub fn read<C: Call>(body: &[u8], limits: &Limits) -> Result<C::Answer, CallError> {
    let operation = C::OPERATION;
    let malformed = |reason| CallError::Malformed { operation, reason };
    let mut entered =
        enter::<Operation>(body, Hints::default(), limits, false).map_err(|rejection| malformed(rejection.reason))?;
    if is_soap(entered.namespace) && entered.name == "Fault" {
        let content = entered.cursor.skip_fast().map_err(malformed)?;
        let fault = fault::read(entered.cursor.slice(&content));
        return Err(CallError::Fault { operation, fault: Box::new(fault) });
    }
    let expected = entered.name.strip_suffix("Response") == Some(operation.name());
    if !expected || !operation.is_in(entered.namespace) {
        return Err(malformed(entered.unknown()));
    }
    let answer = C::Answer::read_payload(&mut entered.cursor).map_err(malformed)?;
    finish(&mut entered.cursor).map_err(malformed)?;
    Ok(answer)
}

/// Bounds for reading an answer of at most `body` bytes: lists of a hundred thousands of revisions and documents of any
/// size that fit.
pub fn answer_limits(body: usize) -> Limits {
    Limits { body, text: body, elements: body / 8, ids: 2_000_000, list: 200_000, ..Limits::default() }
}

macro_rules! calls {
    ($($operation:ident: $answer:ident,)*) => {
        $(
            impl Call for $operation {
                const OPERATION: Operation = Operation::$operation;
                type Answer = $answer;
            }
        )*
    };
}

calls! {
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
