use std::os::unix::fs::{PermissionsExt as _, symlink};

use jiff::SignedDuration;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256,
};
use weir_model::tls::Key;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().expect("timestamp")
}

const NOW: &str = "2031-01-01T00:00:00Z";

fn none(_: &str) -> Option<String> {
    None
}

/// Certificates in a folder of a test's own, with what an administrator gives them.
struct Bench {
    data: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        install_provider();
        Self { data: tempfile::tempdir().expect("folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.data.path().join(name)
    }

    fn files(&self) -> TlsFiles {
        TlsFiles { certificate: self.path("chain.pem"), key: self.path("chain.key") }
    }

    fn open_at(&self, choice: TlsChoice, now: &str) -> Result<Certificates, StartError> {
        let addresses = vec!["192.0.2.7".to_owned()];
        Certificates::open(&self.path("tls"), choice, self.path("weir.toml"), addresses, "site.example", at(now))
    }

    fn open(&self, choice: TlsChoice) -> Certificates {
        self.open_at(choice, NOW).expect("opened")
    }

    /// Opened with files of an administrator.
    fn with_files(&self) -> Certificates {
        write(&self.files(), &made("first.example", 2032, &PKCS_ECDSA_P256_SHA256));
        self.open(TlsChoice { client: Some(self.files()), ..TlsChoice::default() })
    }
}

/// A chain and its key, signed by an authority of its own.
fn made(name: &str, until: i32, algorithm: &'static rcgen::SignatureAlgorithm) -> (String, String) {
    let key = KeyPair::generate().expect("key");
    let mut params = CertificateParams::new(Vec::new()).expect("params");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "Test authority");
    let authority = params.self_signed(&key).expect("signed");
    let issuer = Issuer::new(params, key);
    let own = KeyPair::generate_for(algorithm).expect("key");
    let mut leaf = CertificateParams::new(vec![name.to_owned()]).expect("params");
    leaf.not_before = rcgen::date_time_ymd(2030, 1, 1);
    leaf.not_after = rcgen::date_time_ymd(until, 1, 1);
    let leaf = leaf.signed_by(&own, &issuer).expect("signed");
    (leaf.pem() + &authority.pem(), own.serialize_pem())
}

fn write(files: &TlsFiles, (chain, key): &(String, String)) {
    fs::write(&files.certificate, chain).expect("written");
    fs::write(&files.key, key).expect("written");
}

fn look(certificates: &Certificates, urgent: bool) -> Looked {
    certificates.look("site.example", &none, at(NOW), urgent)
}

/// The first name that a plane shows.
fn shown(certificates: &Certificates, plane: &str) -> String {
    let standing = certificates.standing().expect("read");
    let one = standing.into_iter().find(|one| one.plane == plane).expect("plane");
    one.chain[0].names[0].clone()
}

fn own_names(certificates: &Certificates) -> (Vec<String>, Vec<String>) {
    let standing = certificates.standing().expect("read");
    let leaf = &standing.iter().find(|one| one.plane == OWN).expect("own").chain[0];
    (leaf.names.clone(), leaf.addresses.iter().map(ToString::to_string).collect())
}

#[test]
fn the_authority_is_kept_and_replaced_shortly_before_it_ends() {
    let bench = Bench::new();
    let open = |now: &str| {
        bench.open_at(TlsChoice::default(), now).expect("opened");
        fs::read_to_string(bench.path("tls/ca.pem")).expect("ca.pem")
    };
    let first = open("2026-01-01T00:00:00Z");
    assert_eq!(open("2035-06-01T00:00:00Z"), first);
    assert_ne!(open("2035-12-01T00:00:00Z"), first);
}

