//! A provider of OpenID Connect that is not ours (oidc-provider), as a process of its own.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use tempfile::TempDir;

/// What this server is known by there.
pub const CLIENT: &str = "weir";
/// The secret between the two.
pub const SECRET: &str = "a secret between two";

/// A running provider. It ends when this is dropped.
#[derive(Debug)]
pub struct Provider {
    /// Its issuer, an HTTPS address.
    pub issuer: String,
    folder: TempDir,
    child: Child,
}

impl Provider {
    /// Starts one that sends browsers back to this address.
    ///
    /// # Panics
    ///
    /// If it does not start, or is absent; `cargo xtask test` installs it.
    pub fn start(redirect: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let installed = std::env::var_os("OIDC_PROVIDER").map_or_else(|| target.join("oidc-provider"), PathBuf::from);
        assert!(
            installed.join("node_modules/oidc-provider").is_dir(),
            "this test needs oidc-provider in {}: run `cargo xtask test --prepare`, or name its folder in OIDC_PROVIDER",
            installed.display()
        );
        let folder = tempfile::tempdir().expect("a folder");
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name");
        let certificate = params.self_signed(&key).expect("a certificate");
        let (certificate_file, key_file) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
        std::fs::write(&certificate_file, certificate.pem()).expect("it can be written");
        std::fs::write(&key_file, key.serialize_pem()).expect("it can be written");
        let script = std::fs::canonicalize(root.join("tests/oidc/provider.mjs")).expect("tests/oidc/provider.mjs");
        let mut child = Command::new("node")
            .arg(script)
            .args([certificate_file.as_os_str(), key_file.as_os_str()])
            .arg(redirect)
            .current_dir(&installed)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node starts");
        let mut issuer = String::new();
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped"));
        lines.read_line(&mut issuer).expect("it can be read");
        // it would end if nobody read what else it has to say
        std::thread::spawn(move || lines.lines().map_while(Result::ok).for_each(drop));
        let issuer = issuer.trim().to_owned();
        assert!(issuer.starts_with("https://127.0.0.1:"), "the provider ended before it listened: {issuer:?}");
        Self { issuer, folder, child }
    }

    /// The certificate that it shows, as a PEM file.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// A file with the secret between the two.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn secret_file(&self) -> PathBuf {
        let path = self.folder.path().join("secret");
        std::fs::write(&path, format!("{SECRET}\n")).expect("it can be written");
        path
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
