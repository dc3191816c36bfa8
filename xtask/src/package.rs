//! The Debian package.
//!
//! A tree of what the package installs is put together below `target/package`: the program, what it writes itself (manual
//! pages, completions), the files of `packaging/` and the guides. `dpkg-deb` makes the package of that tree. All times in it
//! are that of the last commit, or of `SOURCE_DATE_EPOCH`, so that the same source gives the same package.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::{cargo, root, succeed, target_dir, works};

/// Revision of the packaging of one version.
const REVISION: u32 = 1;

/// What is run, beside the program itself.
const TOOLS: [&str; 5] = ["dpkg-deb", "dpkg", "gzip", "md5sum", "strip"];

/// Files of the workspace, and where they are installed.
const FILES: [(&str, &str); 11] = [
    ("packaging/weir.service", "usr/lib/systemd/system/weir.service"),
    ("packaging/weir.sysusers", "usr/lib/sysusers.d/weir.conf"),
    ("packaging/weir.toml", "etc/weir/weir.toml"),
    ("packaging/grafana/weir.json", "usr/share/doc/weir/grafana/weir.json"),
    ("packaging/prometheus/weir.rules.yml", "usr/share/doc/weir/prometheus/weir.rules.yml"),
    ("packaging/debian/lintian-overrides", "usr/share/lintian/overrides/weir"),
    ("CHANGELOG.md", "usr/share/doc/weir/changelog"),
    ("README.md", "usr/share/doc/weir/README.md"),
    ("ARCHITECTURE.md", "usr/share/doc/weir/ARCHITECTURE.md"),
    ("CONTRIBUTING.md", "usr/share/doc/weir/CONTRIBUTING.md"),
    // the guides name it; it is the changelog again
    ("CHANGELOG.md", "usr/share/doc/weir/CHANGELOG.md"),
];

/// Completion scripts, and where shells look for them.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "usr/share/bash-completion/completions/weir"),
    ("fish", "usr/share/fish/vendor_completions.d/weir.fish"),
    ("zsh", "usr/share/zsh/vendor-completions/_weir"),
];

/// What runs when the package is installed and removed.
const SCRIPTS: [&str; 3] = ["postinst", "prerm", "postrm"];

/// Builds the program, unless one is given, and packs it.
pub(crate) fn run(program: Option<PathBuf>) -> Result<()> {
    if let Some(tool) = TOOLS.iter().find(|tool| !works(tool, &["--version"])) {
        bail!("`{tool}` is missing: packages are made on Debian, with dpkg, gzip, coreutils and binutils installed");
    }
    let program = match program {
        Some(program) => program,
        None => {
            succeed(cargo("build").args(["--release", "--locked", "--package", "weir"]))?;
            target_dir().join("release/weir")
        }
    };
    let package = make(&program, epoch()?, &target_dir().join("package"))?;
    if works("lintian", &["--version"]) {
        succeed(Command::new("lintian").args(["--fail-on", "error"]).arg(&package))?;
    } else {
        println!("xtask: lintian is not installed, so the package was not looked at by it");
    }
    println!("xtask: {}", package.display());
    Ok(())
}