#[test]
fn the_leaf_is_ecdsa_p256_and_is_for_all_that_this_server_is_called() {
    let bench = Bench::new();
    let certificates = bench.open(TlsChoice { names: vec!["WSUS.example".to_owned()], ..TlsChoice::default() });
    let (names, addresses) = own_names(&certificates);
    for name in ["localhost", "wsus.example", "site.example"] {
        assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
    }
    for address in ["127.0.0.1", "::1", "192.0.2.7"] {
        assert!(addresses.iter().any(|known| known == address), "{address}: {addresses:?}");
    }
    let standing = certificates.standing().expect("read");
    assert_eq!((standing[0].chain.len(), standing[0].chain[0].key), (2, Key::EcP256));
    assert_eq!(standing[0].chain[0].issued_by_next, Some(true));
    assert!(standing[0].chain[1].authority && certificates.client_is_own());
    assert_eq!(certificates.authority().expect("read").fingerprint, standing[0].chain[1].fingerprint);
}

#[test]
fn the_leaf_is_made_anew_when_it_is_old_and_when_its_names_change() {
    let bench = Bench::new();
    let certificates = bench.open(TlsChoice::default());
    assert_eq!(look(&certificates, false), Looked::default());
    let later = at(NOW) + SignedDuration::from_hours(31 * 24);
    let looked = certificates.look("site.example", &none, later, false);
    assert_eq!(looked.changed, [OWN, CLIENT, ADMIN], "all show it");
    let renamed = certificates.look("other.example", &none, later, false);
    assert_eq!(renamed.changed, [OWN, CLIENT, ADMIN]);
    assert!(own_names(&certificates).0.contains(&"other.example".to_owned()));

    fs::write(bench.path("weir.toml"), "[tls]\nnames = ['third.example']\n").expect("written");
    // half of a file may be a good one: it is looked at twice
    assert_eq!(certificates.look("other.example", &none, later, false), Looked::default());
    assert!(certificates.look("other.example", &none, later, false).changed.contains(&OWN));
    assert!(own_names(&certificates).0.contains(&"third.example".to_owned()));
}

#[test]
fn a_configuration_that_cannot_be_read_changes_nothing() {
    let bench = Bench::new();
    let certificates = bench.open(TlsChoice { names: vec!["wsus.example".to_owned()], ..TlsChoice::default() });
    fs::write(bench.path("weir.toml"), "[tls]\nname = ['x']\n").expect("written");
    let looked = look(&certificates, true);
    assert!(looked.turned && looked.changed.is_empty());
    assert!(certificates.failures()[0].1.contains("tls.name"), "{:?}", certificates.failures());
    assert_eq!(look(&certificates, true), Looked::default(), "it is said once");
    assert!(own_names(&certificates).0.contains(&"wsus.example".to_owned()));
    fs::write(bench.path("weir.toml"), "[tls]\nnames = ['wsus.example']\n").expect("written");
    assert!(look(&certificates, true).turned && certificates.failures().is_empty());
    fs::remove_file(bench.path("weir.toml")).expect("removed");
    assert!(look(&certificates, true).turned && certificates.failures()[0].1.contains("is gone"));
    assert!(own_names(&certificates).0.contains(&"wsus.example".to_owned()));
}

#[test]
fn a_new_pair_is_shown_and_a_bad_one_is_not() {
    let bench = Bench::new();
    let certificates = bench.with_files();
    assert_eq!(shown(&certificates, CLIENT), "first.example");
    assert_eq!(look(&certificates, false), Looked::default());

    let second = made("second.example", 2032, &PKCS_ECDSA_P256_SHA256);
    // half of it: the certificate is there, its key is not yet
    fs::write(bench.files().certificate, &second.0).expect("written");
    assert_eq!(look(&certificates, false), Looked::default(), "it may be half written");
    assert!(certificates.failures().is_empty());
    assert!(look(&certificates, false).turned);
    assert!(certificates.failures()[0].1.contains("is not the key of"), "{:?}", certificates.failures());
    assert_eq!(shown(&certificates, CLIENT), "first.example");
    fs::write(bench.files().key, &second.1).expect("written");
    let looked = look(&certificates, false);
    assert!(looked.turned && looked.changed == [CLIENT]);
    assert_eq!(shown(&certificates, CLIENT), "second.example");
    assert!(certificates.failures().is_empty());

    let broken: [(&str, &str, &str); 4] = [
        ("nothing", second.1.as_str(), "holds no certificate"),
        (second.0.as_str(), "nothing", "no private key"),
        (
            second.0.as_str(),
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "encrypted",
        ),
        (&second.0[..200], second.1.as_str(), "chain.pem"),
    ];
    for (chain, key, says) in broken {
        write(&bench.files(), &(chain.to_owned(), key.to_owned()));
        look(&certificates, true);
        assert!(certificates.failures()[0].1.contains(says), "{says}: {:?}", certificates.failures());
        assert_eq!(shown(&certificates, CLIENT), "second.example");
    }
    let over = made("over.example", 2030, &PKCS_ECDSA_P256_SHA256);
    write(&bench.files(), &over);
    assert!(look(&certificates, true).changed.is_empty());
    assert!(certificates.failures()[0].1.contains("ended on"), "{:?}", certificates.failures());
    fs::remove_file(bench.files().key).expect("removed");
    look(&certificates, true);
    assert_eq!(shown(&certificates, CLIENT), "second.example");

    write(&bench.files(), &second);
    assert!(look(&certificates, false).turned, "back to what is shown");
    assert!(certificates.failures().is_empty());
}

