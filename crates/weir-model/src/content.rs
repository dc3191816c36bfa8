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
    /// In mode [`ContentMode::Microsoft`]: computers can fetch every file from the upstream server.
    pub upstream_serves: bool,
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

/// How a file that something needs stands.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Holding {
    /// It is here and verified.
    Here,
    /// It is to be fetched.
    Wanted,
    /// It stays where it is; computers fetch it there.
    Elsewhere,
    /// It is to stay elsewhere, but no place is known.
    Nowhere,
    /// It is not kept: of another language, or differences only.
    LeftOut,
}

/// Whether computers can have what an update needs: nothing is awaited, and of its own files (others than licence files,
/// for which `true` is given) not all are left out.
pub fn complete(files: impl IntoIterator<Item = (bool, Holding)>) -> bool {
    let (mut own, mut had) = (false, false);
    for (eula, holding) in files {
        if matches!(holding, Holding::Wanted | Holding::Nowhere) {
            return false;
        }
        own |= !eula;
        had |= !eula && holding != Holding::LeftOut;
    }
    had || !own
}

/// Who still has a use for a stored file.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct FileUse {
    /// Some stored revision names it.
    pub named: bool,
    /// A revision that is live and can be deployed names it, or bundles one that does.
    pub live: bool,
    /// A deployment of an update that is not declined reaches it, switched on or not.
    pub deployed: bool,
    /// It holds licence terms of a revision that is the newest of an update that is neither declined nor expired, or that a
    /// bundle names.
    pub licence: bool,
    /// A downstream server asked for it.
    pub requested: bool,
}

impl FileUse {
    /// Whether the file may go. With `undeployed` those of live updates go, too, that no deployment needs.
    pub fn is_over(&self, undeployed: bool) -> bool {
        !self.deployed && !self.licence && !self.requested && (!self.live || undeployed)
    }
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

    /// How a needed file stands. `here`: verified in the content store; `source`: some address of it is known.
    pub fn holding(&self, file: &FileFacts<'_>, here: bool, source: bool) -> Holding {
        match () {
            () if here => Holding::Here,
            () if !self.keeps(file) => Holding::LeftOut,
            () if self.mode != ContentMode::Microsoft || file.eula => Holding::Wanted,
            () if source || self.upstream_serves => Holding::Elsewhere,
            () => Holding::Nowhere,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(languages: &[&str], express: bool) -> ContentPolicy {
        let languages = languages.iter().map(|language| (*language).to_owned()).collect();
        ContentPolicy { mode: ContentMode::OnApproval, express, languages, upstream_serves: false }
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
    fn a_file_stands_as_mode_and_place_say() {
        let file = FileFacts { eula: false, express: false, languages: &[] };
        let licence = FileFacts { eula: true, ..file };
        let here = policy(&[], false);
        assert_eq!(here.holding(&file, true, false), Holding::Here);
        assert_eq!(here.holding(&file, false, true), Holding::Wanted);
        let left = ContentPolicy { mode: ContentMode::Microsoft, ..here };
        assert_eq!(left.holding(&file, false, true), Holding::Elsewhere);
        assert_eq!(left.holding(&file, false, false), Holding::Nowhere);
        assert_eq!(left.holding(&licence, false, true), Holding::Wanted);
        let below = ContentPolicy { upstream_serves: true, ..left };
        assert_eq!(below.holding(&file, false, false), Holding::Elsewhere);
        assert_eq!(
            policy(&["de"], false).holding(&FileFacts { languages: &["fr".to_owned()], ..file }, false, true),
            Holding::LeftOut
        );
    }

    #[test]
    fn an_update_is_complete_when_nothing_is_awaited_and_not_everything_is_left_out() {
        use Holding::{Elsewhere, Here, LeftOut, Nowhere, Wanted};
        assert!(complete([]));
        assert!(complete([(true, Here)]), "licences only");
        assert!(complete([(false, Here), (false, LeftOut), (true, Here)]));
        assert!(complete([(false, Elsewhere)]));
        assert!(!complete([(false, Here), (false, Wanted)]));
        assert!(!complete([(false, Here), (true, Wanted)]));
        assert!(!complete([(false, Nowhere)]));
        assert!(!complete([(false, LeftOut), (true, Here)]), "in no language that is kept");
    }

    #[test]
    fn a_file_goes_when_nobody_needs_it() {
        let over = FileUse { named: true, ..FileUse::default() };
        assert!(over.is_over(false));
        for needed in
            [FileUse { deployed: true, ..over }, FileUse { licence: true, ..over }, FileUse { requested: true, ..over }]
        {
            assert!(!needed.is_over(true), "{needed:?}");
        }
        let live = FileUse { live: true, ..over };
        assert!(!live.is_over(false));
        assert!(live.is_over(true));
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
