//! Names that Windows compares without regard to case, and paths made of them.

use weir_model::document::rules::base::Hive;

/// Longest path of a file or key, in characters. Windows: 32,767 for files; 255 a key, in at most 512 levels.
pub(super) const LONGEST: usize = 32_767;

/// A name in the form in which it is compared. Windows maps single characters to upper case; what has no single upper-case
/// character stays.
pub(super) fn fold(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_uppercase();
    }
    name.chars()
        .map(|character| {
            let mut upper = character.to_uppercase();
            match (upper.next(), upper.next()) {
                (Some(single), None) => single,
                _ => character,
            }
        })
        .collect()
}

/// The root of a registry path as files and people write it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Root {
    /// `HKEY_CURRENT_USER`.
    CurrentUser,
    /// `HKEY_LOCAL_MACHINE`.
    LocalMachine,
    /// `HKEY_USERS`.
    Users,
}

impl Root {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::CurrentUser, Self::LocalMachine, Self::Users];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CurrentUser => "HKEY_CURRENT_USER",
            Self::LocalMachine => "HKEY_LOCAL_MACHINE",
            Self::Users => "HKEY_USERS",
        }
    }
}

/// Joins a root and a path below it. `HKEY_CLASSES_ROOT` is what all users have of it: `SOFTWARE\Classes` of the machine.
/// None for the target of a loop, which is no root.
pub(super) fn key_path(hive: Hive, path: &str) -> Option<String> {
    let (root, below) = match hive {
        Hive::ClassesRoot => (Root::LocalMachine, "\\SOFTWARE\\Classes"),
        Hive::CurrentUser => (Root::CurrentUser, ""),
        Hive::LocalMachine => (Root::LocalMachine, ""),
        Hive::Users => (Root::Users, ""),
        Hive::LoopTarget => return None,
    };
    let path = path.trim_matches('\\');
    let slash = if path.is_empty() { "" } else { "\\" };
    Some(format!("{}{below}{slash}{path}", root.name()))
}

/// Why text is no path of a registry key.
pub(super) fn check_key_path(path: &str) -> Result<(), String> {
    let mut parts = path.split('\\');
    let root = parts.next().unwrap_or_default();
    if root.eq_ignore_ascii_case("HKEY_CLASSES_ROOT") {
        return Err(r"write HKEY_LOCAL_MACHINE\SOFTWARE\Classes instead of HKEY_CLASSES_ROOT".to_owned());
    }
    if !Root::ALL.iter().any(|known| known.name().eq_ignore_ascii_case(root)) {
        let names = Root::ALL.map(Root::name).join(", ");
        return Err(format!("a path of the registry begins with one of {names}"));
    }
    if parts.any(str::is_empty) {
        return Err("a path of the registry has one backslash between names and none at its end".to_owned());
    }
    length(path)
}

/// Why text is no full path of a file.
pub(super) fn check_file_path(path: &str) -> Result<(), String> {
    match file_path(path) {
        Some(normal) if normal == path => length(path),
        Some(normal) => Err(format!("write it as {normal}")),
        None => Err(r"a file is named by its full path, such as C:\Windows\explorer.exe".to_owned()),
    }
}

fn length(path: &str) -> Result<(), String> {
    if path.chars().count() > LONGEST {
        return Err(format!("a path has at most {LONGEST} characters"));
    }
    Ok(())
}

/// A full path with a drive letter in one form: backslashes, one at a time, none at the end but after the drive; `.` and
/// `..` resolved. None if it is no such path.
pub(super) fn file_path(path: &str) -> Option<String> {
    let mut characters = path.chars();
    let (drive, colon, slash) = (characters.next()?, characters.next()?, characters.next());
    if !drive.is_ascii_alphabetic() || colon != ':' || !matches!(slash, None | Some('\\' | '/')) || path.contains('\0')
    {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in characters.as_str().split(['\\', '/']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Some(format!("{drive}:\\{}", parts.join("\\")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_windows_does() {
        assert_eq!(fold("Straße"), "STRAßE");
        assert_eq!(fold("éa"), "ÉA");
        assert_eq!(fold("ﬁ"), "ﬁ");
    }

    #[test]
    fn file_paths_have_one_form() {
        for (text, normal) in [
            (r"C:\Windows\x.dll", Some(r"C:\Windows\x.dll")),
            (r"C:/Windows//System32\..\x.dll", Some(r"C:\Windows\x.dll")),
            (r"c:\..\..", Some(r"c:\")),
            ("C:", Some(r"C:\")),
            (r"\\server\share\x", None),
            (r"Windows\x", None),
            ("C:x", None),
            ("", None),
        ] {
            assert_eq!(file_path(text).as_deref(), normal, "{text}");
        }
    }

    #[test]
    fn key_paths_name_a_root() {
        assert_eq!(check_key_path(r"hkey_local_machine\SOFTWARE"), Ok(()));
        assert!(check_key_path(r"HKLM\SOFTWARE").is_err_and(|why| why.contains("HKEY_LOCAL_MACHINE")));
        assert!(check_key_path(r"HKEY_CLASSES_ROOT\x").is_err_and(|why| why.contains(r"SOFTWARE\Classes")));
        assert!(check_key_path(r"HKEY_USERS\").is_err());
        assert_eq!(key_path(Hive::ClassesRoot, "CLSID").as_deref(), Some(r"HKEY_LOCAL_MACHINE\SOFTWARE\Classes\CLSID"));
        assert_eq!(key_path(Hive::LoopTarget, ""), None);
    }
}