#[test]
fn a_link_that_is_swapped_is_followed() {
    let bench = Bench::new();
    for (folder, name) in [("archive1", "first.example"), ("archive2", "second.example")] {
        fs::create_dir(bench.path(folder)).expect("folder");
        let files = TlsFiles { certificate: bench.path(folder).join("c.pem"), key: bench.path(folder).join("k.pem") };
        write(&files, &made(name, 2032, &PKCS_ECDSA_P256_SHA256));
    }
    symlink(bench.path("archive1"), bench.path("live")).expect("link");
    let files = TlsFiles { certificate: bench.path("live/c.pem"), key: bench.path("live/k.pem") };
    let certificates = bench.open(TlsChoice { client: Some(files), ..TlsChoice::default() });
    assert_eq!(shown(&certificates, CLIENT), "first.example");
    symlink(bench.path("archive2"), bench.path("new")).expect("link");
    fs::rename(bench.path("new"), bench.path("live")).expect("swapped");
    assert_eq!(look(&certificates, false).changed, [CLIENT]);
    assert_eq!(shown(&certificates, CLIENT), "second.example");
    assert!(!certificates.client_is_own());
}

#[test]
fn keys_of_every_form_are_read_and_rsa_is_told_from_ecdsa() {
    let bench = Bench::new();
    let certificates = bench.with_files();
    write(&bench.files(), &made("rsa.example", 2032, &PKCS_RSA_SHA256));
    assert_eq!(look(&certificates, true).changed, [CLIENT]);
    let standing = certificates.standing().expect("read");
    assert_eq!(standing[0].chain[0].key, Key::Rsa(2_048));
}

#[test]
fn a_key_that_everybody_can_read_is_told_of() {
    let bench = Bench::new();
    let certificates = bench.with_files();
    let exposed = || {
        look(&certificates, false);
        certificates.standing().expect("read")[0].exposed
    };
    for (mode, is_exposed) in [(0o644, true), (0o640, false), (0o600, false)] {
        fs::set_permissions(bench.files().key, fs::Permissions::from_mode(mode)).expect("mode");
        assert_eq!(exposed(), is_exposed, "{mode:o}");
    }
}

#[test]
fn the_pin_follows_the_certificate() {
    let bench = Bench::new();
    let certificates = bench.with_files();
    let first = certificates.pin().expect("pin");
    assert!(first.authority.is_some());
    write(&bench.files(), &made("second.example", 2032, &PKCS_ECDSA_P256_SHA256));
    look(&certificates, true);
    assert_ne!(certificates.pin().expect("pin").fingerprint, first.fingerprint);
}

#[test]
fn files_that_cannot_be_used_keep_a_server_from_starting() {
    let bench = Bench::new();
    write(&bench.files(), &("nothing".to_owned(), "nothing".to_owned()));
    let choice = TlsChoice { client: Some(bench.files()), ..TlsChoice::default() };
    let error = bench.open_at(choice, NOW).expect_err("no certificate");
    assert!(error.to_string().contains("it holds no certificate"), "{error}");
}
