//! Which content files a site keeps: decided here, from what an administrator chose and what is known of a file.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Which files a site fetches, as the administrator set it (`content.mode`).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentMode {
    /// Files of deployments that install.
    #[default]
    OnApproval,
    /// Files of every live update, as soon as it is known.
    Immediately,
    /// None but licence files: computers fetch from Microsoft.
    Microsoft,
}

impl ContentMode {
    /// The values of the setting.
    pub const WORDS: [&'static str; 3] = ["on_approval", "immediately", "microsoft"];

    /// From the value of the setting.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "on_approval" => Self::OnApproval,
            "immediately" => Self::Immediately,
            "microsoft" => Self::Microsoft,
            _ => return None,
        })
    }

    /// The value of the setting.
    pub fn word(self) -> &'static str {
        match self {
            Self::OnApproval => "on_approval",
            Self::Immediately => "immediately",
            Self::Microsoft => "microsoft",
        }
    }
}

/// What a site keeps of the files that updates name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ContentPolicy {
    /// Which files.
    pub mode: ContentMode,
    /// Express files (differences between versions), too.
    pub express: bool,
    /// Short names in lower case of the languages whose files are kept; empty is all of them.
    pub languages: BTreeSet<String>,
}

/// What is known of a file of a revision.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FileFacts<'f> {
    /// It holds licence terms.
    pub eula: bool,
    /// It holds differences only (`PatchingType` is Express).
    pub express: bool,
    /// Languages that its revision is made for; none (or `all`) is neutral.
    pub languages: &'f [String],
}

impl ContentPolicy {
    /// CatalogOnlySync of MS-WSUSSS GetConfigData: this site holds no update files, so that downstream servers use
    /// Microsoft's addresses.
    pub fn catalog_only(&self) -> bool {
        self.mode == ContentMode::Microsoft
    }

    /// LazySync of MS-WSUSSS GetConfigData: files are here only after something asked for them.
    pub fn lazy(&self) -> bool {
        self.mode != ContentMode::Immediately
    }

    /// ServerHostsPsfFiles of MS-WSUSSS GetConfigData.
    pub fn hosts_express(&self) -> bool {
        self.express
    }

    /// Whether a file is one of those that the site keeps at all; when it is fetched is another question. Licence files
    /// always are: computers need them to scan. Differences only on request, other languages than the chosen ones not.
    pub fn keeps(&self, file: &FileFacts<'_>) -> bool {
        if file.eula {
            return true;
        }
        let neutral = file.languages.is_empty() || file.languages.iter().any(|language| language == "all");
        let spoken = || file.languages.iter().any(|language| self.languages.contains(language.as_str()));
        (self.express || !file.express) && (self.languages.is_empty() || neutral || spoken())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(languages: &[&str], express: bool) -> ContentPolicy {
        let languages = languages.iter().map(|language| (*language).to_owned()).collect();
        ContentPolicy { mode: ContentMode::OnApproval, express, languages }
    }

    fn kept(policy: &ContentPolicy, languages: &[&str], eula: bool, express: bool) -> bool {
        let languages: Vec<String> = languages.iter().map(|language| (*language).to_owned()).collect();
        policy.keeps(&FileFacts { eula, express, languages: &languages })
    }

    #[test]
    fn neutral_files_and_licences_are_always_kept() {
        let policy = policy(&["de", "en"], false);
        assert!(kept(&policy, &[], false, false));
        assert!(kept(&policy, &["all"], false, false));
        assert!(kept(&policy, &["fr", "en"], false, false));
        assert!(!kept(&policy, &["fr"], false, false));
        assert!(kept(&policy, &["fr"], true, false));
    }

    #[test]
    fn differences_are_kept_on_request_only() {
        assert!(!kept(&policy(&[], false), &[], false, true));
        assert!(kept(&policy(&[], true), &[], false, true));
        assert!(!kept(&policy(&["de"], true), &["fr"], false, true));
    }

    #[test]
    fn what_downstream_servers_are_told_follows_the_mode() {
        let of = |mode| ContentPolicy { mode, ..ContentPolicy::default() };
        let told = |mode| (of(mode).catalog_only(), of(mode).lazy());
        assert_eq!(told(ContentMode::OnApproval), (false, true));
        assert_eq!(told(ContentMode::Immediately), (false, false));
        assert_eq!(told(ContentMode::Microsoft), (true, true));
    }

    #[test]
    fn words_and_modes_are_one_to_one() {
        for word in ContentMode::WORDS {
            assert_eq!(ContentMode::from_word(word).map(ContentMode::word), Some(word));
        }
        assert_eq!(ContentMode::from_word("never"), None);
    }
}
