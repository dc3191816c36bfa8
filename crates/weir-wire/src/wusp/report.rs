//! ReportEventBatch and ReportEventBatch2 (MS-WUSP 2.2.2.3, 6.3).

use jiff::Timestamp;
use weir_model::ids::ComputerId;

use super::{Cookie, ReportingEvent, bounds::InvalidParameter, cookie::sealed};
use crate::soap::record;

record! {
    /// Reports what happened on a computer.
    pub struct ReportEventBatch {
        /// The cookie.
        cookie: Option<Cookie> = "cookie",
        /// The client's clock.
        client_time: Option<Timestamp> = "clientTime",
        /// What happened.
        event_batch: Vec<ReportingEvent> = "eventBatch",
    }
}

impl ReportEventBatch {
    /// The sealed bytes of the cookie; `None` means InvalidCookie.
    pub fn sealed(&self) -> Option<&[u8]> {
        sealed(self.cookie.as_ref())
    }
}

record! {
    /// As [`ReportEventBatch`], with a computer's id for a cookie. Known from the service description only.
    pub struct ReportEventBatch2 {
        /// Who reports: nothing proves it.
        computer_id: Option<String> = "computerId",
        /// The client's clock.
        client_time: Option<Timestamp> = "clientTime",
        /// What happened.
        event_batch: Vec<ReportingEvent> = "eventBatch",
    }
}

impl ReportEventBatch2 {
    /// Checks what the schema does not say, and returns who reports.
    ///
    /// # Errors
    ///
    /// The id is missing or not a ClientIdString.
    pub fn validate(&self) -> Result<ComputerId, InvalidParameter> {
        let id = self.computer_id.as_deref().ok_or(InvalidParameter::missing("computerId"))?;
        crate::soap::trim(id).parse().map_err(|_| InvalidParameter::new("computerId", "not a client id"))
    }
}

record! {
    /// Answer to ReportEventBatch.
    pub struct ReportEventBatchAnswer {
        /// True once everything is stored.
        result: bool = "ReportEventBatchResult",
    }
}

record! {
    /// Answer to ReportEventBatch2.
    pub struct ReportEventBatch2Answer {
        /// True once everything is stored.
        result: bool = "ReportEventBatch2Result",
    }
}
