//! Services and operations.

use std::fmt;

use crate::soap::{Namespace, Style};

/// The three services between servers (MS-WSUSSS 2.1).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Service {
    /// Authorization of downstream servers.
    DssAuth,
    /// Roll-ups, at the path that computers report to as well.
    Reporting,
    /// Everything else.
    ServerSync,
}

impl Service {
    /// Every service.
    pub const ALL: &[Self] = &[Self::DssAuth, Self::Reporting, Self::ServerSync];

    /// The path at which every server offers it. The addresses in the service descriptions are not in use.
    pub fn path(self) -> &'static str {
        match self {
            Self::DssAuth => "/DssAuthWebService/DssAuthWebService.asmx",
            Self::Reporting => "/ReportingWebService/ReportingWebService.asmx",
            Self::ServerSync => "/ServerSyncWebService/ServerSyncWebService.asmx",
        }
    }

    /// The service at a path, which peers write in any case and with doubled slashes.
    pub fn of_path(path: &str) -> Option<Self> {
        let parts = || path.split('/').filter(|part| !part.is_empty());
        Self::ALL.iter().copied().find(|service| {
            let own = service.path().split('/').filter(|part| !part.is_empty());
            path.starts_with('/') && parts().count() == 2 && own.zip(parts()).all(|(a, b)| a.eq_ignore_ascii_case(b))
        })
    }

    /// The namespace of its messages, Ping aside.
    pub fn namespace(self) -> &'static str {
        match self {
            Self::DssAuth => Namespace::DSS_AUTH,
            Self::Reporting | Self::ServerSync => Namespace::REPORTING,
        }
    }
}

impl From<Service> for Style {
    fn from(_service: Service) -> Self {
        Self::Asmx
    }
}

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident: $service:ident,)*) => {
        /// An operation between servers.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Operation {
            $($(#[$doc])* $name,)*
        }

        impl Operation {
            /// Every operation.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name on the wire.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// Where a client calls it. Ping is in every service.
            pub fn service(self) -> Service {
                match self {
                    $(Self::$name => Service::$service,)*
                }
            }
        }
    };
}

operations! {
    /// Fetch these files from your parent.
    DownloadFiles: ServerSync,
    /// How to get an authorization cookie.
    GetAuthConfig: ServerSync,
    /// The first cookie.
    GetAuthorizationCookie: DssAuth,
    /// Limits, languages, content mode.
    GetConfigData: ServerSync,
    /// The cookie of all other calls.
    GetCookie: ServerSync,
    /// Target groups, deployments, declined updates, accepted licences.
    GetDeployments: ServerSync,
    /// Drivers for computers and hardware ids. Only Microsoft's own server has it.
    GetDriverIdList: ServerSync,
    /// Documents of driver sets. Only Microsoft's own server has it.
    GetDriverSetData: ServerSync,
    /// Which computers need a full roll-up of status.
    GetOutOfSyncComputers: Reporting,
    /// In the service description, in no use.
    GetRelatedRevisionsForUpdates: ServerSync,
    /// Which revisions are new.
    GetRevisionIdList: ServerSync,
    /// Limits of roll-ups.
    GetRollupConfiguration: Reporting,
    /// Documents of updates.
    GetUpdateData: ServerSync,
    /// Keys of encrypted files.
    GetUpdateDecryptionData: ServerSync,
    /// Diagnostics; not for downstream servers.
    Ping: ServerSync,
    /// Status of updates on computers.
    RollupComputerStatus: Reporting,
    /// Computers of the servers below.
    RollupComputers: Reporting,
    /// Servers below, and what their clients did.
    RollupDownstreamServers: Reporting,
}

impl Operation {
    /// The operation of a service by its exact name.
    pub fn find(service: Service, name: &str) -> Option<Self> {
        let offered = |operation: &Self| *operation == Self::Ping || operation.service() == service;
        Self::ALL.iter().copied().find(|operation| offered(operation) && operation.name() == name)
    }

    /// The namespace of its messages.
    pub fn namespace(self) -> &'static str {
        match self {
            Self::Ping => Namespace::MONITORABLE,
            operation => operation.service().namespace(),
        }
    }

    pub(crate) fn is_in(self, namespace: Namespace) -> bool {
        Namespace::of(self.namespace()) == namespace
    }

    /// The action without quotation marks: namespace, slash, name.
    pub fn action(self) -> String {
        format!("{}/{}", self.namespace(), self.name())
    }

    /// The value of the SOAPAction header, and of a fault's `Method`.
    pub fn quoted_action(self) -> String {
        format!("\"{}\"", self.action())
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
