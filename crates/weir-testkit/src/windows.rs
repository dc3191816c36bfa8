//! The disk of a Windows computer: real hive files, a small program with a version resource, and a whole image of both.

use std::{collections::BTreeMap, fs, path::Path};

use regf::{DataType, HiveBuilder};

/// A hive file that is being written.
pub struct HiveFile {
    builder: HiveBuilder,
}

impl Default for HiveFile {
    fn default() -> Self {
        Self::new()
    }
}

impl HiveFile {
    /// A hive without keys.
    pub fn new() -> Self {
        Self { builder: HiveBuilder::new_with_name("ROOT").expect("a hive") }
    }

    /// Makes a key with all above it.
    pub fn key(&mut self, path: &str) -> &mut Self {
        self.builder.create_key(path).expect("a key");
        self
    }

    /// Sets a value of any type.
    pub fn set(&mut self, key: &str, name: &str, kind: DataType, data: &[u8]) -> &mut Self {
        let key = self.builder.create_key(key).expect("a key");
        self.builder.add_value(key, name, kind, data).expect("a value");
        self
    }

    /// Sets a text.
    pub fn sz(&mut self, key: &str, name: &str, text: &str) -> &mut Self {
        self.set(key, name, DataType::String, &utf16(&format!("{text}\0")))
    }

    /// Sets a text with variables.
    pub fn expand_sz(&mut self, key: &str, name: &str, text: &str) -> &mut Self {
        self.set(key, name, DataType::ExpandString, &utf16(&format!("{text}\0")))
    }

    /// Sets a list of texts.
    pub fn multi_sz(&mut self, key: &str, name: &str, texts: &[&str]) -> &mut Self {
        let joined: String = texts.iter().flat_map(|text| [*text, "\0"]).collect();
        self.set(key, name, DataType::MultiString, &utf16(&format!("{joined}\0")))
    }

    /// Sets a number.
    pub fn dword(&mut self, key: &str, name: &str, number: u32) -> &mut Self {
        self.set(key, name, DataType::Dword, &number.to_le_bytes())
    }

    /// Makes a key that stands for another.
    pub fn link(&mut self, key: &str, target: &str) -> &mut Self {
        self.set(key, "SymbolicLinkValue", DataType::Link, &utf16(target))
    }

    /// The file. Keys with a `SymbolicLinkValue` become links.
    pub fn bytes(&mut self, links: &[&str]) -> Vec<u8> {
        let offsets: Vec<u32> = links.iter().map(|key| self.builder.find_key(key).expect("a key")).collect();
        let mut bytes = self.builder.to_bytes().expect("a hive");
        for offset in offsets {
            // Flags stand after the size of the cell and its signature.
            let flags = 4096 + offset as usize + 4 + 2;
            bytes[flags] |= 0x10;
        }
        bytes
    }
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A program of 64-bit Windows with a version resource and nothing else.
pub fn program(version: [u16; 4], language: u16) -> Vec<u8> {
    program_with(&[(version, language)])
}

/// The same with a version resource for each of several languages.
pub fn program_with(versions: &[([u16; 4], u16)]) -> Vec<u8> {
    const ADDRESS: u32 = 0x1000;
    const PLACE: u32 = 0x400;
    let resources = resources(ADDRESS, versions);
    let mut file = vec![0; PLACE as usize];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"MZ");
    put(0x3C, &0x80_u32.to_le_bytes());
    put(0x80, b"PE\0\0");
    put(0x84, &0x8664_u16.to_le_bytes());
    put(0x86, &1_u16.to_le_bytes());
    put(0x94, &240_u16.to_le_bytes());
    put(0x96, &0x2022_u16.to_le_bytes());
    let optional = 0x98;
    put(optional, &0x20B_u16.to_le_bytes());
    put(optional + 24, &0x1_8000_0000_u64.to_le_bytes());
    put(optional + 32, &0x1000_u32.to_le_bytes());
    put(optional + 36, &0x200_u32.to_le_bytes());
    put(optional + 40, &6_u16.to_le_bytes());
    put(optional + 48, &6_u16.to_le_bytes());
    put(optional + 56, &0x2000_u32.to_le_bytes());
    put(optional + 60, &PLACE.to_le_bytes());
    put(optional + 68, &2_u16.to_le_bytes());
    put(optional + 108, &16_u32.to_le_bytes());
    put(optional + 112 + 16, &ADDRESS.to_le_bytes());
    put(optional + 112 + 20, &(resources.len() as u32).to_le_bytes());
    let section = optional + 240;
    put(section, b".rsrc");
    put(section + 8, &(resources.len() as u32).to_le_bytes());
    put(section + 12, &ADDRESS.to_le_bytes());
    put(section + 16, &(resources.len() as u32).to_le_bytes());
    put(section + 20, &PLACE.to_le_bytes());
    put(section + 36, &0x4000_0040_u32.to_le_bytes());
    file.extend(resources);
    file
}

