//! Addresses, versions and the forms of XML (checklist 1 to 3).
