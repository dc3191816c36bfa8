//! The SOAP layer under the services of MS-WUSP (section 2.1) and MS-WSUSSS (section 2.1): envelopes of version 1.1 and 1.2, a bounded reader,
//! a writer in the forms of the recorded server, and faults.

mod cursor;
mod envelope;
mod fault;
mod limits;
mod namespace;
mod payload;
mod plain;
mod record;
mod scan;
mod values;
mod xml;

pub use envelope::{Hints, SoapVersion};
pub use fault::{ErrorCode, Fault, Reason, Rejection};
pub use limits::Limits;
pub use record::{Binary, ClientOnly, Nillable};
pub use values::{ValueProblem, parse_date_time, write_date, write_date_time};
pub use xml::{Style, escape_into};

pub(crate) use cursor::{Cursor, Malformed};
pub(crate) use envelope::{close_envelope, enter, finish, is_soap, open_envelope, open_request};
pub(crate) use namespace::{Binding, Namespace};
pub(crate) use payload::Payload;
pub(crate) use record::{Content, FieldValue, Item, nested, record};
pub(crate) use values::{parse_base64, parse_bool, parse_guid, parse_int, trim, write_base64};
pub(crate) use xml::{Xml, write_attribute};
