//! The XML of a document.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use jiff::Timestamp;
use weir_model::{
    document::RebootBehavior,
    update::{CategoryKind, DriverMetadata, UpdateType},
};

use super::{BASE, Document};
use crate::Payload;

impl Document {
    /// The document, one line without declaration, as genuine ones are.
    pub fn to_xml(&self) -> String {
        let mut xml = format!(
            "<upd:Update xmlns:pub=\"{BASE}Publishing\" xmlns:bar=\"{BASE}BaseApplicabilityRules\" \
             xmlns:lar=\"{BASE}LogicalApplicabilityRules\" xmlns:mar=\"{BASE}MsiApplicabilityRules\" \
             xmlns:cat=\"{BASE}UpdateHandlers/Category\" xmlns:cmd=\"{BASE}UpdateHandlers/CommandLineInstallation\" \
             xmlns:drv=\"{BASE}UpdateHandlers/WindowsDriver\" xmlns:upd=\"{BASE}Update\">\
             <upd:UpdateIdentity UpdateID=\"{}\" RevisionNumber=\"{}\" />",
            self.identity.update_id, self.identity.revision
        );
        self.write_properties(&mut xml);
        self.write_localized(&mut xml);
        self.write_relationships(&mut xml);
        self.write_rules(&mut xml);
        self.write_files(&mut xml);
        self.write_handler(&mut xml);
        xml.push_str("</upd:Update>");
        xml
    }

    fn write_properties(&self, xml: &mut String) {
        let kind = match self.update_type {
            UpdateType::Category => "Category",
            UpdateType::Detectoid => "Detectoid",
            UpdateType::Driver => "Driver",
            UpdateType::Software => "Software",
        };
        push(xml, format_args!("<upd:Properties DefaultPropertiesLanguage=\"en\" UpdateType=\"{kind}\""));
        let handled = self.properties.iter().any(|(name, _)| name == "Handler");
        if !self.files.is_empty() && !handled {
            push(xml, format_args!(" Handler=\"{BASE}UpdateHandlers/CommandLineInstallation\""));
        }
        if self.update_type == UpdateType::Software || self.update_type == UpdateType::Driver {
            let size: usize = self.files.iter().map(|file| file.bytes.len()).sum();
            push(xml, format_args!(" MaxDownloadSize=\"{size}\" MinDownloadSize=\"0\""));
        }
        for (name, value) in &self.properties {
            push(xml, format_args!(" {name}=\"{}\"", escape(value)));
        }
        xml.push('>');
        if !self.files.is_empty() || self.reboot.is_some() {
            let reboot = match self.reboot {
                Some(RebootBehavior::AlwaysRequiresReboot) => " RebootBehavior=\"AlwaysRequiresReboot\"",
                Some(RebootBehavior::CanRequestReboot) => " RebootBehavior=\"CanRequestReboot\"",
                Some(RebootBehavior::NeverReboots) => " RebootBehavior=\"NeverReboots\"",
                None => "",
            };
            push(xml, format_args!("<upd:InstallationBehavior Impact=\"Minor\"{reboot} />"));
        }
        push(xml, format_args!("{}</upd:Properties>", self.children));
    }

    fn write_localized(&self, xml: &mut String) {
        xml.push_str("<upd:LocalizedPropertiesCollection>");
        if self.localized.is_empty() {
            let title = format!("Update {}", self.identity.update_id);
            push(
                xml,
                format_args!(
                    "<upd:LocalizedProperties><upd:Language>en</upd:Language><upd:Title>{title}</upd:Title>\
                     </upd:LocalizedProperties>"
                ),
            );
        }
        for (language, title, description) in &self.localized {
            push(
                xml,
                format_args!(
                    "<upd:LocalizedProperties><upd:Language>{}</upd:Language><upd:Title>{}</upd:Title>",
                    escape(language),
                    escape(title)
                ),
            );
            if let Some(description) = description {
                push(xml, format_args!("<upd:Description>{}</upd:Description>", escape(description)));
            }
            xml.push_str("</upd:LocalizedProperties>");
        }
        for (language, geo, payload) in &self.eulas {
            push(
                xml,
                format_args!(
                    "<upd:EulaFile Language=\"{}\"{} {}>{}</upd:EulaFile>",
                    escape(language),
                    geo.as_ref().map(|geo| format!(" GeoId=\"{}\"", escape(geo))).unwrap_or_default(),
                    file_attributes(payload),
                    additional_digest(payload)
                ),
            );
        }
        xml.push_str("</upd:LocalizedPropertiesCollection>");
    }

