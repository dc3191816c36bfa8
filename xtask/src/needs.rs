//! What the tests need beyond a Rust toolchain.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context as _, Result, bail};

use crate::{root, succeed, target_dir, works};

/// A program of the operating system.
struct Tool {
    /// What shows that it is here: a program and arguments with which it ends well.
    probe: (&'static str, &'static [&'static str]),
    /// The Debian package that has it.
    package: &'static str,
    /// What for.
    purpose: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool {
        probe: ("cabextract", &["--version"]),
        package: "cabextract",
        purpose: "the cabinets we write are unpacked by an independent program",
    },
    Tool {
        probe: ("dpkg-deb", &["--version"]),
        package: "dpkg",
        purpose: "the Debian package is made, and read again",
    },
    Tool {
        probe: ("python3", &["-c", "import venv, ensurepip"]),
        package: "python3-venv",
        purpose: "SOAP answers and Parquet files are read, and REST is called, by independent programs: zeep, pyarrow, schemathesis; \
                  content is kept in an independent server that speaks S3: moto",
    },
    Tool {
        probe: ("npm", &["--version"]),
        package: "npm",
        purpose: "the browser is driven by playwright-core, pages are checked by axe-core, the script of pages by typescript; administrators sign \
                  in at an independent provider of OpenID Connect, oidc-provider",
    },
    Tool {
        probe: ("strace", &["-V"]),
        package: "strace",
        purpose: "disks fail, hang and slow down under a server that runs, also in benchmarks",
    },
    Tool {
        probe: ("sh", &["-c", POSTGRES_THERE]),
        package: POSTGRES,
        purpose: "the database is one of PostgreSQL, too, in a cluster of each test program's own",
    },
    Tool {
        probe: ("chromium", &["--version"]),
        package: "chromium",
        purpose: "the console is opened in a real browser",
    },
];

const POSTGRES: &str = "postgresql";
/// Whether there is a release that the tests can start: of Debian, among other programs, or in the folder that `POSTGRES_BIN` names.
const POSTGRES_THERE: &str = "test -n \"$POSTGRES_BIN\" || command -v initdb || \
                              ls /usr/lib/postgresql/1[5-9]/bin/initdb /usr/lib/postgresql/[2-9]?/bin/initdb 2>/dev/null | grep -q .";
/// Debian makes and starts a cluster with each release that it installs, unless this says otherwise before.
const NO_CLUSTER: &str =
    "sed -i -E 's/^#?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf";

/// What benchmarks compare with, or measure by.
const BENCH_TOOLS: &[Tool] = &[
    Tool { probe: ("nginx", &["-v"]), package: "nginx-light", purpose: "downloads are compared with those of nginx" },
    Tool {
        probe: ("strace", &["-V"]),
        package: "strace",
        purpose: "a slow disk is imitated: 10 ms are added to each flush",
    },
];

/// What the fuzz targets need.
const FUZZ_TOOLS: &[Tool] = &[Tool {
    probe: ("sh", &["-c", "\"${CXX:-c++}\" --version"]),
    package: "g++",
    purpose: "libFuzzer, which drives the targets, is compiled from its source in C++",
}];

/// Provides what the fuzz targets need.
pub(crate) fn provide_for_fuzz() -> Result<()> {
    tools(FUZZ_TOOLS, "the fuzz targets")
}

/// Provides what benchmarks need, as far as it can be had: what is missing is not measured, and the report says so.
pub(crate) fn provide_for_bench() {
    if let Err(error) = tools(BENCH_TOOLS, "the benchmarks") {
        println!("xtask: {error:#}\nxtask: going on without");
    }
}

/// The folder of recorded exchanges and genuine data.
pub(crate) fn shared() -> PathBuf {
    std::env::var_os("WEIR_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from)
}

/// Provides everything.
pub(crate) fn provide() -> Result<()> {
    tools(TOOLS, "the tests")?;
    for library in LIBRARIES {
        python(library)?;
    }
    for packages in PACKAGES {
        node(packages)?;
    }
    let shared = shared();
    if !shared.join("captures").is_dir() {
        println!(
            "xtask: the folder of captures and genuine data is not at {}: the tests that need it will fail. Name it in \
             the environment variable WEIR_SHARED.",
            shared.display()
        );
    }
    Ok(())
}

fn missing(of: &'static [Tool]) -> Vec<&'static Tool> {
    of.iter().filter(|tool| !works(tool.probe.0, tool.probe.1)).collect()
}

fn tools(of: &'static [Tool], who: &str) -> Result<()> {
    let absent = missing(of);
    if absent.is_empty() {
        return Ok(());
    }
    let packages: Vec<_> = absent.iter().map(|tool| tool.package).collect();
    let by_hand = || {
        let reasons: Vec<_> = absent.iter().map(|tool| format!("\n  {}: {}", tool.package, tool.purpose)).collect();
        format!(
            "{who} need these Debian packages:{}\ninstall them with: apt-get install {}",
            reasons.concat(),
            packages.join(" ")
        )
    };
    if !works("apt-get", &["--version"]) {
        bail!("{} (this system has no apt-get: use its own package manager)", by_hand());
    }
    let as_root = |program: &str, arguments: &[&str]| -> Result<()> {
        let mut command = if user_is_root() {
            Command::new(program)
        } else if works("sudo", &["-n", "true"]) {
            let mut command = Command::new("sudo");
            command.args(["-n", program]);
            command
        } else {
            bail!("{}\n(neither root nor able to use sudo without a password)", by_hand());
        };
        succeed(command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    let install = |packages: &[&str]| {
        let options = ["install", "--yes", "--quiet", "--no-install-recommends"];
        as_root("apt-get", &[&options[..], packages].concat()).with_context(by_hand)
    };
    as_root("apt-get", &["update", "--quiet"]).with_context(by_hand)?;
    if packages.contains(&POSTGRES) {
        // the tests start their own; nothing is to run here for them
        install(&["postgresql-common"])?;
        as_root("sh", &["-c", NO_CLUSTER]).with_context(by_hand)?;
    }
    install(&packages)?;
    let absent = missing(of);
    if let Some(tool) = absent.first() {
        bail!("{} is installed, but `{} {}` still fails", tool.package, tool.probe.0, tool.probe.1.join(" "));
    }
    Ok(())
}

fn user_is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// A library of Python that tests call, in an environment of its own below the target folder.
struct Library {
    /// What it is called when it is imported.
    module: &'static str,
    /// The folder of its environment, below the target folder.
    folder: &'static str,
    /// Pinned versions, below the root.
    requirements: &'static str,
}

const LIBRARIES: &[Library] = &[
    Library { module: "zeep", folder: "wsdl-venv", requirements: "tests/wsdl/requirements.txt" },
    Library { module: "pyarrow", folder: "parquet-venv", requirements: "tests/parquet/requirements.txt" },
    Library { module: "schemathesis", folder: "rest-venv", requirements: "tests/rest/requirements.txt" },
    Library { module: "moto.server", folder: "s3-venv", requirements: "tests/s3/requirements.txt" },
];

/// Makes the environment of a library, anew when the pinned versions change.
fn python(library: &Library) -> Result<()> {
    let requirements = root().join(library.requirements);
    let wanted = fs::read_to_string(&requirements).with_context(|| requirements.display().to_string())?;
    let folder = target_dir().join(library.folder);
    let (python, stamp) = (folder.join("bin/python"), folder.join("requirements.txt"));
    let current = fs::read_to_string(&stamp).is_ok_and(|found| found == wanted);
    if current && works(&python, &["-c", &format!("import {}", library.module)]) {
        return Ok(());
    }
    fs::create_dir_all(target_dir())?;
    succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    succeed(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(&requirements))
        .with_context(|| {
            format!(
                "{} could not be installed; it takes a Python package index or a folder of wheels (PIP_FIND_LINKS)",
                library.module
            )
        })?;
    fs::write(&stamp, wanted)?;
    Ok(())
}

/// Packages of npm that tests run, in a folder of their own below the target folder.
struct Packages {
    /// The one that is looked for.
    module: &'static str,
    /// Where they are installed, below the target folder.
    folder: &'static str,
    /// Where package.json and the pinned versions are, below the root.
    pinned: &'static str,
}

const PACKAGES: &[Packages] = &[
    Packages { module: "oidc-provider", folder: "oidc-provider", pinned: "tests/oidc" },
    Packages { module: "playwright-core", folder: "console-browser", pinned: "tests/console" },
];

/// Installs packages, anew when the pinned versions change.
fn node(packages: &Packages) -> Result<()> {
    let (folder, pinned) = (target_dir().join(packages.folder), root().join(packages.pinned));
    let lock = pinned.join("package-lock.json");
    let wanted = fs::read_to_string(&lock).with_context(|| lock.display().to_string())?;
    let stamp = folder.join("installed.json");
    let current = fs::read_to_string(&stamp).is_ok_and(|found| found == wanted);
    if current && folder.join("node_modules").join(packages.module).is_dir() {
        return Ok(());
    }
    fs::create_dir_all(&folder)?;
    for name in ["package.json", "package-lock.json"] {
        fs::copy(pinned.join(name), folder.join(name)).with_context(|| pinned.join(name).display().to_string())?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&folder);
    succeed(&mut npm).with_context(|| {
        format!("{} could not be installed; it takes an npm registry or an npm cache", packages.module)
    })?;
    fs::write(&stamp, wanted)?;
    Ok(())
}
