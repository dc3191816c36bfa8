//! The vocabulary of updates.

use std::collections::BTreeSet;

use super::{
    Words,
    vocabulary::{Kind, Target, Unit, vocabulary},
};
use crate::{
    criteria::Architecture,
    update::{Severity, UpdateType},
};

const ARCHITECTURES: Kind = Kind::Words {
    words: &["x86", "x64", "arm", "arm64", "itanium"],
    also: &[("amd64", "x64"), ("ia64", "itanium")],
    ordered: false,
};
const SEVERITIES: Kind =
    Kind::Words { words: &["none", "low", "moderate", "important", "critical"], also: &[], ordered: true };
const TYPES: Kind = Kind::Words { words: &["category", "detectoid", "driver", "software"], also: &[], ordered: false };
const LICENCES: Kind = Kind::Words { words: &["none", "required", "accepted"], also: &[], ordered: false };

vocabulary! {
    /// A field of an update.
    pub enum Field {
        /// Processor architectures that it is for; empty if it does not say.
        Architecture = "architecture": ARCHITECTURES, Catalogue, "ADR-2";
        /// When its first revision arrived here.
        Arrived = "arrived": Kind::Instant, Catalogue, "ADR-2";
        /// Numbers of its security bulletins, such as MS17-010.
        Bulletin = "bulletin": Kind::Text, Catalogue, "ADR-2";
        /// Its classification, such as Security Updates.
        Classification = "classification" | "class": Kind::Reference(Target::Name), Catalogue, "ADR-2";
        /// Computers that are compliant (installed or not applicable), in percent of all.
        Compliant = "compliant": Kind::Number(Unit::Plain), Status, "UPD-10";
        /// Severity that an administrator gave it.
        CustomSeverity = "custom_severity": SEVERITIES, Decisions, "UPD-6";
        /// Vulnerabilities that its texts name, such as CVE-2021-34527.
        Cve = "cve": Kind::Text, Catalogue, "";
        /// It was declined: no computer is offered it.
        Declined = "declined": Kind::Flag, Decisions, "SUPR-4";
        /// It may be deployed: it is not only a part of bundles.
        Deployable = "deployable": Kind::Flag, Catalogue, "UPD-9";
        /// It, or a group that it is in, has a deployment.
        Deployed = "deployed": Kind::Flag, Deployments, "ADR-2";
        /// Its description.
        Description = "description": Kind::Text, Catalogue, "ADR-2";
        /// It has no files, and neither have its members: it can be detected, not installed.
        DetectionOnly = "detection_only" | "metadata_only": Kind::Flag, Catalogue, "UPD-9";
        /// Its licence terms: none, required (not accepted yet) or accepted.
        Eula = "eula" | "licence" | "license": LICENCES, Decisions, "UPD-8";
        /// Its publisher withdrew it.
        Expired = "expired": Kind::Flag, Catalogue, "SUPR-2";
        /// Computers on which it failed.
        Failed = "failed": Kind::Number(Unit::Plain), Status, "UPD-10";
        /// Update groups that it is in.
        Group = "group": Kind::Reference(Target::Name), Groups, "SUG-1";
        /// Its id.
        Id = "id": Kind::Reference(Target::Guid), Catalogue, "";
        /// Computers that have it.
        Installed = "installed": Kind::Number(Unit::Plain), Status, "UPD-10";
        /// It is a bundle: it installs other updates.
        IsBundle = "is_bundle" | "bundle": Kind::Flag, Catalogue, "UPD-3";
        /// Numbers of its articles, with or without KB.
        Kb = "kb" | "article": Kind::Article, Catalogue, "ADR-2";
        /// Languages of its texts and files, such as de.
        Language = "language": Kind::Text, Catalogue, "ADR-2";
        /// Computers that need it: required, downloaded or waiting for a restart.
        Needed = "needed" | "required": Kind::Number(Unit::Plain), Status, "ADR-2";
        /// Computers that it does not apply to.
        NotApplicable = "not_applicable" | "not_required": Kind::Number(Unit::Plain), Status, "UPD-10";
        /// Its products and the families above them.
        Product = "product": Kind::Reference(Target::Name), Catalogue, "ADR-2";
        /// When it was released: the date that its newest revision says.
        Released = "released" | "created": Kind::Instant, Catalogue, "ADR-2";
        /// When its newest revision arrived here.
        Revised = "revised": Kind::Instant, Catalogue, "ADR-2";
        /// Number of its newest revision.
        Revision = "revision": Kind::Number(Unit::Plain), Catalogue, "";
        /// Longest time that installing it may take.
        RunTime = "run_time": Kind::Number(Unit::Minutes), Decisions, "UPD-5";
        /// Severity by its publisher (MSRC).
        Severity = "severity": SEVERITIES, Catalogue, "ADR-2";
        /// Bytes of its files and of those of its members.
        Size = "size": Kind::Number(Unit::Bytes), Catalogue, "ADR-2";
        /// Another update of the catalogue that is neither declined nor expired replaces it.
        Superseded = "superseded": Kind::Flag, Catalogue, "ADR-2";
        /// Updates that it replaces.
        Supersedes = "supersedes": Kind::Reference(Target::Guid), Catalogue, "UPD-4";
        /// Tags: uup if its files are of the Unified Update Platform.
        Tag = "tag": Kind::Text, Catalogue, "UPD-11";
        /// Its title.
        Title = "title": Kind::Text, Catalogue, "ADR-2";
        /// What it is.
        Type = "type" | "kind": TYPES, Catalogue, "";
        /// Computers that did not tell of it yet.
        Unknown = "unknown": Kind::Number(Unit::Plain), Status, "UPD-10";
        /// It needs what is not in the catalogue, so that no computer is offered it.
        Unresolved = "unresolved": Kind::Flag, Catalogue, "";
        /// Its company.
        Vendor = "vendor" | "company": Kind::Reference(Target::Name), Catalogue, "ADR-2";
    }
}

/// The word of a severity; none is a word too.
pub fn severity(severity: Option<Severity>) -> Words {
    Words::at(match severity {
        None => 0,
        Some(Severity::Low) => 1,
        Some(Severity::Moderate) => 2,
        Some(Severity::Important) => 3,
        Some(Severity::Critical) => 4,
    })
}

/// The word of a type.
pub fn update_type(update_type: UpdateType) -> Words {
    Words::at(match update_type {
        UpdateType::Category => 0,
        UpdateType::Detectoid => 1,
        UpdateType::Driver => 2,
        UpdateType::Software => 3,
    })
}

/// The words of architectures.
pub fn architectures(of: &BTreeSet<Architecture>) -> Words {
    of.iter().fold(Words::default(), |words, one| {
        words.with(Words::at(match one {
            Architecture::X86 => 0,
            Architecture::X64 => 1,
            Architecture::Arm => 2,
            Architecture::Arm64 => 3,
            Architecture::Ia64 => 4,
        }))
    })
}
