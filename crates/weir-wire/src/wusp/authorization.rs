//! GetAuthorizationCookie of the SimpleAuth service (MS-WUSP 2.2.2.1.1, 3.1.5.3).

use weir_model::ids::ComputerId;

use super::{AuthorizationCookie, bounds::InvalidParameter};
use crate::soap::record;

record! {
    /// Asks for an authorization cookie.
    pub struct GetAuthorizationCookie {
        /// The id that the computer gave itself.
        client_id: Option<String> = "clientId",
        /// Names of target groups that the computer wants to be in, separated by `;` (client-side targeting).
        target_group_name: Option<String> = "targetGroupName",
        /// The computer's name.
        dns_name: Option<String> = "dnsName",
    }
}

impl GetAuthorizationCookie {
    /// Checks what the schema does not say, and returns the computer's id and name.
    ///
    /// # Errors
    ///
    /// The id is not a ClientIdString, or the name is missing, or longer than 255 characters (the most that a DNS name
    /// can have).
    pub fn validate(&self) -> Result<(ComputerId, &str), InvalidParameter> {
        let id = self.client_id.as_deref().ok_or(InvalidParameter::missing("clientId"))?;
        let id = crate::soap::trim(id).parse().map_err(|_| InvalidParameter::new("clientId", "not a client id"))?;
        let name = self.dns_name.as_deref().map(crate::soap::trim).filter(|name| !name.is_empty());
        let name = name.ok_or(InvalidParameter::missing("dnsName"))?;
        if name.chars().count() > 255 {
            return Err(InvalidParameter::new("dnsName", "too long"));
        }
        Ok((id, name))
    }

    /// The requested groups, without empty names.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        let names = self.target_group_name.as_deref().unwrap_or_default().split(';');
        names.map(crate::soap::trim).filter(|name| !name.is_empty())
    }
}

record! {
    /// Answer to GetAuthorizationCookie.
    pub struct GetAuthorizationCookieAnswer {
        /// The authorization cookie.
        result: Option<AuthorizationCookie> = "GetAuthorizationCookieResult",
    }
}
