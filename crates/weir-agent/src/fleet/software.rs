//! Installed products: what they leave in the registry, on disk and with Windows Installer.
//!
//! Keys, product codes and file names are those of the real products, since genuine rules look for them. Versions are
//! those of the last two years, as far as the model goes.

use uuid::Uuid;

use super::{
    dice::Dice,
    draft::Draft,
    patches::MONTHS,
    systems::{Architecture, System},
};

/// What a computer is used for, which decides what is installed on it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Role {
    /// A server of applications and files.
    ApplicationServer,
    /// A domain controller.
    DomainController,
    /// A server of databases.
    DatabaseServer,
    /// A desk with tools of developers.
    Engineering,
    /// A machine of one purpose, mostly of long-term releases.
    Machine,
    /// A desk with an office suite.
    Office,
    /// A web server.
    WebServer,
}

/// Roles of servers, how many in a hundred.
const SERVERS: &[(Role, u32)] =
    &[(Role::ApplicationServer, 48), (Role::WebServer, 22), (Role::DatabaseServer, 20), (Role::DomainController, 10)];

impl Role {
    /// Draws a role that fits a system.
    pub(crate) fn draw(dice: &mut Dice, system: &System) -> Self {
        if system.server {
            return dice.weighted(SERVERS, |role| role.1).map_or(Self::ApplicationServer, |role| role.0);
        }
        let machines = if system.editions.iter().any(|edition| edition.id == "EnterpriseS") { 0.7 } else { 0.04 };
        match (dice.chance(machines), dice.chance(0.15)) {
            (true, _) => Self::Machine,
            (false, true) => Self::Engineering,
            (false, false) => Self::Office,
        }
    }
}

/// Puts the products of a role on a computer. `behind` is the number of months since products were updated.
pub(crate) fn install(draft: &mut Draft, dice: &mut Dice, role: Role, behind: u32) {
    // from 0, two years ago, to MONTHS, now
    let month = MONTHS.saturating_sub(behind);
    framework(draft, dice);
    runtimes(draft, dice);
    if draft.system.version.0 >= 10 {
        defender(draft, month);
        edge(draft, month);
    }
    match role {
        Role::Office => {
            suite(draft, dice, month);
            if dice.chance(0.45) {
                chrome(draft, month);
            }
            if dice.chance(0.12) {
                firefox(draft, month);
            }
            if dice.chance(0.6) {
                reader(draft, month);
            }
        }
        Role::Engineering => {
            suite(draft, dice, month);
            chrome(draft, month);
            firefox(draft, month);
            core_runtime(draft, month);
            seven_zip(draft);
            if dice.chance(0.3) {
                database(draft, 16, month);
            }
        }
        Role::Machine => {
            if dice.chance(0.3) {
                chrome(draft, month);
            }
        }
        Role::DatabaseServer => database(draft, if dice.chance(0.55) { 15 } else { 16 }, month),
        Role::WebServer => {
            web_server(draft);
            core_runtime(draft, month);
        }
        Role::ApplicationServer => {
            if dice.chance(0.3) {
                core_runtime(draft, month);
            }
            if dice.chance(0.4) {
                seven_zip(draft);
            }
        }
        Role::DomainController => draft.dword("SYSTEM\\CurrentControlSet\\Services\\NTDS\\Parameters", "Version", 1),
    }
}

fn framework(draft: &mut Draft, dice: &mut Dice) {
    const FULL: &str = "SOFTWARE\\Microsoft\\NET Framework Setup\\NDP\\v4\\Full";
    let (release, version) = match draft.system.version {
        (10, _, build) if build >= 22_000 => (533_320, "4.8.09032"),
        (10, _, build) if build >= 19_041 => (528_372, "4.8.04084"),
        (10, ..) => (528_049, "4.8.03761"),
        _ => (379_893, "4.5.51209"),
    };
    draft.dword(FULL, "Install", 1);
    draft.dword(FULL, "Release", release);
    draft.text(FULL, "Version", version);
    draft.file_with("C:\\Windows\\Microsoft.NET\\Framework\\v4.0.30319\\mscorlib.dll", &format!("{version}.0"));
    if dice.chance(0.3) {
        let key = "SOFTWARE\\Microsoft\\NET Framework Setup\\NDP\\v3.5";
        draft.dword(key, "Install", 1);
        draft.dword(key, "SP", 1);
        draft.text(key, "Version", "3.5.30729.4926");
    }
}

/// .NET (Core), which installs side by side.
fn core_runtime(draft: &mut Draft, month: u32) {
    let arch = if draft.architecture == Architecture::Arm64 { "arm64" } else { "x64" };
    let version = format!("8.0.{}", 8 + month * 3 / 4);
    let key =
        format!("SOFTWARE\\WOW6432Node\\dotnet\\Setup\\InstalledVersions\\{arch}\\sharedfx\\Microsoft.NETCore.App");
    draft.dword(&key, &version, 1);
    draft.folder(&format!("C:\\Program Files\\dotnet\\shared\\Microsoft.NETCore.App\\{version}"));
}