    fn write_relationships(&self, xml: &mut String) {
        if self.superseded.is_empty() && self.prerequisites.is_empty() && self.bundled.is_empty() {
            return;
        }
        xml.push_str("<upd:Relationships>");
        if !self.superseded.is_empty() {
            xml.push_str("<upd:SupersededUpdates>");
            for id in &self.superseded {
                push(xml, format_args!("<upd:UpdateIdentity UpdateID=\"{id}\" />"));
            }
            xml.push_str("</upd:SupersededUpdates>");
        }
        if !self.prerequisites.is_empty() {
            xml.push_str("<upd:Prerequisites>");
            for (alternatives, is_category, bare) in &self.prerequisites {
                xml.push_str(match (bare, is_category) {
                    (true, _) => "",
                    (false, true) => "<upd:AtLeastOne IsCategory=\"true\">",
                    (false, false) => "<upd:AtLeastOne>",
                });
                for id in alternatives {
                    push(xml, format_args!("<upd:UpdateIdentity UpdateID=\"{id}\" />"));
                }
                xml.push_str(if *bare { "" } else { "</upd:AtLeastOne>" });
            }
            xml.push_str("</upd:Prerequisites>");
        }
        if !self.bundled.is_empty() {
            xml.push_str("<upd:BundledUpdates>");
            for clause in &self.bundled {
                xml.push_str("<upd:AtLeastOne>");
                for member in clause {
                    push(
                        xml,
                        format_args!(
                            "<upd:UpdateIdentity UpdateID=\"{}\" RevisionNumber=\"{}\" />",
                            member.update_id, member.revision
                        ),
                    );
                }
                xml.push_str("</upd:AtLeastOne>");
            }
            xml.push_str("</upd:BundledUpdates>");
        }
        xml.push_str("</upd:Relationships>");
    }

    fn write_rules(&self, xml: &mut String) {
        let pseudo = matches!(self.update_type, UpdateType::Category | UpdateType::Detectoid);
        let bundle = self.update_type == UpdateType::Software && !self.bundled.is_empty();
        if bundle && self.installed_rule.is_none() && self.installable_rule.is_none() && self.core_size == 0 {
            return;
        }
        xml.push_str("<upd:ApplicabilityRules><upd:IsInstalled>");
        match (&self.installed_rule, self.core_size) {
            (Some(rule), 0) => xml.push_str(rule),
            (rule, size) if size > 0 => {
                xml.push_str("<lar:Or>");
                xml.push_str(rule.as_deref().unwrap_or_default());
                let end = xml.len() + size;
                let mut random = crate::Random::new(self.identity.update_id.0.as_u64_pair().0);
                while xml.len() < end {
                    write_filler(xml, &mut random);
                }
                xml.push_str("</lar:Or>");
            }
            _ if pseudo => xml.push_str("<lar:True />"),
            _ if self.update_type == UpdateType::Driver => xml.push_str("<drv:WindowsDriverInstalled />"),
            _ => push(
                xml,
                format_args!(
                    "<bar:RegKeyExists Key=\"HKEY_LOCAL_MACHINE\" Subkey=\"SOFTWARE\\Weir\\{}\" />",
                    self.identity.update_id
                ),
            ),
        }
        xml.push_str("</upd:IsInstalled>");
        if !pseudo {
            let fallback =
                if self.update_type == UpdateType::Driver { "<drv:WindowsDriver />" } else { "<lar:True />" };
            push(
                xml,
                format_args!(
                    "<upd:IsInstallable>{}</upd:IsInstallable>",
                    self.installable_rule.as_deref().unwrap_or(fallback)
                ),
            );
        }
        if !self.drivers.is_empty() {
            xml.push_str("<upd:Metadata>");
            for driver in &self.drivers {
                write_driver(xml, driver);
            }
            xml.push_str("</upd:Metadata>");
        }
        xml.push_str("</upd:ApplicabilityRules>");
    }

    fn write_files(&self, xml: &mut String) {
        if self.files.is_empty() {
            return;
        }
        xml.push_str("<upd:Files>");
        for file in &self.files {
            push(xml, format_args!("<upd:File {}>{}</upd:File>", file_attributes(file), additional_digest(file)));
        }
        xml.push_str("</upd:Files>");
    }