/// The section of resources: kind 16, name 1, a leaf for each language.
fn resources(address: u32, versions: &[([u16; 4], u16)]) -> Vec<u8> {
    let count = versions.len() as u32;
    let mut tree = Vec::new();
    let directory = |tree: &mut Vec<u8>, entries: &[(u32, u32)]| {
        tree.extend([0; 14]);
        tree.extend((entries.len() as u16).to_le_bytes());
        for (id, target) in entries {
            tree.extend(id.to_le_bytes());
            tree.extend(target.to_le_bytes());
        }
    };
    directory(&mut tree, &[(16, 0x8000_0018)]);
    directory(&mut tree, &[(1, 0x8000_0030)]);
    let leaves = 0x30 + 16 + count * 8;
    let entries: Vec<(u32, u32)> = versions
        .iter()
        .enumerate()
        .map(|(index, (_, language))| ((*language).into(), leaves + index as u32 * 16))
        .collect();
    directory(&mut tree, &entries);
    let blobs: Vec<Vec<u8>> = versions.iter().map(|(version, language)| version_info(*version, *language)).collect();
    let mut place = leaves + count * 16;
    for blob in &blobs {
        tree.extend((address + place).to_le_bytes());
        tree.extend((blob.len() as u32).to_le_bytes());
        tree.extend([0; 8]);
        place += blob.len() as u32;
    }
    tree.extend(blobs.into_iter().flatten());
    tree.resize(tree.len().next_multiple_of(0x200), 0);
    tree
}

/// `VS_VERSIONINFO` with a translation.
fn version_info([a, b, c, d]: [u16; 4], language: u16) -> Vec<u8> {
    let mut fixed = Vec::new();
    let high = u32::from(a) << 16 | u32::from(b);
    let low = u32::from(c) << 16 | u32::from(d);
    for number in [0xFEEF_04BD, 0x1_0000, high, low, high, low, 0x3F, 0, 0x4_0004, 2, 0, 0, 0] {
        fixed.extend(number.to_le_bytes());
    }
    let translation = [language.to_le_bytes(), 1200_u16.to_le_bytes()].concat();
    let translation = block("Translation", 0, &translation, &[]);
    let variables = block("VarFileInfo", 1, &[], &[translation]);
    let text = block("FileDescription", 1, &utf16("a test\0"), &[]);
    let table = block("040904B0", 1, &[], &[text]);
    let strings = block("StringFileInfo", 1, &[], &[table]);
    let mut all = block("VS_VERSION_INFO", 0, &fixed, &[strings, variables]);
    all.resize(all.len().next_multiple_of(4), 0);
    all
}

/// A block: length, length of the value, kind, key, value, children, each at a multiple of four.
fn block(key: &str, text: u16, value: &[u8], children: &[Vec<u8>]) -> Vec<u8> {
    let mut block = vec![0; 6];
    block.extend(utf16(&format!("{key}\0")));
    block.resize(block.len().next_multiple_of(4), 0);
    block.extend(value);
    for child in children {
        block.resize(block.len().next_multiple_of(4), 0);
        block.extend(child);
    }
    let length = block.len() as u16;
    let value_length = if text == 1 { value.len() / 2 } else { value.len() } as u16;
    block[..2].copy_from_slice(&length.to_le_bytes());
    block[2..4].copy_from_slice(&value_length.to_le_bytes());
    block[4..6].copy_from_slice(&text.to_le_bytes());
    block
}

