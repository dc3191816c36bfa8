//! The messages of MS-WUSP (revision 38): what the Windows Update Agent asks and what the server answers.
//!
//! [`parse`] turns a body into a typed [`Request`]. What the schema cannot say (lists that must not be empty, limits) is
//! checked by `validate` of each request, which the server calls after it opened the cookie, since cookie faults come
//! first. Answers implement [`Answer`]; those that may be large, of SyncUpdates and GetExtendedUpdateInfo, are also
//! written in pieces ([`SyncWriter`], [`ExtendedWriter`]).
//!
//! The client half (requests out, answers in) is in [`client`] and is used by no server code.

mod authorization;
mod bounds;
mod category_scan;
pub mod client;
mod config;
mod cookie;
mod device;
mod event;
mod extended_info;
mod extended_writer;
mod file_locations;
mod inventory;
mod operation;
mod refresh_cache;
mod register;
mod report;
mod sync_answer;
mod sync_updates;
mod sync_writer;

pub use authorization::{GetAuthorizationCookie, GetAuthorizationCookieAnswer};
pub use bounds::{Bounds, InvalidParameter};
pub use category_scan::{CategoryRelationship, StartCategoryScan, StartCategoryScanAnswer};
pub use config::{AuthPlugInInfo, Config, ConfigurationProperty, GetConfig, GetConfigAnswer};
pub use cookie::{AuthorizationCookie, Cookie, GetCookie, GetCookieAnswer};
pub use device::{Device, ExtensionDriver, InstalledDriver, RecoveryId, SystemSpec};
pub use event::{
    BasicData, ComputerTargetIdentifier, DetailedVersion, ExtendedData, PrivateData, ReportingEvent,
    UpdateRevisionIdentifier,
};
pub use extended_info::{
    ExtendedUpdateInfo, ExtendedUpdateInfo2, FileDecryption, FileDecryption2, FragmentType, GetExtendedUpdateInfo,
    GetExtendedUpdateInfo2, GetExtendedUpdateInfo2Answer, GetExtendedUpdateInfoAnswer, UpdateData,
    UpdateEncryptionDetail,
};
pub use extended_writer::ExtendedWriter;
pub use file_locations::{FileLocation, FileLocationsResult, GetFileLocations, GetFileLocationsAnswer};
pub use inventory::{
    GetRequiredInventoryType, GetRequiredInventoryTypeAnswer, ReportInventory, ReportInventoryAnswer,
    ReportingInventory,
};
pub use operation::{Operation, Service};
pub use refresh_cache::{RefreshCache, RefreshCacheAnswer, RefreshCacheResult, WireIdentity};
pub use register::{ComputerInfo, RegisterComputer, RegisterComputerAnswer};
pub use report::{ReportEventBatch, ReportEventBatch2, ReportEventBatch2Answer, ReportEventBatchAnswer};
pub use sync_answer::{Action, Deployment, SyncInfo, SyncPrinterCatalogAnswer, SyncUpdatesAnswer, UpdateInfo};
pub use sync_updates::{
    CategoryIdentifier, ComputerSpec, ProductsParameters, SyncPrinterCatalog, SyncUpdateParameters, SyncUpdates,
};
pub use sync_writer::{SyncTail, SyncWriter};

use crate::soap::{
    Content, Hints, Limits, Payload, Reason, Rejection, SoapVersion, Style, Xml, close_envelope, enter, finish,
    open_envelope,
};

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
                    operation => Err(Reason::NotOffered(operation)),
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
    GetAuthorizationCookie,
    GetConfig,
    GetCookie,
    GetExtendedUpdateInfo,
    GetExtendedUpdateInfo2,
    GetFileLocations,
    GetRequiredInventoryType,
    RefreshCache,
    RegisterComputer,
    ReportEventBatch,
    ReportEventBatch2,
    ReportInventory,
    StartCategoryScan,
    SyncPrinterCatalog,
    SyncUpdates,
}

/// Reads a request to `service`: the operation is the name of the first child of the body (a SOAPAction header is not
/// needed), the SOAP version that of the envelope.
///
/// # Errors
///
/// [`Rejection`] says why and turns into the fault to answer. Nothing is returned of a request that is refused.
pub fn parse(service: Service, hints: Hints<'_>, body: &[u8], limits: &Limits) -> Result<Parsed, Rejection> {
    let mut entered = enter::<Operation>(body, hints, limits, false)?;
    let operation = match entered.operation(service) {
        Ok(operation) => operation,
        Err(reason) => return Err(entered.reject(reason, None, Operation::quoted_action, hints)),
    };
    let request = Request::read(operation, &mut entered.cursor)
        .and_then(|request| finish(&mut entered.cursor).map(|()| request))
        .map_err(|reason| entered.reject(reason, Some(operation), Operation::quoted_action, hints))?;
    Ok(Parsed { version: entered.version, request })
}

/// The answer of an operation.
pub trait Answer: Payload {
    /// Which operation it answers.
    const OPERATION: Operation;

    /// Appends the whole envelope, in the form that the recorded server gives it.
    fn write(&self, out: &mut String, version: SoapVersion) {
        let style = Style::of(Self::OPERATION.service());
        open_envelope(out, style, version, false);
        let mut xml = Xml::new(out, style);
        let (name, attributes) = Self::OPERATION.response_element();
        xml.element_with(&name, &attributes, |xml| self.write_payload(xml));
        close_envelope(out, style);
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

#[cfg(test)]
mod tests;