    fn write_handler(&self, xml: &mut String) {
        const XSI: &str = "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";
        if let Some(kind) = self.category {
            let kind = match kind {
                CategoryKind::Company => "Company",
                CategoryKind::Product => "Product",
                CategoryKind::ProductFamily => "ProductFamily",
                CategoryKind::UpdateClassification => "UpdateClassification",
            };
            push(
                xml,
                format_args!(
                    "<upd:HandlerSpecificData xsi:type=\"cat:Category\" {XSI}><cat:CategoryInformation \
                     CategoryType=\"{kind}\" /></upd:HandlerSpecificData>"
                ),
            );
        } else if self.update_type == UpdateType::Software {
            if let Some(program) = self.files.first() {
                push(
                    xml,
                    format_args!(
                        "<upd:HandlerSpecificData xsi:type=\"cmd:CommandLineInstallation\" {XSI}><cmd:InstallCommand \
                         Program=\"{}\" Arguments=\"/q\"><cmd:ReturnCode Code=\"0\" Result=\"Succeeded\" />\
                         </cmd:InstallCommand></upd:HandlerSpecificData>",
                        escape(&program.name)
                    ),
                );
            }
        }
    }
}

fn write_driver(xml: &mut String, driver: &DriverMetadata) {
    let date = Timestamp::from_millisecond(driver.driver_date_ms).unwrap_or_default().strftime("%Y-%m-%d");
    let version = driver.driver_version;
    push(
        xml,
        format_args!(
            "<drv:WindowsDriverMetaData HardwareID=\"{}\" DriverVerDate=\"{date}\" \
             DriverVerVersion=\"{}.{}.{}.{}\" Class=\"{}\" Manufacturer=\"{}\" Provider=\"{}\" Model=\"{}\" \
             Company=\"{}\"",
            escape(&driver.hardware_id),
            version >> 48,
            version >> 32 & 0xffff,
            version >> 16 & 0xffff,
            version & 0xffff,
            escape(&driver.class),
            escape(&driver.manufacturer),
            escape(&driver.provider),
            escape(&driver.model),
            escape(&driver.company)
        ),
    );
    if let Some(id) = driver.whql_driver_id {
        push(xml, format_args!(" WhqlDriverID=\"{id}\""));
    }
    xml.push('>');
    for provider in &driver.compatible_providers {
        push(xml, format_args!("<drv:CompatibleProvider>{}</drv:CompatibleProvider>", escape(provider)));
    }
    for (system, score) in &driver.feature_scores {
        push(xml, format_args!("<drv:FeatureScore OperatingSystem=\"{}\" FeatureScore=\"{score}\" />", escape(system)));
    }
    for id in &driver.distribution_computer_ids {
        push(xml, format_args!("<drv:DistributionComputerHardwareId>{id}</drv:DistributionComputerHardwareId>"));
    }
    for id in &driver.target_computer_ids {
        push(xml, format_args!("<drv:TargetComputerHardwareId>{id}</drv:TargetComputerHardwareId>"));
    }
    xml.push_str("</drv:WindowsDriverMetaData>");
}

fn file_attributes(payload: &Payload) -> String {
    format!(
        "Digest=\"{}\" DigestAlgorithm=\"SHA1\" FileName=\"{}\" Size=\"{}\" Modified=\"2026-10-01T09:39:26Z\"",
        payload.sha1().to_base64(),
        escape(&payload.name),
        payload.bytes.len()
    )
}

fn additional_digest(payload: &Payload) -> String {
    format!("<upd:AdditionalDigest Algorithm=\"SHA256\">{}</upd:AdditionalDigest>", BASE64.encode(payload.sha256().0))
}

fn push(xml: &mut String, text: std::fmt::Arguments<'_>) {
    // writing to a String cannot fail
    xml.write_fmt(text).unwrap_or_default();
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// One expression in the manner of genuine rules: product codes of one family that differ in a few digits, registry
/// values and file versions below a few keys. Such text compresses about as well as genuine rules do.
fn write_filler(xml: &mut String, random: &mut crate::Random) {
    let (version, number) = (random.between(11, 16), random.below(0x300));
    match random.below(4) {
        0 => push(
            xml,
            format_args!(
                "<bar:RegDword Key=\"HKEY_LOCAL_MACHINE\" Subkey=\"SOFTWARE\\Microsoft\\Office\\{version}.0\\Common\\InstalledPackages\" \
                 Value=\"Package{number}\" Comparison=\"EqualTo\" Data=\"1\" />"
            ),
        ),
        1 => push(
            xml,
            format_args!(
                "<bar:FileVersion Csidl=\"41\" Path=\"component{number}.dll\" Comparison=\"GreaterThanOrEqualTo\" \
                 Version=\"{version}.0.{number}.{}\" />",
                random.below(100)
            ),
        ),
        _ => push(
            xml,
            format_args!(
                "<mar:MsiProductInstalled ProductCode=\"{{90{version}0000-{number:04X}-{:04X}-0000-0000000FF1CE}}\" />",
                1024 + random.between(1, 40)
            ),
        ),
    }
}