/// The value `ProductPolicy` with numbers by name.
pub fn product_policy(values: &BTreeMap<&str, u32>) -> Vec<u8> {
    let mut entries = Vec::new();
    for (name, number) in values {
        let name = utf16(name);
        let size = (16 + name.len() + 4).next_multiple_of(4);
        let end = entries.len() + size;
        entries.extend((size as u16).to_le_bytes());
        entries.extend((name.len() as u16).to_le_bytes());
        entries.extend(4_u16.to_le_bytes());
        entries.extend(4_u16.to_le_bytes());
        entries.extend([0; 8]);
        entries.extend(name);
        entries.extend(number.to_le_bytes());
        entries.resize(end, 0);
    }
    let size = 20 + entries.len() as u32 + 4;
    let head = [size, entries.len() as u32, 4, 0, 1];
    let mut policy: Vec<u8> = head.iter().flat_map(|number| number.to_le_bytes()).collect();
    policy.extend(entries);
    policy.extend(69_u32.to_le_bytes());
    policy
}

/// The software hive of a Windows 11 Pro 26100.4652 in German and English, with packages and a product.
pub fn software_hive() -> HiveFile {
    let mut hive = HiveFile::new();
    let version = r"Microsoft\Windows NT\CurrentVersion";
    hive.sz(version, "SystemRoot", r"C:\Windows")
        .sz(version, "CurrentVersion", "6.3")
        .sz(version, "CurrentBuildNumber", "26100")
        .sz(version, "ProductName", "Windows 10 Pro")
        .dword(version, "CurrentMajorVersionNumber", 10)
        .dword(version, "CurrentMinorVersionNumber", 0)
        .dword(version, "UBR", 4652);
    let profiles = r"Microsoft\Windows NT\CurrentVersion\ProfileList";
    hive.expand_sz(profiles, "ProgramData", r"%SystemDrive%\ProgramData").expand_sz(
        profiles,
        "Public",
        r"%SystemDrive%\Users\Public",
    );
    let windows = r"Microsoft\Windows\CurrentVersion";
    hive.sz(windows, "ProgramFilesDir", r"C:\Program Files")
        .sz(windows, "ProgramFilesDir (x86)", r"C:\Program Files (x86)")
        .sz(windows, "CommonFilesDir", r"C:\Program Files\Common Files")
        .sz(windows, "CommonFilesDir (x86)", r"C:\Program Files (x86)\Common Files");
    let shell = format!(r"{windows}\Explorer\User Shell Folders");
    hive.expand_sz(&shell, "Common AppData", "%ProgramData%").expand_sz(
        &shell,
        "Common Documents",
        r"%PUBLIC%\Documents",
    );
    for (identity, state) in [
        ("Package_for_RollupFix~31bf3856ad364e35~amd64~~26100.4652.1.15", 112),
        ("Package_for_RollupFix~31bf3856ad364e35~amd64~~26100.4061.1.6", 80),
        ("Package_for_KB5054156~31bf3856ad364e35~amd64~~26100.3193.1.3", 64),
        ("Package_for_Nothing~31bf3856ad364e35~amd64~~1.0.0.0", 0),
    ] {
        hive.dword(&format!(r"{windows}\Component Based Servicing\Packages\{identity}"), "CurrentState", state);
    }
    let data = format!(r"{windows}\Installer\UserData\S-1-5-18");
    let packed = "00004109110000000000000000F01FEC";
    let product = format!(r"{data}\Products\{packed}");
    hive.sz(&format!(r"{product}\InstallProperties"), "DisplayName", "Contoso Office")
        .sz(&format!(r"{product}\InstallProperties"), "DisplayVersion", "14.0.7015.1000")
        .dword(&format!(r"{product}\InstallProperties"), "Language", 1033)
        .dword(&format!(r"{product}\InstallProperties"), "WindowsInstaller", 1)
        .dword(&format!(r"{product}\Patches\000000000000000000000000000000FE"), "State", 1)
        .dword(&format!(r"{product}\Patches\000000000000000000000000000000EF"), "State", 8)
        .sz(&format!(r"{product}\Features"), "WORDFiles", "x")
        .sz(&format!(r"{product}\Features"), "Unwanted", "x")
        .key(&format!(r"{data}\Products\11111111111111111111111111111111"))
        .sz(&format!(r"{data}\Components\22222222222222222222222222222222"), packed, r"C:\Program Files\x.exe");
    let features = format!(r"Classes\Installer\Features\{packed}");
    hive.sz(&features, "WORDFiles", "").sz(&features, "Unwanted", "\u{6}Parent");
    hive.sz(r"Contoso\App", "Version", "3.1")
        .sz(r"WOW6432Node\Contoso\App", "Version", "2.0")
        .key(r"Classes\WOW6432Node\CLSID\{A}")
        .link(r"WOW6432Node\Classes", r"\Registry\Machine\SOFTWARE\Classes\WOW6432Node");
    hive
}

