//! Ping (MS-WSUSSS 3.1.4.12): diagnostics of every service, which no downstream server may call.

use jiff::Timestamp;

use crate::soap::{nested, record};

record! {
    /// Asks whether the service is there.
    pub struct Ping {
        /// How much is wanted.
        ping_level: i32 = "pingLevel",
    }
}

record! {
    /// What a service says of itself.
    pub struct MonitoredServicesResponse {
        /// Whether all is well.
        success_flag: bool = "SuccessFlag",
        /// The server's clock.
        services_time: Timestamp = "ServicesTime",
        /// Name of the service.
        services_name: Option<String> = "ServicesName",
        /// Name of the computer.
        services_machine: Option<String> = "ServicesMachine",
        /// Whether the call came over TLS.
        is_https: bool = "IsHttps",
        /// Content-Type of the call.
        request_content_type: Option<String> = "RequestContentType",
        /// Not given.
        config_file_path: Option<String> = "ConfigFilePath",
        /// Not given.
        config_file_project_name: Option<String> = "ConfigFileProjectName",
        /// Not given.
        config_file_environment_name: Option<String> = "ConfigFileEnvironmentName",
        /// Has no meaning here.
        config_file_last_modified_time: Timestamp = "ConfigFileLastModifiedTime",
        /// Not given.
        config_file_version: Option<String> = "ConfigFileVersion",
        /// Has no meaning here.
        config_file_next_expiration_time: Timestamp = "ConfigFileNextExpirationTime",
        /// Has no meaning here.
        config_file_expiration_modulo_in_minutes: i32 = "ConfigFileExpirationModuloInMinutes",
        /// Not given.
        database_info: Option<String> = "DatabaseInfo",
        /// Not given.
        custom_info: Option<String> = "CustomInfo",
    }
}

impl MonitoredServicesResponse {
    /// That all is well, and nothing that a stranger need not know.
    pub fn well(service: super::Service, now: Timestamp, is_https: bool) -> Self {
        Self {
            success_flag: true,
            services_time: now,
            services_name: Some(format!("{service:?}")),
            services_machine: None,
            is_https,
            request_content_type: None,
            config_file_path: None,
            config_file_project_name: None,
            config_file_environment_name: None,
            config_file_last_modified_time: now,
            config_file_version: None,
            config_file_next_expiration_time: now,
            config_file_expiration_modulo_in_minutes: 0,
            database_info: None,
            custom_info: None,
        }
    }
}

record! {
    /// Answer to Ping.
    pub struct PingAnswer {
        /// What the service says.
        result: MonitoredServicesResponse = "PingResult",
    }
}

nested! { MonitoredServicesResponse, }