/// Runtimes of Visual C++: the current one nearly everywhere, older ones where old programs are.
fn runtimes(draft: &mut Draft, dice: &mut Dice) {
    const OLD: &[(&str, &str, &str, f64)] = &[
        ("1d8e6291-b0d5-35ec-8441-6616f567a0f7", "Microsoft Visual C++ 2010  x64 Redistributable", "10.0.40219", 0.35),
        ("f0c3e5d1-1ade-321e-8167-68ef0de699a5", "Microsoft Visual C++ 2010  x86 Redistributable", "10.0.40219", 0.4),
        (
            "37b8f9c7-03fb-3253-8781-2517c99d7c00",
            "Microsoft Visual C++ 2012 x64 Additional Runtime",
            "11.0.61030",
            0.25,
        ),
        ("929fbd26-9020-399b-9a7a-751d61f0b942", "Microsoft Visual C++ 2013 x64 Additional Runtime", "12.0.21005", 0.3),
    ];
    for &(code, name, version, share) in OLD {
        if dice.chance(share) {
            draft.product(code, name, version, 0);
        }
    }
    if dice.chance(0.85) {
        let minor = 36 + dice.below(9);
        let version = format!("14.{minor}.{}", 32_532 + minor * 61);
        let x86 = "SOFTWARE\\WOW6432Node\\Microsoft\\VisualStudio\\14.0\\VC\\Runtimes\\X86";
        let x64 = "SOFTWARE\\Microsoft\\VisualStudio\\14.0\\VC\\Runtimes\\X64";
        for key in [x86, x64] {
            draft.dword(key, "Installed", 1);
            draft.dword(key, "Major", 14);
            draft.dword(key, "Minor", minor);
            draft.text(key, "Version", &format!("v{version}.00"));
        }
        draft.system_file("vcruntime140.dll", &format!("{version}.0"));
        draft.system_file("msvcp140.dll", &format!("{version}.0"));
    }
}

fn defender(draft: &mut Draft, month: u32) {
    let key = "SOFTWARE\\Microsoft\\Windows Defender\\Signature Updates";
    draft.text(key, "AVSignatureVersion", &format!("1.{}.{}.0", 419 + month, month * 37 % 900));
    draft.text(key, "EngineVersion", &format!("1.1.{}.{}", 24_090 + month * 100 / 8, 1 + month % 9));
    draft.dword("SOFTWARE\\Microsoft\\Windows Defender", "DisableAntiSpyware", 0);
}

fn edge(draft: &mut Draft, month: u32) {
    let version = format!("{}.0.{}.{}", 130 + month, 2_849 + month * 41, 40 + month);
    let key = "SOFTWARE\\WOW6432Node\\Microsoft\\EdgeUpdate\\Clients\\{56EB18F8-B008-4CBD-B6D2-8C97FE7E9062}";
    draft.text(key, "pv", &version);
    draft.text(key, "name", "Microsoft Edge");
    draft.file_with("C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe", &version);
}

fn chrome(draft: &mut Draft, month: u32) {
    let version = format!("{}.0.{}.{}", 130 + month, 6_723 + month * 72, 58 + month);
    draft.uninstall("Google Chrome", "Google Chrome", &version);
    draft.file_with("C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe", &version);
}

fn firefox(draft: &mut Draft, month: u32) {
    let version = format!("{}.0", 132 + month);
    draft.text("SOFTWARE\\Mozilla\\Mozilla Firefox", "CurrentVersion", &format!("{version} (x64 en-US)"));
    draft.uninstall(&format!("Mozilla Firefox {version} (x64 en-US)"), "Mozilla Firefox (x64 en-US)", &version);
    draft.file_with("C:\\Program Files\\Mozilla Firefox\\firefox.exe", &format!("{version}.0"));
}

fn reader(draft: &mut Draft, month: u32) {
    let version = format!("{}.{:03}.{}", 24 + month / 12, 1 + month % 12, 20_604 + month * 11);
    draft.product("ac76ba86-7ad7-1033-7b44-ac0f074e4100", "Adobe Acrobat Reader", &version, 1033);
}

fn seven_zip(draft: &mut Draft) {
    draft.text("SOFTWARE\\7-Zip", "Path", "C:\\Program Files\\7-Zip\\");
    draft.uninstall("7-Zip", "7-Zip 24.08 (x64)", "24.08");
    draft.file_with("C:\\Program Files\\7-Zip\\7z.dll", "24.8.0.0");
}

/// An office suite: Click-to-Run on most desks, an older one from Windows Installer on some.
fn suite(draft: &mut Draft, dice: &mut Dice, month: u32) {
    match dice.below(100) {
        0..80 => click_to_run(draft, month),
        80..92 => msi_suite(draft, 16, month),
        92..96 => msi_suite(draft, 15, 0),
        _ => {}
    }
}