/// Puts the package together below `folder`; what was there of an earlier one goes. All times are `epoch`, in seconds
/// since 1970.
fn make(program: &Path, epoch: u64, folder: &Path) -> Result<PathBuf> {
    let tree = folder.join("tree");
    if tree.exists() {
        fs::remove_dir_all(&tree).with_context(|| tree.display().to_string())?;
    }
    put(program, &tree.join("usr/bin/weir"))?;
    let own = tree.join("usr/bin/weir");
    fs::set_permissions(&own, fs::Permissions::from_mode(0o755))?;
    let code = fs::read(&own).with_context(|| own.display().to_string())?;
    if code.starts_with(b"\x7fELF") {
        succeed(Command::new("strip").args(["--strip-unneeded", "--remove-section=.comment"]).arg(&own))?;
    }
    for (from, to) in FILES {
        put(&root().join(from), &tree.join(to))?;
    }
    guides(&root().join("docs"), &tree.join("usr/share/doc/weir/docs"))?;
    write(&tree.join("usr/share/doc/weir/copyright"), &copyright()?)?;
    let version = format!("{}-{REVISION}", env!("CARGO_PKG_VERSION"));
    write(&tree.join("usr/share/doc/weir/changelog.Debian"), &changelog(&version, epoch)?)?;
    written_by(program, &tree)?;
    compress(&tree)?;

    let control = tree.join("DEBIAN");
    for script in SCRIPTS {
        let to = control.join(script);
        put(&root().join("packaging/debian").join(script), &to)?;
        fs::set_permissions(&to, fs::Permissions::from_mode(0o755))?;
    }
    write(&control.join("conffiles"), "/etc/weir/weir.toml\n")?;
    let files = files_below(&tree)?;
    let installed: Vec<&PathBuf> = files.iter().filter(|file| !file.starts_with("DEBIAN")).collect();
    write(&control.join("md5sums"), &output(Command::new("md5sum").arg("--").args(&installed).current_dir(&tree))?)?;
    let mut kib = 0;
    for file in &installed {
        kib += fs::metadata(tree.join(file))?.len().div_ceil(1024);
    }
    let architecture = output(Command::new("dpkg").arg("--print-architecture"))?.trim().to_owned();
    let template = text(&root().join("packaging/debian/control"))?;
    let filled = template
        .replace("@VERSION@", &version)
        .replace("@ARCHITECTURE@", &architecture)
        .replace("@SIZE@", &kib.to_string())
        .replace("@LIBRARIES@", &libraries(&code));
    write(&control.join("control"), &filled)?;
    tidy(&tree)?;

    let package = folder.join(format!("weir_{version}_{architecture}.deb"));
    let mut pack = Command::new("dpkg-deb");
    pack.args(["--root-owner-group", "--build"]).arg(&tree).arg(&package);
    succeed(pack.env("SOURCE_DATE_EPOCH", epoch.to_string()))?;
    Ok(package)
}

/// The time of everything in the package.
fn epoch() -> Result<u64> {
    let text = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text,
        Err(_) => output(Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(root()))
            .context("without a repository SOURCE_DATE_EPOCH has to say the time of the package")?,
    };
    text.trim().parse().with_context(|| format!("{text:?} is no number of seconds since 1970"))
}

/// Copies a file and makes the folders above it.
fn put(from: &Path, to: &Path) -> Result<()> {
    write(to, "")?;
    fs::copy(from, to).with_context(|| from.display().to_string())?;
    Ok(())
}

/// Writes a file and makes the folders above it.
fn write(to: &Path, text: &str) -> Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    fs::write(to, text).with_context(|| to.display().to_string())
}

fn text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// Copies the guides of a folder and of those below it.
fn guides(from: &Path, to: &Path) -> Result<()> {
    for file in files_below(from)?.iter().filter(|file| file.extension() == Some(OsStr::new("md"))) {
        put(&from.join(file), &to.join(file))?;
    }
    Ok(())
}

/// The licences, in Debian's form: paragraphs are indented, and empty lines are a dot.
fn copyright() -> Result<String> {
    let template = text(&root().join("packaging/debian/copyright"))?;
    let licence = text(&root().join("LICENSE-MIT"))?;
    // who holds it stands above the licence already
    let terms: Vec<&str> = licence.lines().skip_while(|line| !line.starts_with("Permission")).collect();
    if terms.is_empty() {
        bail!("LICENSE-MIT has not the terms that were expected");
    }
    let indented = |line: &&str| if line.is_empty() { " .".to_owned() } else { format!(" {line}") };
    Ok(template.replace("@MIT@", &terms.iter().map(indented).collect::<Vec<_>>().join("\n")))
}

