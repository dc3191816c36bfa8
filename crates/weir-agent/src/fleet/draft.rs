//! A sheet in the making: what a system, its hardware and its products have in common.

use std::path::Path;

use weir_model::{
    applicability::facts::{FileFacts, KeyPath, MsiProduct, PackageState, RegistryData},
    document::rules::{Version, base::Hive},
};

use super::{
    sheet::Sheet,
    software,
    systems::{Architecture, Edition, System},
};

/// A sheet of a computer of this system, to be filled.
#[derive(Debug)]
pub(crate) struct Draft {
    /// Its system.
    pub(crate) system: &'static System,
    /// Its architecture.
    pub(crate) architecture: Architecture,
    /// Its language.
    pub(crate) locale_id: u16,
    /// The fourth number of its version.
    pub(crate) revision: u32,
    /// What is there so far.
    pub(crate) sheet: Sheet,
}

impl Draft {
    /// What the system itself brings.
    pub(crate) fn new(
        system: &'static System,
        edition: &Edition,
        architecture: Architecture,
        (language, locale_id): (&str, u16),
        behind: u32,
    ) -> Self {
        let revision = system.revision(behind);
        let mut draft = Self { system, architecture, locale_id, revision, sheet: Sheet::default() };
        draft.windows(edition, language);
        draft.files();
        draft.packages();
        draft
    }

    /// Major, minor, build and revision of the system's files.
    pub(crate) fn file_version(&self) -> String {
        let (major, minor, build) = self.system.version;
        format!("{major}.{minor}.{build}.{}", self.revision.max(1))
    }

    fn windows(&mut self, edition: &Edition, language: &str) {
        const KEY: &str = "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion";
        let (major, minor, build) = self.system.version;
        self.text(KEY, "ProductName", &self.system.product_name(edition));
        self.text(KEY, "EditionID", edition.id);
        self.text(KEY, "CurrentBuild", &build.to_string());
        self.text(KEY, "CurrentBuildNumber", &build.to_string());
        self.text(KEY, "CurrentVersion", if (major, minor) == (6, 1) { "6.1" } else { "6.3" });
        self.text(KEY, "InstallationType", if self.system.server { "Server" } else { "Client" });
        if major >= 10 {
            self.dword(KEY, "CurrentMajorVersionNumber", major);
            self.dword(KEY, "CurrentMinorVersionNumber", minor);
            // from 20H2 on ReleaseId stands still
            let frozen = if build >= 19_042 { "2009" } else { self.system.release };
            self.text(KEY, "ReleaseId", frozen);
            if build >= 19_042 {
                self.text(KEY, "DisplayVersion", self.system.release);
            }
        }
        if self.revision > 0 {
            self.dword(KEY, "UBR", self.revision);
        }
        if self.system.service_pack > 0 {
            self.text(KEY, "CSDVersion", &format!("Service Pack {}", self.system.service_pack));
        }
        let environment = "SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment";
        self.text(environment, "PROCESSOR_ARCHITECTURE", self.architecture.name());
        let product = "SYSTEM\\CurrentControlSet\\Control\\ProductOptions";
        self.text(product, "ProductType", if self.system.server { "ServerNT" } else { "WinNT" });
        self.text(
            "SYSTEM\\CurrentControlSet\\Control\\Nls\\Language",
            "InstallLanguage",
            &format!("{:04x}", self.locale_id),
        );
        self.text("SYSTEM\\CurrentControlSet\\Control\\MUI\\UILanguages", "Default", language);
    }

    fn files(&mut self) {
        let version = self.file_version();
        for name in [
            "ntoskrnl.exe",
            "kernel32.dll",
            "ntdll.dll",
            "win32k.sys",
            "wuaueng.dll",
            "mshtml.dll",
            "shell32.dll",
            "drivers\\tcpip.sys",
        ] {
            self.system_file(name, &version);
        }
        self.file_with("C:\\Windows\\explorer.exe", &version);
        for folder in ["C:\\Windows", "C:\\Windows\\System32", "C:\\Program Files", "C:\\ProgramData"] {
            self.folder(folder);
        }
        if self.architecture.is_64() {
            self.folder("C:\\Program Files (x86)");
            self.folder("C:\\Windows\\SysWOW64");
        }
    }