fn click_to_run(draft: &mut Draft, month: u32) {
    const KEY: &str = "SOFTWARE\\Microsoft\\Office\\ClickToRun\\Configuration";
    let version = format!("16.0.{}.{}", 18_129 + month * 87, 20_116 + month * 4);
    let platform = if draft.architecture == Architecture::X86 { "x86" } else { "x64" };
    draft.text(KEY, "VersionToReport", &version);
    draft.text(KEY, "ClientVersionToReport", &version);
    draft.text(KEY, "Platform", platform);
    draft.text(KEY, "ProductReleaseIds", "O365ProPlusRetail");
    draft.text(KEY, "UpdateChannel", "http://officecdn.microsoft.com/pr/7ffbc6bf-bc32-4f92-8982-f9dd17fd3114");
    let root = "C:\\Program Files\\Microsoft Office\\root\\Office16";
    draft.text("SOFTWARE\\Microsoft\\Office\\16.0\\Common\\InstallRoot", "Path", &format!("{root}\\"));
    for name in ["WINWORD.EXE", "EXCEL.EXE", "OUTLOOK.EXE", "POWERPNT.EXE"] {
        draft.file_with(&format!("{root}\\{name}"), &version);
    }
    draft.uninstall("O365ProPlusRetail - en-us", "Microsoft 365 Apps for enterprise - en-us", &version);
}

/// Office 2016 (16) or 2013 (15) from Windows Installer: one product of the suite and one for each program.
fn msi_suite(draft: &mut Draft, major: u32, month: u32) {
    let release = if major == 16 { "16.0.4266.1001" } else { "15.0.4420.1017" };
    let language = draft.locale_id;
    let wow = if draft.architecture.is_64() { "(x86)" } else { "" };
    let root = format!("C:\\Program Files {wow}\\Microsoft Office\\Office{major}").replace("Files \\", "Files\\");
    // 0011 is the suite, the others are Excel, PowerPoint, Outlook and Word
    for number in ["0011", "0016", "0018", "001A", "001B"] {
        let code = format!("90{major}0000-{number}-0000-0000-0000000ff1ce");
        draft.product(&code, &format!("Microsoft Office {}", if major == 16 { 2016 } else { 2013 }), release, 0);
        if number != "0011" {
            let code = format!("90{major}0000-{number}-{language:04x}-0000-0000000ff1ce");
            draft.product(&code, "Microsoft Office language part", release, i32::from(language));
        }
    }
    let key = format!("SOFTWARE\\WOW6432Node\\Microsoft\\Office\\{major}.0\\Common\\InstallRoot");
    draft.text(&key, "Path", &format!("{root}\\"));
    let key = format!("SOFTWARE\\WOW6432Node\\Microsoft\\Office\\{major}.0\\Common\\ProductVersion");
    draft.text(&key, "LastProduct", release);
    let patched = format!("{major}.0.{}.1000", if major == 16 { 5_469 + month * 2 } else { 5_589 });
    for name in ["WINWORD.EXE", "EXCEL.EXE", "OUTLOOK.EXE", "POWERPNT.EXE"] {
        draft.file_with(&format!("{root}\\{name}"), &patched);
    }
}

/// SQL Server 2019 (15) or 2022 (16), the default instance.
fn database(draft: &mut Draft, major: u32, month: u32) {
    const KEY: &str = "SOFTWARE\\Microsoft\\Microsoft SQL Server";
    let instance = format!("MSSQL{major}.MSSQLSERVER");
    let (start, step) = if major == 15 { (4_405, 2) } else { (4_155, 5) };
    let patched = format!("{major}.0.{}.{}", start + month * step, 1 + month % 4);
    draft.text(&format!("{KEY}\\Instance Names\\SQL"), "MSSQLSERVER", &instance);
    let setup = format!("{KEY}\\{instance}\\Setup");
    draft.text(&setup, "Version", &format!("{major}.0.{}.0", if major == 15 { 2_000 } else { 1_000 }));
    draft.text(&setup, "PatchLevel", &patched);
    draft.text(&setup, "Edition", "Standard Edition");
    let root = format!("C:\\Program Files\\Microsoft SQL Server\\{instance}\\MSSQL");
    draft.text(&setup, "SQLPath", &root);
    draft.file_with(&format!("{root}\\Binn\\sqlservr.exe"), &patched);
}

fn web_server(draft: &mut Draft) {
    let (major, minor) = if draft.system.version.0 >= 10 { (10, 0) } else { (8, 5) };
    draft.dword("SOFTWARE\\Microsoft\\InetStp", "MajorVersion", major);
    draft.dword("SOFTWARE\\Microsoft\\InetStp", "MinorVersion", minor);
    draft.dword("SOFTWARE\\Microsoft\\InetStp\\Components", "W3SVC", 1);
    draft.system_file("inetsrv\\w3wp.exe", &draft.file_version());
}

/// Reads a product code of this file.
pub(super) fn code(text: &str) -> Uuid {
    Uuid::try_parse(text).unwrap_or_default()
}
