//! GetRequiredInventoryType and ReportInventory: in the service description of MS-WUSP 6.3, without any prose.

use jiff::Timestamp;
use uuid::Uuid;

use super::{Cookie, cookie::sealed};
use crate::soap::{Binary, record};

record! {
    /// Asks whether inventory is wanted.
    pub struct GetRequiredInventoryType {
        /// The cookie.
        cookie: Option<Cookie> = "cookie",
        /// Which rules the client has.
        rules_id: Uuid = "rulesId",
        /// Which version of them.
        rules_version: Option<String> = "rulesVersion",
    }
}

impl GetRequiredInventoryType {
    /// The sealed bytes of the cookie; `None` means InvalidCookie.
    pub fn sealed(&self) -> Option<&[u8]> {
        sealed(self.cookie.as_ref())
    }
}

record! {
    /// Answer to GetRequiredInventoryType.
    pub struct GetRequiredInventoryTypeAnswer {
        /// 0: none.
        result: i32 = "GetRequiredInventoryTypeResult",
    }
}

record! {
    /// Reports inventory.
    pub struct ReportInventory {
        /// The cookie.
        cookie: Option<Cookie> = "cookie",
        /// The client's clock.
        client_time: Option<Timestamp> = "clientTime",
        /// The inventory.
        inventory: Option<ReportingInventory> = "inventory",
    }
}

impl ReportInventory {
    /// The sealed bytes of the cookie; `None` means InvalidCookie.
    pub fn sealed(&self) -> Option<&[u8]> {
        sealed(self.cookie.as_ref())
    }
}

record! {
    /// Inventory in a form that no text describes: it is bounded, and never looked into.
    pub struct ReportingInventory {
        /// Which of the two is given.
        is_compressed: bool = "IsCompressed",
        /// Plain.
        raw_xml: Option<String> = "RawXml",
        /// Compressed.
        compressed_xml: Option<Binary> = "CompressedXml",
    }
}

record! {
    /// Answer to ReportInventory.
    pub struct ReportInventoryAnswer {
        /// True.
        result: bool = "ReportInventoryResult",
    }
}
