//! Events (MS-WUSP 2.2.2.3.1).

use jiff::Timestamp;
use uuid::Uuid;

use crate::soap::{Item, record};

record! {
    /// Something that happened on a computer.
    pub struct ReportingEvent {
        /// What happened, to which update.
        basic_data: Option<BasicData> = "BasicData",
        /// Details, and the computer.
        extended_data: Option<ExtendedData> = "ExtendedData",
        /// Both fields are empty on the wire.
        private_data: Option<PrivateData> = "PrivateData",
    }
}

impl Item for ReportingEvent {
    const NAME: &'static str = "ReportingEvent";
}

record! {
    /// What happened, to which update.
    pub struct BasicData {
        /// The computer.
        target_id: Option<ComputerTargetIdentifier> = "TargetID",
        /// 0.
        sequence_number: i32 = "SequenceNumber",
        /// When, by the computer's clock.
        time_at_target: Option<Timestamp> = "TimeAtTarget",
        /// Different for every event: what repeats are known by.
        event_instance_id: Uuid = "EventInstanceID",
        /// 1.
        namespace_id: i32 = "NamespaceID",
        /// What happened.
        event_id: i16 = "EventID",
        /// Which part of the agent says so.
        source_id: i16 = "SourceID",
        /// The update; zero if none.
        update_id: Option<UpdateRevisionIdentifier> = "UpdateID",
        /// Result.
        win32_hresult: i32 = "Win32HResult" | "Win32Hresult",
        /// Who wanted it.
        app_name: Option<String> = "AppName",
    }
}

record! {
    /// The computer that reports.
    pub struct ComputerTargetIdentifier {
        /// Its client id.
        sid: Option<String> = "Sid",
    }
}

record! {
    /// The update that an event is about. The zero GUID means none.
    pub struct UpdateRevisionIdentifier {
        /// The update.
        update_id: Uuid = "UpdateID",
        /// Its revision.
        revision_number: i32 = "RevisionNumber",
    }
}

record! {
    /// Details, and the computer.
    pub struct ExtendedData {
        /// Inserts of the event's text.
        replacement_strings: Vec<String> = "ReplacementStrings",
        /// `tag=value`; the tag is everything before the first `=`, and its case matters.
        misc_data: Vec<String> = "MiscData",
        /// Maker.
        computer_brand: Option<String> = "ComputerBrand",
        /// Model.
        computer_model: Option<String> = "ComputerModel",
        /// Firmware.
        bios_revision: Option<String> = "BiosRevision",
        /// `Unknown`, `X86Compatible`, `IA64Compatible` or `Amd64Compatible`; others are tolerated.
        processor_architecture: Option<String> = "ProcessorArchitecture",
        /// Windows version.
        os_version: Option<DetailedVersion> = "OSVersion",
        /// Language.
        os_locale_id: i32 = "OSLocaleID",
        /// The device, in events about drivers.
        device_id: Option<String> = "DeviceID",
    }
}

record! {
    /// A version of Windows.
    pub struct DetailedVersion {
        /// Major.
        major: i32 = "Major",
        /// Minor.
        minor: i32 = "Minor",
        /// Build.
        build: i32 = "Build",
        /// Revision.
        revision: i32 = "Revision",
        /// Service pack.
        service_pack_major: i32 = "ServicePackMajor",
        /// Service pack.
        service_pack_minor: i32 = "ServicePackMinor",
    }
}

record! {
    /// Names that agents leave empty.
    pub struct PrivateData {
        /// Empty.
        computer_dns_name: Option<String> = "ComputerDnsName",
        /// Empty.
        user_account_name: Option<String> = "UserAccountName",
    }
}