/// Keys of [`software_hive`] that are links.
pub const SOFTWARE_LINKS: [&str; 1] = [r"WOW6432Node\Classes"];

/// The system hive of the same computer. Control set 2 is the current one.
pub fn system_hive() -> HiveFile {
    let mut hive = HiveFile::new();
    hive.dword("Select", "Current", 2).dword("Select", "Default", 1);
    hive.sz(r"ControlSet001\Control\ProductOptions", "ProductType", "ServerNT");
    let control = r"ControlSet002\Control";
    let environment = format!(r"{control}\Session Manager\Environment");
    hive.sz(&environment, "PROCESSOR_ARCHITECTURE", "AMD64")
        .sz(&environment, "PROCESSOR_LEVEL", "6")
        .sz(&environment, "PROCESSOR_REVISION", "9e0a")
        .sz(&environment, "NUMBER_OF_PROCESSORS", "8")
        .expand_sz(&environment, "TEMP", r"%SystemRoot%\TEMP");
    let options = format!(r"{control}\ProductOptions");
    let policy = product_policy(&BTreeMap::from([("Kernel-ProductInfo", 48), ("Security-SPP-GenuineLocalStatus", 1)]));
    hive.sz(&options, "ProductType", "WinNT").multi_sz(&options, "ProductSuite", &["Terminal Server"]).set(
        &options,
        "ProductPolicy",
        DataType::Binary,
        &policy,
    );
    let information = format!(r"{control}\SystemInformation");
    hive.dword(&format!(r"{control}\Windows"), "CSDVersion", 0)
        .sz(&format!(r"{control}\Nls\Language"), "InstallLanguage", "0407")
        .key(&format!(r"{control}\MUI\UILanguages\de-DE"))
        .key(&format!(r"{control}\MUI\UILanguages\en-US"))
        .sz(&format!(r"{control}\ComputerName\ComputerName"), "ComputerName", "PC17")
        .sz(&information, "SystemManufacturer", "Contoso")
        .sz(&information, "SystemProductName", "Desk 3")
        .sz(&information, "BIOSVersion", "2.1")
        .sz(&information, "BIOSReleaseDate", "03/01/2025")
        .sz(r"ControlSet002\Services\Tcpip\Parameters", "NV Domain", "example.org");
    hive
}

/// Writes the disk of that computer below a folder. Names are in a case of their own, as they are on real disks.
pub fn image(folder: &Path) {
    let config = folder.join("WINDOWS/system32/CONFIG");
    fs::create_dir_all(&config).expect("folder");
    fs::write(config.join("Software"), software_hive().bytes(&SOFTWARE_LINKS)).expect("file");
    fs::write(config.join("system"), system_hive().bytes(&[])).expect("file");
    let system = folder.join("WINDOWS/system32");
    fs::write(system.join("Kernel32.DLL"), program([10, 0, 26100, 4652], 1033)).expect("file");
    fs::write(system.join("readme.txt"), "text").expect("file");
    fs::create_dir_all(folder.join("Program Files/Contoso")).expect("folder");
    fs::write(folder.join("Program Files/Contoso/app.exe"), program([3, 1, 4, 7], 1031)).expect("file");
}
