//! Services and operations.

use std::fmt;

use crate::soap::Namespace;

/// The three services of the client plane (MS-WUSP 2.1).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Service {
    /// `/ClientWebService/Client.asmx`.
    Client,
    /// `/ReportingWebService/ReportingWebService.asmx` and `.../WebService.asmx`.
    Reporting,
    /// `/SimpleAuthWebService/SimpleAuth.asmx`.
    SimpleAuth,
}

impl Service {
    /// The namespace of its messages.
    pub fn namespace(self) -> &'static str {
        Namespace::uri_of(self)
    }
}

macro_rules! operations {
    ($($service:ident { $($name:ident,)* })*) => {
        /// An operation of one of the services, offered or not.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Operation {
            $($(
                #[doc = concat!("`", stringify!($name), "` of the ", stringify!($service), " service.")]
                $name,
            )*)*
        }

        impl Operation {
            /// Every operation.
            pub const ALL: &[Self] = &[$($(Self::$name,)*)*];

            /// The name on the wire.
            pub fn name(self) -> &'static str {
                match self {
                    $($(Self::$name => stringify!($name),)*)*
                }
            }

            /// Where it belongs.
            pub fn service(self) -> Service {
                match self {
                    $($(Self::$name => Service::$service,)*)*
                }
            }
        }
    };
}

operations! {
    Client {
        GetConfig,
        GetConfig2,
        GetCookie,
        GetExtendedUpdateInfo,
        GetExtendedUpdateInfo2,
        GetFileLocations,
        GetTimestamps,
        RefreshCache,
        RegisterComputer,
        StartCategoryScan,
        SyncPrinterCatalog,
        SyncUpdates,
    }
    Reporting {
        GetOutOfSyncComputers,
        GetRequiredInventoryType,
        GetRollupConfiguration,
        ReportEventBatch,
        ReportEventBatch2,
        ReportInventory,
        RollupComputerStatus,
        RollupComputers,
        RollupDownstreamServers,
    }
    SimpleAuth {
        GetAuthorizationCookie,
    }
}

impl Operation {
    /// The operation of a service by its exact name.
    pub fn find(service: Service, name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|operation| operation.service() == service && operation.name() == name)
    }

    /// The action without quotation marks: namespace, slash, name.
    pub fn action(self) -> String {
        format!("{}/{}", self.service().namespace(), self.name())
    }

    /// The value of the SOAPAction header, and of a fault's `Method`.
    pub fn quoted_action(self) -> String {
        format!("\"{}\"", self.action())
    }

    /// Name and namespace declaration of the element that answers it.
    pub(crate) fn response_element(self) -> (String, String) {
        (format!("{}Response", self.name()), format!(" xmlns=\"{}\"", self.service().namespace()))
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
