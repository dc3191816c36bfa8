//! Requests and answers as values, whatever the operation.

use weir_wire::{
    soap::{Limits, SoapVersion},
    wusp::{
        GetAuthorizationCookie, GetAuthorizationCookieAnswer, GetConfig, GetConfigAnswer, GetCookie, GetCookieAnswer,
        GetExtendedUpdateInfo, GetExtendedUpdateInfoAnswer, GetFileLocations, GetFileLocationsAnswer, Operation,
        RefreshCache, RefreshCacheAnswer, RegisterComputer, RegisterComputerAnswer, ReportEventBatch,
        ReportEventBatchAnswer, StartCategoryScan, StartCategoryScanAnswer, SyncUpdates, SyncUpdatesAnswer,
        client::Call,
    },
};

use crate::failure::Failure;

macro_rules! exchanges {
    ($($operation:ident: $answer:ident,)*) => {
        /// A request.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Request {
            $(
                #[doc = concat!("`", stringify!($operation), "`.")]
                $operation($operation),
            )*
        }

        /// An answer.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Answer {
            $(
                #[doc = concat!("To `", stringify!($operation), "`.")]
                $operation($answer),
            )*
        }

        impl Request {
            /// Which operation it is.
            pub fn operation(&self) -> Operation {
                match self {
                    $(Self::$operation(_) => Operation::$operation,)*
                }
            }

            /// Appends the whole envelope (SOAP 1.1), as the native agent writes it.
            pub fn encode(&self, out: &mut String) {
                match self {
                    $(Self::$operation(request) => request.encode(out, SoapVersion::V11),)*
                }
            }

            /// Reads the answer to it.
            ///
            /// # Errors
            ///
            /// It is a fault, or no answer.
            pub fn decode(&self, body: &[u8], limits: &Limits) -> Result<Answer, Failure> {
                match self {
                    $(Self::$operation(_) => {
                        let answer = <$operation as Call>::decode(body, SoapVersion::V11, limits)?;
                        Ok(Answer::$operation(answer))
                    })*
                }
            }
        }

        impl Answer {
            /// Which operation it answers.
            pub fn operation(&self) -> Operation {
                match self {
                    $(Self::$operation(_) => Operation::$operation,)*
                }
            }
        }

        $(
            impl From<$operation> for Request {
                fn from(request: $operation) -> Self {
                    Self::$operation(request)
                }
            }

            impl From<$answer> for Answer {
                fn from(answer: $answer) -> Self {
                    Self::$operation(answer)
                }
            }
        )*
    };
}

exchanges! {
    GetAuthorizationCookie: GetAuthorizationCookieAnswer,
    GetConfig: GetConfigAnswer,
    GetCookie: GetCookieAnswer,
    GetExtendedUpdateInfo: GetExtendedUpdateInfoAnswer,
    GetFileLocations: GetFileLocationsAnswer,
    RefreshCache: RefreshCacheAnswer,
    RegisterComputer: RegisterComputerAnswer,
    ReportEventBatch: ReportEventBatchAnswer,
    StartCategoryScan: StartCategoryScanAnswer,
    SyncUpdates: SyncUpdatesAnswer,
}
