//! The vocabulary of computers.

use super::vocabulary::{Kind, Target, Unit, vocabulary};

const ARCHITECTURES: Kind = Kind::Words {
    words: &["x86", "x64", "arm", "arm64", "itanium"],
    also: &[("amd64", "x64"), ("ia64", "itanium"), ("i386", "x86")],
    ordered: false,
};
const ROLES: Kind = Kind::Words {
    words: &["workstation", "domain_controller", "server"],
    also: &[("dc", "domain_controller")],
    ordered: false,
};

vocabulary! {
    /// A field of a computer.
    pub enum Field {
        /// Architecture of its processor.
        Architecture = "architecture": ARCHITECTURES, Inventory, "";
        /// Version of its firmware, as its maker writes it.
        BiosVersion = "bios_version": Kind::Text, Inventory, "";
        /// Build number of its operating system, such as 19045.
        Build = "build": Kind::Number(Unit::Plain), Inventory, "";
        /// Version of its update agent.
        ClientVersion = "client_version": Kind::Version, Inventory, "";
        /// Collections that it is a member of, not those above them.
        Collection = "collection": Kind::Reference(Target::Name), Membership, "";
        /// Its DNS name after the first dot.
        Domain = "domain": Kind::Text, Inventory, "";
        /// Updates that failed on it.
        Failed = "failed": Kind::Number(Unit::Plain), Status, "";
        /// When it was first seen.
        FirstSeen = "first_seen": Kind::Instant, Inventory, "";
        /// Updates that it has.
        Installed = "installed": Kind::Number(Unit::Plain), Status, "";
        /// Its address at its last call.
        Ip = "ip" | "address": Kind::Address, Contact, "";
        /// When it last called.
        LastContact = "last_contact": Kind::Instant, Contact, "";
        /// When it last reported the state of its updates.
        LastReport = "last_report": Kind::Instant, Contact, "";
        /// When it last scanned.
        LastScan = "last_scan": Kind::Instant, Contact, "";
        /// Language of its operating system, such as de-DE.
        Locale = "locale": Kind::Text, Inventory, "";
        /// Its maker.
        Manufacturer = "manufacturer" | "maker": Kind::Text, Inventory, "";
        /// Its model.
        Model = "model": Kind::Text, Inventory, "";
        /// Its DNS name, whole; or its part before the first dot.
        Name = "name": Kind::Text, Inventory, "";
        /// Updates that it needs: required, downloaded or waiting for a restart.
        Needed = "needed" | "required": Kind::Number(Unit::Plain), Status, "";
        /// Updates that it needs, by id or article.
        Needs = "needs" | "needs_update": Kind::Reference(Target::Article), Status, "";
        /// It never reported the state of its updates.
        NeverReported = "never_reported": Kind::Flag, Status, "";
        /// Its operating system in words.
        Os = "os": Kind::Text, Inventory, "";
        /// Version of its operating system, such as 10.0.19045.
        OsVersion = "os_version": Kind::Version, Inventory, "";
        /// Its last call came over plain HTTP.
        PlainHttp = "plain_http": Kind::Flag, Contact, "";
        /// Groups that it asks to be in.
        RequestedGroup = "requested_group": Kind::Text, Inventory, "";
        /// It waits for a restart.
        RestartPending = "restart_pending": Kind::Flag, Status, "";
        /// What it is: its operating system's product type.
        Role = "role" | "product_type": ROLES, Inventory, "";
        /// Error of its last scan if that failed, such as 0x80244022.
        ScanError = "scan_error": Kind::Text, Contact, "";
        /// It runs a server operating system; domain controllers are servers too.
        Server = "server": Kind::Flag, Inventory, "";
        /// Number of its service pack; 0 if it has none.
        ServicePack = "service_pack": Kind::Number(Unit::Plain), Inventory, "";
        /// The site or downstream server that it scans against.
        Site = "site": Kind::Reference(Target::Name), Inventory, "";
        /// It runs a client operating system.
        Workstation = "workstation": Kind::Flag, Inventory, "";
        /// Its time zone, such as Europe/Berlin.
        Zone = "zone" | "time_zone": Kind::Text, Inventory, "";
    }
}
