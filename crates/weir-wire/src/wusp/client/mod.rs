//! The client half: requests as the native agent writes them, answers read strictly. For agents and for tests; no
//! server code uses it.

mod fault;

pub use fault::ReceivedFault;

use super::{
    Answer, GetAuthorizationCookie, GetAuthorizationCookieAnswer, GetConfig, GetConfigAnswer, GetCookie,
    GetCookieAnswer, GetExtendedUpdateInfo, GetExtendedUpdateInfo2, GetExtendedUpdateInfo2Answer,
    GetExtendedUpdateInfoAnswer, GetFileLocations, GetFileLocationsAnswer, GetRequiredInventoryType,
    GetRequiredInventoryTypeAnswer, Operation, RefreshCache, RefreshCacheAnswer, RegisterComputer,
    RegisterComputerAnswer, ReportEventBatch, ReportEventBatch2, ReportEventBatch2Answer, ReportEventBatchAnswer,
    ReportInventory, ReportInventoryAnswer, StartCategoryScan, StartCategoryScanAnswer, SyncPrinterCatalog,
    SyncPrinterCatalogAnswer, SyncUpdates, SyncUpdatesAnswer,
};
use crate::soap::{
    Hints, Limits, Payload, Reason, SoapVersion, Style, Xml, close_envelope, enter, finish, is_soap, open_request,
};

/// Why an answer is no success.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CallError {
    /// The server answered with a fault.
    #[error("the server answered {operation} with a fault")]
    Fault {
        /// What was called.
        operation: Operation,
        /// What it said.
        #[source]
        fault: Box<ReceivedFault>,
    },
    /// The answer is not what the service description says.
    #[error("the answer to {operation} does not follow the service description")]
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

    /// Appends the whole envelope, as the native agent writes it: no XML declaration, prefix `s`, `<X/>`.
    fn encode(&self, out: &mut String, version: SoapVersion) {
        open_request(out, version);
        let attributes = format!(" xmlns=\"{}\"", Self::OPERATION.service().namespace());
        let mut xml = Xml::new(out, Style::Client);
        xml.element_with(Self::OPERATION.name(), &attributes, |xml| self.write_payload(xml));
        close_envelope(out, Style::Client);
    }

    /// Reads the answer, strictly: in the request's SOAP version, nothing unknown, nothing missing, everything in the
    /// order of the schema.
    ///
    /// # Errors
    ///
    /// The answer is a fault, or not what the service description says.
    fn decode(body: &[u8], version: SoapVersion, limits: &Limits) -> Result<Self::Answer, CallError> {
        let operation = Self::OPERATION;
        let malformed = |reason| CallError::Malformed { operation, reason };
        let mut entered = enter::<Operation>(body, Hints::default(), limits, true)
            .map_err(|rejection| malformed(rejection.reason))?;
        if entered.version != version {
            return Err(malformed(Reason::Envelope("the answer is in another SOAP version")));
        }
        if is_soap(entered.namespace) && entered.name == "Fault" {
            let fault = fault::read(&mut entered.cursor, version).map_err(malformed)?;
            return Err(CallError::Fault { operation, fault: Box::new(fault) });
        }
        if entered.service() != Some(operation.service()) || entered.name != format!("{}Response", operation.name()) {
            return Err(malformed(Reason::UnknownOperation(entered.name.chars().take(80).collect())));
        }
        let answer = Self::Answer::read_payload(&mut entered.cursor).map_err(malformed)?;
        finish(&mut entered.cursor).map_err(malformed)?;
        Ok(answer)
    }
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
    GetAuthorizationCookie: GetAuthorizationCookieAnswer,
    GetConfig: GetConfigAnswer,
    GetCookie: GetCookieAnswer,
    GetExtendedUpdateInfo: GetExtendedUpdateInfoAnswer,
    GetExtendedUpdateInfo2: GetExtendedUpdateInfo2Answer,
    GetFileLocations: GetFileLocationsAnswer,
    GetRequiredInventoryType: GetRequiredInventoryTypeAnswer,
    RefreshCache: RefreshCacheAnswer,
    RegisterComputer: RegisterComputerAnswer,
    ReportEventBatch: ReportEventBatchAnswer,
    ReportEventBatch2: ReportEventBatch2Answer,
    ReportInventory: ReportInventoryAnswer,
    StartCategoryScan: StartCategoryScanAnswer,
    SyncPrinterCatalog: SyncPrinterCatalogAnswer,
    SyncUpdates: SyncUpdatesAnswer,
}