/// The changelog of the packaging; that of the program is beside it.
fn changelog(version: &str, epoch: u64) -> Result<String> {
    let date = output(Command::new("date").args(["--utc", "--rfc-email", &format!("--date=@{epoch}")]))?;
    let news = format!("What is new in {} is in changelog.gz.", env!("CARGO_PKG_VERSION"));
    let head = format!("weir ({version}) unstable; urgency=medium");
    Ok(format!("{head}\n\n  * {news}\n\n -- The Weir authors <>  {}\n", date.trim()))
}

/// What the program writes about itself.
fn written_by(program: &Path, tree: &Path) -> Result<()> {
    for (shell, to) in COMPLETIONS {
        write(&tree.join(to), &output(Command::new(program).args(["completions", shell]))?)?;
    }
    let pages = tree.join("usr/share/man/man1");
    fs::create_dir_all(&pages)?;
    output(Command::new(program).args(["completions", "--man"]).arg(&pages))?;
    if !pages.join("weir.1").is_file() {
        bail!("`weir completions --man` wrote no weir.1");
    }
    Ok(())
}

/// Compresses what Debian wants compressed: manual pages and changelogs.
fn compress(tree: &Path) -> Result<()> {
    let pages = tree.join("usr/share/man/man1");
    let mut files: Vec<PathBuf> = files_below(&pages)?.iter().map(|file| pages.join(file)).collect();
    files.extend(["changelog", "changelog.Debian"].map(|name| tree.join("usr/share/doc/weir").join(name)));
    // without name and time, which would differ
    output(Command::new("gzip").args(["-9", "--no-name", "--"]).args(&files))?;
    Ok(())
}

/// The packages that the program is linked with: the C library, as new as the newest symbol that it asks for.
fn libraries(code: &[u8]) -> String {
    match newest_glibc(code) {
        Some((major, minor)) => format!("libc6 (>= {major}.{minor}), libgcc-s1"),
        None => "libc6".to_owned(),
    }
}

/// The newest version of the C library that a program names.
fn newest_glibc(code: &[u8]) -> Option<(u32, u32)> {
    const NAME: &[u8] = b"GLIBC_";
    let named = code.windows(NAME.len()).enumerate().filter(|(_, seen)| *seen == NAME);
    named.filter_map(|(at, _)| version_at(code.get(at + NAME.len()..)?)).max()
}

/// `2.34` or `2.2.5` at the beginning, up to the end of the text.
fn version_at(code: &[u8]) -> Option<(u32, u32)> {
    let end = code.iter().take(16).position(|byte| *byte == 0)?;
    let mut parts = std::str::from_utf8(code.get(..end)?).ok()?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Every file below a folder, relative to it, in order.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    fn walk(folder: &Path, below: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
        let here = folder.join(below);
        for entry in fs::read_dir(&here).with_context(|| here.display().to_string())? {
            let entry = entry?;
            let path = below.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                walk(folder, &path, files)?;
            } else {
                files.push(path);
            }
        }
        Ok(())
    }
    let mut files = Vec::new();
    walk(folder, Path::new(""), &mut files)?;
    files.sort();
    Ok(files)
}

/// Gives folders and files the modes of an installed system, whatever the mask of this process is.
fn tidy(folder: &Path) -> Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            tidy(&path)?;
        } else {
            let runs = fs::metadata(&path)?.permissions().mode() & 0o100 != 0;
            fs::set_permissions(&path, fs::Permissions::from_mode(if runs { 0o755 } else { 0o644 }))?;
        }
    }
    Ok(())
}