    fn packages(&mut self) {
        let (major, minor, build) = self.system.version;
        let arch = self.architecture.package_name();
        let foundation =
            format!("Microsoft-Windows-Foundation-Package~31bf3856ad364e35~{arch}~~{major}.{minor}.{build}.1");
        self.package(&foundation);
        if major >= 10 {
            self.package(&format!("Package_for_RollupFix~31bf3856ad364e35~{arch}~~{build}.{}.1.0", self.revision));
        }
    }

    fn values(&mut self, path: &str) -> &mut super::sheet::Values {
        let is_64 = self.architecture.is_64();
        // 32-bit systems have no such node: what would be there is where everything is
        let written = if is_64 { path.to_owned() } else { path.replace("WOW6432Node\\", "") };
        self.sheet.key_at(KeyPath { hive: Hive::LocalMachine, path: &written, view32: false }, is_64)
    }

    /// A number below `HKEY_LOCAL_MACHINE`.
    pub(crate) fn dword(&mut self, path: &str, name: &str, data: u32) {
        self.values(path).insert(name.to_lowercase().into(), RegistryData::Dword(data));
    }

    /// A text below `HKEY_LOCAL_MACHINE`.
    pub(crate) fn text(&mut self, path: &str, name: &str, data: &str) {
        self.values(path).insert(name.to_lowercase().into(), RegistryData::Sz(data.to_owned().into()));
    }

    /// A file with a version resource.
    pub(crate) fn file_with(&mut self, path: &str, version: &str) {
        let path = if self.architecture.is_64() { path.to_owned() } else { path.replace(" (x86)", "") };
        let version: Option<Version> = version.parse().ok();
        let size = 100_000 + path.len() as u64 * 4_096;
        let facts =
            FileFacts { size: Some(size), version: Some(version), language: Some(Some(1033)), ..FileFacts::default() };
        self.sheet.files.insert(path.to_lowercase().into(), facts);
    }

    /// A file of `System32`, and its 32-bit sister.
    pub(crate) fn system_file(&mut self, name: &str, version: &str) {
        self.file_with(&format!("C:\\Windows\\System32\\{name}"), version);
        let library = Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("dll"));
        if self.architecture.is_64() && library {
            self.file_with(&format!("C:\\Windows\\SysWOW64\\{name}"), version);
        }
    }

    /// A folder.
    pub(crate) fn folder(&mut self, path: &str) {
        let facts = FileFacts { version: Some(None), language: Some(None), ..FileFacts::default() };
        self.sheet.files.insert(path.to_lowercase().into(), facts);
    }

    /// An entry in the list of programs.
    pub(crate) fn uninstall(&mut self, key: &str, name: &str, version: &str) {
        let key = format!("SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\{key}");
        self.text(&key, "DisplayName", name);
        self.text(&key, "DisplayVersion", version);
    }

    /// A product of Windows Installer, with its entry in the list of programs.
    pub(crate) fn product(&mut self, code: &str, name: &str, version: &str, language: i32) {
        let product = MsiProduct {
            version: version.parse().ok(),
            language: Some(language),
            patches: Some(Vec::new()),
            features: Some(vec!["Complete".to_owned()]),
            components: Some(Vec::new()),
        };
        self.sheet.products.insert(software::code(code), product);
        self.uninstall(&format!("{{{}}}", code.to_uppercase()), name, version);
    }

    /// An installed package.
    pub(crate) fn package(&mut self, identity: &str) {
        self.sheet.packages.insert(identity.to_lowercase().into(), (identity.into(), PackageState::Installed));
    }
}
