//! A custom profile of Intune: settings of configuration service providers by their addresses (OMA-URI), in the form in
//! which Microsoft Graph takes a `windows10CustomConfiguration`.

use serde::Serialize;

use super::super::{
    known::{Csp, CspFormat},
    registry::Data,
    render::{Policy, PolicyValue},
};

const BASE: &str = "./Device/Vendor/MSFT/Policy/Config/";
/// Characters of a description that Intune takes.
const LONGEST_DESCRIPTION: usize = 1_000;

/// A profile.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// Type of the resource.
    #[serde(rename = "@odata.type")]
    pub kind: &'static str,
    /// Its name.
    pub display_name: String,
    /// What it does not hold.
    pub description: String,
    /// Its settings.
    pub oma_settings: Vec<Setting>,
}

/// A setting of a profile.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "@odata.type", rename_all_fields = "camelCase")]
pub enum Setting {
    /// A number (`int`).
    #[serde(rename = "#microsoft.graph.omaSettingInteger")]
    Number {
        /// Its name.
        display_name: String,
        /// What it does.
        description: String,
        /// Its address.
        oma_uri: String,
        /// Its value.
        value: i32,
    },
    /// A text (`chr`).
    #[serde(rename = "#microsoft.graph.omaSettingString")]
    Text {
        /// Its name.
        display_name: String,
        /// What it does.
        description: String,
        /// Its address.
        oma_uri: String,
        /// Its value.
        value: String,
    },
}

/// The profile of a policy, and a sentence for each value that it cannot hold.
pub fn profile(policy: &Policy, name: &str) -> (Profile, Vec<String>) {
    let (mut settings, mut left_out) = (Vec::<Setting>::new(), Vec::new());
    for value in &policy.values {
        match setting(value) {
            Ok(setting) => {
                // NoAutoUpdate and AUOptions are one setting there: the one that is stronger comes first
                let uri = address(&setting);
                if settings.iter().all(|known| address(known) != uri) {
                    settings.push(setting);
                }
            }
            Err(why) => left_out.push(format!("{}: {why}", value.known.name)),
        }
    }
    let mut description = "Made by Weir.".to_owned();
    if !left_out.is_empty() {
        let names: Vec<&str> = left_out.iter().filter_map(|text| text.split(':').next()).collect();
        description.push_str(&format!(" Without a form in the Policy CSP: {}.", names.join(", ")));
    }
    let description = description.chars().take(LONGEST_DESCRIPTION).collect();
    let kind = "#microsoft.graph.windows10CustomConfiguration";
    (Profile { kind, display_name: name.to_owned(), description, oma_settings: settings }, left_out)
}

fn address(setting: &Setting) -> &str {
    match setting {
        Setting::Number { oma_uri, .. } | Setting::Text { oma_uri, .. } => oma_uri,
    }
}

fn setting(value: &PolicyValue) -> Result<Setting, String> {
    let (setting, format) = match value.known.csp {
        Csp::None(why) => return Err(why.to_owned()),
        Csp::Setting(setting, format) => (setting, format),
    };
    let Some(data) = &value.data else {
        return Err(format!("a profile sets and does not remove; leave {setting} out of all profiles"));
    };
    let name = setting.rsplit('/').next().unwrap_or(setting);
    let (display_name, description) = (name.to_owned(), value.known.meaning.to_owned());
    let oma_uri = format!("{BASE}{setting}");
    match (format, data) {
        (CspFormat::Text, Data::Text(text)) => {
            Ok(Setting::Text { display_name, description, oma_uri, value: text.clone() })
        }
        (CspFormat::Number, Data::Dword(number)) => {
            Ok(Setting::Number { display_name, description, oma_uri, value: number.cast_signed() })
        }
        (CspFormat::Mapped(numbers), Data::Dword(number)) => {
            let there = numbers.iter().find(|(here, _)| here == number).map(|(_, there)| *there);
            let value = there.ok_or_else(|| format!("{number} has no form in {setting}"))?.cast_signed();
            Ok(Setting::Number { display_name, description, oma_uri, value })
        }
        _ => Err(format!("{data} does not fit {setting}")),
    }
}