/// What a command prints; it must end well.
fn output(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot start `{program}`"))?;
    if !output.status.success() {
        bail!("`{program}` failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{program}` does not print UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stands in for the program: it writes what `weir completions` writes, and can be run.
    const STAND_IN: &str = "#!/bin/sh\n\
        case \"$2\" in\n\
        --man) printf '.TH weir 1\\n' > \"$3/weir.1\"; printf '.TH weir-serve 1\\n' > \"$3/weir-serve.1\" ;;\n\
        *) echo \"completions of $2\" ;;\n\
        esac\n";

    fn made(folder: &Path) -> PathBuf {
        let program = folder.join("program");
        fs::write(&program, STAND_IN).expect("written");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("runs");
        make(&program, 1_000_000_000, &folder.join("package")).expect("a package")
    }

    fn told(arguments: &[&str], package: &Path) -> String {
        output(Command::new("dpkg-deb").args(arguments).arg(package)).expect("a package that can be read")
    }

    /// One test, since a program that was just written cannot be run while another thread starts one.
    #[test]
    fn a_package_has_what_an_administrator_of_debian_expects_and_is_the_same_each_time() {
        let (first, second) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("folder"));
        let package = made(first.path());
        assert!(fs::read(&package).expect("read") == fs::read(made(second.path())).expect("read"), "they differ");
        let field = |name: &str| {
            let read = Command::new("dpkg-deb").arg("--field").arg(&package).arg(name).output().expect("read");
            String::from_utf8(read.stdout).expect("text").trim().to_owned()
        };
        assert_eq!(field("Package"), "weir");
        assert_eq!(field("Version"), format!("{}-{REVISION}", env!("CARGO_PKG_VERSION")));
        assert_eq!(field("Maintainer"), "The Weir authors");
        assert!(field("Installed-Size").parse::<u64>().expect("a number") > 0);
        assert!(!told(&["--field"], &package).contains('@'), "something was not filled in");

        let list = told(&["--contents"], &package);
        for (mode, path) in [
            ("-rwxr-xr-x", "./usr/bin/weir"),
            ("-rw-r--r--", "./etc/weir/weir.toml"),
            ("-rw-r--r--", "./usr/lib/systemd/system/weir.service"),
            ("-rw-r--r--", "./usr/lib/sysusers.d/weir.conf"),
            ("-rw-r--r--", "./usr/share/man/man1/weir-serve.1.gz"),
            ("-rw-r--r--", "./usr/share/doc/weir/copyright"),
            ("-rw-r--r--", "./usr/share/doc/weir/changelog.Debian.gz"),
            ("-rw-r--r--", "./usr/share/doc/weir/docs/install.md"),
            ("-rw-r--r--", "./usr/share/bash-completion/completions/weir"),
        ] {
            let line = list.lines().find(|line| line.ends_with(path)).unwrap_or_else(|| panic!("{path}: {list}"));
            assert!(line.starts_with(mode) && line.contains(" root/root "), "{line}");
        }
        // nothing of the machine that made it
        assert!(list.lines().all(|line| line.contains(" root/root ") && line.contains("2001-09-")), "{list}");

        let root = first.path().join("root");
        let unpack = |way: &str, to: &Path| {
            output(Command::new("dpkg-deb").arg(way).arg(&package).arg(to)).expect("unpacked");
        };
        unpack("--extract", &root);
        unpack("--control", &root.join("DEBIAN"));
        let sums = root.join("DEBIAN/md5sums");
        output(Command::new("md5sum").args(["--check", "--strict"]).arg(&sums).current_dir(&root)).expect("whole");
        assert_eq!(text(&root.join("DEBIAN/conffiles")).expect("read"), "/etc/weir/weir.toml\n");
        for script in SCRIPTS {
            output(Command::new("sh").arg("-n").arg(root.join("DEBIAN").join(script))).expect("a script");
        }
        let copyright = text(&root.join("usr/share/doc/weir/copyright")).expect("read");
        assert!(copyright.contains("\n .\n The above copyright notice"), "{copyright}");
    }

    #[test]
    fn the_newest_symbol_decides_about_the_library() {
        let code = b"\0GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.9\0GLIBC_PRIVATE\0GLIBC_ABI_DT_RELR\0GLIBC_2";
        assert_eq!(newest_glibc(code), Some((2, 34)));
        assert_eq!(libraries(code), "libc6 (>= 2.34), libgcc-s1");
        assert_eq!(newest_glibc(b"#!/bin/sh"), None);
    }
}
