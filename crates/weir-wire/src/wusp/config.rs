//! GetConfig (MS-WUSP 2.2.2.2.1, 3.1.5.2).

use jiff::Timestamp;

use super::bounds::{InvalidParameter, protocol_version};
use crate::soap::{Item, record};

record! {
    /// Asks how to talk to this server.
    pub struct GetConfig {
        /// The client's protocol, `x.y`.
        protocol_version: Option<String> = "protocolVersion",
    }
}

impl GetConfig {
    /// Checks what the schema does not say, and returns the client's protocol version.
    ///
    /// # Errors
    ///
    /// The version is missing or not of the form `x.y`.
    pub fn validate(&self) -> Result<(u32, u32), InvalidParameter> {
        protocol_version(self.protocol_version.as_deref())
    }
}

record! {
    /// One way to get an authorization cookie.
    pub struct AuthPlugInInfo {
        /// `SimpleTargeting`.
        plug_in_id: Option<String> = "PlugInID",
        /// Relative to the server's address.
        service_url: Option<String> = "ServiceUrl",
        /// Unused; recorded as an empty element.
        parameter: Option<String> = "Parameter",
    }
}

impl Item for AuthPlugInInfo {
    const NAME: &'static str = "AuthPlugInInfo";
}

record! {
    /// A name and a value.
    pub struct ConfigurationProperty {
        /// Such as `MaxExtendedUpdatesPerRequest`.
        name: Option<String> = "Name",
        /// Its value as text.
        value: Option<String> = "Value",
    }
}

impl ConfigurationProperty {
    /// Puts the two together.
    pub fn new(name: &str, value: impl Into<String>) -> Self {
        Self { name: Some(name.to_owned()), value: Some(value.into()) }
    }
}

impl Item for ConfigurationProperty {
    const NAME: &'static str = "ConfigurationProperty";
}

record! {
    /// The server's configuration.
    pub struct Config {
        /// Moves whenever anything in this answer changes.
        last_change: Timestamp = "LastChange",
        /// Whether RegisterComputer must be called.
        is_registration_required: bool = "IsRegistrationRequired",
        /// Exactly one: SimpleTargeting.
        auth_info: Vec<AuthPlugInInfo> = "AuthInfo",
        /// Events to report; absent means all.
        allowed_event_ids: Vec<i32> = "AllowedEventIds",
        /// In the recorded order.
        properties: Vec<ConfigurationProperty> = "Properties",
    }
}

record! {
    /// Answer to GetConfig.
    pub struct GetConfigAnswer {
        /// The configuration.
        result: Option<Config> = "GetConfigResult",
    }
}
